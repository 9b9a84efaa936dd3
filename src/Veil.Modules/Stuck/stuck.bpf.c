/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `veil stuck`: one look at all tasks, and nothing stays attached. The iterator writes a struct look_task for each
 * task that is wanted; src/Veil.Core/Stuck reads them and, from outside, what the arguments of their calls point to.
 */
#define VEIL_WITHOUT_FOLLOW
#include "veil/filter.bpf.h"
#include "veil/look.bpf.h"

char _license[] SEC("license") = "GPL";

/* include/linux/sched.h */
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_NOLOAD	     0x0400

/* Set before load. */
const volatile bool stuck_uninterruptible; /* only tasks that wait so */
const volatile __u64 stuck_slower_ns;	   /* only tasks that have been off the CPU for so long */

/* The stack of a program has no room for it. An object is used for one look. */
struct look_task stuck_found;

SEC("iter/task")
int stuck_task_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct look_task *found = &stuck_found;
	struct seq_file *seq = ctx->meta->seq;
	__u64 size;
	long bytes;

	if (!task || !veil_task_passes(veil_task_typed(task)))
		return 0;
	if (stuck_uninterruptible &&
	    (veil_task_state(veil_task_typed(task)) & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) != TASK_UNINTERRUPTIBLE)
		return 0;
	look_at(task, found);
	if (stuck_slower_ns && (found->off_cpu_ns == LOOK_TIME_UNKNOWN || found->off_cpu_ns < stuck_slower_ns))
		return 0;
	if (!(found->marks & LOOK_ON_CPU) && !task->exit_state) {
		bytes = bpf_get_task_stack(task, found->stack, sizeof(found->stack), 0);
		if (bytes > 0)
			found->frames = bytes / sizeof(found->stack[0]);
	}
	size = offsetof(struct look_task, stack) + found->frames * sizeof(found->stack[0]);
	asm volatile("" : "+r"(size)); /* the compiler knows the bound, the verifier does not */
	if (size <= sizeof(*found))
		bpf_seq_write(seq, found, size);
	return 0;
}
