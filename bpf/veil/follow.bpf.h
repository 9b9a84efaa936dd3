/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Following descendants: the programs that hand marks on. Every module has them, because each decides by its own
 * filters who is in the trace; the marks are shared. Loaded only where the session follows. Comes with filter.bpf.h.
 */
#pragma once

#include "arch.bpf.h"
#include "emit.bpf.h"

#define CLONE_THREAD 0x00010000 /* include/uapi/linux/sched.h */

/* False: the threads of a process only. */
const volatile bool veil_follow_children;

/* The command, for the tracer and for all modules. Shared as the marks are. */
struct veil_command_state {
	__u64 tasks; /* of the command and below it, that have not ended */
	__u64 begun; /* bool: it is past its first execve */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct veil_command_state);
} veil_commands SEC(".maps");

static __always_inline struct veil_command_state *veil_command_find(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&veil_commands, &zero);
}

/* Puts a mark on a task that has none. False: there is no room. */
static __always_inline bool veil_task_set_mark(struct veil_task task, __u32 mark)
{
	__u32 *made = veil_task_state_make(veil_mark, task, veil_task_tid(task));
	struct veil_command_state *command;

	if (!made)
		return false;
	if (mark & VEIL_MARK_COMMAND && !(*made & VEIL_MARK_COMMAND)) {
		command = veil_command_find();
		if (command)
			__sync_fetch_and_add(&command->tasks, 1);
	}
	*made |= mark;
	return true;
}

/* Before the new task can run: threads, processes, and the workers of io_uring. What it does is lost where it gets no
 * mark, and one loss stands for all that. */
SEC("tp_btf/task_newtask")
int BPF_PROG(veil_hand_on, struct task_struct *child, unsigned long clone_flags)
{
	struct veil_task parent = veil_current();
	__u32 mark = veil_task_mark(parent);

	if (!veil_follow_children && !(clone_flags & CLONE_THREAD))
		return 0;
	if (veil_task_follow_bits(parent) & VEIL_DENY)
		return 0;
	if (!mark && veil_task_passes_again(parent))
		mark = VEIL_MARK;
	if (mark && !veil_task_set_mark(veil_task_typed(child), mark))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

/* The command waits for the tracer's word until then, and that is nobody's concern. Attached before all that look at
 * system calls, so that these see its first execve begin. */
SEC("tp_btf/sys_enter")
int BPF_PROG(veil_command_begin, struct pt_regs *regs, long id)
{
	struct veil_task task = veil_current();
	struct veil_syscall syscall = {.nr = (__s32)id};
	struct veil_command_state *command;

	if (veil_current_inside(veil_task_pid(task)) != veil_command)
		return 0;
	syscall.arch = veil_syscall_arch(task, syscall.nr);
	if (!veil_syscall_replaces_program(&syscall))
		return 0;
	command = veil_command_find();
	if (!command || command->begun)
		return 0;
	command->begun = 1;
	if (!veil_task_set_mark(task, VEIL_MARK | VEIL_MARK_COMMAND))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

/* Attached after all that look at the end of a task: once the count is 0, everything has been sent. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(veil_command_end)
{
	struct veil_command_state *command;

	if (!(veil_task_mark(veil_current()) & VEIL_MARK_COMMAND))
		return 0;
	command = veil_command_find();
	if (command)
		__sync_fetch_and_sub(&command->tasks, 1);
	return 0;
}

/* Where marks are kept by id. A thread that calls execve takes over the leader's (de_thread() in fs/exec.c). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(veil_mark_move, struct task_struct *task, int old_tid)
{
	__u32 from = old_tid, tid = veil_current_tid();
	__u32 *mark = bpf_map_lookup_elem(&veil_mark_tids, &from);

	if (!mark || from == tid)
		return 0;
	if (bpf_map_update_elem(&veil_mark_tids, &tid, mark, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	bpf_map_delete_elem(&veil_mark_tids, &from);
	return 0;
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(veil_mark_drop, struct task_struct *task)
{
	veil_task_state_drop(veil_mark, task->pid);
	return 0;
}
