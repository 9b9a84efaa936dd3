/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups that come and go during a trace. A new one is in the filter if the one above it is, before a task can be in
 * it. Loaded where a session filters or shows by cgroup. Comes with filter.bpf.h.
 */
#pragma once

#include "emit.bpf.h"

/* The session's hierarchy, by its number in /proc/cgroups; 0 is that of version 2. */
const volatile __u32 veil_cgroup_hierarchy;

/* The module tells userspace of each: one of a session does. */
const volatile bool veil_cgroup_tells;

/* A name decides that userspace finds only now: until then a new cgroup passes, and its events wait there. */
volatile __u32 veil_cgroup_waits;
#define VEIL_PENDING 4

#define VEIL_KIND_CGROUP     255 /* in place of the number of an event struct: no event */
#define VEIL_CGROUP_PATH_MAX 1024

/* A cgroup was made. */
struct veil_cgroup_event {
	struct veil_event common;
	__u64 id;
	char path[VEIL_CGROUP_PATH_MAX]; /* ends in NUL */
};

static __always_inline bool veil_cgroup_is_ours(struct cgroup *cgroup)
{
	return (__u32)cgroup->root->hierarchy_id == veil_cgroup_hierarchy;
}

static __always_inline void veil_cgroup_tell(__u64 id, const char *path)
{
	struct veil_cgroup_event *event = veil_ring_reserve(sizeof(*event), NULL);

	if (!event)
		return;
	veil_event_init(&event->common, VEIL_KIND_CGROUP, veil_current());
	event->id = id;
	bpf_probe_read_kernel_str(event->path, sizeof(event->path), path);
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(veil_cgroup_make, struct cgroup *cgroup, const char *path)
{
	__u8 *bits, pending = VEIL_ALLOW | VEIL_PENDING;
	__u64 id, above;

	if (!veil_cgroup_is_ours(cgroup))
		return 0;
	id = cgroup->kn->id;
	above = cgroup->self.parent->cgroup->kn->id;
	bits = bpf_map_lookup_elem(&filter_cgroup, &above);
	if (!bits && veil_cgroup_waits)
		bits = &pending;
	if (bits && bpf_map_update_elem(&filter_cgroup, &id, bits, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	if (veil_cgroup_tells)
		veil_cgroup_tell(id, path);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(veil_cgroup_drop, struct cgroup *cgroup)
{
	__u64 id;

	if (!veil_cgroup_is_ours(cgroup))
		return 0;
	id = cgroup->kn->id;
	bpf_map_delete_elem(&filter_cgroup, &id);
	return 0;
}
