/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends finished events through the shared ring, and counts those that are lost. */
#pragma once

#include "event.bpf.h"
#include "sample.bpf.h"

/* Why an event was lost. Userspace takes the names from BTF, without the prefix and in lower case. */
enum veil_loss {
	VEIL_LOST_RING_FULL,	/* the reader is behind */
	VEIL_LOST_MAP_FULL,	/* no room to remember the state of a call */
	VEIL_LOST_READ_FAILED,	/* memory that the event needs, or the record itself, could not be read */
	VEIL_LOST_MISSED_PROBE, /* the kernel did not run a program where it should have */
	VEIL_LOST_STACKS,	/* no room for the frames of a stack: the event is there without it */
	VEIL_LOSS_CAUSES,
};

/* Shared by all modules of a session, which makes it: the size here is a placeholder. */
struct veil_ring_type {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} veil_ring SEC(".maps");

/* The writers of a ring share a lock, so on a large machine there are several, each for some of the CPUs. */
const volatile __u32 veil_ring_count = 1;
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct veil_ring_type);
} veil_rings SEC(".maps");

/* Losses of users that veil_user_lost has no room for. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VEIL_LOSS_CAUSES);
	__type(key, __u32);
	__type(value, __u64);
} veil_losses SEC(".maps");

/* Carries the enumeration into BTF. */
const volatile enum veil_loss veil_loss_causes = VEIL_LOSS_CAUSES;

/*
 * A power of two in bytes, an eighth of the ring: the reader is woken when the ring's head crosses a multiple of it.
 * The last eighth is for users that do not flood the ring (docs/adr/0013-who-floods-loses.md).
 */
const volatile __u64 veil_wakeup_interval = 512;

#define VEIL_USERS_MAX 1024

/* Losses of one user. Most never have any. */
struct veil_user_losses {
	__u64 counts[VEIL_LOSS_CAUSES];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VEIL_USERS_MAX);
	__type(key, __u32);
	__type(value, struct veil_user_losses);
} veil_user_lost SEC(".maps");
const volatile struct veil_user_losses veil_no_losses;
volatile __u32 veil_has_user_losses;

/* How much of a ring's last eighth a user has taken. */
struct veil_share {
	__u64 turn;	 /* how far the reader was when this was last updated */
	__u64 used;	 /* bytes in that turn */
	__u64 calm_from; /* the first turn in which the user may have room again */
};
struct veil_share_key {
	__u32 uid;
	__u32 ring;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VEIL_USERS_MAX);
	__type(key, struct veil_share_key);
	__type(value, struct veil_share);
} veil_shares SEC(".maps");
const volatile struct veil_share veil_no_share;

/* Rings that may be down to the last eighth. Where there are more than these, some share a place. */
#define VEIL_NEAR_MAX 256
volatile __u8 veil_near[VEIL_NEAR_MAX];

/* Looks a key up, and adds it if it is absent. NULL: the map is full. */
#define veil_value_of(map, key, absent)                                                                                \
	({                                                                                                             \
		void *value_ = bpf_map_lookup_elem(map, key);                                                          \
		if (!value_) {                                                                                         \
			bpf_map_update_elem(map, key, (const void *)(absent), BPF_NOEXIST);                            \
			value_ = bpf_map_lookup_elem(map, key);                                                        \
		}                                                                                                      \
		value_;                                                                                                \
	})

static __noinline void veil_lost_by(enum veil_loss cause, __u32 uid)
{
	struct veil_user_losses *losses;
	__u32 key = cause;
	__u64 *count;

	if (key >= VEIL_LOSS_CAUSES)
		return;
	losses = veil_value_of(&veil_user_lost, &uid, &veil_no_losses);
	count = losses ? &losses->counts[key] : bpf_map_lookup_elem(&veil_losses, &key);
	/* Atomic even where it is per CPU: a uprobe's program can be preempted by another thread's. */
	if (count)
		__sync_fetch_and_add(count, 1);
	if (!veil_has_user_losses)
		veil_has_user_losses = 1;
}

/* An event of the running task is lost. */
static __always_inline void veil_lost(enum veil_loss cause)
{
	veil_lost_by(cause, veil_current_uid());
}

static __always_inline volatile __u8 *veil_near_of(__u32 number)
{
	__u64 place = number;

	veil_bound(place, VEIL_NEAR_MAX - 1);
	return &veil_near[place];
}

/*
 * The user whose share the running task uses. In a user namespace it is the user who made it (unshare(1), rootless
 * containers), who has thousands of uids there. The kernel allows 32 levels of them (create_user_ns()).
 */
static __noinline __u32 veil_current_payer(__u32 uid)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct user_namespace *ns = BPF_CORE_READ(task, cred, user_ns), *parent;
	__u32 owner = 0;

	for (int level = 0; level <= 32; level++) {
		parent = BPF_CORE_READ(ns, parent);
		if (!parent)
			break;
		owner = BPF_CORE_READ(ns, owner.val);
		ns = parent;
	}
	return owner ? owner : uid;
}

/*
 * May an event have room in a ring that is nearly full? Up to seven eighths everyone may. In the last eighth a user may
 * take as much as is then left for the others, until the reader has advanced by half an eighth. A user who wants more
 * is flooding, and gets nothing there until it has been quiet for as long.
 */
static __noinline bool veil_admit(void *ring, __u32 number, __u64 size, __u32 uid)
{
	__u64 taken = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA), eighth = veil_wakeup_interval, turn;
	struct veil_share_key key = {.ring = number};
	struct veil_share *share;

	if (taken < 7 * eighth) {
		if (taken < 5 * eighth)
			*veil_near_of(number) = 0;
		return true;
	}
	key.uid = uid == veil_current_uid() ? veil_current_payer(uid) : uid;
	share = veil_value_of(&veil_shares, &key, &veil_no_share);
	if (!share)
		return false;
	turn = bpf_ringbuf_query(ring, BPF_RB_CONS_POS) / (eighth / 2);
	if (share->turn != turn) {
		share->turn = turn;
		share->used = 0;
	}
	if (turn < share->calm_from || share->used >= 8 * eighth - taken) {
		share->calm_from = turn + 2;
		return false;
	}
	__sync_fetch_and_add(&share->used, size);
	return true;
}

static __always_inline __u32 veil_uid_or_current(const __u32 *uid)
{
	return uid ? *uid : veil_current_uid();
}

/* `uid` points to the user of the event. NULL: the running task's. */
static __always_inline bool veil_has_room(void *ring, __u32 number, __u64 size, const __u32 *uid)
{
	return !*veil_near_of(number) || veil_admit(ring, number, size, veil_uid_or_current(uid));
}

static __always_inline void veil_lost_room(__u32 number, const __u32 *uid)
{
	if (!*veil_near_of(number))
		*veil_near_of(number) = 1;
	veil_lost_by(VEIL_LOST_RING_FULL, veil_uid_or_current(uid));
}

/* Checked once per eighth of the ring, and early: seven eighths can be full before the next check. */
static __always_inline void veil_look_ahead(void *ring, __u32 number)
{
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= 6 * veil_wakeup_interval)
		*veil_near_of(number) = 1;
}

/* The ring of this CPU, where there are several. */
static __always_inline __u32 veil_ring_number(void)
{
	return veil_ring_count > 1 ? bpf_get_smp_processor_id() % veil_ring_count : 0;
}

/* Copies a record into a ring; 0, or why not. Two producers at once may both miss a boundary; then the next event wakes
 * the reader, or its own clock does. */
static __always_inline long veil_ring_put(void *ring, void *record, __u64 size, bool *crosses)
{
	__u64 footprint = (size + 8 /* BPF_RINGBUF_HDR_SZ */ + 7) & ~7ULL, position;

	position = bpf_ringbuf_query(ring, BPF_RB_PROD_POS);
	*crosses = (position ^ (position + footprint)) & ~(veil_wakeup_interval - 1);
	return bpf_ringbuf_output(ring, record, size, *crosses ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

#include "stack.bpf.h"

static __always_inline void veil_count_as(const void *event, __u64 size, const struct veil_origin *origin,
					  const struct veil_stack_ids *kept, void *ctx)
{
	struct veil_behind behind;

	if (!veil_count_by_origin) {
		veil_count(event, size, NULL, NULL);
		return;
	}
	if (origin)
		behind.origin = *origin;
	else
		veil_current_origin(&behind.origin);
	if (veil_stacks_read)
		veil_behind_stacks(&behind, kept ? *kept : veil_current_stacks(ctx));
	veil_stacks_check(&behind, event);
	veil_count(event, size, &behind, NULL);
}

static __always_inline void *veil_ring_reserve(__u64 size, const __u32 *uid)
{
	__u32 number = veil_ring_number();
	void *event = NULL, *ring;

	if (veil_ring_count > 1) {
		ring = bpf_map_lookup_elem(&veil_rings, &number);
		if (ring && veil_has_room(ring, number, size, uid))
			event = bpf_ringbuf_reserve(ring, size, 0);
	} else if (veil_has_room(&veil_ring, 0, size, uid)) {
		event = bpf_ringbuf_reserve(&veil_ring, size, 0);
	}
	if (!event)
		veil_lost_room(number, uid);
	return event;
}

/* Room for an event of `size` bytes and what stands behind it. Its stacks come first, so that the ring has them before.
 */
static __always_inline void *veil_event_reserve(__u64 size, const __u32 *uid, void *ctx)
{
	struct veil_stack_ids ids;
	void *event;

	if (!veil_stacks_read)
		return veil_ring_reserve(size + veil_origin_size, uid);
	ids = veil_current_stacks(ctx);
	event = veil_ring_reserve(size + veil_origin_size, uid);
	if (event)
		veil_behind_stacks(event + size, ids);
	return event;
}

/* Room for an event that has passed all filters: in the ring, or when counting in `scratch`, on the caller's stack.
 * NULL: the event is lost, or left out (sample.bpf.h), and counted so. */
#define veil_reserve(scratch) veil_reserve_as(scratch, NULL)

/* The same for an event of another task than the running one. `uid` points to its user. */
#define veil_reserve_as(scratch, uid) (veil_is_left_out() ? NULL : veil_reserve_chosen(scratch, uid))

/* The same for an event that is always sent, or that veil_is_left_out() was asked about before. */
#define veil_reserve_chosen(scratch, uid)                                                                              \
	((typeof(scratch))(veil_counting ? (void *)(scratch) : veil_event_reserve(sizeof(*(scratch)), uid, NULL)))

/* As veil_reserve(), where the context of a program at a tracepoint is at hand, which makes stacks of the kernel cheap.
 * Goes with veil_submit_at(). */
#define veil_reserve_at(scratch, ctx)                                                                                  \
	(veil_is_left_out() ? NULL                                                                                     \
			    : (typeof(scratch))(veil_counting ? (void *)(scratch)                                      \
							      : veil_event_reserve(sizeof(*(scratch)), NULL, ctx)))

/* The same for an event whose stacks were taken before: veil_submit_kept(). */
#define veil_reserve_kept(scratch, uid)                                                                                \
	((typeof(scratch))(veil_counting	? (void *)(scratch)                                                    \
			   : veil_is_left_out() ? NULL                                                                 \
						: veil_ring_reserve(sizeof(*(scratch)) + veil_origin_size, uid)))

/*
 * The reader looks every few tens of milliseconds by itself; a wake-up for every event costs the traced
 * program more than the event (an irq_work each). So wake it only when this record crosses a boundary of the ring,
 * seen from the record's address: pointer minus pointer is a number that the verifier lets us have, and the
 * difference to a fixed object turns over at the same distance as the position in the ring. That is three
 * instructions where asking with bpf_ringbuf_query() is a helper call and a contended cache line.
 */
static __always_inline void veil_submit_full(void *event, __u64 size, const struct veil_origin *origin,
					     const struct veil_stack_ids *kept, void *ctx)
{
	__u64 position = (__u64)event - (__u64)&veil_wakeup_interval;
	__u64 footprint = (size + veil_origin_size + 8 /* BPF_RINGBUF_HDR_SZ */ + 7) & ~7ULL;

	if (veil_counting) {
		veil_count_as(event, size, origin, kept, ctx);
		return;
	}
	if (veil_origin_size) {
		if (origin)
			__builtin_memcpy(event + size, origin, sizeof(*origin));
		else
			veil_current_origin(event + size);
	}
	if (veil_stacks_read && kept)
		veil_behind_stacks(event + size, *kept);
	veil_stacks_check(event + size, event);
	if (!((position ^ (position + footprint)) & ~(veil_wakeup_interval - 1))) {
		bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	if (veil_ring_count > 1) {
		__u32 number = veil_ring_number();
		void *ring = bpf_map_lookup_elem(&veil_rings, &number);

		if (ring)
			veil_look_ahead(ring, number);
	} else {
		veil_look_ahead(&veil_ring, 0);
	}
}

/* An event of a task that was remembered, or with NULL of the running one. */
static __always_inline void veil_submit_as(void *event, __u64 size, const struct veil_origin *origin)
{
	veil_submit_full(event, size, origin, NULL, NULL);
}

/* Where it was reserved by veil_reserve_at(). */
static __always_inline void veil_submit_at(void *event, __u64 size, const struct veil_origin *origin, void *ctx)
{
	veil_submit_full(event, size, origin, NULL, ctx);
}

/* An event of the running task with the stacks of an earlier moment. */
static __always_inline void veil_submit_kept(void *event, __u64 size, const struct veil_stack_ids *kept)
{
	veil_submit_full(event, size, NULL, kept, NULL);
}

/* An event of the running task. */
static __always_inline void veil_submit(void *event, __u64 size)
{
	veil_submit_as(event, size, NULL);
}

static __always_inline void veil_output_to(void *ring, __u32 number, void *event, __u64 size)
{
	const __u32 *uid = &((const struct veil_event *)event)->uid;

	bool crosses;

	if (!veil_has_room(ring, number, size, uid) || veil_ring_put(ring, event, size, &crosses))
		veil_lost_room(number, uid);
	else if (crosses)
		veil_look_ahead(ring, number);
}

/* Sends an event whose size is known only now: it was built elsewhere, and is copied. */
static __always_inline void veil_output(void *event, __u64 size)
{
	if (veil_counting) {
		veil_count(event, ~0U, NULL, NULL);
		return;
	}
	if (veil_ring_count > 1) {
		__u32 number = veil_ring_number();
		void *ring = bpf_map_lookup_elem(&veil_rings, &number);

		if (ring)
			veil_output_to(ring, number, event, size);
		else
			veil_lost(VEIL_LOST_RING_FULL);
	} else {
		veil_output_to(&veil_ring, 0, event, size);
	}
}
