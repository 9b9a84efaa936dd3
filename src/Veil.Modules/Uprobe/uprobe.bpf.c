/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of a function in user space: an event as each begins or, with --latency, as each returns. */
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"
#include "veil/task_state.bpf.h"
#include "veil/threshold.bpf.h"

char _license[] SEC("license") = "GPL";

struct uprobe_event {
	struct veil_event common;
};

struct uprobe_return_event {
	struct veil_event common;
	veil_duration_t duration_ns; /* not known: the call did not return */
};

VEIL_EVENT(0, uprobe_event);
VEIL_EVENT(1, uprobe_return_event);

/*
 * From 6.13 on the x86 JIT gives a program with a large frame a private stack per CPU, on the ground that a program is
 * never entered twice on a CPU. At uprobes it can be: they are preempted like the thread that they run in, and the next
 * thread's run overwrites the stack of the first: wrong events, and on 7.2 an Oops. A program with a tail call gets no
 * such stack (check_max_stack_depth() in kernel/bpf/verifier.c). This one is never made, and the verifier removes it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} uprobe_no_progs SEC(".maps");

const volatile bool uprobe_never;

static __always_inline void uprobe_use_thread_stack(struct pt_regs *ctx)
{
	if (uprobe_never)
		bpf_tail_call(ctx, &uprobe_no_progs, 0);
}

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
	veil_ustack_t ustack; /* taken at the entry: at the return the frame is gone, and its return address with it */
};

struct uprobe_calls {
	__u32 depth; /* how many calls the thread is in */
	struct uprobe_frame frames[UPROBE_DEPTH];
};

/* The hash has a thread for as long as it is in a call; with the task they are made once in its life. */
VEIL_TASK_STATE(uprobe, struct uprobe_calls, 4096);

static __always_inline struct uprobe_frame *uprobe_frame_at(struct uprobe_calls *calls, __u32 index)
{
	veil_bound(index, UPROBE_DEPTH - 1);
	return &calls->frames[index];
}

static __always_inline void uprobe_set_depth(struct uprobe_calls *calls, __u32 tid, __u32 depth)
{
	calls->depth = depth;
	if (!depth)
		veil_task_state_drop(uprobe, tid);
}

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
 * Was the function entered by a tail call of a function that is probed too? Then its return address is the kernel's
 * trampoline, and both calls, at one stack pointer, are alive.
 */
static __always_inline bool uprobe_is_tail_call(struct pt_regs *regs, struct veil_task task)
{
	struct task_struct *address = task.address;
	__u64 trampoline = BPF_CORE_READ(address, mm, uprobes_state.xol_area, vaddr);

	return trampoline && uprobe_return_address(regs) == trampoline;
}

static __always_inline void uprobe_return_emit(__u64 start_ns, veil_ustack_t ustack)
{
	struct veil_stack_ids stacks = {.ustack = ustack};
	struct uprobe_return_event counted, *event;

	if (!veil_is_slow(start_ns))
		return;
	event = veil_reserve_kept(&counted, NULL);
	if (!event)
		return;
	veil_event_init(&event->common, uprobe_return_event_kind, veil_current());
	event->duration_ns = start_ns ? event->common.timestamp - start_ns : VEIL_DURATION_UNKNOWN;
	veil_submit_kept(event, sizeof(*event), &stacks);
}

/*
 * A call that did not return. A global function, so that the verifier walks it once and each iteration of the loop that
 * calls it has one path. Verifiers before 6.4 give up otherwise.
 */
__weak __noinline int uprobe_abandoned_emit(__u64 ustack)
{
	uprobe_return_emit(0, ustack);
	return 0;
}

/* Ends all calls whose frames lie below a stack pointer. Returns how many are left. */
static __always_inline __u32 uprobe_unwind(struct uprobe_calls *calls, __u64 sp)
{
	__u32 depth = calls->depth;

	for (int i = 0; i < UPROBE_DEPTH; i++) {
		if (!depth || uprobe_frame_at(calls, depth - 1)->sp >= sp)
			break;
		uprobe_abandoned_emit(uprobe_frame_at(calls, depth - 1)->ustack);
		depth--;
	}
	return depth;
}

SEC("uprobe")
int uprobe_call(struct pt_regs *ctx)
{
	struct veil_task task = veil_current();
	struct uprobe_event counted, *event;

	uprobe_use_thread_stack(ctx);
	if (!veil_task_passes(task))
		return 0;
	event = veil_reserve(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, uprobe_event_kind, task);
	veil_submit(event, sizeof(*event));
	return 0;
}

SEC("uprobe")
int uprobe_enter(struct pt_regs *ctx)
{
	struct veil_task task = veil_current();
	struct uprobe_calls *calls;
	veil_ustack_t ustack = 0;
	__u32 tid, depth;
	__u64 sp = PT_REGS_SP(ctx);

	uprobe_use_thread_stack(ctx);
	if (!veil_task_passes(task))
		return 0;
	tid = veil_task_tid(task);
	calls = veil_task_state_make(uprobe, task, tid);
	if (!calls) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return 0;
	}
	/* A call that is at the same stack pointer was left, unless this one is its tail call. */
	depth = uprobe_unwind(calls, uprobe_is_tail_call(ctx, task) ? sp : sp + 1);
	if (veil_stacks_read & VEIL_STACK_USER)
		ustack = veil_stack_current(VEIL_STACK_USER);
	if (depth < UPROBE_DEPTH) {
		*uprobe_frame_at(calls, depth) =
		    (struct uprobe_frame){.sp = sp, .start_ns = bpf_ktime_get_boot_ns(), .ustack = ustack};
		depth++;
	} else {
		uprobe_abandoned_emit(ustack);
	}
	uprobe_set_depth(calls, tid, depth);
	return 0;
}

/* Ends the call that has one of these stack pointers, and the calls that it abandoned. */
static __always_inline void uprobe_end(struct uprobe_slot slot)
{
	__u32 tid = veil_current_tid(), depth;
	struct uprobe_calls *calls;

	calls = veil_task_state_find(uprobe, veil_current(), tid);
	if (!calls)
		return; /* filtered out, or begun before the trace */
	depth = uprobe_unwind(calls, slot.lowest);
	if (depth) {
		struct uprobe_frame *frame = uprobe_frame_at(calls, depth - 1);

		if (frame->sp <= slot.highest) {
			uprobe_return_emit(frame->start_ns, frame->ustack);
			depth--;
		}
	}
	uprobe_set_depth(calls, tid, depth);
}

SEC("uretprobe")
int uprobe_leave(struct pt_regs *ctx)
{
	uprobe_use_thread_stack(ctx);
	uprobe_end(uprobe_slot_of(ctx));
	return 0;
}

/* At a ret instruction: the stack pointer is again what it was at the first one. */
SEC("uprobe")
int uprobe_leave_at_ret(struct pt_regs *ctx)
{
	__u64 sp = PT_REGS_SP(ctx);

	uprobe_use_thread_stack(ctx);
	uprobe_end((struct uprobe_slot){.lowest = sp, .highest = sp});
	return 0;
}

/* The thread ends, or its program does: nothing returns any more. */
static __always_inline void uprobe_end_all(__u32 tid)
{
	struct uprobe_calls *calls = veil_task_state_find(uprobe, veil_current(), tid);

	if (!calls)
		return;
	uprobe_unwind(calls, -1);
	uprobe_set_depth(calls, tid, 0);
}

SEC("raw_tp/sched_process_exit")
int uprobe_thread_exit(void *ctx)
{
	uprobe_end_all(veil_current_tid());
	return 0;
}

/* The calls are kept by the id that the thread had before execve gave it the leader's (de_thread() in fs/exec.c). */
SEC("raw_tp/sched_process_exec")
int uprobe_exec(struct bpf_raw_tracepoint_args *ctx)
{
	uprobe_end_all((__u32)ctx->args[1]);
	return 0;
}
