/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The kernel types that Veil's programs touch, and nothing else.
 *
 * Every field is relocated by libbpf against the running kernel's BTF (CO-RE), so only the names matter
 * here, not the offsets. A checked-in header keeps the build independent of the kernel that it runs on.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 only */
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
};

struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	const struct cred *cred;
	char comm[16];
};

struct trace_event_raw_sys_enter {
	long id;
};

struct trace_event_raw_sys_exit {
	long id;
	long ret;
};

struct trace_event_raw_sched_process_exec {
	int pid;
	int old_pid;
};

#pragma clang attribute pop

/*
 * The running task. From 5.11 on (commit 3ca1032ab7ab) it is had as a BTF pointer, whose fields are plain loads: one
 * helper call, then no more. Before, each field is read by a helper.
 */
#define VEIL_HAS_TASK_BTF bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline struct task_struct *veil_current(void)
{
	if (VEIL_HAS_TASK_BTF)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

#define veil_task_read(task, field) (VEIL_HAS_TASK_BTF ? (task)->field : BPF_CORE_READ(task, field))

/* Ids as the initial user namespace has them, as bpf_get_current_uid_gid() gives them. */
#define veil_task_uid(task) (VEIL_HAS_TASK_BTF ? (task)->cred->uid.val : (__u32)bpf_get_current_uid_gid())
#define veil_task_gid(task) (VEIL_HAS_TASK_BTF ? (task)->cred->gid.val : (__u32)(bpf_get_current_uid_gid() >> 32))

/* The running task's name into 16 bytes, aligned to 8. What follows the NUL is not cleared by every kernel. */
static __always_inline void veil_task_comm(struct task_struct *task, void *comm)
{
	if (VEIL_HAS_TASK_BTF) {
		((__u64 *)comm)[0] = *(__u64 *)&task->comm[0];
		((__u64 *)comm)[1] = *(__u64 *)&task->comm[8];
	} else {
		bpf_get_current_comm(comm, 16);
	}
}
