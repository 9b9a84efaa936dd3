/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `veil why`: where the time of some processes goes. Each of their threads is in one state at any moment; a change adds
 * the time since the last one to a sum, so that all sums together are the threads' time. What is under way at the end
 * is added by userspace (src/Veil.Core/Why).
 */
#include "veil/kernel.bpf.h"
#include "veil/look.bpf.h"

char _license[] SEC("license") = "GPL";

/* WhyState.cs has the same. */
enum why_state {
	WHY_USER,     /* on a CPU, not in a system call */
	WHY_KERNEL,   /* on a CPU, in a system call */
	WHY_RUNNABLE, /* waits for a CPU */
	WHY_BLOCKED,  /* waits in a system call */
	WHY_FAULT,    /* waits uninterruptibly outside of one: for a page, as a rule */
	WHY_STOPPED,  /* by a signal or a debugger */
	WHY_OTHER,    /* waits outside of a system call */
};

/* Why a process is looked at. WhyTrace.cs has the same. */
enum why_role {
	WHY_TARGET = 1,
	WHY_PEER, /* the target waits for it */
};

/* include/linux/sched.h */
#define TASK_STOPPED_OR_TRACED 0x000c

#define CLONE_THREAD 0x00010000 /* include/uapi/linux/sched.h */

/* Set before load. */
const volatile bool why_follow; /* children too */

/* What a sum is over. Without padding: it is a key. */
struct why_key {
	__u32 pid, tid;
	__u32 state;
	__s32 nr; /* of the call, or -1 */
	__u32 arch;
	__u32 other; /* WHY_RUNNABLE: who ran on that CPU just before */
	__u64 arg;   /* WHY_BLOCKED: the call's first argument */
	__u64 inode; /* and the inode of the file, where that is a descriptor; 0: none */
};

struct why_sum {
	__u64 ns;
	__u64 times;
	veil_comm_t comm; /* WHY_RUNNABLE: the other's name, otherwise the thread's own */
};

struct why_task {
	__u64 since; /* CLOCK_MONOTONIC */
	struct why_key key;
	__s32 nr; /* the call that it is in, or -1 */
	__u32 arch;
	__u64 arg;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u32);
} why_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct why_task);
} why_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct why_key);
	__type(value, struct why_sum);
} why_sums SEC(".maps");

/* Time that found no room in a map. */
__u64 why_lost_ns;
__u64 why_lost_tasks;

/* Set by userspace at the end: nothing changes from then on. */
__u32 why_done;

static __always_inline void why_add(struct why_task *at, struct task_struct *named, __u64 now)
{
	__u64 ns = now > at->since ? now - at->since : 0;
	struct why_sum *sum = bpf_map_lookup_elem(&why_sums, &at->key);
	struct why_sum first = {};

	at->since = now;
	if (!sum) {
		veil_task_comm(veil_task_typed(named), first.comm);
		bpf_map_update_elem(&why_sums, &at->key, &first, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&why_sums, &at->key);
		if (!sum) {
			__sync_fetch_and_add(&why_lost_ns, ns);
			return;
		}
	}
	/* A key has the thread's id: a thread is in one place at a time. */
	sum->ns += ns;
	sum->times++;
}

/* The state is set after the time of the old one was added. */
static __always_inline void why_become(struct why_task *at, enum why_state state)
{
	at->key.state = state;
	at->key.nr = at->nr;
	at->key.arch = at->arch;
	at->key.other = 0;
	at->key.arg = 0;
	at->key.inode = 0;
}

static __always_inline struct why_task *why_find(__u32 tid)
{
	return *(volatile __u32 *)&why_done ? NULL : bpf_map_lookup_elem(&why_tasks, &tid);
}

static __always_inline void why_begin(struct why_task *at, struct task_struct *task)
{
	at->since = bpf_ktime_get_ns();
	at->key.pid = task->tgid;
	at->key.tid = task->pid;
	at->nr = -1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(why_call_enter, struct pt_regs *regs, long id)
{
	struct veil_task task = veil_current();
	struct why_task *at = why_find(veil_current_tid());

	if (!at)
		return 0;
	why_add(at, task.address, bpf_ktime_get_ns());
	at->nr = id;
	at->arch = veil_syscall_arch(task, at->nr);
	at->arg = veil_syscall_arg0(regs, at->arch);
	why_become(at, WHY_KERNEL);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(why_call_exit)
{
	struct why_task *at = why_find(veil_current_tid());

	if (!at)
		return 0;
	why_add(at, veil_current().address, bpf_ktime_get_ns());
	at->nr = -1;
	at->arch = 0;
	at->arg = 0;
	why_become(at, WHY_USER);
	return 0;
}

/* A task waits in its call: on what. The number alone may stand for another file by the time that userspace looks. */
static __always_inline void why_object(struct why_task *at, struct task_struct *task)
{
	struct file **files, *file = NULL;
	struct fdtable *table;
	__u64 fd = at->arg; /* bpf_core_read() would relocate a member in its argument */

	at->key.arg = fd;
	table = BPF_CORE_READ(task, files, fdt);
	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return;
	files = BPF_CORE_READ(table, fd);
	bpf_core_read(&file, sizeof(file), files + fd);
	if (file)
		at->key.inode = BPF_CORE_READ(file, f_path.dentry, d_inode, i_ino);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(why_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct why_task *leaves = why_find(prev->pid), *comes = why_find(next->pid);
	__u64 now;
	long state;

	/* Asked for together the compiler would combine the pointers, which the verifier refuses. */
	now = bpf_ktime_get_ns();
	/* The idle task of each CPU has the id 0, and is never looked for. */
	if (leaves) {
		why_add(leaves, prev, now);
		state = preempt ? 0 : veil_task_state(veil_task_typed(prev));
		if (!state) {
			why_become(leaves, WHY_RUNNABLE);
		} else if (state & TASK_STOPPED_OR_TRACED) {
			why_become(leaves, WHY_STOPPED);
		} else if (leaves->nr >= 0) {
			why_become(leaves, WHY_BLOCKED);
			why_object(leaves, prev);
		} else {
			why_become(leaves, state & 2 ? WHY_FAULT : WHY_OTHER);
		}
	}
	if (comes) {
		if (comes->key.state == WHY_RUNNABLE) {
			comes->key.other = prev->tgid;
			comes->key.nr = -1;
			comes->key.arch = 0;
			why_add(comes, prev, now);
		} else {
			why_add(comes, next, now);
		}
		why_become(comes, comes->nr >= 0 ? WHY_KERNEL : WHY_USER);
	}
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(why_wake, struct task_struct *task)
{
	struct why_task *at = why_find(task->pid);

	/* A task that has not left its CPU yet runs on. */
	if (!at || at->key.state < WHY_BLOCKED)
		return 0;
	why_add(at, task, bpf_ktime_get_ns());
	why_become(at, WHY_RUNNABLE);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(why_new, struct task_struct *child, unsigned long clone_flags)
{
	__u32 parent = veil_current().address->tgid, pid = child->tgid, tid = child->pid;
	__u32 *role = bpf_map_lookup_elem(&why_processes, &parent), target = WHY_TARGET;
	struct why_task at = {};

	if (!role || *(volatile __u32 *)&why_done)
		return 0;
	if (!(clone_flags & CLONE_THREAD)) {
		if (!why_follow || *role != WHY_TARGET)
			return 0;
		if (bpf_map_update_elem(&why_processes, &pid, &target, BPF_ANY))
			__sync_fetch_and_add(&why_lost_tasks, 1);
	}
	why_begin(&at, child);
	why_become(&at, WHY_RUNNABLE);
	if (bpf_map_update_elem(&why_tasks, &tid, &at, BPF_ANY))
		__sync_fetch_and_add(&why_lost_tasks, 1);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(why_end, struct task_struct *task)
{
	__u32 tid = task->pid;
	struct why_task *at = why_find(tid);

	if (!at)
		return 0;
	why_add(at, task, bpf_ktime_get_ns());
	bpf_map_delete_elem(&why_tasks, &tid);
	return 0;
}

/* A thread that calls execve takes over the leader's id (de_thread() in fs/exec.c). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(why_exec, struct task_struct *task, int old_tid)
{
	__u32 from = old_tid, tid = task->pid;
	struct why_task *at = from == tid ? NULL : why_find(from), *moved;

	if (!at)
		return 0;
	why_add(at, task, bpf_ktime_get_ns());
	bpf_map_update_elem(&why_tasks, &tid, at, BPF_ANY);
	bpf_map_delete_elem(&why_tasks, &from);
	moved = why_find(tid);
	if (moved)
		moved->key.tid = tid;
	return 0;
}

/* The threads that are there at the beginning, after the programs above were attached. */
SEC("iter/task")
int why_task_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct why_task at = {};
	void *registers;
	__u32 pid, tid;
	long state;

	if (!task)
		return 0;
	pid = task->tgid;
	tid = task->pid;
	if (task->exit_state || !bpf_map_lookup_elem(&why_processes, &pid))
		return 0;
	why_begin(&at, task);
	state = veil_task_state(veil_task_typed(task));
	if (look_is_on_cpu(task)) {
		/* Its registers say nothing while it runs; the next system call or switch puts that right. */
		why_become(&at, WHY_USER);
	} else {
		registers = look_registers(task);
		at.nr = veil_syscall_nr(registers);
		if (at.nr >= 0) {
			at.arch = veil_syscall_arch(veil_task_typed(task), at.nr);
			at.arg = veil_syscall_arg0(registers, at.arch);
		} else {
			at.nr = -1;
		}
		if (!state) {
			why_become(&at, WHY_RUNNABLE);
		} else if (state & TASK_STOPPED_OR_TRACED) {
			why_become(&at, WHY_STOPPED);
		} else if (at.nr >= 0) {
			why_become(&at, WHY_BLOCKED);
			why_object(&at, task);
		} else {
			why_become(&at, state & 2 ? WHY_FAULT : WHY_OTHER);
		}
	}
	if (bpf_map_update_elem(&why_tasks, &tid, &at, BPF_NOEXIST) && !bpf_map_lookup_elem(&why_tasks, &tid))
		__sync_fetch_and_add(&why_lost_tasks, 1);
	return 0;
}
