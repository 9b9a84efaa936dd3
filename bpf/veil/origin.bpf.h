/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a task comes from: its parent and its cgroup. Comes with task.bpf.h. */
#pragma once

/* Read at the event, where the session shows or filters by it; it stands after the event's struct (emit.bpf.h). */
struct veil_origin {
	veil_comm_t parent_comm;
	veil_pid_t ppid;
	__u32 unused;
	veil_cgroup_t cgroup;
};

/* Carries the struct into BTF. */
const struct veil_origin *veil_origin_type;

/* What is read of it. Set before load. */
const volatile bool veil_reads_parent;
const volatile bool veil_reads_cgroup;

/* How many bytes of it stand after an event's struct: all, or 0. */
const volatile __u32 veil_origin_size;

/*
 * Which hierarchy cgroups are of: src/Veil.Core/Cgroups/CgroupHierarchy.cs has the same. Of version 1 a controller
 * leads to it, as tasks have no pointer to a hierarchy.
 */
enum veil_cgroup_by {
	VEIL_CGROUP_BY_DEFAULT, /* version 2 */
	VEIL_CGROUP_BY_MEMORY,
	VEIL_CGROUP_BY_PIDS,
	VEIL_CGROUP_BY_CPU,
	VEIL_CGROUP_BY_CPUSET,
	VEIL_CGROUP_BY_DEVICES,
	VEIL_CGROUP_BY_FREEZER,
	VEIL_CGROUP_BY_IO,
};
const volatile __u32 veil_cgroup_by;

/* Constants for the verifier, so that one line of the switch is left. */
static __always_inline __u32 veil_cgroup_controller(void)
{
	switch (veil_cgroup_by) {
	case VEIL_CGROUP_BY_MEMORY:
		return bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	case VEIL_CGROUP_BY_PIDS:
		return bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	case VEIL_CGROUP_BY_CPU:
		return bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id);
	case VEIL_CGROUP_BY_CPUSET:
		return bpf_core_enum_value(enum cgroup_subsys_id, cpuset_cgrp_id);
	case VEIL_CGROUP_BY_DEVICES:
		return bpf_core_enum_value(enum cgroup_subsys_id, devices_cgrp_id);
	case VEIL_CGROUP_BY_FREEZER:
		return bpf_core_enum_value(enum cgroup_subsys_id, freezer_cgrp_id);
	default:
		return bpf_core_enum_value(enum cgroup_subsys_id, io_cgrp_id);
	}
}

static __always_inline __u64 veil_cgroup_id(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, kn, id);
}

/* Of a task that has ended it is where it was, until it is reaped. */
static __always_inline __u64 veil_task_cgroup(struct veil_task task)
{
	struct cgroup_subsys_state *state = NULL;
	struct css_set *set = veil_task_read(task, cgroups);
	void *states;

	if (veil_cgroup_by == VEIL_CGROUP_BY_DEFAULT)
		return veil_task_by_load(task) ? set->dfl_cgrp->kn->id : BPF_CORE_READ(set, dfl_cgrp, kn, id);
	states = (void *)set + bpf_core_field_offset(struct css_set, subsys);
	bpf_probe_read_kernel(&state, sizeof(state), states + sizeof(state) * (__u64)veil_cgroup_controller());
	return BPF_CORE_READ(state, cgroup, kn, id);
}

/* The process that is told of its end: another one than made it, once that has ended. */
static __always_inline __u32 veil_task_ppid(struct veil_task task)
{
	struct task_struct *address = task.address;

	return veil_task_by_load(task) ? address->real_parent->tgid : BPF_CORE_READ(address, real_parent, tgid);
}

static __always_inline void veil_task_parent_comm(struct veil_task task, void *comm)
{
	struct task_struct *parent = veil_task_read(task, real_parent), *leader = BPF_CORE_READ(parent, group_leader);

	bpf_core_read(comm, sizeof(veil_comm_t), &leader->comm);
}

const struct veil_origin veil_no_origin = {.parent_comm = VEIL_COMM_UNKNOWN, .ppid = VEIL_PID_UNKNOWN};

static __always_inline void veil_origin_none(struct veil_origin *origin)
{
	__builtin_memset(origin, 0, sizeof(*origin));
	origin->parent_comm[1] = '\xff'; /* VEIL_COMM_UNKNOWN */
	origin->ppid = VEIL_PID_UNKNOWN;
}

static __always_inline void veil_task_origin(struct veil_task task, struct veil_origin *origin)
{
	veil_origin_none(origin);
	if (veil_reads_parent) {
		origin->ppid = veil_task_ppid(task);
		veil_task_parent_comm(task, origin->parent_comm);
	}
	if (veil_reads_cgroup)
		origin->cgroup = veil_task_cgroup(task);
}

/* The running task's. A function, so that its stack is not that of whoever calls it. */
static __noinline __attribute__((unused)) void veil_current_origin(struct veil_origin *origin)
{
	veil_task_origin(veil_current(), origin);
}
