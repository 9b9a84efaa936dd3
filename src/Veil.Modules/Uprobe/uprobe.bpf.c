/* SPDX-License-Identifier: GPL-3.0-only */
/* Calls of a function in user space: an event as each begins or, with --latency, as each returns. */
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"
#include "veil/threshold.bpf.h"

char _license[] SEC("license") = "GPL";

struct uprobe_event {
	struct veil_event common;
};

struct uprobe_return_event {
	struct veil_event common;
	veil_duration_t duration_ns; /* not known: the call was left in another way than by returning */
};

VEIL_EVENT(0, uprobe_event);
VEIL_EVENT(1, uprobe_return_event);

/*
 * Calls under way, a stack of them for each thread: functions recurse. A call is known by its stack pointer, because
 * not every call returns: longjmp, an exception or the end of the thread leaves it behind, and its entry must not be
 * taken for the next call's. Stacks grow down, so what lies below the frame that is entered or left now is abandoned.
 * The kernel judges its own return probes by the same rule (arch_uretprobe_is_alive()).
 */
#define UPROBE_DEPTH 64 /* MAX_URETPROBE_DEPTH in kernel/events/uprobes.c: a call deeper down has no return probe */

struct uprobe_frame {
	__u64 sp;
	__u64 start_ns;
};

struct uprobe_place {
	__u32 tid;
	__u32 depth;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct uprobe_place);
	__type(value, struct uprobe_frame);
} uprobe_frames SEC(".maps");

/* How many calls a thread is in. No entry: in none. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u32);
} uprobe_threads SEC(".maps");

/*
 * The stack pointers of a call that may be the one that returns now, found in the registers after its return: on x86
 * the return address is off the stack again. In 32-bit code the callee may also have taken the hidden argument of a
 * returned struct with it (System V ABI, Intel386 supplement).
 */
struct uprobe_slot {
	__u64 lowest;
	__u64 highest;
};

#if defined(__TARGET_ARCH_x86)
#define USER32_CS 0x23 /* __USER32_CS: arch/x86/include/asm/segment.h */
static __always_inline struct uprobe_slot uprobe_slot_of(struct pt_regs *regs)
{
	__u64 sp = PT_REGS_SP(regs);

	if (regs->cs == USER32_CS)
		return (struct uprobe_slot){.lowest = sp - 8, .highest = sp - 4};
	return (struct uprobe_slot){.lowest = sp - 8, .highest = sp - 8};
}

static __always_inline __u64 uprobe_return_address(struct pt_regs *regs)
{
	__u64 address = 0;

	bpf_probe_read_user(&address, regs->cs == USER32_CS ? 4 : 8, (void *)PT_REGS_SP(regs));
	return address;
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline struct uprobe_slot uprobe_slot_of(struct pt_regs *regs)
{
	return (struct uprobe_slot){.lowest = PT_REGS_SP(regs), .highest = PT_REGS_SP(regs)};
}

static __always_inline __u64 uprobe_return_address(struct pt_regs *regs)
{
	return PT_REGS_RET(regs);
}
#else
#error "the uprobe module knows x86 and arm64"
#endif

/*
 * Entered by a jump out of a function that is watched too (a tail call)? Then it returns to where the kernel catches
 * returns, and the two calls, at one stack pointer, are both alive.
 */
static __always_inline bool uprobe_is_tail_call(struct pt_regs *regs, struct task_struct *task)
{
	__u64 trampoline = BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);

	return trampoline && uprobe_return_address(regs) == trampoline;
}

static __always_inline void uprobe_returned(__u64 start_ns)
{
	struct uprobe_return_event counted, *event;

	if (!veil_is_slow(start_ns))
		return;
	event = veil_begin(&counted);
	if (!event)
		return;
	veil_event_init(&event->common, uprobe_return_event_kind, veil_current());
	event->duration_ns = start_ns ? event->common.timestamp - start_ns : VEIL_DURATION_UNKNOWN;
	veil_submit(event, sizeof(*event));
}

/*
 * Ends a call whose frame lies below a stack pointer; 0 if it does not. A global function with one result: the verifier
 * walks it once, and each turn of the loop that calls it has one way on. Before 6.4 it gave up otherwise.
 */
__noinline int uprobe_abandon(__u32 tid, __u32 depth, __u64 sp)
{
	struct uprobe_place place = {.tid = tid, .depth = depth};
	struct uprobe_frame *frame = bpf_map_lookup_elem(&uprobe_frames, &place);

	if (frame && frame->sp >= sp)
		return 0;
	uprobe_returned(0);
	bpf_map_delete_elem(&uprobe_frames, &place);
	return 1;
}

/* Ends all such calls; how many are left. */
__noinline int uprobe_unwind(__u32 tid, __u32 depth, __u64 sp)
{
	for (int i = 0; i < UPROBE_DEPTH; i++) {
		if (!depth || !uprobe_abandon(tid, depth - 1, sp))
			break;
		depth--;
	}
	return depth;
}

static __always_inline void uprobe_set_depth(__u32 tid, __u32 *thread, __u32 depth)
{
	if (depth)
		*thread = depth;
	else
		bpf_map_delete_elem(&uprobe_threads, &tid);
}

SEC("uprobe")
int call(struct pt_regs *ctx)
{
	struct task_struct *task = veil_current();
	struct uprobe_event counted, *event;

	if (!veil_task_passes(task))
		return 0;
	event = veil_begin(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, uprobe_event_kind, task);
	veil_submit(event, sizeof(*event));
	return 0;
}

SEC("uprobe")
int enter(struct pt_regs *ctx)
{
	struct uprobe_frame frame = {.sp = PT_REGS_SP(ctx)};
	struct task_struct *task = veil_current();
	struct uprobe_place place = {};
	__u32 *thread, none = 0;

	if (!veil_task_passes(task))
		return 0;
	place.tid = veil_task_read(task, pid);
	thread = bpf_map_lookup_elem(&uprobe_threads, &place.tid);
	if (thread) {
		place.depth = uprobe_unwind(place.tid, *thread, frame.sp + !uprobe_is_tail_call(ctx, task));
		*thread = place.depth;
	} else {
		bpf_map_update_elem(&uprobe_threads, &place.tid, &none, BPF_ANY);
		thread = bpf_map_lookup_elem(&uprobe_threads, &place.tid);
		if (!thread) {
			veil_lost(VEIL_LOST_MAP_FULL);
			return 0;
		}
	}

	if (place.depth >= UPROBE_DEPTH) {
		uprobe_returned(0);
		return 0;
	}
	frame.start_ns = bpf_ktime_get_boot_ns();
	if (bpf_map_update_elem(&uprobe_frames, &place, &frame, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	else
		place.depth++;
	uprobe_set_depth(place.tid, thread, place.depth);
	return 0;
}

SEC("uretprobe")
int leave(struct pt_regs *ctx)
{
	struct uprobe_slot slot = uprobe_slot_of(ctx);
	struct uprobe_place place = {};
	struct uprobe_frame *frame;
	__u32 *thread, depth;

	place.tid = (__u32)bpf_get_current_pid_tgid();
	thread = bpf_map_lookup_elem(&uprobe_threads, &place.tid);
	if (!thread)
		return 0; /* filtered out, or begun before the trace */

	depth = uprobe_unwind(place.tid, *thread, slot.lowest);
	if (depth) {
		place.depth = depth - 1;
		frame = bpf_map_lookup_elem(&uprobe_frames, &place);
		if (frame && frame->sp <= slot.highest) {
			uprobe_returned(frame->start_ns);
			bpf_map_delete_elem(&uprobe_frames, &place);
			depth--;
		}
	}
	uprobe_set_depth(place.tid, thread, depth);
	return 0;
}

/* Nothing returns any more: the thread ends, or its program does. */
static __always_inline void uprobe_end_all(__u32 tid)
{
	__u32 *thread = bpf_map_lookup_elem(&uprobe_threads, &tid);

	if (!thread)
		return;
	uprobe_unwind(tid, *thread, -1);
	bpf_map_delete_elem(&uprobe_threads, &tid);
}

SEC("raw_tp/sched_process_exit")
int thread_exit(void *ctx)
{
	uprobe_end_all((__u32)bpf_get_current_pid_tgid());
	return 0;
}

/* The calls are remembered under the id that the thread had before: execve gives it the leader's (de_thread() in
 * fs/exec.c). */
SEC("raw_tp/sched_process_exec")
int exec(struct bpf_raw_tracepoint_args *ctx)
{
	uprobe_end_all((__u32)ctx->args[1]);
	return 0;
}
