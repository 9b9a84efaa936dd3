/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel types that the two programs use; CO-RE relocates the offsets against the running kernel's BTF. */
#ifndef FLOOR_KERNEL_BPF_H
#define FLOOR_KERNEL_BPF_H

#include <linux/bpf.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kuid {
	__u32 val;
};

struct cred {
	struct kuid uid;
	struct kuid gid;
};

struct thread_info {
	__u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	const struct cred *cred;
	char comm[16];
	int pid;
	int tgid;
};

#pragma clang attribute pop

#endif
