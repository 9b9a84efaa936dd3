/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of what the CPUs run, so many times a second: who, and by which path. */
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"

#include <linux/bpf_perf_event.h>

char _license[] SEC("license") = "GPL";

struct profile_event {
	struct veil_event common;
	veil_cpu_t cpu;
	veil_ustack_t ustack;
	veil_kstack_t kstack;
};

VEIL_EVENT(0, profile_event);

VEIL_FILTER(cpu, __u32);

const volatile bool profile_idle;   /* a CPU that has nothing to do is sampled too */
const volatile __u32 profile_reads; /* which stacks are shown: bits of enum veil_stack_kind */

SEC("perf_event")
int profile_sample_perf(struct bpf_perf_event_data *ctx)
{
	struct veil_task task = veil_current();
	struct profile_event counted, *event;
	__u32 cpu = bpf_get_smp_processor_id();
	veil_ustack_t ustack = 0;
	veil_kstack_t kstack = 0;

	if ((!profile_idle && !veil_task_tid(task)) || !veil_filter_passes(cpu, &cpu) || !veil_task_passes(task))
		return 0;
	if (veil_is_left_out())
		return 0;
	/* Before there is room for the event: the ring is to have the frames first. */
	if (profile_reads & VEIL_STACK_USER)
		ustack = veil_stack_user(ctx);
	if (profile_reads & VEIL_STACK_KERNEL)
		kstack = veil_stack_kernel(ctx);
	event = veil_reserve_chosen(&counted, NULL);
	if (!event)
		return 0;
	veil_event_init(&event->common, profile_event_kind, task);
	event->cpu = cpu;
	event->ustack = ustack;
	event->kstack = kstack;
	veil_submit(event, sizeof(*event));
	return 0;
}
