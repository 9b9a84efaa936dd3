/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: an event as each begins or, with --returns, as each ends. */
#define VEIL_COUNT_INLINE __always_inline
#include "veil/arch.bpf.h"
#include "veil/emit.bpf.h"
#include "veil/look.bpf.h"
#include "veil/result.bpf.h"
#include "veil/task_state.bpf.h"
#include "veil/threshold.bpf.h"
#include "filter_arguments.bpf.h"
#include "signals.bpf.h"

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

VEIL_TASK_STATE(syscall, struct syscall_call, 65536);

/* Only differences are shown; without durations any non-zero value marks a call in progress. */
static __always_inline __u64 syscall_clock(void)
{
	return !veil_counting || veil_count_needs_time || veil_slower_ns ? bpf_ktime_get_boot_ns() : 1;
}

static __always_inline int syscall_emit(struct veil_task task, const struct veil_syscall *syscall, void *ctx)
{
	struct syscall_event counted, *event;

	event = veil_reserve_at(&counted, ctx);
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_event_kind, task);
	if (veil_wants(struct syscall_event, gid))
		event->gid = veil_task_gid(task);
	event->syscall = *syscall;
	veil_submit_at(event, sizeof(*event), NULL, ctx);
	return 0;
}

/* Where a program has the arguments. */
enum syscall_source {
	SYSCALL_BTF,
	SYSCALL_RAW_TP,
	SYSCALL_TRACEPOINT,
};

static __always_inline void syscall_copy_args(void *from, enum syscall_source source, enum veil_arch arch, __u64 *args)
{
	struct trace_event_raw_sys_enter *event = from;

	switch (source) {
	case SYSCALL_BTF:
		veil_syscall_args(veil_regs_plain, from, arch, args);
		break;
	case SYSCALL_RAW_TP:
		veil_syscall_args(veil_regs_core, from, arch, args);
		break;
	case SYSCALL_TRACEPOINT:
		args[0] = event->args[0];
		args[1] = event->args[1];
		args[2] = event->args[2];
		args[3] = event->args[3];
		args[4] = event->args[4];
		args[5] = event->args[5];
		break;
	}
}

/* The call of a thread, or NULL. `with_args` is constant here and below: a program has no code for the other. */
static __always_inline struct syscall_call *syscall_find(struct veil_task task, bool with_args)
{
	if (with_args)
		return veil_task_state_find(args, task, veil_task_tid(task));
	return veil_task_state_find(syscall, task, veil_task_tid(task));
}

static __always_inline struct syscall_call *syscall_make(struct veil_task task, bool with_args)
{
	if (with_args)
		return veil_task_state_make(args, task, veil_task_tid(task));
	return veil_task_state_make(syscall, task, veil_task_tid(task));
}

/* Asked as a call begins; where its beginning was not seen, as it ends. */
static __always_inline __u32 syscall_choose(void)
{
	if (filter_fd_mode || filter_path_mode)
		return SYSCALL_UNDECIDED;
	return veil_leaves_out() ? SYSCALL_LEFT_OUT : SYSCALL_SENT;
}

/* Asked once a call has passed: true, it is counted, and not sent. */
static __always_inline bool syscall_is_left_out(const struct syscall_draft *draft)
{
	if (!veil_sampling || draft->choice == SYSCALL_SENT)
		return false;
	if (draft->choice == SYSCALL_UNDECIDED)
		return veil_is_left_out();
	veil_count_left_out();
	return true;
}

static __always_inline int syscall_start(long id, void *from, enum syscall_source source, bool with_args, void *ctx)
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
	if (!with_args && !syscall_returns)
		return syscall_emit(task, &syscall, ctx);

	call = syscall_make(task, with_args);
	if (!call) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return 0;
	}
	*call = (struct syscall_call){.start_ns = syscall_clock(), .syscall = syscall};
	if (with_args) {
		struct syscall_draft *draft = (void *)call;

		if (veil_sampling)
			draft->choice = syscall_choose();
		if (veil_sampling && draft->choice == SYSCALL_LEFT_OUT) {
			draft->unread = 0;
			return 0;
		}
		syscall_copy_args(from, source, syscall.arch, draft->event.call.args);
		syscall_choose_plan(draft, true);
		if (veil_syscall_returns_from_signal(&syscall)) /* it has none: what is shown of it is its mask */
			draft->event.call.args[0] = source == SYSCALL_TRACEPOINT ? 0 : veil_sigreturn_mask(from);
		syscall_args_enter(draft);
	}
	return 0;
}

/* A call that ends. */
struct syscall_done {
	__u64 start_ns; /* 0: it was not seen to begin */
	struct veil_syscall syscall;
	veil_ret_t ret;
};

/* Takes what was noted as the call began. */
static __always_inline bool syscall_take(struct veil_task task, struct syscall_done *done, bool with_args)
{
	struct syscall_call *call = syscall_find(task, with_args);

	if (!call || !call->start_ns)
		return false;
	done->start_ns = call->start_ns;
	done->syscall = call->syscall;
	call->start_ns = 0;
	return true;
}

/* How many calls args_known has, about. */
__u64 syscall_known_left;

/* What is known of the call that a thread is in, if it began before the trace; of `nr`, or -1 for any. */
static __always_inline struct syscall_known *syscall_find_known(struct veil_task task, __s32 nr)
{
	struct syscall_known *known;
	__u32 tid;

	if (!syscall_known_left)
		return NULL;
	tid = veil_task_tid(task);
	known = bpf_map_lookup_elem(&args_known, &tid);
	if (!known || (nr != -1 && known->syscall.nr != nr) || syscall_find(task, true))
		return NULL;
	return known;
}

/* It becomes the thread's call. */
static __always_inline struct syscall_draft *syscall_adopt(struct veil_task task, const struct syscall_known *known)
{
	struct syscall_draft *draft = (void *)syscall_make(task, true);
	__u32 tid = veil_task_tid(task);

	if (draft) {
		syscall_args_known(draft, known);
		if (veil_sampling)
			draft->choice = syscall_choose();
	} else {
		veil_lost(VEIL_LOST_MAP_FULL);
	}
	if (!bpf_map_delete_elem(&args_known, &tid))
		__sync_fetch_and_sub(&syscall_known_left, 1);
	return draft;
}

static __always_inline bool syscall_take_known(struct veil_task task, struct syscall_done *done, __s32 nr)
{
	const struct syscall_known *known = syscall_find_known(task, nr);

	return known && syscall_adopt(task, known) && syscall_take(task, done, true);
}

/*
 * A call that was not seen to begin, or was filtered out then. Seccomp decides before sys_enter: a call that it refuses
 * only has an end (syscall_trace_enter() in kernel/entry/syscall-common.c), as has a call that was under way when the
 * trace began. The filters are checked now, for the others once more.
 */
static __always_inline bool syscall_take_unseen(struct veil_task task, struct syscall_done *done, __s32 nr,
						bool with_args)
{
	bool may_be_known = with_args && syscall_known_left;

	/* Not known to be slow. */
	if ((veil_slower_ns && !may_be_known) || !veil_ret_passes_again(done->ret))
		return false;
	/* rt_sigreturn leaves -1, so that it is not taken for the call that the signal interrupted. */
	if (nr == -1 || veil_filter_excludes(syscall, nr) || !veil_task_passes_again(task))
		return false;
	if (may_be_known && syscall_take_known(task, done, nr))
		return true;
	if (veil_slower_ns)
		return false;
	done->syscall.nr = nr;
	done->syscall.arch = veil_syscall_arch(task, nr);
	if (done->ret == 0 && veil_syscall_makes_task(&done->syscall))
		return false; /* a new task, returning from its parent's call */
	return veil_filter_passes_again(syscall, &done->syscall);
}

/* `origin` is NULL where the task is the running one. */
static __always_inline int syscall_return_emit(struct veil_task task, const struct syscall_done *done,
					       const struct veil_origin *origin, void *ctx)
{
	struct syscall_return_event counted, *event;

	if (!veil_ret_passes(done->ret) || !veil_is_slow(done->start_ns))
		return 0;
	event = veil_reserve_at(&counted, ctx);
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_return_event_kind, task);
	if (veil_wants(struct syscall_return_event, gid))
		event->gid = veil_task_gid(task);
	event->syscall = done->syscall;
	event->ret = done->ret;
	event->duration_ns = done->start_ns ? event->common.timestamp - done->start_ns : VEIL_DURATION_UNKNOWN;
	veil_submit_at(event, sizeof(*event), origin, ctx);
	return 0;
}

/* Sends a call with its arguments. */
static __always_inline int syscall_args_send(struct veil_task task, struct syscall_draft *draft, __u64 start_ns)
{
	struct syscall_args_event *event = &draft->event;
	__u64 size = draft->size;

	veil_event_init(&event->common, syscall_args_event_kind, task);
	if (veil_wants(struct syscall_args_event, gid))
		event->gid = veil_task_gid(task);
	event->duration_ns = start_ns && !(draft->unread & SYSCALL_BEGAN_BEFORE) ? event->common.timestamp - start_ns
										 : VEIL_DURATION_UNKNOWN;
	if (veil_origin_size)
		veil_task_origin(task, (void *)draft->bytes);
	if (veil_stacks_read)
		veil_behind_stacks(draft->bytes, veil_current_stacks(NULL));
	veil_stacks_check(draft->bytes, &event->common);
	if (veil_counting) {
		veil_count(event, syscall_counted_arguments(draft) ? ~0U : 0, NULL, draft->counted);
		return 0;
	}
	size -= veil_origin_size;
	event->call.values = (struct veil_part){.offset = size ? sizeof(*event) + veil_origin_size : 0, .size = size};
	size += veil_origin_size;
	asm volatile("" : "+r"(size));
	if (size > SYSCALL_BYTES) { /* for the verifier: syscall_add_to() keeps within it */
		veil_lost(VEIL_LOST_READ_FAILED);
		return 0;
	}
	veil_output(event, sizeof(*event) + size);
	return 0;
}

/* The running task's. A function: what reads arguments calls deep, and has no stack to spare. */
static __noinline int syscall_args_send_current(struct syscall_draft *draft, __u64 start_ns)
{
	return syscall_args_send(veil_current(), draft, start_ns);
}

/* Ends it. Of a call that has only an end the arguments are in its registers: `from` is where the program
 * has these, or NULL. */
static __always_inline int syscall_args_emit(struct veil_task task, const struct syscall_done *done, void *from,
					     enum syscall_source source)
{
	struct syscall_args_event *event;
	struct syscall_draft *draft;

	if (!veil_ret_passes(done->ret) || !veil_is_slow(done->start_ns))
		return 0;
	draft = (void *)syscall_make(task, true);
	if (!draft) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return 0;
	}
	if (veil_sampling && !done->start_ns)
		draft->choice = syscall_choose();
	if (veil_sampling && draft->choice == SYSCALL_LEFT_OUT && syscall_is_left_out(draft))
		return 0;
	event = &draft->event;
	event->call.ret = syscall_strace && syscall_is_killed(task) ? VEIL_RET_NONE : done->ret;
	if (!done->start_ns) {
		draft->call.syscall = done->syscall;
		if (from)
			syscall_copy_args(from, source, done->syscall.arch, event->call.args);
		else
			__builtin_memset(event->call.args, 0, sizeof(event->call.args));
		syscall_choose_plan(draft, from != NULL);
		syscall_args_unseen(draft, from);
	}
	event->call.syscall = draft->shown;
	syscall_args_exit(draft);
	if (!syscall_arguments_pass(draft) || syscall_is_left_out(draft))
		return 0;
	return syscall_args_send_current(draft, done->start_ns);
}

/* A macro, so that `nr` is read only when needed: it may take a helper. */
#define syscall_end(result, nr, from, source, with_args)                                                               \
	({                                                                                                             \
		struct syscall_done done_ = {.ret = (result)};                                                         \
		struct veil_task task_ = veil_current();                                                               \
		if (syscall_take(task_, &done_, with_args) || syscall_take_unseen(task_, &done_, nr, with_args)) {     \
			if (with_args)                                                                                 \
				syscall_args_emit(task_, &done_, from, source);                                        \
			else                                                                                           \
				syscall_return_emit(task_, &done_, NULL, ctx);                                         \
		}                                                                                                      \
		0;                                                                                                     \
	})

/* A thread that ends inside a call (exit, or killed while it waits) never comes back from it. */
static __always_inline int syscall_thread_end(bool with_args)
{
	struct syscall_done done = {.ret = VEIL_RET_NONE};
	struct veil_task task = veil_current();

	if (with_args) {
		if (syscall_take(task, &done, true) || syscall_take_known(task, &done, -1))
			syscall_args_emit(task, &done, NULL, SYSCALL_RAW_TP);
		veil_task_state_drop(args, veil_task_tid(task));
		return 0;
	}
	if (syscall_take(task, &done, false))
		syscall_return_emit(task, &done, NULL, NULL);
	veil_task_state_drop(syscall, veil_task_tid(task));
	return 0;
}

/* A thread that calls execve takes over the leader's id before it returns (de_thread() in fs/exec.c). Only needed where
 * calls are kept by id. */
static __always_inline int syscall_move(__u32 old_tid, bool with_args)
{
	__u32 tid = veil_current_tid();
	struct syscall_call *call, moved;

	if (old_tid == tid)
		return 0;
	if (with_args) {
		struct syscall_draft *draft = bpf_map_lookup_elem(&args_tids, &old_tid);

		if (draft && bpf_map_update_elem(&args_tids, &tid, draft, BPF_ANY))
			veil_lost(VEIL_LOST_MAP_FULL);
		bpf_map_delete_elem(&args_tids, &old_tid);
		return 0;
	}
	call = bpf_map_lookup_elem(&syscall_tids, &old_tid);
	if (!call)
		return 0;
	moved = *call;
	bpf_map_delete_elem(&syscall_tids, &old_tid);
	if (bpf_map_update_elem(&syscall_tids, &tid, &moved, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

/* execve has replaced the program: what of it could not be read then is in the new one. */
static __always_inline int syscall_replaced(__u32 old_tid, struct linux_binprm *program)
{
	struct syscall_draft *draft;

	if (!args_in_tasks)
		syscall_move(old_tid, true);
	draft = syscall_current_draft();
	if (draft && draft->call.start_ns && draft->unread && veil_syscall_replaces_program(&draft->call.syscall))
		syscall_args_replaced(draft, program);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_enter_tp_btf, struct pt_regs *regs, long id)
{
	return syscall_start(id, regs, SYSCALL_BTF, false, ctx);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_exit_tp_btf, struct pt_regs *regs, long ret)
{
	return syscall_end(ret, veil_syscall_nr_btf(regs), regs, SYSCALL_BTF, false);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(syscall_thread_exit_tp_btf)
{
	return syscall_thread_end(false);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(syscall_exec_tp_btf, struct task_struct *task, int old_tid)
{
	return syscall_move(old_tid, false);
}

SEC("raw_tp/sys_enter")
int syscall_enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_start(ctx->args[1], (void *)ctx->args[0], SYSCALL_RAW_TP, false, ctx);
}

SEC("raw_tp/sys_exit")
int syscall_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_end(ctx->args[1], veil_syscall_nr((void *)ctx->args[0]), (void *)ctx->args[0], SYSCALL_RAW_TP,
			   false);
}

SEC("raw_tp/sched_process_exit")
int syscall_thread_exit_raw_tp(void *ctx)
{
	return syscall_thread_end(false);
}

SEC("raw_tp/sched_process_exec")
int syscall_exec_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_move((__u32)ctx->args[1], false);
}

SEC("tracepoint/raw_syscalls/sys_enter")
int syscall_enter_tracepoint(struct trace_event_raw_sys_enter *ctx)
{
	return syscall_start(ctx->id, ctx, SYSCALL_TRACEPOINT, false, ctx);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int syscall_exit_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_end(ctx->ret, (__s32)ctx->id, NULL, SYSCALL_RAW_TP, false);
}

SEC("tracepoint/sched/sched_process_exit")
int syscall_thread_exit_tracepoint(void *ctx)
{
	return syscall_thread_end(false);
}

SEC("tracepoint/sched/sched_process_exec")
int syscall_exec_tracepoint(struct trace_event_raw_sched_process_exec *ctx)
{
	return syscall_move(ctx->old_pid, false);
}

/* The same with what the arguments point to. */
SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_arg_enter_tp_btf, struct pt_regs *regs, long id)
{
	return syscall_start(id, regs, SYSCALL_BTF, true, ctx);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_arg_exit_tp_btf, struct pt_regs *regs, long ret)
{
	return syscall_end(ret, veil_syscall_nr_btf(regs), regs, SYSCALL_BTF, true);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(syscall_arg_thread_exit_tp_btf)
{
	return syscall_thread_end(true);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(syscall_arg_exec_tp_btf, struct task_struct *task, int old_tid, struct linux_binprm *program)
{
	return syscall_replaced(old_tid, program);
}

SEC("raw_tp/sys_enter")
int syscall_arg_enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_start(ctx->args[1], (void *)ctx->args[0], SYSCALL_RAW_TP, true, ctx);
}

SEC("raw_tp/sys_exit")
int syscall_arg_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_end(ctx->args[1], veil_syscall_nr((void *)ctx->args[0]), (void *)ctx->args[0], SYSCALL_RAW_TP,
			   true);
}

SEC("raw_tp/sched_process_exit")
int syscall_arg_thread_exit_raw_tp(void *ctx)
{
	return syscall_thread_end(true);
}

SEC("raw_tp/sched_process_exec")
int syscall_arg_exec_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_replaced((__u32)ctx->args[1], (struct linux_binprm *)ctx->args[2]);
}

SEC("tracepoint/raw_syscalls/sys_enter")
int syscall_arg_enter_tracepoint(struct trace_event_raw_sys_enter *ctx)
{
	return syscall_start(ctx->id, ctx, SYSCALL_TRACEPOINT, true, ctx);
}

SEC("tracepoint/raw_syscalls/sys_exit")
int syscall_arg_exit_tracepoint(struct trace_event_raw_sys_exit *ctx)
{
	return syscall_end(ctx->ret, (__s32)ctx->id, NULL, SYSCALL_RAW_TP, true);
}

SEC("tracepoint/sched/sched_process_exit")
int syscall_arg_thread_exit_tracepoint(void *ctx)
{
	return syscall_thread_end(true);
}

SEC("tracepoint/sched/sched_process_exec")
int syscall_arg_exec_tracepoint(struct trace_event_raw_sched_process_exec *ctx)
{
	return syscall_move(ctx->old_pid, true);
}

/* The calls that are under way as the trace begins, for userspace, which reads what their arguments point to. */
struct look_task syscall_looked;

SEC("iter/task")
int syscall_look(struct bpf_iter__task *ctx)
{
	struct look_task *found = &syscall_looked;
	struct task_struct *address = ctx->task;
	struct veil_task task;

	if (!address)
		return 0;
	task = veil_task_typed(address);
	if (!veil_task_passes_again(task))
		return 0;
	look_at(address, found);
	if (!(found->marks & LOOK_IN_CALL) || !veil_filter_passes_again(syscall, &found->syscall) ||
	    syscall_find(task, true))
		return 0;
	__sync_fetch_and_add(&syscall_known_left, 1);
	bpf_seq_write(ctx->meta->seq, found, offsetof(struct look_task, stack));
	return 0;
}

/* Of a thread that is still in a call which is known: it becomes the thread's. */
static __always_inline struct syscall_draft *syscall_adopt_running(struct task_struct *address, bool if_slow)
{
	const struct syscall_known *known = syscall_find_known(veil_task_typed(address), -1);
	struct look_task *found = &syscall_looked;

	if (!known || (if_slow && !veil_is_slow(known->start_ns)))
		return NULL;
	look_at(address, found);
	if (!(found->marks & LOOK_IN_CALL) || found->syscall.nr != known->syscall.nr ||
	    found->args[0] != known->args[0] || found->args[1] != known->args[1] || found->args[2] != known->args[2])
		return NULL;
	return syscall_adopt(veil_task_typed(address), known);
}

/* The calls that are still under way. Runs after all other programs are detached. */
SEC("iter/task")
int syscall_running(struct bpf_iter__task *ctx)
{
	struct task_struct *address = ctx->task;
	struct syscall_draft *draft;
	struct veil_task task;
	__u64 start;

	if (!address)
		return 0;
	task = veil_task_typed(address);
	draft = (void *)syscall_find(task, true);
	if (!draft)
		draft = syscall_adopt_running(address, false);
	if (!draft)
		return 0;
	start = draft->call.start_ns;
	if (!start || draft->call.shown_ns == start || !veil_ret_passes_again(VEIL_RET_RUNNING) || !veil_is_slow(start))
		return 0;
	draft->event.call.syscall = draft->shown;
	draft->event.call.ret = VEIL_RET_RUNNING;
	if (!syscall_arguments_pass_of(draft) || syscall_is_left_out(draft))
		return 0;
	return syscall_args_send(task, draft, start);
}

/*
 * --slower: calls that have become slow and are still under way, each once. These run now and then, beside the programs
 * that see calls end, so what they send is a copy of what did not change meanwhile.
 */
static __always_inline bool syscall_is_due(const struct syscall_call *call)
{
	return call->start_ns && call->shown_ns != call->start_ns && veil_is_slow(call->start_ns);
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct syscall_draft);
} syscall_copies SEC(".maps");

SEC("iter/task")
int syscall_slow(struct bpf_iter__task *ctx)
{
	struct syscall_done done = {.ret = VEIL_RET_RUNNING};
	struct task_struct *address = ctx->task;
	struct syscall_call *call;
	struct veil_origin origin;

	if (!address)
		return 0;
	call = syscall_find(veil_task_typed(address), false);
	if (!call || !syscall_is_due(call))
		return 0;
	done.start_ns = call->start_ns;
	done.syscall = call->syscall;
	if (*(volatile __u64 *)&call->start_ns != done.start_ns)
		return 0;
	call->shown_ns = done.start_ns;
	veil_task_origin(veil_task_typed(address), &origin);
	return syscall_return_emit(veil_task_typed(address), &done, &origin, NULL);
}

SEC("iter/task")
int syscall_arg_slow(struct bpf_iter__task *ctx)
{
	struct task_struct *address = ctx->task;
	struct syscall_draft *draft, *copy;
	__u32 zero = 0;
	__u64 start;

	if (!address)
		return 0;
	draft = (void *)syscall_find(veil_task_typed(address), true);
	if (!draft)
		draft = syscall_adopt_running(address, true);
	if (!draft || !syscall_is_due(&draft->call))
		return 0;
	start = draft->call.start_ns;
	copy = bpf_map_lookup_elem(&syscall_copies, &zero);
	if (!copy || bpf_probe_read_kernel(copy, sizeof(*copy), draft))
		return 0;
	if (copy->call.start_ns != start || *(volatile __u64 *)&draft->call.start_ns != start)
		return 0;
	draft->call.shown_ns = start;
	copy->event.call.syscall = copy->shown;
	copy->event.call.ret = VEIL_RET_RUNNING;
	if (syscall_is_left_out(copy))
		return 0;
	return syscall_args_send(veil_task_typed(address), copy, start);
}
