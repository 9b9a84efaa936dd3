/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sending a part of the events (--budget, docs/adr/0061-a-budget-in-steps.md). An event that passes the filters is sent
 * or left out by chance, so that a pattern in what happens is not taken for one in what is seen. What is left out is
 * counted, and is no loss. Without --budget the verifier removes all of this.
 */
#pragma once

#include "types.bpf.h"

const volatile bool veil_sampling;

/* One event in so many is sent, a power of two: the mask of a random number. 0: all are. Set while programs run. */
#define VEIL_SAMPLE_NONE (~0U)
volatile __u32 veil_sample_mask;

/* Events that were left out. Each shard has its cache line; CPUs beyond their number share. */
#define VEIL_SAMPLE_SHARDS 64
struct veil_left_out {
	__u64 events;
	__u64 unused[7];
} veil_left_out[VEIL_SAMPLE_SHARDS];

/* Is the next event to be left out? Does not count it: the caller may not know yet whether there will be one. */
static __always_inline bool veil_leaves_out(void)
{
	__u32 mask = veil_sampling ? veil_sample_mask : 0;

	return mask && (mask == VEIL_SAMPLE_NONE || bpf_get_prandom_u32() & mask);
}

/* An event was left out. Atomic: a program can be preempted by another. */
static __always_inline void veil_count_left_out(void)
{
	__u64 shard = bpf_get_smp_processor_id();

	veil_bound(shard, VEIL_SAMPLE_SHARDS - 1);
	__sync_fetch_and_add(&veil_left_out[shard].events, 1);
}

/* The same as a global function: the verifier looks at it once, and not on each way that leads to it. */
__weak __noinline int veil_leave_out(void)
{
	if (!veil_leaves_out())
		return 0;
	veil_count_left_out();
	return 1;
}

/* Decides over an event that has passed all filters: true, it is counted, and must not be sent. */
static __always_inline bool veil_is_left_out(void)
{
	return veil_sampling && veil_sample_mask && veil_leave_out();
}
