// SPDX-License-Identifier: GPL-2.0-or-later
/* What a hook costs before a program does anything: one empty program a hook and end, loaded only when chosen. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define EMPTY(name, section)                                                                                           \
	SEC(section)                                                                                                   \
	int name(void *ctx)                                                                                            \
	{                                                                                                              \
		(void)ctx;                                                                                             \
		return 0;                                                                                              \
	}

EMPTY(tp_btf_enter, "tp_btf/sys_enter")
EMPTY(tp_btf_exit, "tp_btf/sys_exit")
EMPTY(raw_tp_enter, "raw_tp/sys_enter")
EMPTY(raw_tp_exit, "raw_tp/sys_exit")
EMPTY(tracepoint_enter, "tracepoint/raw_syscalls/sys_enter")
EMPTY(tracepoint_exit, "tracepoint/raw_syscalls/sys_exit")

/* The least of whoever measures durations: a look at the clock at either end. */
#define CLOCK(name, section)                                                                                           \
	SEC(section)                                                                                                   \
	int name(void *ctx)                                                                                            \
	{                                                                                                              \
		(void)ctx;                                                                                             \
		return bpf_ktime_get_boot_ns() == 0;                                                                   \
	}

CLOCK(tp_btf_clock_enter, "tp_btf/sys_enter")
CLOCK(tp_btf_clock_exit, "tp_btf/sys_exit")

EMPTY(tp_btf_switch, "tp_btf/sched_switch")
EMPTY(tp_btf_state, "tp_btf/inet_sock_set_state")

char LICENSE[] SEC("license") = "GPL";
