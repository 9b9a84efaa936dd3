/* SPDX-License-Identifier: GPL-3.0-only */
/* From a finished event to the shared ring, and the ledger of what could not go there. */
#pragma once

#include "event.bpf.h"

/* Why an event was lost. Userspace takes the names from BTF, without the prefix and in lower case. */
enum veil_loss {
	VEIL_LOST_RING_FULL,	/* the reader is behind */
	VEIL_LOST_MAP_FULL,	/* no room to remember the state of a call */
	VEIL_LOST_READ_FAILED,	/* memory that the event needs, or the record itself, could not be read */
	VEIL_LOST_MISSED_PROBE, /* the kernel did not run a program where it should have */
	VEIL_LOSS_CAUSES,
};

/* Shared by all modules of a session: the session makes it and every object takes that one, so the size here is a
 * placeholder. */
struct veil_ring_type {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} veil_ring SEC(".maps");

/* Where there is more than one, each for some of the CPUs: its writers take a lock in turn. */
const volatile __u32 veil_ring_count = 1;
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct veil_ring_type);
} veil_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VEIL_LOSS_CAUSES);
	__type(key, __u32);
	__type(value, __u64);
} veil_losses SEC(".maps");

/* Carries the enumeration into BTF. */
const volatile enum veil_loss veil_loss_causes = VEIL_LOSS_CAUSES;

/* A power of two in bytes: the reader is woken when the ring's head crosses a multiple of it. */
const volatile __u64 veil_wakeup_interval = 512;

static __always_inline void veil_lost(enum veil_loss cause)
{
	__u32 key = cause;
	__u64 *count = bpf_map_lookup_elem(&veil_losses, &key);
	/* Per CPU, and still atomic: a uprobe's program can be preempted by another thread's. */
	if (count)
		__sync_fetch_and_add(count, 1);
}

/* The ring of this CPU, where there are several. */
static __always_inline void *veil_ring_here(void)
{
	__u32 number = bpf_get_smp_processor_id() % veil_ring_count;

	return bpf_map_lookup_elem(&veil_rings, &number);
}

static __always_inline void *veil_reserve(__u64 size)
{
	void *event = NULL, *ring;

	if (veil_ring_count > 1) {
		ring = veil_ring_here();
		if (ring)
			event = bpf_ringbuf_reserve(ring, size, 0);
	} else {
		event = bpf_ringbuf_reserve(&veil_ring, size, 0);
	}
	if (!event)
		veil_lost(VEIL_LOST_RING_FULL);
	return event;
}

/* Where an event is put together: in the ring, or where events are counted in `scratch`, on the caller's stack. NULL:
 * it is lost. */
#define veil_begin(scratch) ((typeof(scratch))(veil_counting ? (void *)(scratch) : veil_reserve(sizeof(*(scratch)))))

/*
 * The reader looks every few tens of milliseconds by itself; a wake-up for every event costs the traced
 * program more than the event (an irq_work each). So wake it only when this record crosses a boundary of the ring,
 * seen from the record's address: pointer minus pointer is a number that the verifier lets us have, and the
 * difference to a fixed object turns over at the same distance as the position in the ring. That is three
 * instructions where asking with bpf_ringbuf_query() is a helper call and a contended cache line.
 */
static __always_inline void veil_submit(void *event, __u64 size)
{
	__u64 position = (__u64)event - (__u64)&veil_wakeup_interval;
	__u64 footprint = (size + 8 /* BPF_RINGBUF_HDR_SZ */ + 7) & ~7ULL;
	bool crosses = (position ^ (position + footprint)) & ~(veil_wakeup_interval - 1);

	if (veil_counting) {
		veil_count(event, size);
		return;
	}
	bpf_ringbuf_submit(event, crosses ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline long veil_output_to(void *ring, void *event, __u64 size, __u64 footprint)
{
	__u64 position = bpf_ringbuf_query(ring, BPF_RB_PROD_POS);
	bool crosses = (position ^ (position + footprint)) & ~(veil_wakeup_interval - 1);

	return bpf_ringbuf_output(ring, event, size, crosses ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* The same for an event of a size that is known only now, built elsewhere: copied. Two producers at once may both miss
 * a boundary: then the next one wakes the reader, or its own clock. */
static __always_inline void veil_output(void *event, __u64 size)
{
	__u64 footprint = (size + 8 /* BPF_RINGBUF_HDR_SZ */ + 7) & ~7ULL;

	if (veil_counting) {
		veil_count(event, ~0U);
		return;
	}
	if (veil_ring_count > 1) {
		void *ring = veil_ring_here();

		if (!ring || veil_output_to(ring, event, size, footprint))
			veil_lost(VEIL_LOST_RING_FULL);
	} else if (veil_output_to(&veil_ring, event, size, footprint)) {
		veil_lost(VEIL_LOST_RING_FULL);
	}
}
