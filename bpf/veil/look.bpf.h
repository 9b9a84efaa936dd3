/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look at a task from outside, by an iterator: what it does now. */
#pragma once

#include "arch.bpf.h"
#include "task.bpf.h"

/* StuckTask.cs has the same. */
#define LOOK_FRAMES_MAX	   48
#define LOOK_TIME_UNKNOWN  (~0ULL)
#define LOOK_ON_CPU	   1 /* it runs at this moment: its registers say nothing */
#define LOOK_IN_CALL	   2
#define LOOK_MEMORY_LOCKED 4 /* who reads its memory waits, too */
#define LOOK_KERNEL_THREAD 8
#define LOOK_FROZEN	   16
#define LOOK_THROTTLED	   32

/* include/linux/sched.h */
#define PF_IO_WORKER 0x00000010
#define PF_FROZEN    0x00010000 /* before 6.1; then another flag, of kernel threads */
#define PF_KTHREAD   0x00200000
#define TASK_FROZEN  0x00008000 /* since 6.1, commit f5d39b020809 */

/* include/linux/sched/jobctl.h, since 5.2 */
#define JOBCTL_TRAP_FREEZE (1UL << 23)

/* kernel/locking/rwsem.c */
#define RWSEM_WRITER_LOCKED 1

struct look_task {
	__u32 pid, tid, ppid, uid;
	veil_comm_t comm;
	__u64 off_cpu_ns; /* since it last ran; LOOK_TIME_UNKNOWN */
	__u32 state;	  /* of the task, with its exit state in the bits that /proc has */
	__u32 marks;
	struct veil_syscall syscall;
	__u32 frames;
	__u32 unused;
	__u64 args[6];
	__u64 stack[LOOK_FRAMES_MAX]; /* as many as `frames` follow */
};

/*
 * The time of a task's run queue when it last ran: when it came onto its CPU, and for how long it ran then. Of the task
 * that looks that is now, as far as its time was last brought up to date: at the last tick, or as it yielded.
 */
static __always_inline __u64 look_ran_until(struct veil_task task)
{
	__u64 arrival;

	if (!bpf_core_field_exists(task.address->sched_info.last_arrival))
		return 0;
	arrival = veil_task_read(task, sched_info.last_arrival);
	if (!arrival)
		return 0;
	return arrival + veil_task_read(task, se.sum_exec_runtime) - veil_task_read(task, se.prev_sum_exec_runtime);
}

static __always_inline __u64 look_off_cpu_ns(struct task_struct *task)
{
	__u64 now = look_ran_until(veil_current()), then = look_ran_until(veil_task_typed(task));

	if (!now || !then)
		return LOOK_TIME_UNKNOWN;
	return now > then ? now - then : 0;
}

static __always_inline bool look_is_on_cpu(struct task_struct *task)
{
	return task->on_cpu;
}

static __always_inline void look_call(struct task_struct *task, struct look_task *found)
{
	void *registers = veil_task_registers(veil_task_typed(task));
	__s32 nr = veil_syscall_nr(registers);

	if (nr < 0)
		return;
	found->marks |= LOOK_IN_CALL;
	found->syscall.arch = veil_syscall_arch(veil_task_typed(task), nr);
	found->syscall.nr = nr;
	veil_syscall_args(veil_regs_core, registers, found->syscall.arch, found->args);
}

/* The freezer of cgroup v1 and of suspend has a state of its own; that of cgroup v2 leaves the task in a plain sleep.
 */
static __always_inline bool look_is_frozen(struct task_struct *task)
{
	if (task->flags & PF_KTHREAD)
		return false;
	if (veil_task_state(veil_task_typed(task)) & TASK_FROZEN || task->flags & PF_FROZEN)
		return true;
	/* Who waits for a child of vfork() or is stopped counts as frozen, too: only where its cgroup is to be frozen
	 * is it. */
	return task->jobctl & JOBCTL_TRAP_FREEZE && bpf_core_field_exists(task->frozen) &&
	       BPF_CORE_READ_BITFIELD_PROBED(task, frozen);
}

/* All but its stack. */
static __always_inline void look_at(struct task_struct *task, struct look_task *found)
{
	__builtin_memset(found, 0, offsetof(struct look_task, stack));
	found->state = veil_task_state(veil_task_typed(task)) | task->exit_state;
	if (look_is_on_cpu(task))
		found->marks |= LOOK_ON_CPU;
	else
		found->off_cpu_ns = look_off_cpu_ns(task);
	found->pid = task->tgid;
	found->tid = task->pid;
	found->ppid = task->real_parent->tgid;
	found->uid = veil_task_uid(veil_task_typed(task));
	veil_task_comm(veil_task_typed(task), found->comm);
	if (task->flags & PF_KTHREAD)
		found->marks |= LOOK_KERNEL_THREAD;
	if (look_is_frozen(task))
		found->marks |= LOOK_FROZEN;
	if (!(found->marks & LOOK_ON_CPU) && !found->state && veil_task_is_throttled(veil_task_typed(task)))
		found->marks |= LOOK_THROTTLED;
	if (task->mm && BPF_CORE_READ(task, mm, mmap_lock.count.counter) & RWSEM_WRITER_LOCKED)
		found->marks |= LOOK_MEMORY_LOCKED;
	if (!(found->marks & LOOK_ON_CPU) && !task->exit_state && !(task->flags & (PF_KTHREAD | PF_IO_WORKER)))
		look_call(task, found);
}
