/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors in what a call returned. */
#pragma once

#include "types.bpf.h"

#define VEIL_ERRNO_MAX 4095

/* ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and ERESTART_RESTARTBLOCK (include/linux/errno.h): the call is made again
 * or ends with EINTR; it has not failed. */
static __always_inline bool veil_is_restart(__u32 error)
{
	return (error >= 512 && error <= 514) || error == 516;
}

static __always_inline __u32 veil_errno_of(veil_ret_t ret)
{
	return (__u64)ret < (__u64)-VEIL_ERRNO_MAX ? 0 : -ret;
}

/* Has the call failed? */
static __always_inline bool veil_ret_is_error(veil_ret_t ret)
{
	__u32 error = veil_errno_of(ret);

	return error && !veil_is_restart(error);
}
