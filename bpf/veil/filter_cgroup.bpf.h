/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter by cgroup. The map has every cgroup that is chosen, also those below the one that was named, so one lookup
 * decides: userspace puts in what is there, cgroup_tree.bpf.h what is made later. What was looked up is remembered by
 * the lowest bits of the id, as the programs of a machine are in few cgroups.
 */
#pragma once

#include "filter_map.bpf.h"
#include "origin.bpf.h"

#define VEIL_CGROUP_SLOTS 1024 /* a power of two */

/* An answer: the id, the generation in which it was right, the bits. An id of more than 40 bits, the last part of
 * which the kernel counts up once in four thousand millions of nodes, is looked up each time. */
#define VEIL_CGROUP_ID_BITS    40
#define VEIL_CGROUP_BITS_SHIFT 56

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VEIL_FILTER_KEYS);
	__type(key, __u64);
	__type(value, __u8);
} filter_cgroup SEC(".maps");
volatile __u32 filter_cgroup_mode;
volatile __u32 filter_cgroup_generation; /* counted up after the map was changed, below 2^16 */
volatile __u64 filter_cgroup_known[VEIL_CGROUP_SLOTS];
const volatile __u32 filter_cgroup_counter;

static __always_inline __u32 veil_cgroup_bits(__u64 id)
{
	__u64 slot = id, stamp = id | (__u64)filter_cgroup_generation << VEIL_CGROUP_ID_BITS, known, bits;

	veil_bound(slot, VEIL_CGROUP_SLOTS - 1);
	known = id >> VEIL_CGROUP_ID_BITS ? 0 : filter_cgroup_known[slot];
	if (known << (64 - VEIL_CGROUP_BITS_SHIFT) == stamp << (64 - VEIL_CGROUP_BITS_SHIFT))
		return known >> VEIL_CGROUP_BITS_SHIFT;
	bits = veil_filter_bits(bpf_map_lookup_elem(&filter_cgroup, &id));
	if (!(id >> VEIL_CGROUP_ID_BITS))
		filter_cgroup_known[slot] = stamp | bits << VEIL_CGROUP_BITS_SHIFT;
	return bits;
}

static __always_inline bool veil_cgroup_decide(__u32 bits, __u32 mode, bool again)
{
	return veil_filter_counted(veil_filter_counter(cgroup, again), veil_filter_decide(bits, mode));
}

static __always_inline bool veil_cgroup_passes(__u64 id, bool again, __u32 asked)
{
	__u32 mode = veil_filter_mode(filter_cgroup_mode, asked);

	return !mode || veil_cgroup_decide(veil_cgroup_bits(id), mode, again);
}

/* For an event with two sides. */
static __always_inline bool veil_cgroups_pass(__u64 one, __u64 other, __u32 asked)
{
	__u32 mode = veil_filter_mode(filter_cgroup_mode, asked);

	return !mode || veil_cgroup_decide(veil_cgroup_bits(one) | veil_cgroup_bits(other), mode, false);
}
