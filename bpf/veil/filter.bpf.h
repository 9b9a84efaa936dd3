/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filters that every module has, over the task that an event is of; and the tracer keeps itself out. */
#pragma once

#include "filter_name.bpf.h"

VEIL_FILTER(pid, __u32);
VEIL_FILTER(tid, __u32);
VEIL_FILTER(uid, __u32);

/* The thread group of the tracer itself, 0 with --include-self; its id in a PID namespace if that is not the initial
 * one. */
const volatile __u32 veil_self;
const volatile __u32 veil_self_helper; /* and of its helper process, or 0 */
const volatile __u64 veil_self_ns_device;
const volatile __u64 veil_self_ns_inode;

/* Has the tracer this id? In another PID namespace than the initial one that is not known. */
static __always_inline bool veil_is_self(__u32 pid)
{
	return !veil_self_ns_inode && pid && (pid == veil_self || pid == veil_self_helper);
}

/* Does the tracer run? `pid` is the running task's. */
static __always_inline bool veil_current_is_self(__u32 pid)
{
	struct bpf_pidns_info inside = {};

	if (!veil_self_ns_inode)
		return veil_is_self(pid);
	return veil_self &&
	       !bpf_get_ns_current_pid_tgid(veil_self_ns_device, veil_self_ns_inode, &inside, sizeof(inside)) &&
	       (inside.tgid == veil_self || inside.tgid == veil_self_helper);
}

/* The cheap ones first. */
static __always_inline bool veil_task_passes_as(struct veil_task task, bool again)
{
	__u32 pid = veil_task_pid(task);

	if (task.access == VEIL_TASK_BY_EITHER ? veil_current_is_self(pid) : veil_is_self(pid))
		return false;
	if (!veil_filter_passes_as(pid, &pid, again))
		return false;
	if (filter_tid_mode) {
		__u32 tid = veil_task_tid(task);
		if (!veil_filter_passes_as(tid, &tid, again))
			return false;
	}
	if (filter_uid_mode) {
		__u32 uid = veil_task_uid(task);
		if (!veil_filter_passes_as(uid, &uid, again))
			return false;
	}
	if (filter_name_mode) {
		struct veil_name name;
		veil_task_comm(task, &name);
		if (!veil_name_passes(&name, again))
			return false;
	}
	return true;
}

static __always_inline bool veil_task_passes(struct veil_task task)
{
	return veil_task_passes_as(task, false);
}

static __always_inline bool veil_task_passes_again(struct veil_task task)
{
	return veil_task_passes_as(task, true);
}

/* The same over a task that was remembered. */
static __always_inline bool veil_identity_passes(const struct veil_identity *identity)
{
	__u32 pid = identity->pid, tid = identity->tid, uid = identity->uid;

	if (veil_is_self(pid))
		return false;
	if (!veil_filter_passes(pid, &pid) || !veil_filter_passes(tid, &tid) || !veil_filter_passes(uid, &uid))
		return false;
	if (filter_name_mode) {
		struct veil_name name;
		__builtin_memcpy(&name, identity->comm, sizeof(name));
		if (!veil_name_passes(&name, false))
			return false;
	}
	return true;
}
