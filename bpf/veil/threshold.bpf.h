/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long something must have taken to be worth an event (--slower). */
#pragma once

#include "event.bpf.h"

const volatile __u64 veil_slower_ns; /* 0: however fast */

/* `start_ns` 0: the start is not known, and so not that it was slow. */
static __always_inline bool veil_is_slow(__u64 start_ns)
{
	return !veil_slower_ns || (start_ns && bpf_ktime_get_boot_ns() - start_ns >= veil_slower_ns);
}
