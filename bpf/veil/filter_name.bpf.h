/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter by name: does a text of the filter stand anywhere in a task's name? A hash map only tells equal from not
 * equal, so each window of the name is looked up (docs/adr/0003-name-filter-by-windows.md).
 */
#pragma once

#include "filter_map.bpf.h"

/* A task name, or a part of one shifted to its front, as two words: windows of it are shifts, not loops over bytes. */
struct veil_name {
	__u64 low, high;
};

struct veil_name_verdict {
	__u32 generation;
	__u32 bits;
};

VEIL_FILTER(name, struct veil_name);

volatile __u32 filter_name_lengths;    /* bit L: the filter has a text of L bytes */
volatile __u32 filter_name_generation; /* raised by userspace with every change */

/* The answer for a name is remembered until the filter changes. A lost entry costs time, never an answer. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct veil_name);
	__type(value, struct veil_name_verdict);
} name_verdicts SEC(".maps");

/*
 * The last name that a CPU asked for: mostly it is the next one too, and then not even the map of verdicts is asked.
 * The check is over all the rest, because a program that was preempted in the middle of writing it may go on under the
 * eyes of another.
 */
struct veil_name_recent {
	struct veil_name name;
	__u32 generation;
	__u32 bits;
	__u64 check;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct veil_name_recent);
} name_recent SEC(".maps");

/* Clears what follows the NUL: it is what is left of a longer name that the task had before. */
static __always_inline void veil_name_trim(struct veil_name *name)
{
	/* The highest bit of the lowest zero byte; Mycroft's test is exact for that one. */
	__u64 low = (name->low - 0x0101010101010101ULL) & ~name->low & 0x8080808080808080ULL;
	__u64 high = (name->high - 0x0101010101010101ULL) & ~name->high & 0x8080808080808080ULL;

	if (high)
		name->high &= ((high & -high) >> 7) - 1;
	if (low) {
		name->low &= ((low & -low) >> 7) - 1;
		name->high = 0;
	}
}

/*
 * One window: the first bytes of a name that was shifted to it. A global function, because the verifier then walks it
 * once and not 120 times: that was a third of the time from exec to attached.
 */
__noinline __u32 veil_name_window(__u64 low, __u64 high, __u32 length)
{
	__u64 mask = (1ULL << 8 * (length & 7)) - 1;
	struct veil_name part = {.low = low, .high = high};
	__u8 *found;

	if (!(filter_name_lengths & (1u << (length & 31))))
		return 0;
	if (length < 8) {
		part.low &= mask;
		part.high = 0;
	} else {
		part.high &= mask;
	}
	found = bpf_map_lookup_elem(&filter_name, &part);
	return found ? *found : 0;
}

static __always_inline __u32 veil_name_search(const struct veil_name *name)
{
	__u64 low = name->low, high = name->high;
	__u8 bits = 0;

	for (int start = 0; start < 15; start++) {
		for (int length = 1; length <= 15 - start; length++)
			bits |= veil_name_window(low, high, length);
		low = low >> 8 | high << 56;
		high >>= 8;
	}
	return bits;
}

static __always_inline __u64 veil_name_check(const struct veil_name *name, __u32 generation, __u32 bits)
{
	return name->low * 0x9e3779b97f4a7c15ULL + name->high * 0xc2b2ae3d27d4eb4fULL + ((__u64)generation << 2 | bits);
}

static __always_inline __u32 veil_name_find(const struct veil_name *name, __u32 generation)
{
	struct veil_name_verdict *known, fresh;

	known = bpf_map_lookup_elem(&name_verdicts, name);
	if (known && known->generation == generation)
		return known->bits;
	/* The generation was read before the filter: a change in between makes this verdict stale, not wrong for ever.
	 */
	fresh.generation = generation;
	fresh.bits = veil_name_search(name);
	bpf_map_update_elem(&name_verdicts, name, &fresh, BPF_ANY);
	return fresh.bits;
}

static __always_inline __u32 veil_name_bits(const struct veil_name *name)
{
	__u32 zero = 0, generation = filter_name_generation, bits;
	volatile struct veil_name_recent *recent = bpf_map_lookup_elem(&name_recent, &zero);

	if (!recent)
		return veil_name_find(name, generation);
	if (recent->name.low == name->low && recent->name.high == name->high && recent->generation == generation) {
		bits = recent->bits;
		if (recent->check == veil_name_check(name, generation, bits))
			return bits;
	}
	bits = veil_name_find(name, generation);
	recent->name.low = name->low;
	recent->name.high = name->high;
	recent->generation = generation;
	recent->bits = bits;
	recent->check = veil_name_check(name, generation, bits);
	return bits;
}

/* Is a task of this name allowed? A global function, as above; weak, for else clang leaves out an argument that is used
 * nowhere, and the verifier wants all. */
__weak __noinline int veil_name_passes(__u64 low, __u64 high, __u32 again, __u32 asked)
{
	__u32 mode = veil_filter_mode(filter_name_mode, asked);
	struct veil_name name = {.low = low, .high = high};

	veil_name_trim(&name);
	return !mode ||
	       veil_filter_counted(veil_filter_counter(name, again), veil_filter_decide(veil_name_bits(&name), mode));
}
