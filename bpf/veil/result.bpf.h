/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which results are worth an event: --failed, and the filter by errno. */
#pragma once

#include "errno.bpf.h"
#include "filter.bpf.h"

const volatile bool veil_only_failed;

/* By positive errno. A success has the key 0, which is never in the map: an allow drops it, a deny does not. */
VEIL_FILTER(errno, __u32);

/* `again` as for veil_filter_passes_as(). A restart is no failure, unless its errno is asked for. */
static __always_inline bool veil_ret_passes_as(veil_ret_t ret, bool again)
{
	__u32 error, mode = filter_errno_mode;

	if (!veil_only_failed && !mode)
		return true;
	error = veil_errno_of(ret);
	if (veil_only_failed && (!error || (veil_is_restart(error) && !(mode & VEIL_ALLOW))))
		return false;
	return !mode || veil_filter_counted(veil_filter_counter(errno, again),
					    veil_filter_decide(veil_filter_find(errno, &error, mode), mode));
}

static __always_inline bool veil_ret_passes(veil_ret_t ret)
{
	return veil_ret_passes_as(ret, false);
}

static __always_inline bool veil_ret_passes_again(veil_ret_t ret)
{
	return veil_ret_passes_as(ret, true);
}
