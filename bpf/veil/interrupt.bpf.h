/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the running task do this, or an interrupt that came while it ran? */
#pragma once

#include "arch.bpf.h"
#include "task.bpf.h"

/* include/linux/preempt.h; the same since 2.6 but for one bit of NMI. */
#define VEIL_COUNT_SOFTIRQ 0x00000100 /* SOFTIRQ_OFFSET: one is being served, not only held off */
#define VEIL_COUNT_HARD	   0x00ff0000 /* HARDIRQ_MASK | NMI_MASK */

#if defined(__TARGET_ARCH_x86)
/*
 * Set before load: from the run queue of a CPU to its preempt_count, both of which are per CPU, by the kernel's BTF; 0
 * where that does not tell. As a ksym the count would need CONFIG_KALLSYMS_ALL.
 */
const volatile __s64 veil_preempt_count_from_rq;
#endif

/* 0: in a task, or not known. */
static __always_inline __u32 veil_preempt_count(struct veil_task current)
{
	struct task_struct *address = current.address;
#if defined(__TARGET_ARCH_x86)
	struct rq *queue;
	__u32 count = 0;

	if (!veil_preempt_count_from_rq || !bpf_core_field_exists(address->se.cfs_rq))
		return 0;
	queue = BPF_CORE_READ(address, se.cfs_rq, rq);
	if (queue)
		bpf_probe_read_kernel(&count, sizeof(count), (void *)queue + veil_preempt_count_from_rq);
	return count;
#else
	return bpf_core_field_exists(address->thread_info.preempt.count)
		   ? veil_task_read(current, thread_info.preempt.count)
		   : 0;
#endif
}

/* A call of the running task that may send, or make room for who sends: its packets to this machine are delivered by a
 * soft interrupt, but in its name. */
static __always_inline bool veil_is_sending(struct veil_task current)
{
	__s32 nr = veil_syscall_nr(veil_task_registers(current));

	if (nr < 0)
		return false;
	switch (veil_syscall_arch(current, nr)) {
#if defined(__TARGET_ARCH_x86)
	case VEIL_ARCH_X86_64:
		switch (nr) {
		case 0 ... 1:	/* read, write */
		case 3:		/* close */
		case 19 ... 20: /* readv, writev */
		case 40:	/* sendfile */
		case 42 ... 48: /* connect, accept, sendto, recvfrom, sendmsg, recvmsg, shutdown */
		case 275:	/* splice */
		case 288:	/* accept4 */
		case 299:	/* recvmmsg */
		case 307:	/* sendmmsg */
		case 426:	/* io_uring_enter */
			return true;
		default:
			return false;
		}
#else
	case VEIL_ARCH_ARM64:
		switch (nr) {
		case 57:	  /* close */
		case 63 ... 66:	  /* read, write, readv, writev */
		case 71:	  /* sendfile */
		case 76:	  /* splice */
		case 202 ... 203: /* accept, connect */
		case 206 ... 207: /* sendto, recvfrom */
		case 210 ... 212: /* shutdown, sendmsg, recvmsg */
		case 242 ... 243: /* accept4, recvmmsg */
		case 269:	  /* sendmmsg */
		case 426:	  /* io_uring_enter */
			return true;
		default:
			return false;
		}
#endif
	default:
		return false;
	}
}

static __always_inline bool veil_is_ksoftirqd(struct veil_task current)
{
	__u64 comm[2] = {};

	if (veil_task_read(current, mm))
		return false;
	veil_task_comm(current, comm);
	return comm[0] == 0x71726974666f736bULL; /* "ksoftirq" */
}

/* A hard interrupt, or a soft one that is not the running task's own doing. */
static __always_inline bool veil_is_interrupt(struct veil_task current)
{
	__u32 count = veil_preempt_count(current);

	if (count & VEIL_COUNT_HARD)
		return true;
	return count & VEIL_COUNT_SOFTIRQ && !veil_is_ksoftirqd(current) && !veil_is_sending(current);
}
