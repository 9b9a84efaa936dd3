/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults that were served: an event for each that the kernel counts in getrusage(2), by its own rule,
 * mm_account_fault() in mm/memory.c.
 */
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"
#include "veil/threshold.bpf.h"

#include <linux/bpf_perf_event.h>

char _license[] SEC("license") = "GPL";

enum memory_fault {
	memory_fault__minor,
	memory_fault__major,
};

enum memory_access {
	memory_access__read,
	memory_access__write,
	memory_access__exec,
	memory_access__unknown,
};

struct memory_event {
	struct veil_event common;
	enum memory_fault evt_type;
	veil_hex_t address;
	enum memory_access access;
	veil_duration_t duration_ns;
};

struct vm_area_struct;

VEIL_EVENT(0, memory_event);

VEIL_FILTER(fault, __u32);

/* include/linux/mm_types.h. What is used here has had the same values since 4.8; the kernel's enumerations are not
 * older than 5.14. */
#define FAULT_FLAG_WRITE       0x0001
#define FAULT_FLAG_TRIED       0x0020
#define FAULT_FLAG_INSTRUCTION 0x0100
#define VM_FAULT_MAJOR	       0x0004
#define VM_FAULT_RETRY	       0x0400
#define VM_FAULT_ERROR	       0x0873 /* OOM SIGBUS SIGSEGV HWPOISON HWPOISON_LARGE FALLBACK */

/* x86: the error code of the exception (arch/x86/include/asm/trap_pf.h). */
#define X86_PF_WRITE  0x02
#define X86_PF_INSTR  0x10
#define X86_PF_SHADOW 0x40 /* of the shadow stack: those are writes too, mostly */

/* A fault under way, by thread. An entry is made only for a thread that passed the filters. */
struct memory_call {
	__u64 start_ns;
	__u64 address;
	__u32 flags;
	__u32 retried; /* bool: handle_mm_fault() gave it back half done, to be called again */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct memory_call);
} memory_calls SEC(".maps");

/* The last exception of a thread. It stays if the fault was not served; the least recently used are evicted. */
struct memory_exception {
	__u64 start_ns;
	__u64 address;
	__u64 error_code;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct memory_exception);
} memory_traps SEC(".maps");

static __always_inline int memory_emit(struct veil_task task, enum memory_fault fault, __u64 address,
				       enum memory_access access, __u64 start_ns)
{
	struct memory_event counted, *event;

	if (!veil_is_slow(start_ns))
		return 0;
	event = veil_reserve(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, memory_event_kind, task);
	event->evt_type = fault;
	event->address = address;
	event->access = access;
	event->duration_ns = start_ns ? event->common.timestamp - start_ns : VEIL_DURATION_UNKNOWN;
	veil_submit(event, sizeof(*event));
	return 0;
}

/*
 * A fault that has to wait for a page may return VM_FAULT_RETRY, and the caller looks everything up again and calls
 * once more. That is one fault, which began with the first call.
 */
static __always_inline int memory_start(__u64 address, __u32 flags, bool returns_can_be_missed)
{
	struct veil_task task = veil_current();
	struct memory_call *call, fresh = {.address = address, .flags = flags};
	__u32 tid;

	/* A retry is the same fault, and is not counted twice. */
	if (!veil_task_passes_as(task, flags & FAULT_FLAG_TRIED))
		return 0;
	tid = veil_task_tid(task);
	call = bpf_map_lookup_elem(&memory_calls, &tid);
	if (call && call->retried && call->address == address) {
		call->flags = flags;
		call->retried = false;
		return 0;
	}
	/* The kernel drops the return of a function that runs in more threads at once than a kretprobe has instances.
	 */
	if (call && !call->retried && returns_can_be_missed)
		veil_lost(VEIL_LOST_MISSED_PROBE);
	fresh.start_ns = bpf_ktime_get_boot_ns();
	if (call)
		*call = fresh;
	else if (bpf_map_update_elem(&memory_calls, &tid, &fresh, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

static __always_inline int memory_end(__u32 result)
{
	struct veil_task task = veil_current();
	__u32 tid = veil_task_tid(task), fault = memory_fault__minor;
	enum memory_access access = memory_access__read;
	struct memory_call *call, done;

	call = bpf_map_lookup_elem(&memory_calls, &tid);
	if (!call)
		return 0; /* filtered out, or begun before the trace */
	if (result & VM_FAULT_RETRY) {
		call->retried = true;
		return 0;
	}
	done = *call;
	bpf_map_delete_elem(&memory_calls, &tid);
	if (result & VM_FAULT_ERROR)
		return 0;

	if (result & VM_FAULT_MAJOR || done.flags & FAULT_FLAG_TRIED)
		fault = memory_fault__major;
	if (!veil_filter_passes(fault, &fault))
		return 0;
	if (done.flags & FAULT_FLAG_WRITE)
		access = memory_access__write;
	else if (done.flags & FAULT_FLAG_INSTRUCTION)
		access = memory_access__exec;
	return memory_emit(task, fault, done.address, access, done.start_ns);
}

/*
 * A thread that ends has no fault under way: one that is left has either been given back and was never tried again, as
 * the thread was killed, or its return was dropped. No later fault of the thread would tell.
 */
static __always_inline int memory_thread_end(bool returns_can_be_missed)
{
	__u32 tid = veil_current_tid();
	struct memory_call *call = bpf_map_lookup_elem(&memory_calls, &tid);

	if (!call)
		return 0;
	if (!call->retried && returns_can_be_missed)
		veil_lost(VEIL_LOST_MISSED_PROBE);
	bpf_map_delete_elem(&memory_calls, &tid);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int memory_exit_task_fentry(void *ctx)
{
	return memory_thread_end(false);
}

SEC("raw_tp/sched_process_exit")
int memory_exit_task_kprobe(void *ctx)
{
	return memory_thread_end(true);
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(memory_enter_fentry, struct vm_area_struct *vma, unsigned long address, unsigned int flags)
{
	return memory_start(address, flags, false);
}

/* The registers came with 5.9 (commit bce617edecad); on 5.8 the next hook is taken. */
SEC("fexit/handle_mm_fault")
int BPF_PROG(memory_exit_fentry, struct vm_area_struct *vma, unsigned long address, unsigned int flags,
	     struct pt_regs *regs, unsigned int result)
{
	return memory_end(result);
}

SEC("kprobe/handle_mm_fault")
int BPF_KPROBE(memory_enter_kprobe, struct vm_area_struct *vma, unsigned long address, unsigned int flags)
{
	return memory_start(address, flags, true);
}

SEC("kretprobe/handle_mm_fault")
int BPF_KRETPROBE(memory_exit_kprobe, unsigned int result)
{
	return memory_end(result);
}

/*
 * mm_account_fault() itself raises the perf events. They have the address but not the access: the error code of the
 * exception is gone from the registers by then (orig_ax is -1: idtentry_body in arch/x86/entry/entry_64.S). So the
 * tracepoints at the exception, where the kernel has them, note the error code and the time.
 */
static __always_inline int memory_note_exception(__u64 address, __u64 error_code)
{
	struct memory_exception exception = {.address = address, .error_code = error_code};
	struct veil_task task = veil_current();
	struct memory_exception *known;
	__u32 tid;

	/* Counted at the fault itself. */
	if (!veil_task_passes_again(task))
		return 0;
	tid = veil_task_tid(task);
	exception.start_ns = bpf_ktime_get_boot_ns();
	known = bpf_map_lookup_elem(&memory_traps, &tid);
	if (known)
		*known = exception;
	else
		/* If there is no room the event still comes, without access and duration. */
		bpf_map_update_elem(&memory_traps, &tid, &exception, BPF_ANY);
	return 0;
}

SEC("raw_tp/page_fault_user")
int memory_user_exception_perf(struct bpf_raw_tracepoint_args *ctx)
{
	return memory_note_exception(ctx->args[0], ctx->args[2]);
}

SEC("raw_tp/page_fault_kernel")
int memory_kernel_exception_perf(struct bpf_raw_tracepoint_args *ctx)
{
	return memory_note_exception(ctx->args[0], ctx->args[2]);
}

static __always_inline int memory_count_fault(struct bpf_perf_event_data *ctx, __u32 fault)
{
	struct veil_task task = veil_current();
	enum memory_access access = memory_access__unknown;
	struct memory_exception *exception;
	__u64 start_ns = 0;
	__u32 tid;

	if (!veil_filter_passes_early(fault, &fault) || !veil_task_passes(task) ||
	    !veil_filter_passes_late(fault, &fault))
		return 0;
	tid = veil_task_tid(task);
	exception = bpf_map_lookup_elem(&memory_traps, &tid);
	if (exception && exception->address == ctx->addr) {
		if (exception->error_code & (X86_PF_WRITE | X86_PF_SHADOW))
			access = memory_access__write;
		else if (exception->error_code & X86_PF_INSTR)
			access = memory_access__exec;
		else
			access = memory_access__read;
		start_ns = exception->start_ns;
	}
	return memory_emit(task, fault, ctx->addr, access, start_ns);
}

SEC("perf_event")
int memory_minor_perf(struct bpf_perf_event_data *ctx)
{
	return memory_count_fault(ctx, memory_fault__minor);
}

SEC("perf_event")
int memory_major_perf(struct bpf_perf_event_data *ctx)
{
	return memory_count_fault(ctx, memory_fault__major);
}
