/* SPDX-License-Identifier: GPL-3.0-only */
/* System calls: an event as each begins or, with --returns, as each ends. */
#define VEIL_COUNT_INLINE __always_inline
#include "veil/arch.bpf.h"
#include "veil/emit.bpf.h"
#include "veil/result.bpf.h"
#include "veil/threshold.bpf.h"
#include "arguments.bpf.h"

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
VEIL_EVENT(2, syscall_args_event);

const volatile bool syscall_returns;

VEIL_FILTER(syscall, struct veil_syscall);

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct syscall_call);
} syscall_task_calls SEC(".maps");

/* Else by the thread's id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct syscall_call);
} syscall_calls SEC(".maps");

static __always_inline struct syscall_call *syscall_call_of(struct task_struct *task, bool create, bool args)
{
	struct syscall_call none = {}, *call;
	__u32 tid;

	if (args)
		return (void *)syscall_draft_of(task, create);
	if (syscall_calls_in_tasks)
		return bpf_task_storage_get(&syscall_task_calls, task, NULL,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	tid = veil_task_read(task, pid);
	call = bpf_map_lookup_elem(&syscall_calls, &tid);
	if (call || !create)
		return call;
	bpf_map_update_elem(&syscall_calls, &tid, &none, BPF_ANY);
	return bpf_map_lookup_elem(&syscall_calls, &tid);
}

/* Only differences are shown; without durations any non-zero value marks a call in progress. */
static __always_inline __u64 syscall_clock(void)
{
	return !veil_counting || veil_count_needs_time || veil_slower_ns ? bpf_ktime_get_boot_ns() : 1;
}

/* Where a program has the arguments. */
enum syscall_source {
	SYSCALL_BTF,
	SYSCALL_RAW_TP,
	SYSCALL_TRACEPOINT,
};

static __always_inline void syscall_copy_args(void *from, enum syscall_source source, enum veil_arch arch, __u64 *args)
{
	switch (source) {
	case SYSCALL_BTF:
		veil_syscall_args(veil_regs_plain, from, arch, args);
		break;
	case SYSCALL_RAW_TP:
		veil_syscall_args(veil_regs_core, from, arch, args);
		break;
	case SYSCALL_TRACEPOINT:
		args[0] = ((struct trace_event_raw_sys_enter *)from)->args[0];
		args[1] = ((struct trace_event_raw_sys_enter *)from)->args[1];
		args[2] = ((struct trace_event_raw_sys_enter *)from)->args[2];
		args[3] = ((struct trace_event_raw_sys_enter *)from)->args[3];
		args[4] = ((struct trace_event_raw_sys_enter *)from)->args[4];
		args[5] = ((struct trace_event_raw_sys_enter *)from)->args[5];
		break;
	}
}

/* `args`: with what the arguments point to. Constant, as `source` is: a program has no code for the other. */
static __always_inline int syscall_enter(long id, void *from, enum syscall_source source, bool args)
{
	struct veil_syscall syscall = {.nr = (__s32)id};
	struct syscall_event counted, *event;
	struct task_struct *task;

	/* Before the task is even looked at: most calls are not the few that were asked for. */
	if (veil_filter_excludes(syscall, syscall.nr))
		return 0;
	task = veil_current();
	if (!veil_task_passes(task))
		return 0;
	syscall.arch = veil_syscall_arch(task, syscall.nr);
	if (!veil_filter_passes(syscall, &syscall))
		return 0;

	if (args || syscall_returns) {
		struct syscall_call *call = syscall_call_of(task, true, args);

		if (!call) {
			veil_lost(VEIL_LOST_MAP_FULL);
			return 0;
		}
		*call = (struct syscall_call){.start_ns = syscall_clock(), .syscall = syscall};
		if (args) {
			struct syscall_draft *draft = (void *)call;

			syscall_copy_args(from, source, syscall.arch, draft->event.call.args);
			syscall_args_enter(draft);
		}
		return 0;
	}

	event = veil_begin(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_event_kind, task);
	if (veil_wants(struct syscall_event, gid))
		event->gid = veil_task_gid(task);
	event->syscall = syscall;
	veil_submit(event, sizeof(*event));
	return 0;
}

/* A call that ends. */
struct syscall_done {
	struct task_struct *task;
	__u64 start_ns; /* 0: it was not seen to begin */
	struct veil_syscall syscall;
	veil_ret_t ret;
	struct syscall_draft *draft; /* with --args */
};

/* Takes what was noted when the call began; false where nothing was. */
static __always_inline bool syscall_take(struct syscall_done *done, bool args)
{
	struct syscall_call *call = syscall_call_of(done->task, false, args);

	if (!call || !call->start_ns)
		return false;
	done->start_ns = call->start_ns;
	done->syscall = call->syscall;
	call->start_ns = 0;
	if (args)
		done->draft = (void *)call;
	return true;
}

/*
 * A call that was not seen to begin, or that no filter wanted then. Seccomp decides before sys_enter: what it refuses
 * only has an end (syscall_trace_enter() in kernel/entry/syscall-common.c). So do the calls that were under way when
 * the trace began. The filters are asked now; for what they dropped at the beginning that is once more.
 */
static __always_inline bool syscall_take_unseen(struct syscall_done *done, __s32 nr)
{
	/* How long it took is not known, and so not that it was slow. */
	if (veil_slower_ns || !veil_ret_passes_again(done->ret))
		return false;
	/* rt_sigreturn leaves -1, so that it is not taken for the call that the signal interrupted. */
	if (nr == -1 || veil_filter_excludes(syscall, nr) || !veil_task_passes_again(done->task))
		return false;
	done->syscall.nr = nr;
	done->syscall.arch = veil_syscall_arch(done->task, nr);
	if (done->ret == 0 && veil_syscall_makes_task(&done->syscall))
		return false; /* the new task comes out of a call that the old one made */
	return veil_filter_passes_again(syscall, &done->syscall);
}

static __always_inline int syscall_end_args(const struct syscall_done *done)
{
	struct syscall_draft *draft = done->draft;
	struct syscall_args_event *event;
	__u64 size;

	/* A call that has only an end: its registers are there, but what they point to may have changed. */
	if (!draft) {
		draft = syscall_draft_of(done->task, true);
		if (!draft) {
			veil_lost(VEIL_LOST_MAP_FULL);
			return 0;
		}
		draft->size = 0;
		draft->unread = 0;
		draft->call.syscall = done->syscall;
		__builtin_memset(draft->event.call.args, 0, sizeof(draft->event.call.args));
	}
	event = &draft->event;
	event->call.syscall = done->syscall;
	event->call.ret = done->ret;
	syscall_args_exit(draft);
	veil_event_init(&event->common, syscall_args_event_kind, done->task);
	if (veil_wants(struct syscall_args_event, gid))
		event->gid = veil_task_gid(done->task);
	event->duration_ns = done->start_ns ? event->common.timestamp - done->start_ns : VEIL_DURATION_UNKNOWN;
	size = draft->size;
	event->call.values = (struct veil_part){.offset = size ? sizeof(*event) : 0, .size = size};
	asm volatile("" : "+r"(size));
	if (size > SYSCALL_BYTES)
		return 0;
	veil_output(event, sizeof(*event) + size);
	return 0;
}

static __always_inline int syscall_end(const struct syscall_done *done, bool args)
{
	struct syscall_return_event counted, *event;

	if (!veil_ret_passes(done->ret) || !veil_is_slow(done->start_ns))
		return 0;
	if (args)
		return syscall_end_args(done);
	event = veil_begin(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_return_event_kind, done->task);
	if (veil_wants(struct syscall_return_event, gid))
		event->gid = veil_task_gid(done->task);
	event->syscall = done->syscall;
	event->ret = done->ret;
	event->duration_ns = done->start_ns ? event->common.timestamp - done->start_ns : VEIL_DURATION_UNKNOWN;
	veil_submit(event, sizeof(*event));
	return 0;
}

/* `nr` is only looked at where it is needed. */
#define syscall_exit(result, nr, args)                                                                                     \
	({                                                                                                             \
		struct syscall_done done_ = {.task = veil_current(), .ret = (result)};                                 \
		syscall_take(&done_, args) || syscall_take_unseen(&done_, nr) ? syscall_end(&done_, args) : 0;                     \
	})

/* A thread that ends inside a call (exit, or killed while it waits) never comes back from it. */
static __always_inline int syscall_thread_exit(bool args)
{
	struct task_struct *task = veil_current();
	struct syscall_done done = {.task = task, .ret = VEIL_RET_NONE};
	__u32 tid = veil_task_read(task, pid);

	if (syscall_take(&done, args))
		syscall_end(&done, args);
	if (syscall_calls_in_tasks)
		return 0;
	if (args)
		bpf_map_delete_elem(&syscall_drafts, &tid);
	else
		bpf_map_delete_elem(&syscall_calls, &tid);
	return 0;
}

/* When another thread than the leader calls execve, it takes over the leader's id (de_thread() in fs/exec.c) before it
 * returns. Only needed where calls are found by it. */
static __always_inline int syscall_exec(__u32 old_tid, bool args)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct syscall_call *call, moved;

	if (old_tid == tid)
		return 0;
	if (args) {
		struct syscall_draft *draft = bpf_map_lookup_elem(&syscall_drafts, &old_tid);

		if (draft && bpf_map_update_elem(&syscall_drafts, &tid, draft, BPF_ANY))
			veil_lost(VEIL_LOST_MAP_FULL);
		bpf_map_delete_elem(&syscall_drafts, &old_tid);
		return 0;
	}
	call = bpf_map_lookup_elem(&syscall_calls, &old_tid);
	if (!call)
		return 0;
	moved = *call;
	bpf_map_delete_elem(&syscall_calls, &old_tid);
	if (bpf_map_update_elem(&syscall_calls, &tid, &moved, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(enter_tp_btf, struct pt_regs *regs, long id)
{
	return syscall_enter(id, regs, SYSCALL_BTF, false);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(exit_tp_btf, struct pt_regs *regs, long ret)
{
	return syscall_exit(ret, veil_syscall_nr_btf(regs), false);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(thread_exit_tp_btf)
{
	return syscall_thread_exit(false);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_tp_btf, struct task_struct *task, int old_tid)
{
	return syscall_exec(old_tid, false);
}

SEC("raw_tp/sys_enter")
int enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_enter(ctx->args[1], (void *)ctx->args[0], SYSCALL_RAW_TP, false);
}

SEC("raw_tp/sys_exit")
int exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_exit(ctx->args[1], veil_syscall_nr((void *)ctx->args[0]), false);
}

SEC("raw_tp/sched_process_exit")
int thread_exit_raw_tp(void *ctx)
{
	return syscall_thread_exit(false);
}

SEC("raw_tp/sched_process_exec")
int exec_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_exec((__u32)ctx->args[1], false);
}

SEC("tracepoint/raw_syscalls/sys_enter")
int enter_tracepoint(struct trace_event_raw_sys_enter *ctx)
{
	return syscall_enter(ctx->id, ctx, SYSCALL_TRACEPOINT, false);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int exit_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_exit(ctx->ret, (__s32)ctx->id, false);
}

SEC("tracepoint/sched/sched_process_exit")
int thread_exit_tracepoint(void *ctx)
{
	return syscall_thread_exit(false);
}

SEC("tracepoint/sched/sched_process_exec")
int exec_tracepoint(struct trace_event_raw_sched_process_exec *ctx)
{
	return syscall_exec(ctx->old_pid, false);
}

/* The same with what the arguments point to. */
SEC("tp_btf/sys_enter")
int BPF_PROG(args_enter_tp_btf, struct pt_regs *regs, long id)
{
	return syscall_enter(id, regs, SYSCALL_BTF, true);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(args_exit_tp_btf, struct pt_regs *regs, long ret)
{
	return syscall_exit(ret, veil_syscall_nr_btf(regs), true);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(args_thread_exit_tp_btf)
{
	return syscall_thread_exit(true);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(args_exec_tp_btf, struct task_struct *task, int old_tid)
{
	return syscall_exec(old_tid, true);
}

SEC("raw_tp/sys_enter")
int args_enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_enter(ctx->args[1], (void *)ctx->args[0], SYSCALL_RAW_TP, true);
}

SEC("raw_tp/sys_exit")
int args_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_exit(ctx->args[1], veil_syscall_nr((void *)ctx->args[0]), true);
}

SEC("raw_tp/sched_process_exit")
int args_thread_exit_raw_tp(void *ctx)
{
	return syscall_thread_exit(true);
}

SEC("raw_tp/sched_process_exec")
int args_exec_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_exec((__u32)ctx->args[1], true);
}

SEC("tracepoint/raw_syscalls/sys_enter")
int args_enter_tracepoint(struct trace_event_raw_sys_enter *ctx)
{
	return syscall_enter(ctx->id, ctx, SYSCALL_TRACEPOINT, true);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int args_exit_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_exit(ctx->ret, (__s32)ctx->id, true);
}

SEC("tracepoint/sched/sched_process_exit")
int args_thread_exit_tracepoint(void *ctx)
{
	return syscall_thread_exit(true);
}

SEC("tracepoint/sched/sched_process_exec")
int args_exec_tracepoint(struct trace_event_raw_sched_process_exec *ctx)
{
	return syscall_exec(ctx->old_pid, true);
}
