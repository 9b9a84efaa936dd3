/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One program of each kind and one map of each kind, for the tests of the binding. All act for one thread only. */
#include "veil/task.bpf.h"

char _license[] SEC("license") = "GPL";

const volatile __u32 only_tid;
const volatile __u64 constant = 7;
__u64 hits;
__u64 step = 1;
__s32 in_data = 42;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static __always_inline bool ours(void)
{
	return (__u32)bpf_get_current_pid_tgid() == only_tid;
}

static __always_inline int hit(void)
{
	if (ours())
		hits += step;
	return 0;
}

#define GETPPID_X86_64 110

SEC("tp_btf/sys_enter")
int BPF_PROG(on_tp_btf, struct pt_regs *regs, long id)
{
	__u32 key = 1;
	__u64 *element, *record;

	if (!ours() || id != GETPPID_X86_64)
		return 0;
	hits += step;
	element = bpf_map_lookup_elem(&per_cpu_array, &key);
	if (element)
		*element += 1;
	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (record) {
		*record = hits;
		if (hits == 2)
			bpf_ringbuf_discard(record, 0);
		else
			bpf_ringbuf_submit(record, 0);
	}
	return 0;
}

SEC("raw_tp/sys_enter")
int on_raw_tp(void *ctx)
{
	return hit();
}

SEC("tracepoint/raw_syscalls/sys_enter")
int on_tracepoint(void *ctx)
{
	return hit();
}

SEC("uprobe")
int on_uprobe(void *ctx)
{
	return hit();
}

SEC("perf_event")
int on_perf_event(void *ctx)
{
	return hit();
}

SEC("kprobe/__x64_sys_getppid")
int on_kprobe(void *ctx)
{
	return hit();
}

/* What every kernel has in its BTF, and calls once for the system call of that name. */
SEC("fentry/sched_getaffinity")
int BPF_PROG(on_fentry)
{
	return hit();
}

SEC("tp_btf/no_such_tracepoint")
int BPF_PROG(on_missing_tracepoint)
{
	return 0;
}

/* Put together on the stack, with the name where only its type aligns it: the verifier refuses words that are not. */
struct seen_task {
	veil_pid_t pid;
	veil_comm_t comm;
	veil_tid_t tid;
	veil_uid_t uid;
	veil_gid_t gid;
};
struct seen_task seen;

static __always_inline int see(struct veil_task task)
{
	struct seen_task now = {};

	if (!ours())
		return 0;
	now.pid = veil_task_pid(task);
	now.tid = veil_task_tid(task);
	now.uid = veil_task_uid(task);
	now.gid = veil_task_gid(task);
	veil_task_comm(task, now.comm);
	seen = now;
	return 0;
}

SEC("raw_tp/signal_generate")
int see_current(void *ctx)
{
	return see(veil_current());
}

SEC("raw_tp/signal_generate")
int see_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return see(veil_task_at((void *)ctx->args[2]));
}

SEC("tp_btf/signal_generate")
int BPF_PROG(see_tp_btf, int signal, void *info, struct task_struct *task)
{
	return see(veil_task_typed(task));
}

/* Reads beyond the value: refused by every verifier. */
SEC("raw_tp/sys_enter")
int refused(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&hash, &key);

	return value ? value[1] : 0;
}
