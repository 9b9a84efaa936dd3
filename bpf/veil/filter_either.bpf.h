/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filters of a task over an event with two: a deny of either drops it, an allow of either is enough. */
#pragma once

#include "filter.bpf.h"

static __always_inline bool veil_either_name_passes(struct veil_task one, struct veil_task other, __u32 asked)
{
	__u32 mode = filter_name_mode & asked, bits;
	struct veil_name name;

	if (!mode)
		return true;
	veil_task_comm(one, &name);
	veil_name_trim(&name);
	bits = veil_name_bits(&name);
	veil_task_comm(other, &name);
	veil_name_trim(&name);
	return veil_filter_counted(filter_name_counter, veil_filter_decide(bits | veil_name_bits(&name), mode));
}

/* Whether it is the tracer's own is the caller's question. `one_id` and `other_id` are the processes. */
static __always_inline bool veil_either_passes(struct veil_task one, struct veil_task other, __u32 one_id,
					       __u32 other_id)
{
	__u32 asked;

	asked = veil_task_followed(one) || veil_task_followed(other)
		    ? VEIL_DENY
		    : veil_filter_asked(one_id, false) | veil_filter_asked(other_id, false);
	if (!asked || !veil_filter_either_passes(pid, &one_id, &other_id, asked))
		return false;
	if (filter_tid_mode) {
		one_id = veil_task_tid(one);
		other_id = veil_task_tid(other);
		if (!veil_filter_either_passes(tid, &one_id, &other_id, asked))
			return false;
	}
	if (filter_ppid_mode) {
		one_id = veil_task_ppid(one);
		other_id = veil_task_ppid(other);
		if (!veil_filter_either_passes(ppid, &one_id, &other_id, asked))
			return false;
	}
	if (filter_cgroup_mode && !veil_cgroups_pass(veil_task_cgroup(one), veil_task_cgroup(other), asked))
		return false;
	if (filter_uid_mode) {
		one_id = veil_task_uid(one);
		other_id = veil_task_uid(other);
		if (!veil_filter_either_passes(uid, &one_id, &other_id, asked))
			return false;
	}
	return veil_either_name_passes(one, other, asked);
}
