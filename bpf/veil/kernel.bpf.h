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

struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
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

/* The running task. As a BTF pointer its fields are plain loads; before 5.11 (commit 3ca1032ab7ab) each is a helper
 * call. */
#define VEIL_HAS_TASK_BTF bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

#define veil_current_read(field)                                                                                       \
	({                                                                                                             \
		typeof(((struct task_struct *)0)->field) value_;                                                       \
		if (VEIL_HAS_TASK_BTF)                                                                                 \
			value_ = bpf_get_current_task_btf()->field;                                                    \
		else                                                                                                   \
			bpf_core_read(&value_, sizeof(value_),                                                         \
				      &((struct task_struct *)bpf_get_current_task())->field);                         \
		value_;                                                                                                \
	})
