/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: an event as each begins or, with --returns, as each ends. */
#define VEIL_COUNT_INLINE __always_inline
#include "veil/arch.bpf.h"
#include "veil/emit.bpf.h"
#include "veil/result.bpf.h"
#include "veil/task_state.bpf.h"
#include "veil/threshold.bpf.h"

char _license[] SEC("license") = "GPL";

struct syscall_event {
	struct veil_event common;
	veil_gid_t gid;
	veil_syscall_t syscall;
};

struct syscall_return_event {
	struct veil_event common;
	veil_gid_t gid;
	veil_syscall_t syscall;
	veil_ret_t ret;
	veil_duration_t duration_ns;
};

VEIL_EVENT(0, syscall_event);
VEIL_EVENT(1, syscall_return_event);

const volatile bool syscall_returns;

VEIL_FILTER(syscall, struct veil_syscall);

/* The call that a thread is in, if it passed the filters. Kept until the thread ends: to overwrite it costs half of
 * making and deleting one for each call. */
struct syscall_call {
	__u64 start_ns; /* 0: it is in none */
	struct veil_syscall syscall;
};

VEIL_TASK_STATE(syscall, struct syscall_call, 65536);

/* Only differences are shown; without durations any non-zero value marks a call in progress. */
static __always_inline __u64 syscall_clock(void)
{
	return !veil_counting || veil_count_needs_time || veil_slower_ns ? bpf_ktime_get_boot_ns() : 1;
}

static __always_inline int syscall_emit(struct veil_task task, const struct veil_syscall *syscall)
{
	struct syscall_event counted, *event;

	event = veil_reserve(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_event_kind, task);
	if (veil_wants(struct syscall_event, gid))
		event->gid = veil_task_gid(task);
	event->syscall = *syscall;
	veil_submit(event, sizeof(*event));
	return 0;
}

static __always_inline int syscall_start(long id)
{
	struct veil_syscall syscall = {.nr = (__s32)id};
	struct syscall_call *call;
	struct veil_task task;

	/* Before the task is looked at: most calls are not among the few that are allowed. */
	if (veil_filter_excludes(syscall, syscall.nr))
		return 0;
	task = veil_current();
	if (!veil_task_passes(task))
		return 0;
	syscall.arch = veil_syscall_arch(task, syscall.nr);
	if (!veil_filter_passes(syscall, &syscall))
		return 0;
	if (!syscall_returns)
		return syscall_emit(task, &syscall);

	call = veil_task_state_make(syscall, task, veil_task_tid(task));
	if (call)
		*call = (struct syscall_call){.start_ns = syscall_clock(), .syscall = syscall};
	else
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

/* A call that ends. */
struct syscall_done {
	__u64 start_ns; /* 0: it was not seen to begin */
	struct veil_syscall syscall;
	veil_ret_t ret;
};

/* Takes what was noted as the call began. */
static __always_inline bool syscall_take(struct veil_task task, struct syscall_done *done)
{
	struct syscall_call *call = veil_task_state_find(syscall, task, veil_task_tid(task));

	if (!call || !call->start_ns)
		return false;
	done->start_ns = call->start_ns;
	done->syscall = call->syscall;
	call->start_ns = 0;
	return true;
}

/*
 * A call that was not seen to begin, or was filtered out then. Seccomp decides before sys_enter: a call that it refuses
 * only has an end (syscall_trace_enter() in kernel/entry/syscall-common.c), as has a call that was under way when the
 * trace began. The filters are checked now, for the others once more.
 */
static __always_inline bool syscall_take_unseen(struct veil_task task, struct syscall_done *done, __s32 nr)
{
	/* Not known to be slow. */
	if (veil_slower_ns || !veil_ret_passes_again(done->ret))
		return false;
	/* rt_sigreturn leaves -1, so that it is not taken for the call that the signal interrupted. */
	if (nr == -1 || veil_filter_excludes(syscall, nr) || !veil_task_passes_again(task))
		return false;
	done->syscall.nr = nr;
	done->syscall.arch = veil_syscall_arch(task, nr);
	if (done->ret == 0 && veil_syscall_makes_task(&done->syscall))
		return false; /* a new task, returning from its parent's call */
	return veil_filter_passes_again(syscall, &done->syscall);
}

static __always_inline int syscall_return_emit(struct veil_task task, const struct syscall_done *done)
{
	struct syscall_return_event counted, *event;

	if (!veil_ret_passes(done->ret) || !veil_is_slow(done->start_ns))
		return 0;
	event = veil_reserve(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_return_event_kind, task);
	if (veil_wants(struct syscall_return_event, gid))
		event->gid = veil_task_gid(task);
	event->syscall = done->syscall;
	event->ret = done->ret;
	event->duration_ns = done->start_ns ? event->common.timestamp - done->start_ns : VEIL_DURATION_UNKNOWN;
	veil_submit(event, sizeof(*event));
	return 0;
}

/* A macro, so that `nr` is read only when needed: it may take a helper. */
#define syscall_end(result, nr)                                                                                        \
	({                                                                                                             \
		struct syscall_done done_ = {.ret = (result)};                                                         \
		struct veil_task task_ = veil_current();                                                               \
		if (syscall_take(task_, &done_) || syscall_take_unseen(task_, &done_, nr))                             \
			syscall_return_emit(task_, &done_);                                                            \
		0;                                                                                                     \
	})

/* A thread that ends inside a call (exit, or killed while it waits) never comes back from it. */
static __always_inline int syscall_thread_end(void)
{
	struct syscall_done done = {.ret = VEIL_RET_NONE};
	struct veil_task task = veil_current();

	if (syscall_take(task, &done))
		syscall_return_emit(task, &done);
	veil_task_state_drop(syscall, veil_task_tid(task));
	return 0;
}

/* A thread that calls execve takes over the leader's id before it returns (de_thread() in fs/exec.c). Only needed where
 * calls are kept by id. */
static __always_inline int syscall_move(__u32 old_tid)
{
	__u32 tid = veil_current_tid();
	struct syscall_call *call, moved;

	if (old_tid == tid)
		return 0;
	call = bpf_map_lookup_elem(&syscall_tids, &old_tid);
	if (!call)
		return 0;
	moved = *call;
	bpf_map_delete_elem(&syscall_tids, &old_tid);
	if (bpf_map_update_elem(&syscall_tids, &tid, &moved, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_enter_tp_btf, struct pt_regs *regs, long id)
{
	return syscall_start(id);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_exit_tp_btf, struct pt_regs *regs, long ret)
{
	return syscall_end(ret, veil_syscall_nr_btf(regs));
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(syscall_thread_exit_tp_btf)
{
	return syscall_thread_end();
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(syscall_exec_tp_btf, struct task_struct *task, int old_tid)
{
	return syscall_move(old_tid);
}

SEC("raw_tp/sys_enter")
int syscall_enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_start(ctx->args[1]);
}

SEC("raw_tp/sys_exit")
int syscall_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_end(ctx->args[1], veil_syscall_nr((void *)ctx->args[0]));
}

SEC("raw_tp/sched_process_exit")
int syscall_thread_exit_raw_tp(void *ctx)
{
	return syscall_thread_end();
}

SEC("raw_tp/sched_process_exec")
int syscall_exec_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_move((__u32)ctx->args[1]);
}

SEC("tracepoint/raw_syscalls/sys_enter")
int syscall_enter_tracepoint(struct trace_event_raw_sys_enter *ctx)
{
	return syscall_start(ctx->id);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int syscall_exit_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_end(ctx->ret, (__s32)ctx->id);
}

SEC("tracepoint/sched/sched_process_exit")
int syscall_thread_exit_tracepoint(void *ctx)
{
	return syscall_thread_end();
}

SEC("tracepoint/sched/sched_process_exec")
int syscall_exec_tracepoint(struct trace_event_raw_sched_process_exec *ctx)
{
	return syscall_move(ctx->old_pid);
}
