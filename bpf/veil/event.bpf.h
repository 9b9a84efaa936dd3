/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common header, first member of every event struct. Its order is the order of the fields on the screen. */
#pragma once

#include "count.bpf.h"
#include "task.bpf.h"

struct veil_event {
	veil_comm_t comm;
	veil_pid_t pid;
	veil_tid_t tid;
	veil_uid_t uid;
	veil_kind_t kind;
	veil_timestamp_t timestamp;
};
_Static_assert(__builtin_offsetof(struct veil_event, kind) == VEIL_COUNT_KIND_OFFSET,
	       "the kind is where counting looks for it");

/*
 * Declares an event struct of the module: its number among them, and a variable that carries the struct into BTF, where
 * userspace finds it by the variable's name (EventCatalog.FromObject).
 */
#define VEIL_EVENT(number, name)                                                                                       \
	enum { name##_kind = number };                                                                                 \
	const struct name *veil_event_##number

/* The module's number in this session, set before load. */
const volatile __u32 veil_module;

/* True if the member must be set: always when sending; when counting, only the counted ones. */
#define veil_wants(type, member) (!veil_counting || veil_count_reads_at(offsetof(type, member)))

static __always_inline bool veil_count_reads_at(__u32 offset)
{
	return veil_count_reads[offset / 256] >> (offset / 4 & 63) & 1;
}

/* The time of the event, if it is shown or a duration is computed from it. */
static __always_inline veil_timestamp_t veil_event_time(void)
{
	return veil_count_needs_time || veil_wants(struct veil_event, timestamp) ? bpf_ktime_get_boot_ns() : 0;
}

static __always_inline void veil_event_init(struct veil_event *event, __u32 kind, struct veil_task task)
{
	if (veil_wants(struct veil_event, comm))
		veil_task_comm(task, event->comm);
	event->pid = veil_task_pid(task);
	event->tid = veil_task_tid(task);
	if (veil_wants(struct veil_event, uid))
		event->uid = veil_task_uid(task);
	event->kind = veil_module << 8 | kind;
	event->timestamp = veil_event_time();
}

static __always_inline void veil_event_init_as(struct veil_event *event, __u32 kind,
					       const struct veil_identity *identity)
{
	__builtin_memcpy(event->comm, identity->comm, sizeof(event->comm));
	event->pid = identity->pid;
	event->tid = identity->tid;
	event->uid = identity->uid;
	event->kind = veil_module << 8 | kind;
	event->timestamp = veil_event_time();
}
