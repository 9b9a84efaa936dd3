/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `veil stuck`: one look at all tasks, and nothing stays attached. The iterator writes a struct stuck_task for each
 * task that is wanted; src/Veil.Core/Stuck reads them and, from outside, what the arguments of their calls point to.
 */
#define VEIL_WITHOUT_FOLLOW
#include "veil/arch.bpf.h"
#include "veil/filter.bpf.h"

char _license[] SEC("license") = "GPL";

/* StuckTask.cs has the same. */
#define STUCK_FRAMES_MAX    48
#define STUCK_TIME_UNKNOWN  (~0ULL)
#define STUCK_ON_CPU	    1 /* it runs at this moment: its registers say nothing */
#define STUCK_IN_CALL	    2
#define STUCK_MEMORY_LOCKED 4 /* who reads its memory waits, too */
#define STUCK_KERNEL_THREAD 8

/* include/linux/sched.h */
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_NOLOAD	     0x0400
#define PF_IO_WORKER	     0x00000010
#define PF_KTHREAD	     0x00200000

/* kernel/locking/rwsem.c */
#define RWSEM_WRITER_LOCKED 1

/* Before 5.15, where no helper says where the registers are: arch/x86/include/asm/page_64_types.h. */
#define THREAD_SIZE (4 * 4096)

struct stuck_task {
	__u32 pid, tid, ppid, uid;
	veil_comm_t comm;
	__u64 off_cpu_ns; /* since it last ran; STUCK_TIME_UNKNOWN */
	__u32 state;	  /* of the task, with its exit state in the bits that /proc has */
	__u32 marks;
	struct veil_syscall syscall;
	__u32 frames;
	__u32 unused;
	__u64 args[6];
	__u64 stack[STUCK_FRAMES_MAX]; /* as many as `frames` follow */
};

/* Set before load. */
const volatile bool stuck_uninterruptible; /* only tasks that wait so */
const volatile __u64 stuck_slower_ns;	   /* only tasks that have been off the CPU for so long */

/* The stack of a program has no room for it. An object is used for one look. */
struct stuck_task stuck_found;

/*
 * The time of a task's run queue when it last ran: when it came onto its CPU, and for how long it ran then. Of the task
 * that looks that is now, as far as its time was last brought up to date: at the last tick, or as it yielded.
 */
static __always_inline __u64 stuck_ran_until(struct veil_task task)
{
	__u64 arrival;

	if (!bpf_core_field_exists(task.address->sched_info.last_arrival))
		return 0;
	arrival = veil_task_read(task, sched_info.last_arrival);
	if (!arrival)
		return 0;
	return arrival + veil_task_read(task, se.sum_exec_runtime) - veil_task_read(task, se.prev_sum_exec_runtime);
}

static __always_inline __u64 stuck_off_cpu_ns(struct task_struct *task)
{
	__u64 now = stuck_ran_until(veil_current()), then = stuck_ran_until(veil_task_typed(task));

	if (!now || !then)
		return STUCK_TIME_UNKNOWN;
	return now > then ? now - then : 0;
}

static __always_inline bool stuck_is_on_cpu(struct task_struct *task)
{
	return bpf_core_field_exists(task->on_cpu) ? task->on_cpu : !veil_task_state(veil_task_typed(task));
}

static __always_inline void *stuck_registers(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(task);
#if defined(__TARGET_ARCH_x86)
	return task->stack + THREAD_SIZE - bpf_core_type_size(struct pt_regs___x86);
#else
	return task->stack + THREAD_SIZE - bpf_core_type_size(struct pt_regs___arm64);
#endif
}

static __always_inline void stuck_call(struct task_struct *task, struct stuck_task *found)
{
	void *registers = stuck_registers(task);
	__s32 nr = veil_syscall_nr(registers);

	if (nr < 0)
		return;
	found->marks |= STUCK_IN_CALL;
	found->syscall.arch = veil_syscall_arch(veil_task_typed(task), nr);
	found->syscall.nr = nr;
	veil_syscall_args(veil_regs_core, registers, found->syscall.arch, found->args);
}

SEC("iter/task")
int stuck_task_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct stuck_task *found = &stuck_found;
	struct seq_file *seq = ctx->meta->seq;
	__u64 size;
	long bytes;

	if (!task || !veil_task_passes(veil_task_typed(task)))
		return 0;
	__builtin_memset(found, 0, offsetof(struct stuck_task, stack));
	found->state = veil_task_state(veil_task_typed(task)) | task->exit_state;
	if (stuck_uninterruptible && (found->state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) != TASK_UNINTERRUPTIBLE)
		return 0;
	if (stuck_is_on_cpu(task))
		found->marks |= STUCK_ON_CPU;
	else
		found->off_cpu_ns = stuck_off_cpu_ns(task);
	if (stuck_slower_ns && (found->off_cpu_ns == STUCK_TIME_UNKNOWN || found->off_cpu_ns < stuck_slower_ns))
		return 0;
	found->pid = task->tgid;
	found->tid = task->pid;
	found->ppid = task->real_parent->tgid;
	found->uid = veil_task_uid(veil_task_typed(task));
	veil_task_comm(veil_task_typed(task), found->comm);
	if (task->flags & PF_KTHREAD)
		found->marks |= STUCK_KERNEL_THREAD;
	if (task->mm && BPF_CORE_READ(task, mm, mmap_lock.count.counter) & RWSEM_WRITER_LOCKED)
		found->marks |= STUCK_MEMORY_LOCKED;
	if (!(found->marks & STUCK_ON_CPU) && !task->exit_state) {
		if (!(task->flags & (PF_KTHREAD | PF_IO_WORKER)))
			stuck_call(task, found);
		bytes = bpf_get_task_stack(task, found->stack, sizeof(found->stack), 0);
		if (bytes > 0)
			found->frames = bytes / sizeof(found->stack[0]);
	}
	size = offsetof(struct stuck_task, stack) + found->frames * sizeof(found->stack[0]);
	asm volatile("" : "+r"(size)); /* the compiler knows the bound, the verifier does not */
	if (size <= sizeof(*found))
		bpf_seq_write(seq, found, size);
	return 0;
}
