/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks: the running one and any other, read right by every hook and on every kernel. */
#pragma once

#include "types.bpf.h"

/* How the fields of a task may be read depends on where its pointer came from. */
enum veil_task_access {
	VEIL_TASK_BY_LOAD,   /* an argument of tp_btf or fentry: the verifier knows its type */
	VEIL_TASK_BY_HELPER, /* any other address, even of freed memory */
	VEIL_TASK_BY_EITHER, /* the running task, and one that was read from it: by load from 5.11 on */
};

/*
 * `access` must stay a constant for the compiler, which then keeps one of the two reads. So do not make a task a member
 * of a struct whose address goes to a helper: read back from memory it is no constant, and the verifier walks both.
 */
struct veil_task {
	struct task_struct *address;
	enum veil_task_access access;
};

/* bpf_get_current_task_btf(), commit 3ca1032ab7ab. */
#define VEIL_HAS_TASK_BTF bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

/* The running task. It costs a call of a helper, so a program asks once. */
static __always_inline struct veil_task veil_current(void)
{
	struct veil_task task;

	task.access = VEIL_TASK_BY_EITHER; /* an initializer may become a copy from memory */
	if (VEIL_HAS_TASK_BTF)
		task.address = bpf_get_current_task_btf();
	else
		task.address = (struct task_struct *)bpf_get_current_task();
	return task;
}

static __always_inline __u32 veil_current_tid(void)
{
	return bpf_get_current_pid_tgid();
}

static __always_inline __u32 veil_current_uid(void)
{
	return bpf_get_current_uid_gid();
}

/* A task that a tp_btf or fentry program was given. */
static __always_inline struct veil_task veil_task_typed(struct task_struct *address)
{
	return (struct veil_task){.address = address, .access = VEIL_TASK_BY_LOAD};
}

/* A task at any address. */
static __always_inline struct veil_task veil_task_at(struct task_struct *address)
{
	return (struct veil_task){.address = address, .access = VEIL_TASK_BY_HELPER};
}

#define veil_task_by_load(task)                                                                                        \
	((task).access == VEIL_TASK_BY_LOAD || ((task).access == VEIL_TASK_BY_EITHER && VEIL_HAS_TASK_BTF))

/* A field. The address goes into a variable: BPF_CORE_READ() would relocate all members of its argument. */
#define veil_task_read(task, field)                                                                                    \
	({                                                                                                             \
		struct veil_task read_ = (task);                                                                       \
		struct task_struct *address_ = read_.address;                                                          \
		veil_task_by_load(read_) ? address_->field : BPF_CORE_READ(address_, field);                           \
	})

static __always_inline __u32 veil_task_pid(struct veil_task task)
{
	return veil_task_read(task, tgid);
}

static __always_inline __u32 veil_task_tid(struct veil_task task)
{
	return veil_task_read(task, pid);
}

/* Ids as the initial user namespace has them, as bpf_get_current_uid_gid() gives them. */
static __always_inline __u32 veil_task_uid(struct veil_task task)
{
	struct task_struct *address = task.address;

	return veil_task_by_load(task) ? address->cred->uid.val : BPF_CORE_READ(address, cred, uid.val);
}

static __always_inline __u32 veil_task_gid(struct veil_task task)
{
	struct task_struct *address = task.address;

	return veil_task_by_load(task) ? address->cred->gid.val : BPF_CORE_READ(address, cred, gid.val);
}

/* The name, into 16 bytes that are aligned to 8. What follows the NUL is not cleared by every kernel. */
static __always_inline void veil_task_comm(struct veil_task task, void *comm)
{
	struct task_struct *address = task.address;

	if (veil_task_by_load(task)) {
		((__u64 *)comm)[0] = *(__u64 *)&address->comm[0];
		((__u64 *)comm)[1] = *(__u64 *)&address->comm[8];
	} else {
		bpf_core_read(comm, sizeof(veil_comm_t), &address->comm);
	}
}

/* The state, whose bits are in include/linux/sched.h. */
static __always_inline long veil_task_state(struct veil_task task)
{
	struct task_struct___state *old = (void *)task.address;
	struct task_struct *address = task.address;

	if (bpf_core_field_exists(address->__state))
		return veil_task_read(task, __state);
	return BPF_CORE_READ(old, state);
}

/*
 * Has its cgroup used up its share of the CPUs? Asked of a task that is ready to run. From 6.18 on (commit
 * 7fc2d1439247) the task itself is put aside; before, the queue that it is in.
 */
static __always_inline bool veil_task_is_throttled(struct veil_task task)
{
	struct task_struct *address = task.address;
	struct cfs_rq *queue = NULL;

	if (bpf_core_field_exists(address->throttled))
		return BPF_CORE_READ(address, throttled);
	if (!bpf_core_field_exists(address->se.cfs_rq) || !bpf_core_field_exists(queue->throttle_count))
		return false;
	queue = BPF_CORE_READ(address, se.cfs_rq);
	return queue && BPF_CORE_READ(queue, throttle_count) > 0;
}

#include "origin.bpf.h"

/* Who did it, remembered for an event that comes when another task runs. */
struct veil_identity {
	veil_comm_t comm;
	veil_pid_t pid;
	veil_tid_t tid;
	veil_uid_t uid;
	__u32 followed; /* bool; set by whoever may ask it of the task */
};

static __always_inline void veil_identity_of(struct veil_task task, struct veil_identity *identity)
{
	veil_task_comm(task, identity->comm);
	identity->pid = veil_task_pid(task);
	identity->tid = veil_task_tid(task);
	identity->uid = veil_task_uid(task);
}

/* The file of a descriptor of the running task; NULL: it has none, or another thread has closed it meanwhile. */
static __always_inline struct file *veil_current_file(__u32 fd)
{
	struct task_struct *task = veil_current().address;
	struct file **files, *file = NULL;
	struct files_struct *opened;
	struct fdtable *table;

	if (VEIL_HAS_TASK_BTF) {
		opened = task->files;
		table = opened ? opened->fdt : NULL;
		if (!table || fd >= table->max_fds)
			return NULL;
		files = table->fd;
	} else {
		table = BPF_CORE_READ(task, files, fdt);
		if (!table || fd >= BPF_CORE_READ(table, max_fds))
			return NULL;
		files = BPF_CORE_READ(table, fd);
	}
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}
