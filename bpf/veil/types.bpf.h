/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semantic types. A member's typedef says what its value means, and so how every sink shows it: userspace
 * reads the layout of the event structs, and these names, from the object's BTF. Nothing mirrors them.
 * Each is a kind of value in src/Veil.Core/Events/Kinds. The list is documented in docs/adding-a-module.md;
 * EventSchema refuses a name that it does not know.
 * Plain __u32 and its like are numbers. An enum shows what follows the first double underscore of the enumerator.
 */
#pragma once

#include "kernel.bpf.h"

typedef __u32 veil_pid_t;	   /* thread group id, what userspace calls the PID; all ones: not known */
typedef __u32 veil_tid_t;	   /* thread id, the kernel's pid; all ones: not known */
typedef __u32 veil_uid_t;	   /* user id in the initial user namespace; all ones: not known */
typedef __u32 veil_gid_t;	   /* group id in the initial user namespace */
typedef __u64 veil_timestamp_t;	   /* nanoseconds since boot, CLOCK_BOOTTIME */
typedef __u64 veil_duration_t;	   /* nanoseconds; all ones: not known */
typedef __u32 veil_microseconds_t; /* microseconds that the kernel measured itself */
typedef __s64 veil_ret_t;	   /* what a call returned, -4095..-1 an errno; the least value: it never returned */
typedef __u32 veil_kind_t;	   /* module << 8 | index of the event struct in the module; never shown */
/* Task name: NUL padded, any bytes; VEIL_COMM_UNKNOWN: not known. Aligned, for it is read and written as two words. */
typedef char veil_comm_t[16] __attribute__((aligned(8)));
typedef __s64 veil_errno_t;  /* 0, or an errno: negative, as a call returns it */
typedef __u64 veil_id_t;     /* a number that tells things apart; 0: not known */
typedef __u32 veil_netns_t;  /* a network namespace's inode number; 0: not known */
typedef __u64 veil_cgroup_t; /* a cgroup of the session's hierarchy; 0: not known */
typedef __u64 veil_ustack_t; /* the id of a stack in user space; 0: none, or not known */
typedef __u64 veil_kstack_t; /* the same of the kernel's */

typedef __u32 veil_cpu_t;	  /* CPU number */
typedef __s32 veil_prio_t;	  /* scheduling priority, as the kernel counts: lower is more urgent */
typedef __u16 veil_port_t;	  /* port, host byte order */
typedef __u16 veil_chosen_port_t; /* the same; 0: none was chosen yet */
typedef __u64 veil_bytes_t;	  /* bytes; all ones: not known */
typedef __u64 veil_hex_t;	  /* an address or a mask, shown in hexadecimal */

/* A signal, and why it came: what a code means depends on the signal. */
typedef struct veil_signal {
	__s32 number;
	__s32 code;
} veil_signal_t;

typedef __u64 veil_address_t; /* an address, shown in hexadecimal; VEIL_ADDRESS_NONE: there is none */

/* An Internet address in network byte order; of version 4 the first four bytes count. */
typedef struct veil_ip {
	__u8 bytes[16];
	__u32 version; /* 4 or 6 */
} veil_ip_t;

/*
 * A value of variable size stands after the event's struct, and the member says where: a part. Any number of them, in
 * any order; part.bpf.h puts them there. Userspace believes no part that is not within its record.
 */
struct veil_part {
	__u32 offset;	/* from the start of the record; 0: the event has no such value */
	__u16 size;	/* bytes */
	__u8 truncated; /* bool: there was more */
	__u8 deleted;	/* bool, of a path: the name is gone, and " (deleted)" stands behind it */
};

#define VEIL_PATH_MAX 4096

typedef struct veil_part veil_path_t; /* a path, any bytes but NUL */
typedef struct veil_part veil_name_t; /* the same as a call asked for it */

/* Whose flags a word has: src/Veil.Core/Events/Kinds/FileFlagsKind.cs has the same. */
enum veil_flag_set {
	VEIL_FLAGS_NONE, /* the call has none */
	VEIL_FLAGS_OPEN,
	VEIL_FLAGS_AT,
	VEIL_FLAGS_STATX,
	VEIL_FLAGS_RENAME,
	VEIL_FLAGS_MMAP,
	VEIL_FLAGS_SYNC,
};
typedef struct veil_file_flags {
	__u32 set;
	__u32 word;
} veil_file_flags_t;

typedef struct veil_part veil_argv_t; /* arguments, a NUL behind each */

/* Of some events of a module. Text leaves them out of the others. */
typedef __u32 veil_some_pid_t;	    /* thread or thread group id; all ones: none */
typedef __u32 veil_exit_code_t;	    /* what a process ended with; all ones: it has not, or not by itself */
typedef __u32 veil_some_signal_t;   /* 0: none */
typedef __u32 veil_fact_t;	    /* bool; all ones: not known */
typedef __u64 veil_some_duration_t; /* nanoseconds; all ones: none */
typedef __u64 veil_some_bytes_t;    /* all ones: none */
typedef __s32 veil_some_number_t;   /* the least value: none */
typedef __s64 veil_some_ret_t;	    /* as veil_ret_t */
typedef veil_comm_t veil_some_comm_t;

/* Why the kernel dropped a packet or reset a connection, in its own words: names out of its BTF. */
enum veil_reason_set {
	VEIL_REASON_NONE,  /* it does not say */
	VEIL_REASON_DROP,  /* enum skb_drop_reason, since 5.17 */
	VEIL_REASON_RESET, /* enum sk_rst_reason, since 6.10 */
};
typedef struct veil_reason {
	__u32 set;
	__u32 number;
} veil_reason_t;

typedef struct veil_part veil_dns_name_t; /* a name as DNS messages have it: labels, each behind its length */

typedef __u32 veil_mode_t;   /* permissions, shown in octal; all ones: the call has none */
typedef __u64 veil_offset_t; /* a place in a file; all ones: the call has none */

#define VEIL_PID_UNKNOWN      ((veil_pid_t)-1)
#define VEIL_COMM_UNKNOWN     "\0\xff"	   /* no name is like that: an empty one has nothing behind it that counts */
#define VEIL_ADDRESS_NONE     (1ULL << 63) /* in nobody's address space */
#define VEIL_UID_UNKNOWN      ((veil_uid_t)-1)
#define VEIL_MODE_NONE	      ((veil_mode_t)-1)
#define VEIL_OFFSET_NONE      ((veil_offset_t)-1)
#define VEIL_BYTES_UNKNOWN    ((veil_bytes_t)-1)
#define VEIL_DURATION_UNKNOWN ((veil_duration_t)-1)
#define VEIL_SOME_NUMBER_NONE ((veil_some_number_t)(1U << 31))
#define VEIL_RET_NONE	      ((veil_ret_t)(1ULL << 63))
#define VEIL_RET_RUNNING      ((veil_ret_t)((1ULL << 63) + 1)) /* with --output strace: at the end of the trace */

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

/* A call with all that is known of it. What its arguments point to is in the part: a row of chunks, of which
 * src/Veil.Modules/Syscall/arguments.bpf.h says what they are. */
typedef struct veil_call {
	veil_syscall_t syscall;
	veil_ret_t ret;
	__u64 args[6];
	struct veil_part values;
} veil_call_t;
