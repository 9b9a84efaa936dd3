// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The least that a tracer can do for a delivered system call: one lookup of the PID, one event with the fields of
 * Veil's, one submit that wakes nobody. What Veil costs above this is Veil's own.
 */
#include "kernel.bpf.h"
#include <bpf/bpf_helpers.h>
#include "floor.h"

/* arch/x86/include/asm/thread_info.h: the call came in by the 32-bit entry. */
#define TS_COMPAT 0x0002

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u32);
} floor_pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, FLOOR_RING_SIZE);
} floor_ring SEC(".maps");

__u64 floor_lost;

SEC("tp_btf/sys_enter")
int floor_sys_enter(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();
	__u32 pid = task->tgid;
	struct floor_event *event;
	__u64 unread;

	if (!bpf_map_lookup_elem(&floor_pids, &pid))
		return 0;

	event = bpf_ringbuf_reserve(&floor_ring, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&floor_lost, 1);
		return 0;
	}
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->pid = pid;
	event->tid = task->pid;
	event->uid = task->cred->uid.val;
	event->type = 1;
	event->timestamp = bpf_ktime_get_boot_ns();
	event->gid = task->cred->gid.val;
	event->nr = (__s32)ctx[1];
	event->arch = task->thread_info.status & TS_COMPAT;

	/* One wake-up a crossing: a reader that is behind is awake already. */
	unread = bpf_ringbuf_query(&floor_ring, BPF_RB_AVAIL_DATA);
	bpf_ringbuf_submit(event, unread - FLOOR_WATERMARK < sizeof(*event) + BPF_RINGBUF_HDR_SZ ? BPF_RB_FORCE_WAKEUP
												 : BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
