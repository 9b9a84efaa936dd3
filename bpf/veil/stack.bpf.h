/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks of the running task. An event has the id of a stack, a hash over its frames; the frames themselves go to
 * userspace once: in a record of the ring before the first event that needs them, or where events are counted in a map
 * that is read with the counts. Comes with emit.bpf.h.
 */
#pragma once

#define VEIL_KIND_STACK	   253 /* in place of the number of an event struct: no event */
#define VEIL_STACK_FRAMES  127 /* PERF_MAX_STACK_DEPTH: the kernel walks no further unless it is told to */
#define VEIL_STACK_NESTING 4   /* a task, and a soft interrupt, an interrupt and an NMI on top of it */

enum veil_stack_kind {
	VEIL_STACK_USER = 1,
	VEIL_STACK_KERNEL = 2,
	VEIL_STACK_CUT = 4, /* beside one of them: it may be longer */
};

/* Which stacks of the running task each event has: bits of enum veil_stack_kind. */
const volatile __u32 veil_stacks_read;

/* Stacks are kept in the map, to be read with counts. Otherwise the ring has them. */
const volatile bool veil_stacks_kept;

/* Keeps processes from finding frames that have the id of another stack. */
const volatile __u64 veil_stack_seed = 0x9e3779b97f4a7c15;

/* As many frames as the kernel gives (kernel.perf_event_max_stack): a stack that has so many may be longer. */
const volatile __u32 veil_stack_most = VEIL_STACK_FRAMES;

struct veil_stack {
	struct veil_event common; /* whose it is */
	__u64 id;
	__u64 time_ns; /* when it was first seen, CLOCK_MONOTONIC */
	__u32 count;
	__u32 kind;
	__u64 frames[VEIL_STACK_FRAMES]; /* the innermost first */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct veil_stack);
} veil_stacks SEC(".maps");

/* Ids that the ring has had of late. One that falls out of it is sent again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} veil_stack_sent SEC(".maps");

struct veil_stack_slot {
	__u32 busy; /* bool */
	__u32 unused;
	struct veil_stack stack;
	__u64 beyond; /* the bound that the verifier sees is one frame more */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct veil_stack_slot);
} veil_stack_slot SEC(".maps");

/* Memory for a walk. What interrupts another one on this CPU takes the next slot, and is done before the other goes on.
 */
static __always_inline struct veil_stack_slot *veil_stack_begin(void)
{
	struct veil_stack_slot *slot;

	for (__u32 level = 0; level < VEIL_STACK_NESTING; level++) {
		__u32 key = level;

		slot = bpf_map_lookup_elem(&veil_stack_slot, &key);
		if (!slot)
			break;
		if (!*(volatile __u32 *)&slot->busy) {
			*(volatile __u32 *)&slot->busy = 1;
			return slot;
		}
	}
	return NULL;
}

static __always_inline bool veil_stack_send(struct veil_stack *stack)
{
	__u32 number = veil_ring_number(), known = 1;
	__u64 count = stack->count, id = stack->id;
	bool crosses;
	void *ring;

	veil_bound(count, VEIL_STACK_FRAMES);
	/* What is left of a ring that is nearly full is for events. */
	if (*veil_near_of(number))
		return false;
	if (veil_ring_count > 1) {
		ring = bpf_map_lookup_elem(&veil_rings, &number);
		if (!ring || veil_ring_put(ring, stack, offsetof(struct veil_stack, frames) + 8 * count, &crosses))
			return false;
	} else if (veil_ring_put(&veil_ring, stack, offsetof(struct veil_stack, frames) + 8 * count, &crosses)) {
		return false;
	}
	/* If there is no room, which the kernel may say of an LRU map for a moment, it is sent once more. */
	bpf_map_update_elem(&veil_stack_sent, &id, &known, BPF_ANY);
	return true;
}

/* Gives the frames of a slot their id, and userspace the frames. 0: there are none, or no room for them. */
static __always_inline __u64 veil_stack_end(struct veil_stack_slot *slot, long bytes, enum veil_stack_kind kind)
{
	struct veil_stack *stack = &slot->stack;
	struct veil_task task = veil_current();
	__u64 id = veil_stack_seed ^ kind, count = (__u64)bytes / 8;
	bool is_lost = false;

	if (bytes <= 0)
		return 0;
	/* Addresses of user space mean something only there. */
	if (kind == VEIL_STACK_USER) {
		/* Through memory: the verifier lets nobody calculate with a pointer. */
		*(volatile __u64 *)&stack->id = (__u64)veil_task_read(task, mm);
		id ^= (__u64)veil_task_pid(task) << 32 ^ *(volatile __u64 *)&stack->id;
	}
	for (__u64 i = 0; i < VEIL_STACK_FRAMES; i++) {
		__u64 place = i;

		if (i >= count)
			break;
		veil_bound(place, VEIL_STACK_FRAMES);
		id = (id ^ stack->frames[place]) * 0x9fb21c651e98df25ULL;
		id ^= id >> 29;
	}
	id += !id;
	if (veil_stacks_kept ? !!bpf_map_lookup_elem(&veil_stacks, &id) : !!bpf_map_lookup_elem(&veil_stack_sent, &id))
		return id;
	veil_event_init(&stack->common, VEIL_KIND_STACK, task);
	stack->id = id;
	stack->time_ns = bpf_ktime_get_ns();
	stack->count = count;
	stack->kind = kind | (count >= veil_stack_most ? VEIL_STACK_CUT : 0);
	if (veil_stacks_kept)
		/* Another CPU may have been first. */
		is_lost = bpf_map_update_elem(&veil_stacks, &id, stack, BPF_NOEXIST) &&
			  !bpf_map_lookup_elem(&veil_stacks, &id);
	else
		is_lost = !veil_stack_send(stack);
	if (is_lost)
		veil_lost(VEIL_LOST_STACKS);
	return is_lost ? 0 : id;
}

/*
 * The running task's stack, as an id. A global function, so that the verifier walks it once. It needs no context, but
 * Linux 5.11. The kernel's stack begins with BPF's own functions, which userspace leaves out.
 */
__weak __noinline __u64 veil_stack_current(__u32 kind)
{
	struct veil_stack_slot *slot;
	long bytes = 0;
	__u64 id;

	if (!VEIL_HAS_TASK_BTF)
		return 0;
	slot = veil_stack_begin();
	if (!slot) {
		veil_lost(VEIL_LOST_STACKS);
		return 0;
	}
	bytes = bpf_get_task_stack(bpf_get_current_task_btf(), slot->stack.frames, sizeof(slot->stack.frames),
				   kind == VEIL_STACK_USER ? BPF_F_USER_STACK : 0);
	id = veil_stack_end(slot, bytes, kind);
	*(volatile __u32 *)&slot->busy = 0;
	return id;
}

/* The same from a program's context: at a sample, the stack that it interrupted. */
static __always_inline __u64 veil_stack_at(void *ctx, enum veil_stack_kind kind)
{
	struct veil_stack_slot *slot = veil_stack_begin();
	long bytes;
	__u64 id;

	if (!slot) {
		veil_lost(VEIL_LOST_STACKS);
		return 0;
	}
	bytes = bpf_get_stack(ctx, slot->stack.frames, sizeof(slot->stack.frames),
			      kind == VEIL_STACK_USER ? BPF_F_USER_STACK : 0);
	id = veil_stack_end(slot, bytes, kind);
	*(volatile __u32 *)&slot->busy = 0;
	return id;
}

static __always_inline __attribute__((unused)) veil_ustack_t veil_stack_user(void *ctx)
{
	return veil_stack_at(ctx, VEIL_STACK_USER);
}

static __always_inline __attribute__((unused)) veil_kstack_t veil_stack_kernel(void *ctx)
{
	return veil_stack_at(ctx, VEIL_STACK_KERNEL);
}

struct veil_stack_ids {
	veil_ustack_t ustack;
	veil_kstack_t kstack;
};

/* What stands behind an event's struct: where its task comes from, and its stacks. As much of it as veil_origin_size
 * says. */
struct veil_behind {
	struct veil_origin origin;
	veil_ustack_t ustack;
	veil_kstack_t kstack;
};

/* Carries the struct into BTF. */
const struct veil_behind *veil_behind_type;

static __always_inline struct veil_stack_ids veil_current_stacks(void)
{
	struct veil_stack_ids ids = {};

	if (veil_stacks_read & VEIL_STACK_USER)
		ids.ustack = veil_stack_current(VEIL_STACK_USER);
	if (veil_stacks_read & VEIL_STACK_KERNEL)
		ids.kstack = veil_stack_current(VEIL_STACK_KERNEL);
	return ids;
}

static __always_inline void veil_behind_stacks(void *behind, struct veil_stack_ids ids)
{
	struct veil_behind *place = behind;

	place->ustack = ids.ustack;
	place->kstack = ids.kstack;
}

/* What was read is of the running task: an event of another one has none. `behind` is what stands behind the event. */
static __always_inline void veil_stacks_check(void *behind, const struct veil_event *event)
{
	const struct veil_stack_ids none = {};

	if (veil_stacks_read && event->tid != veil_current_tid())
		veil_behind_stacks(behind, none);
}
