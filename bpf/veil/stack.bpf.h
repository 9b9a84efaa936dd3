/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks of the running task. An event has the id of a stack, a hash over its frames; the frames themselves go to
 * userspace once: in a record of the ring before the first event that needs them, or where events are counted in a map
 * that is read with the counts. Comes with emit.bpf.h.
 */
#pragma once

#define VEIL_KIND_STACK	   253 /* in place of the number of an event struct: no event */
#define VEIL_KIND_COPY	   252 /* the same */
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

/* Bytes of the user's stack that are copied for userspace to unwind, whole pages; 0: frame pointers are followed here.
 */
const volatile __u32 veil_stack_copy;

/* Beside a copy, the frames by frame pointers. */
const volatile bool veil_stack_walks;

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

#define VEIL_STACK_COPY 512 /* bytes of a user's stack that are copied at once */

struct veil_stack_slot {
	__u32 busy; /* bool */
	__u32 unused;
	__u64 place; /* of a register, as a number */
	struct veil_stack stack;
	__u64 beyond;			     /* the bound that the verifier sees is one frame more */
	__u64 copy[2 * VEIL_STACK_COPY / 8]; /* the same with one copy more */
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

static __always_inline __u64 veil_stack_mix(__u64 id, __u64 frame)
{
	id = (id ^ frame) * 0x9fb21c651e98df25ULL;
	return id ^ id >> 29;
}

/* What ids of one kind begin with. Addresses of user space mean something only there. */
static __always_inline __u64 veil_stack_start(struct veil_stack_slot *slot, struct veil_task task, __u32 kind)
{
	__u64 id = veil_stack_seed ^ kind;

	if (kind != VEIL_STACK_USER)
		return id;
	/* Through memory: the verifier lets nobody calculate with a pointer. */
	*(volatile __u64 *)&slot->place = (__u64)veil_task_read(task, mm);
	return id ^ ((__u64)veil_task_pid(task) << 32 ^ *(volatile __u64 *)&slot->place);
}

/* Has userspace the stack of an id, or will it? */
static __always_inline bool veil_stack_is_told(__u64 id)
{
	return veil_stacks_kept ? !!bpf_map_lookup_elem(&veil_stacks, &id)
				: !!bpf_map_lookup_elem(&veil_stack_sent, &id);
}

/* Gives userspace the frames of a slot, if it does not have them. 0: there are none, or no room for them. */
static __always_inline __u64 veil_stack_tell(struct veil_stack_slot *slot, struct veil_task task, __u64 id, __u64 count,
					     __u32 kind)
{
	struct veil_stack *stack = &slot->stack;
	bool is_lost;

	if (!count)
		return 0;
	id += !id;
	if (veil_stack_is_told(id))
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

/* The same of what a helper has walked. */
static __always_inline __u64 veil_stack_end(struct veil_stack_slot *slot, long bytes, __u32 kind)
{
	struct veil_task task = veil_current();
	__u64 id, count = (__u64)bytes / 8;

	if (bytes <= 0)
		return 0;
	id = veil_stack_start(slot, task, kind);
	for (__u64 i = 0; i < VEIL_STACK_FRAMES; i++) {
		__u64 place = i;

		if (i >= count)
			break;
		veil_bound(place, VEIL_STACK_FRAMES);
		id = veil_stack_mix(id, slot->stack.frames[place]);
	}
	return veil_stack_tell(slot, task, id, count, kind);
}

#if defined(__TARGET_ARCH_x86)

/* bpf_task_pt_regs(): 5.15 (commit dd6e10fbd9fb) */
#define VEIL_HAS_TASK_REGS   (VEIL_HAS_TASK_BTF && bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
#define VEIL_CODE_OF_64_BITS 0x33 /* __USER_CS */

static __always_inline struct pt_regs___x86 *veil_stack_regs(void)
{
	return (struct pt_regs___x86 *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/*
 * Follows the frame pointers in copies of the stack: perf_callchain_user() reads each frame by itself, twice, behind a
 * barrier, which is most of what a stack costs. A copy ends with its page, so that it can be read where the kernel
 * could read the frame. -1: what only the kernel knows has to do with it, uprobes at returns and segments of 32-bit
 * programs.
 */
static __always_inline __u64 veil_stack_walk_user(struct veil_stack_slot *slot)
{
	struct veil_task task = veil_current();
	struct pt_regs___x86 *regs = veil_stack_regs();
	__u64 id, frame, begin = 0, end = 0, most = veil_stack_most;
	volatile __u32 *count = &slot->stack.count;

	if ((regs->cs & 0xffff) != VEIL_CODE_OF_64_BITS)
		return -1;
	if (bpf_core_field_exists(struct task_struct, utask) && veil_task_read(task, utask))
		return -1;
	id = veil_stack_start(slot, task, VEIL_STACK_USER);
	frame = regs->bp;
	slot->stack.frames[0] = regs->ip;
	id = veil_stack_mix(id, slot->stack.frames[0]);
	*count = 1;
	for (__u64 i = 1; i < VEIL_STACK_FRAMES; i++) {
		__u64 at = frame - begin, size = 4096 - (frame & 4095), returns;

		if (i >= most)
			break;
		if (frame < begin || at + 16 > end || at % 8) {
			size = size > VEIL_STACK_COPY ? VEIL_STACK_COPY : size < 16 ? 16 : size;
			veil_bound(size, 2 * VEIL_STACK_COPY - 1);
			if (bpf_probe_read_user(slot->copy, size, (void *)frame))
				break;
			begin = frame;
			end = size;
			at = 0;
		}
		at /= 8;
		veil_bound(at, VEIL_STACK_COPY / 8 - 1);
		frame = slot->copy[at];
		returns = slot->copy[at + 1];
		slot->stack.frames[i] = returns;
		id = veil_stack_mix(id, returns);
		/* Through memory: otherwise the verifier looks at all that follows for each number. */
		*count = i + 1;
	}
	return veil_stack_tell(slot, task, id, *count, VEIL_STACK_USER);
}

#else
#define VEIL_HAS_TASK_REGS	   0
#define veil_stack_walk_user(slot) ((__u64)-1)
#endif

/* The running task's stack by frame pointers. */
static __always_inline __u64 veil_stack_walk(__u32 kind)
{
	struct veil_stack_slot *slot;
	__u64 id = -1;

	slot = veil_stack_begin();
	if (!slot) {
		veil_lost(VEIL_LOST_STACKS);
		return 0;
	}
	if (VEIL_HAS_TASK_REGS && kind == VEIL_STACK_USER)
		id = veil_stack_walk_user(slot);
	if (id == (__u64)-1)
		id = veil_stack_end(slot,
				    bpf_get_task_stack(bpf_get_current_task_btf(), slot->stack.frames,
						       sizeof(slot->stack.frames),
						       kind == VEIL_STACK_USER ? BPF_F_USER_STACK : 0),
				    kind);
	*(volatile __u32 *)&slot->busy = 0;
	return id;
}

/* What a program has walked itself, in the last slot that is taken. Apart from it, as it needs stack of its own. */
__weak __noinline __u64 veil_stack_finish(__u32 kind, long bytes)
{
	struct veil_stack_slot *slot = NULL, *next;
	__u64 id;

	for (__u32 level = 0; level < VEIL_STACK_NESTING; level++) {
		__u32 key = level;

		next = bpf_map_lookup_elem(&veil_stack_slot, &key);
		if (!next || !*(volatile __u32 *)&next->busy)
			break;
		slot = next;
	}
	if (!slot)
		return 0;
	id = veil_stack_end(slot, bytes, kind);
	*(volatile __u32 *)&slot->busy = 0;
	return id;
}

#define VEIL_PAGE	    4096 /* where a page is larger, it is read in parts */
#define VEIL_COPY_PAGES_MAX 16

/* The kernel's struct pt_regs, of which no member has moved since there is BPF. */
#if defined(__TARGET_ARCH_x86)
#define VEIL_COPY_REGS	  21
#define VEIL_COPY_REG_CS  17
#define VEIL_COPY_REG_SP  19
#define VEIL_COPY_CODE_32 0x23 /* __USER32_CS */
#else
#define VEIL_COPY_REGS	  34
#define VEIL_COPY_REG_SP  31
#define VEIL_COPY_REG_PS  33
#define VEIL_COPY_CODE_32 0x10 /* PSR_MODE32_BIT */
#endif

/* What userspace unwinds. Its memory begins with the page that the stack pointer is in, of which nothing lies below. */
struct veil_copy {
	struct veil_event common;
	__u64 id;      /* of this copy alone: userspace gives the event that of the frames */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 space;   /* the same for all stacks of an address space */
	__u64 walked;  /* the stack by frame pointers, or 0 */
	__u32 size;    /* bytes of memory, with those below the stack pointer */
	__u32 unused;
	__u64 regs[VEIL_COPY_REGS];
	char memory[];
};

/* Carries the struct into BTF. */
const struct veil_copy *veil_copy_type;

static __always_inline bool veil_copy_is_32_bit(const struct veil_copy *copy)
{
#if defined(__TARGET_ARCH_x86)
	return (__u16)copy->regs[VEIL_COPY_REG_CS] == VEIL_COPY_CODE_32;
#else
	return copy->regs[VEIL_COPY_REG_PS] & VEIL_COPY_CODE_32;
#endif
}

/* Copies from the stack pointer upwards, page after page, as far as that is in memory. */
static __always_inline void veil_copy_fill(struct veil_copy *copy)
{
	__u64 sp = *(volatile __u64 *)&copy->regs[VEIL_COPY_REG_SP], below = sp & (VEIL_PAGE - 1);

	copy->size = 0;
	if (bpf_probe_read_user(copy->memory + below, VEIL_PAGE - below, (void *)sp))
		return;
	copy->size = VEIL_PAGE;
	for (__u32 page = 1; page <= VEIL_COPY_PAGES_MAX; page++) {
		if (page * VEIL_PAGE > veil_stack_copy ||
		    bpf_probe_read_user(copy->memory + page * VEIL_PAGE, VEIL_PAGE,
					(void *)(sp - below + page * VEIL_PAGE)))
			break;
		copy->size = (page + 1) * VEIL_PAGE;
	}
}

static __always_inline __u64 veil_copy_id(__u64 time_ns)
{
	return (veil_stack_seed ^ (time_ns << 10 | (bpf_get_smp_processor_id() & 1023))) | 1;
}

/* Sends the registers and the top of the running task's stack ahead of its event. Linux 5.15: bpf_task_pt_regs(). */
__weak __noinline __u64 veil_stack_copied(void)
{
	/* A constant for the verifier. The page of the stack pointer is one more. */
	__u64 size = sizeof(struct veil_copy) + veil_stack_copy + VEIL_PAGE, walked = 0, id, position;
	struct veil_task task = veil_current();
	__u32 number = veil_ring_number();
	void *ring = &veil_ring, *regs;
	struct veil_copy *copy = NULL;
	bool crosses;

	if (!veil_stack_copy || !veil_task_read(task, mm))
		return 0;
	if (veil_stack_walks)
		walked = veil_stack_walk(VEIL_STACK_USER);
	regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	/* What is left of a ring that is nearly full is for events. */
	if (!*veil_near_of(number)) {
		if (veil_ring_count > 1) {
			ring = bpf_map_lookup_elem(&veil_rings, &number);
			copy = ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
		} else {
			copy = bpf_ringbuf_reserve(&veil_ring, size, 0);
		}
	}
	if (!copy) {
		veil_lost(VEIL_LOST_STACKS);
		return walked;
	}
	if (bpf_probe_read_kernel(copy->regs, sizeof(copy->regs), regs) || veil_copy_is_32_bit(copy)) {
		bpf_ringbuf_discard(copy, BPF_RB_NO_WAKEUP);
		return walked ? walked : veil_stack_walk(VEIL_STACK_USER);
	}
	veil_event_init(&copy->common, VEIL_KIND_COPY, task);
	copy->time_ns = bpf_ktime_get_ns();
	copy->id = id = veil_copy_id(copy->time_ns);
	/* Through memory: the verifier lets nobody calculate with a pointer. */
	*(volatile __u64 *)&copy->space = (__u64)veil_task_read(task, mm);
	copy->space =
	    *(volatile __u64 *)&copy->space ^ veil_stack_seed ^ VEIL_STACK_USER ^ (__u64)veil_task_pid(task) << 32;
	copy->walked = walked;
	copy->unused = 0;
	veil_copy_fill(copy);
	position = (__u64)copy - (__u64)&veil_wakeup_interval;
	crosses = (position ^ (position + size + 8)) & ~(veil_wakeup_interval - 1);
	bpf_ringbuf_submit(copy, crosses ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	if (crosses && veil_ring_count <= 1)
		veil_look_ahead(&veil_ring, 0);
	else if (crosses && (ring = bpf_map_lookup_elem(&veil_rings, &number)))
		veil_look_ahead(ring, number);
	return id;
}

/*
 * The running task's stack, as an id. Global functions, so that the verifier walks each once. They need no context, but
 * Linux 5.11. The kernel's stack begins with BPF's own functions, which userspace leaves out. Not one in the other: the
 * memory of functions under way is little.
 */
__weak __noinline __u64 veil_stack_walked(__u32 kind)
{
	return VEIL_HAS_TASK_BTF ? veil_stack_walk(kind) : 0;
}

static __always_inline __u64 veil_stack_current(enum veil_stack_kind kind)
{
	return kind == VEIL_STACK_USER && veil_stack_copy ? veil_stack_copied() : veil_stack_walked(kind);
}

/*
 * The same from a program's context: at a sample the stack that it interrupted, at a tracepoint the running task's. The
 * kernel's is walked by the program itself: it takes the kernel long to get over each of BPF's functions.
 */
static __always_inline __u64 veil_stack_at(void *ctx, enum veil_stack_kind kind)
{
	struct veil_stack_slot *slot;
	long bytes;

	if (kind == VEIL_STACK_USER && veil_stack_copy)
		return veil_stack_copied();
	slot = veil_stack_begin();
	if (!slot) {
		veil_lost(VEIL_LOST_STACKS);
		return 0;
	}
	bytes = bpf_get_stack(ctx, slot->stack.frames, sizeof(slot->stack.frames),
			      kind == VEIL_STACK_USER ? BPF_F_USER_STACK : 0);
	return veil_stack_finish(kind, bytes);
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

/* `ctx` is the context of a program at a tracepoint, where the caller has it. */
static __always_inline struct veil_stack_ids veil_current_stacks(void *ctx)
{
	struct veil_stack_ids ids = {};

	if (veil_stacks_read & VEIL_STACK_USER)
		ids.ustack = veil_stack_current(VEIL_STACK_USER);
	if (veil_stacks_read & VEIL_STACK_KERNEL)
		ids.kstack = ctx ? veil_stack_at(ctx, VEIL_STACK_KERNEL) : veil_stack_current(VEIL_STACK_KERNEL);
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
