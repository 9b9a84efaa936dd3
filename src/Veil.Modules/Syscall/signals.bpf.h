/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --output strace has beside calls: signals, and the end of each thread. By raw tracepoints on every rung: the
 * events of tracefs do not say who sent a signal.
 *
 * A process under ptrace gets every signal but SIGKILL, so strace sees them all. Without it the kernel drops what is
 * ignored as it is sent, and makes of what ends a process without a core dump a SIGKILL for each of its threads
 * (complete_signal() in kernel/signal.c). These two are seen as they are sent, and the others as they arrive.
 */
#pragma once

#include "veil/emit.bpf.h"

const volatile bool syscall_strace;

/* struct kernel_siginfo, which has a hole where the marks are. */
struct syscall_siginfo {
	__s32 signo;
	__s32 error;
	__s32 code;
	__u32 marks;
	__u64 value0, value1, value2, value3;
};

#define SYSCALL_SIGNAL_SENT  1 /* seen as it was sent: it may have been in the middle of a call */
#define SYSCALL_SIGNAL_STOPS 2 /* it stops the process */

struct syscall_signal_event {
	struct veil_event common;
	struct syscall_siginfo info;
};

struct syscall_exit_event {
	struct veil_event common;
	__s32 status;	/* as wait(2) gives it */
	__u32 exec_tid; /* of a first thread that ends because this one calls execve; 0 */
};

VEIL_EVENT(3, syscall_signal_event);
VEIL_EVENT(4, syscall_exit_event);

#define SIGNAL_KILL	  9
#define SIGNAL_STOP	  19 /* and the three after it */
#define SIGNAL_TTOU	  22
#define SIGNAL_BY_KERNEL  128 /* SI_KERNEL */
#define SIGNAL_NO_INFO	  0   /* SEND_SIG_NOINFO: by the running process */
#define SIGNAL_PRIVATE	  1   /* SEND_SIG_PRIV: by the kernel */
#define SIGNAL_DELIVERED  0   /* TRACE_SIGNAL_DELIVERED */
#define SIGNAL_IGNORED	  1
#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */
#define PF_EXITING	  4

/* `info` is the address of a struct kernel_siginfo, or one of the two words that stand for a usual one. */
static __always_inline void syscall_signal(struct veil_task task, __u32 signal, __u64 info, __u32 marks)
{
	struct syscall_signal_event counted, *event;
	__u32 uid;

	if (!veil_task_passes(task))
		return;
	uid = veil_task_uid(task);
	event = veil_reserve_as(&counted, &uid);
	if (!event)
		return;
	veil_event_init(&event->common, syscall_signal_event_kind, task);
	if (info > SIGNAL_PRIVATE) {
		bpf_probe_read_kernel(&event->info, sizeof(event->info), (void *)info);
	} else {
		__builtin_memset(&event->info, 0, sizeof(event->info));
		event->info.signo = signal;
		if (info == SIGNAL_PRIVATE)
			event->info.code = SIGNAL_BY_KERNEL;
		else
			event->info.value0 = (__u64)veil_current_uid() << 32 | bpf_get_current_pid_tgid() >> 32;
	}
	event->info.marks = marks;
	veil_submit(event, sizeof(*event));
}

SEC("raw_tp/signal_deliver")
int syscall_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	struct k_sigaction *action = (void *)ctx->args[2];
	__u32 signal = ctx->args[0], marks = 0;

	/* It is seen as the thread's end. */
	if (signal == SIGNAL_KILL)
		return 0;
	if (signal >= SIGNAL_STOP && signal <= SIGNAL_TTOU && !BPF_CORE_READ(action, sa.sa_handler))
		marks = SYSCALL_SIGNAL_STOPS;
	syscall_signal(veil_current(), signal, ctx->args[1], marks);
	return 0;
}

/* Only a typed pointer may be asked for what is kept with a task, so there is a program for those too. */
static __always_inline int syscall_send(struct veil_task target, __u32 signal, __u64 info, __u64 result)
{
	struct task_struct *address = target.address;
	bool ends;

	if (signal == SIGNAL_KILL || result > SIGNAL_IGNORED || BPF_CORE_READ(address, flags) & PF_EXITING)
		return 0;
	/* A process that ends ignores all, and no tracer is told. */
	ends = BPF_CORE_READ(address, signal, flags) & SIGNAL_GROUP_EXIT;
	if (result == SIGNAL_IGNORED ? ends : !ends || BPF_CORE_READ(address, signal, group_exit_code) != (int)signal)
		return 0;
	syscall_signal(target, signal, info, SYSCALL_SIGNAL_SENT);
	return 0;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(syscall_send_tp_btf, int signal, void *info, struct task_struct *target, int group, int result)
{
	return syscall_send(veil_task_typed(target), signal, (__u64)info, result);
}

SEC("raw_tp/signal_generate")
int syscall_send_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return syscall_send(veil_task_at((void *)ctx->args[2]), ctx->args[0], ctx->args[1], ctx->args[4]);
}

/* Does the running thread end before it is back from its call? Who ends by another signal than SIGKILL gets it first.
 */
static __always_inline bool syscall_is_killed(struct veil_task task)
{
	struct task_struct *address = task.address;
	__u32 signal;

	if (!(BPF_CORE_READ(address, pending.signal.sig[0]) & 1UL << (SIGNAL_KILL - 1)))
		return false;
	signal = BPF_CORE_READ(address, signal, group_exit_code) & 0x7f;
	return !signal || signal == SIGNAL_KILL || veil_task_pid(task) != veil_task_tid(task);
}

/* The thread that calls execve and lets the others end, or NULL. */
static __always_inline struct task_struct *syscall_exec_of(struct signal_struct *signal)
{
	struct signal_struct___exit *old = (void *)signal;

	if (bpf_core_field_exists(signal->group_exec_task))
		return BPF_CORE_READ(signal, group_exec_task);
	return BPF_CORE_READ(old, group_exit_task);
}

SEC("raw_tp/sched_process_exit")
int syscall_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct veil_task task = veil_current();
	struct task_struct *address = task.address, *exec;
	struct syscall_exit_event counted, *event;
	struct signal_struct *signal;

	if (!veil_task_passes(task))
		return 0;
	event = veil_reserve_chosen(&counted, NULL); /* always: readers wait for it */
	if (!event)
		return 0;
	veil_event_init(&event->common, syscall_exit_event_kind, task);
	signal = BPF_CORE_READ(address, signal);
	event->exec_tid = 0;
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT) {
		event->status = BPF_CORE_READ(signal, group_exit_code);
	} else {
		event->status = BPF_CORE_READ(address, exit_code);
		exec = syscall_exec_of(signal);
		if (exec && event->common.tid == event->common.pid)
			event->exec_tid = BPF_CORE_READ(exec, pid);
	}
	veil_submit(event, sizeof(*event));
	return 0;
}
