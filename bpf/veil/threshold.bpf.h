/* SPDX-License-Identifier: GPL-3.0-only */
/* What makes a result worth an event: how long it took, and how it ended. Constant when the verifier looks. */
#pragma once

#include "event.bpf.h"

const volatile __u64 veil_slower_ns; /* 0: however fast */
const volatile bool veil_only_failed;
const volatile bool veil_only_errnos;

/* Bit E: errno E is wanted. */
#define VEIL_ERRNO_MAX 4095
const volatile __u64 veil_errnos[(VEIL_ERRNO_MAX + 1) / 64];

/* Of a result that began at a time; 0: that is not known, and then it is not known to be slow. */
static __always_inline bool veil_is_slow(__u64 start_ns)
{
	return !veil_slower_ns || (start_ns && bpf_ktime_get_boot_ns() - start_ns >= veil_slower_ns);
}

/* ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and ERESTART_RESTARTBLOCK (include/linux/errno.h): the call is made again
 * or ends with EINTR, and nobody has refused it. */
static __always_inline bool veil_is_restart(__u64 error)
{
	return (error >= 512 && error <= 514) || error == 516;
}

static __always_inline bool veil_ret_passes(veil_ret_t ret)
{
	__u64 error, word;

	if (!veil_only_failed && !veil_only_errnos)
		return true;
	if ((__u64)ret < (__u64)-VEIL_ERRNO_MAX)
		return false;
	error = -ret & VEIL_ERRNO_MAX;
	if (!veil_only_errnos)
		return !veil_is_restart(error);
	word = error / 64;
	veil_bound(word, VEIL_ERRNO_MAX / 64);
	return veil_errnos[word] >> (error % 64) & 1;
}
