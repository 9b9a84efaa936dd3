/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filters that every module has, over the task that an event is of; and the tracer keeps itself out. */
#pragma once

#ifdef VEIL_WITHOUT_FOLLOW
#define veil_follow 0
#else
/* Following, see below. Set before load. */
enum veil_follow {
	VEIL_FOLLOW_NOTHING,
	VEIL_FOLLOW_CHOSEN,  /* what the filters allow */
	VEIL_FOLLOW_COMMAND, /* a command that the tracer has started, and what the filters allow, if they allow
				anything */
};
const volatile enum veil_follow veil_follow;
#endif

#include "filter_cgroup.bpf.h"
#include "filter_name.bpf.h"
#include "task_state.bpf.h"

VEIL_FILTER(pid, __u32);
VEIL_FILTER(tid, __u32);
VEIL_FILTER(ppid, __u32);
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

/* The running process's id as the tracer knows it; 0: it has none in the tracer's namespace. */
static __always_inline __u32 veil_current_inside(__u32 pid)
{
	struct bpf_pidns_info inside = {};

	if (!veil_self_ns_inode)
		return pid;
	if (bpf_get_ns_current_pid_tgid(veil_self_ns_device, veil_self_ns_inode, &inside, sizeof(inside)))
		return 0;
	return inside.tgid;
}

/* Does the tracer run? `pid` is the running task's. */
static __always_inline bool veil_current_is_self(__u32 pid)
{
	__u32 inside;

	if (!veil_self_ns_inode)
		return veil_is_self(pid);
	if (!veil_self)
		return false;
	inside = veil_current_inside(pid);
	return inside && (inside == veil_self || inside == veil_self_helper);
}

#ifndef VEIL_WITHOUT_FOLLOW
/*
 * Following: who is in the trace hands a mark on to the tasks that it makes (follow.bpf.h). A task with a mark is asked
 * for no allow of the filters below, and for every deny. All modules of a session share the marks.
 */
const volatile __u32 veil_command; /* its thread group, or 0 */

#define VEIL_MARK	  1
#define VEIL_MARK_COMMAND 2 /* of the command, or below it */

VEIL_TASK_STATE(veil_mark, __u32, 65536);

/* Processes that were added as roots while the trace runs: `add follow`. Of a denied one the children get no mark. */
VEIL_FILTER(follow, __u32);

/* The mark of a task, or 0. Most tasks have nothing of any BPF program: that costs no helper. */
static __always_inline __u32 veil_task_mark(struct veil_task task)
{
	__u32 *mark;

	if (!veil_follow || (veil_mark_in_tasks && !veil_task_read(task, bpf_storage)))
		return 0;
	mark = veil_task_state_find(veil_mark, task, veil_task_tid(task));
	return mark ? *mark : 0;
}

static __always_inline __u32 veil_task_follow_bits(struct veil_task task)
{
	__u32 mode = veil_follow ? filter_follow_mode : 0, pid;

	if (!mode)
		return 0;
	pid = veil_task_pid(task);
	return veil_filter_find(follow, &pid, mode);
}

static __always_inline bool veil_task_followed(struct veil_task task)
{
	return veil_task_mark(task) || veil_task_follow_bits(task) & VEIL_ALLOW;
}

/* What the filters of the task are asked for; 0: the task is not in the trace, whatever they say. */
static __always_inline __u32 veil_filter_asked(__u32 pid, bool followed)
{
	/* First: where nothing is followed the verifier need not look at what a remembered task would be asked. */
	if (!veil_follow)
		return VEIL_ANY;
	if (followed)
		return VEIL_DENY;
	if (veil_follow != VEIL_FOLLOW_COMMAND)
		return VEIL_ANY;
	if (!veil_self_ns_inode && pid == veil_command) /* before its execve */
		return 0;
	return (filter_pid_mode | filter_tid_mode | filter_ppid_mode | filter_uid_mode | filter_name_mode |
		filter_cgroup_mode) &
		       VEIL_ALLOW
		   ? VEIL_ANY
		   : 0;
}
#else /* a look at what is there already */
static __always_inline bool veil_task_followed(struct veil_task task)
{
	return false;
}

static __always_inline __u32 veil_filter_asked(__u32 pid, bool followed)
{
	return VEIL_ANY;
}
#endif

/* By parent and cgroup. A function: its stack is not that of whoever calls it. `by_load` is known at each call. */
static __noinline bool veil_origin_passes(struct task_struct *address, bool by_load, bool again, __u32 asked)
{
	struct veil_task task = {.address = address, .access = by_load ? VEIL_TASK_BY_LOAD : VEIL_TASK_BY_HELPER};

	if (filter_ppid_mode) {
		__u32 ppid = veil_task_ppid(task);
		if (!veil_filter_passes_as(ppid, &ppid, again, asked))
			return false;
	}
	return !filter_cgroup_mode || veil_cgroup_passes(veil_task_cgroup(task), again, asked);
}

/* The cheap ones first. */
static __always_inline bool veil_task_passes_as(struct veil_task task, bool again)
{
	__u32 pid = veil_task_pid(task), asked;

	if (task.access == VEIL_TASK_BY_EITHER ? veil_current_is_self(pid) : veil_is_self(pid))
		return false;
	asked = veil_filter_asked(pid, veil_task_followed(task));
	if (!asked || !veil_filter_passes_as(pid, &pid, again, asked))
		return false;
	if (filter_tid_mode) {
		__u32 tid = veil_task_tid(task);
		if (!veil_filter_passes_as(tid, &tid, again, asked))
			return false;
	}
	if (filter_uid_mode) {
		__u32 uid = veil_task_uid(task);
		if (!veil_filter_passes_as(uid, &uid, again, asked))
			return false;
	}
	if ((filter_ppid_mode || filter_cgroup_mode) &&
	    !veil_origin_passes(task.address, veil_task_by_load(task), again, asked))
		return false;
	if (filter_name_mode) {
		struct veil_name name;
		veil_task_comm(task, &name);
		if (!veil_name_passes(name.low, name.high, again, asked))
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

/* The same of the running task by a global function: the verifier looks at it once, and not on every way that leads to
 * it. For programs with many. */
__weak __noinline int veil_current_passes(__u32 again)
{
	return veil_task_passes_as(veil_current(), again);
}

/* 0. Where nothing is followed, nobody asks whether a remembered task is. A zero that the verifier knew would make it
 * look at all that follows once more: network's largest program took more than the million of Linux 5.10. */
volatile __u32 veil_not_followed;

/* Remembers the running task. */
static __always_inline void veil_identity_of_current(struct veil_identity *identity)
{
	struct veil_task task = veil_current();

	veil_identity_of(task, identity);
	identity->followed = veil_follow ? veil_task_followed(task) : veil_not_followed;
}

#define VEIL_NOT_ASKED (~0ULL)

/* By what is known of a task in numbers: 0, or what its name is asked for. A global function, as above. Of what was not
 * filtered by when it was asked for, parent and cgroup are VEIL_NOT_ASKED. */
__weak __noinline int veil_numbers_pass(__u32 pid, __u32 tid, __u64 uid_and_followed, __u64 ppid, __u64 cgroup)
{
	__u32 uid = uid_and_followed, parent = ppid, asked;

	if (veil_is_self(pid))
		return 0;
	asked = veil_filter_asked(pid, uid_and_followed >> 32);
	if (!asked || !veil_filter_passes_as(pid, &pid, false, asked) ||
	    !veil_filter_passes_as(tid, &tid, false, asked) || !veil_filter_passes_as(uid, &uid, false, asked) ||
	    (ppid != VEIL_NOT_ASKED && !veil_filter_passes_as(ppid, &parent, false, asked)) ||
	    (cgroup != VEIL_NOT_ASKED && !veil_cgroup_passes(cgroup, false, asked)))
		return 0;
	return asked;
}

/* The same over a task that was remembered. `origin` is NULL where that is the running one. */
static __always_inline bool veil_identity_passes(const struct veil_identity *identity, const struct veil_origin *origin)
{
	__u64 ppid = VEIL_NOT_ASKED, cgroup = VEIL_NOT_ASKED;
	__u32 asked;

	if (filter_ppid_mode)
		ppid = origin ? origin->ppid : veil_task_ppid(veil_current());
	if (filter_cgroup_mode)
		cgroup = origin ? origin->cgroup : veil_task_cgroup(veil_current());
	asked = veil_numbers_pass(identity->pid, identity->tid, (__u64)identity->followed << 32 | identity->uid, ppid,
				  cgroup);
	if (!asked)
		return false;
	if (filter_name_mode) {
		struct veil_name name;
		__builtin_memcpy(&name, identity->comm, sizeof(name));
		if (!veil_name_passes(name.low, name.high, false, asked))
			return false;
	}
	return true;
}

#ifndef VEIL_WITHOUT_FOLLOW
#include "follow.bpf.h"
#include "cgroup_tree.bpf.h"
#endif
