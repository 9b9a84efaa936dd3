/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task by its id in the PID namespace of another one: what find_task_by_pid_ns() does, whose tree of ids (since 4.15)
 * is walked here, as bpf_task_from_vpid() is only in kernels from 6.14 on. Every step reads what may have been freed
 * meanwhile, so that what is found is asked once more for the id that it was found by.
 */
#pragma once

#include "veil/task.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct xarray {
	void *xa_head;
};

struct idr {
	struct xarray idr_rt;
};

struct pid_namespace {
	struct idr idr;
};

struct upid___ns {
	int nr;
	struct pid_namespace *ns;
};

struct hlist_node___pid {
	struct hlist_node___pid *next;
};

struct hlist_head___pid {
	struct hlist_node___pid *first;
};

struct pid___tasks {
	unsigned int level;
	struct hlist_head___pid tasks[4];
	struct upid___ns numbers[1];
};

struct task_struct___pid {
	struct pid___tasks *thread_pid; /* since 4.19 */
	struct hlist_node___pid pid_links[4];
	int *clear_child_tid;
};

#pragma clang attribute pop

#define VEIL_PID_LEVELS 5 /* six bits each, and ids have 22 */

/* A node of the tree is marked by its lowest two bits (xa_is_node() in include/linux/xarray.h). */
static __always_inline bool veil_pid_is_node(__u64 entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

static __always_inline struct upid___ns *veil_pid_number(struct pid___tasks *pid, __u32 level)
{
	return (void *)__builtin_preserve_access_index(&pid->numbers) +
	       (__u64)level * bpf_core_type_size(struct upid___ns);
}

/* NULL: there is none. */
static __always_inline struct task_struct *veil_pid_find(struct veil_task of, __u32 tid)
{
	struct task_struct___pid *task = (void *)of.address, *found;
	struct pid___tasks *pid = BPF_CORE_READ(task, thread_pid);
	struct hlist_node___pid *link;
	struct upid___ns *number;
	struct pid_namespace *ns;
	__u32 depth;
	__u64 entry;

	if (!pid)
		return NULL;
	depth = BPF_CORE_READ(pid, level);
	number = veil_pid_number(pid, depth);
	ns = BPF_CORE_READ(number, ns);
	entry = (__u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);
#pragma unroll
	for (int level = 0; level < VEIL_PID_LEVELS; level++) {
		struct xa_node *node = (void *)(entry - 2);
		__u32 slots = bpf_core_field_size(node->slots) / sizeof(void *), shift;

		if (!veil_pid_is_node(entry))
			break;
		shift = BPF_CORE_READ(node, shift);
		if (shift > 31 || (!level && tid >> shift >= slots))
			return NULL;
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry),
				      (void *)__builtin_preserve_access_index(&node->slots) +
					  (__u64)(tid >> shift & (slots - 1)) * sizeof(void *));
	}
	if (!entry || entry & 3)
		return NULL;
	pid = (void *)entry;
	link = BPF_CORE_READ(pid, tasks[0].first);
	if (!link)
		return NULL;
	found = (void *)link - bpf_core_field_offset(struct task_struct___pid, pid_links);
	if (BPF_CORE_READ(found, thread_pid) != pid)
		return NULL;
	/* It has an id in each namespace from the initial one down to its own. */
	number = veil_pid_number(pid, depth);
	if (BPF_CORE_READ(pid, level) < depth || BPF_CORE_READ(number, ns) != ns ||
	    BPF_CORE_READ(number, nr) != (int)tid)
		return NULL;
	return (void *)found;
}

/* The word that the kernel clears as a thread ends: set_tid_address(2). */
static __always_inline __u64 veil_pid_clears(struct task_struct *task)
{
	return (__u64)BPF_CORE_READ((struct task_struct___pid *)task, clear_child_tid);
}
