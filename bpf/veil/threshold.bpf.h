/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long something must have taken to be worth an event. Constant when the verifier looks. */
#pragma once

#include "event.bpf.h"

const volatile __u64 veil_slower_ns; /* 0: however fast */

/* Of a result that began at a time; 0: that is not known, and then it is not known to be slow. */
static __always_inline bool veil_is_slow(__u64 start_ns)
{
	return !veil_slower_ns || (start_ns && bpf_ktime_get_boot_ns() - start_ns >= veil_slower_ns);
}
