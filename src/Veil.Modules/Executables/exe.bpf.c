/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each process executes, for `--enrich exe`: told in the ring, before the events that it is true of, when a
 * process executes something, is forked or ends. So an event's way costs nothing. KernelExecutables.cs reads it.
 */
enum exe_slot {
	EXE_SLOT_EXEC,
	EXE_SLOT_LOOK,
	EXE_SLOTS,
};
#define VEIL_PATH_SLOTS EXE_SLOTS
#include "veil/path.bpf.h"

char _license[] SEC("license") = "GPL";

#define VEIL_KIND_EXE 254 /* in place of the number of an event struct: no event */

/* ExecutableRecord.cs has the same. */
enum exe_type {
	EXE_HAS,
	EXE_INHERITS,
	EXE_ENDS,
};

struct exe_event {
	struct veil_event common; /* of it only pid and time are looked at */
	__u32 type;
	__u32 parent;	  /* EXE_INHERITS: whose it has */
	veil_path_t path; /* EXE_HAS */
};

static __always_inline struct path_walk *exe_draft(__u32 slot, struct veil_task task)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct mm_struct *mm = veil_task_read(task, mm);
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct exe_event *event;

	if (!walk)
		return NULL;
	event = veil_draft_start(&walk->draft, sizeof(*event));
	veil_event_init(&event->common, VEIL_KIND_EXE, task);
	event->type = EXE_HAS;
	event->parent = 0;
	veil_part_omit(&event->path);
	if (file) {
		veil_path_resolve(slot, (__u64)BPF_CORE_READ(file, f_path.dentry),
				  (__u64)BPF_CORE_READ(file, f_path.mnt));
		veil_path_add(walk, &event->path);
	}
	return walk;
}

static __always_inline int exe_tell(struct veil_task task, enum exe_type type, __u32 parent)
{
	struct exe_event *event = veil_ring_reserve(sizeof(*event), NULL);

	if (!event)
		return 0;
	veil_event_init(&event->common, VEIL_KIND_EXE, task);
	event->type = type;
	event->parent = parent;
	veil_part_omit(&event->path);
	veil_submit(event, sizeof(*event));
	return 0;
}

/* Where execve gives the task its name: it has the new memory by then, and has done nothing with it. The name alone is
 * changed too, by prctl(2), which tells nothing new. */
SEC("tp_btf/task_rename")
int BPF_PROG(exe_exec_tp_btf, struct task_struct *renamed)
{
	struct path_walk *walk = exe_draft(EXE_SLOT_EXEC, veil_task_typed(renamed));

	if (walk)
		veil_draft_emit(&walk->draft);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(exe_fork_tp_btf, struct task_struct *child)
{
	struct veil_task task = veil_task_typed(child);

	return veil_task_tid(task) == veil_task_pid(task) ? exe_tell(task, EXE_INHERITS, veil_task_pid(veil_current()))
							  : 0;
}

/* Several threads may each see that they are the last, which does no harm. */
SEC("tp_btf/sched_process_exit")
int exe_exit_tp_btf(void *ctx)
{
	struct veil_task task = veil_current();
	struct signal_struct *signal = veil_task_read(task, signal);

	return BPF_CORE_READ(signal, live.counter) <= 0 ? exe_tell(task, EXE_ENDS, 0) : 0;
}

/* Those that were there before. Of a process whose first thread has ended another one has the memory. */
SEC("iter/task")
int exe_look_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *address = ctx->task;
	struct path_walk *walk;
	__u64 size;

	if (!address || !address->mm || (address->pid != address->tgid && address->group_leader->mm))
		return 0;
	walk = exe_draft(EXE_SLOT_LOOK, veil_task_typed(address));
	if (!walk)
		return 0;
	size = walk->draft.size;
	veil_bound(size, VEIL_DRAFT_MAX - 1);
	bpf_seq_write(ctx->meta->seq, walk->draft.bytes, size);
	return 0;
}
