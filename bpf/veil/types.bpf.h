/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Semantic types. A member's typedef says what its value means, and so how every sink shows it: userspace
 * reads the layout of the event structs, and these names, from the object's BTF. Nothing mirrors them.
 * The list is documented in docs/adding-a-module.md; EventSchema refuses a name that it does not know.
 */
#pragma once

#include "kernel.bpf.h"

typedef __u32 veil_pid_t;	/* thread group id, what userspace calls the PID */
typedef __u32 veil_tid_t;	/* thread id, the kernel's pid */
typedef __u32 veil_uid_t;	/* user id in the initial user namespace */
typedef __u32 veil_gid_t;	/* group id in the initial user namespace */
typedef __u64 veil_timestamp_t; /* nanoseconds since boot, CLOCK_BOOTTIME */
typedef __u64 veil_duration_t;	/* nanoseconds; all ones: not known */
typedef __s64 veil_ret_t;	/* what a call returned, -4095..-1 an errno; the least value: it never returned */
typedef __u32 veil_kind_t;	/* module << 8 | index of the event struct in the module; never shown */
typedef char veil_comm_t[16];	/* task name: NUL padded, any bytes */

#define VEIL_DURATION_UNKNOWN ((veil_duration_t)-1)
#define VEIL_RET_NONE	      ((veil_ret_t)(1ULL << 63))

/* The order is SyscallArch's in C#; the test Schema_SyscallArch_MatchesC holds the two together. */
enum veil_arch {
	VEIL_ARCH_X86_64,
	VEIL_ARCH_I386,
	VEIL_ARCH_X32,
	VEIL_ARCH_ARM64,
	VEIL_ARCH_ARM,
};

/* A system call: its number means nothing without the table that it indexes. Also the key of the syscall filter. */
typedef struct veil_syscall {
	__s32 nr;
	enum veil_arch arch;
} veil_syscall_t;
