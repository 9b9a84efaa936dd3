/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `veil why`: where the time of some processes goes. Each of their threads is in one state at any moment; a change adds
 * the time since the last one to a sum, so that all sums together are the threads' time. What is under way at the end
 * is added by userspace (src/Veil.Core/Why).
 */
#include "veil/kernel.bpf.h"
#include "veil/look.bpf.h"

#include <linux/bpf_perf_event.h>

char _license[] SEC("license") = "GPL";

/* WhyState.cs has the same. */
enum why_state {
	WHY_USER,     /* on a CPU, not in a system call */
	WHY_KERNEL,   /* on a CPU, in a system call */
	WHY_RUNNABLE, /* waits for a CPU */
	WHY_BLOCKED,  /* waits in a system call; so do all that follow */
	WHY_DISK,     /* waits in a system call uninterruptibly: for the disk, as a rule */
	WHY_FAULT,    /* waits uninterruptibly outside of one: for a page, as a rule */
	WHY_STOPPED,  /* by a signal, a debugger or a frozen cgroup */
	WHY_OTHER,    /* waits outside of a system call */
};

/* Why a process is looked at. WhyTrace.cs has the same. */
enum why_role {
	WHY_TARGET = 1,
	WHY_PEER, /* the target waits for it */
};

/* What the first argument of a call is. Of calls that are not in the map it is not looked at. WhyCalls.cs has the same.
 */
enum why_call {
	WHY_CALL_FD = 1,
	WHY_CALL_POLL,	/* an array of descriptors; the second argument says of how many */
	WHY_CALL_VALUE, /* something else that is worth to be told apart */
};

/* include/linux/sched.h */
#define TASK_UNINTERRUPTIBLE	      0x0002
#define TASK_STOPPED_TRACED_OR_FROZEN 0x800c

#define CLONE_THREAD 0x00010000 /* include/uapi/linux/sched.h */
#define MODE_TYPE    0170000	/* include/uapi/linux/stat.h */
#define MODE_SOCKET  0140000
#define AF_UNIX	     1

#define WHY_RUNS    128 /* of each CPU that are remembered; a power of two */
#define WHY_UNKNOWN (~0U)
#define WHY_FRAMES  64

/* What a sum is over. Without padding: it is a key. */
struct why_key {
	__u32 pid, tid;
	__u32 state;
	__s32 nr; /* of the call, or -1 */
	__u32 arch;
	__u32 other; /* WHY_RUNNABLE: who ran on that CPU, or WHY_UNKNOWN; in poll(): of how many descriptors */
	__u64 arg;   /* while it waits in a call: its first argument, or the only descriptor that it polls */
	__u64 inode; /* of the file, where that is a descriptor; 0: none */
	__u64 peer;  /* of the socket at the other end, where it is a Unix socket; 0: none */
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
	__u64 args[2];
};

/* A process had a CPU, with one or several of its threads. */
struct why_run {
	__u64 from, to;
	__u32 pid;
	__u32 unused;
	veil_comm_t comm;
};

struct why_cpu {
	__u64 since; /* when its task came */
	__u64 count; /* runs so far */
	struct why_run runs[WHY_RUNS];
};

/* WhySample.cs has the same. */
struct why_sample {
	__u32 pid;
	__u32 state;
	__s32 nr;
	__u32 arch;
	__u32 user_frames, kernel_frames;
	__u64 time_ns;
	__u64 user[WHY_FRAMES]; /* the innermost first */
	__u64 kernel[WHY_FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} why_processes SEC(".maps");

/* By the table and the number in it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} why_calls SEC(".maps");

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

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct why_cpu);
} why_cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024); /* WhyTrace.cs has the same */
} why_samples SEC(".maps");

/* Time, threads and samples that found no room. */
__u64 why_lost_ns;
__u64 why_lost_tasks;
__u64 why_lost_samples;

/* Set by userspace at the end: nothing changes from then on. */
__u32 why_done;

static __always_inline void why_count(const struct why_key *key, __u64 ns, const void *comm)
{
	struct why_sum *sum = bpf_map_lookup_elem(&why_sums, key);
	struct why_sum first = {};

	if (!sum) {
		__builtin_memcpy(first.comm, comm, sizeof(first.comm));
		bpf_map_update_elem(&why_sums, key, &first, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&why_sums, key);
		if (!sum) {
			__sync_fetch_and_add(&why_lost_ns, ns);
			return;
		}
	}
	/* A key has the thread's id: a thread is in one place at a time. */
	sum->ns += ns;
	sum->times++;
}

/* The time since the last change goes to the state that it was in. */
static __always_inline void why_add(struct why_task *at, struct task_struct *task, __u64 now)
{
	__u64 ns = now > at->since ? now - at->since : 0, comm[2];

	veil_task_comm(veil_task_typed(task), comm);
	at->since = now;
	why_count(&at->key, ns, comm);
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
	at->key.peer = 0;
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
	at->args[0] = veil_syscall_arg0(regs, at->arch);
	at->args[1] = veil_syscall_arg1(regs, at->arch);
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
	why_become(at, WHY_USER);
	return 0;
}

static __always_inline __u64 why_peer(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data), *other;
	struct sock *sk = BPF_CORE_READ(socket, sk), *peer;

	/* Where that is in a kernel module (CONFIG_UNIX=m) its type is not known. */
	if (!bpf_core_type_exists(struct unix_sock) || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	other = peer ? BPF_CORE_READ(peer, sk_socket) : NULL;
	return other ? BPF_CORE_READ(other, file, f_path.dentry, d_inode, i_ino) : 0;
}

/*
 * A task waits in its call: on what. The number alone may stand for another file by the time that userspace looks.
 * `runs`: it is the running task, so that its memory can be read.
 */
static __always_inline void why_object(struct why_task *at, struct task_struct *task, bool runs)
{
	__u32 call = at->arch << 16 | (at->nr & 0xffff), *kind = bpf_map_lookup_elem(&why_calls, &call);
	struct file **files, *file = NULL;
	struct fdtable *table;
	struct inode *inode;
	__u64 fd = at->args[0]; /* bpf_core_read() would relocate a member in its argument */
	__s32 polled = -1;

	if (!kind)
		return;
	at->key.arg = fd;
	if (*kind == WHY_CALL_VALUE)
		return;
	if (*kind == WHY_CALL_POLL) {
		at->key.other = at->args[1];
		if (at->key.other != 1 || !runs || bpf_probe_read_user(&polled, sizeof(polled), (void *)fd) ||
		    polled < 0)
			return;
		fd = polled;
		at->key.arg = fd;
	}
	fd = (__u32)fd;
	table = BPF_CORE_READ(task, files, fdt);
	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return;
	files = BPF_CORE_READ(table, fd);
	bpf_core_read(&file, sizeof(file), files + fd);
	if (!file)
		return;
	inode = BPF_CORE_READ(file, f_path.dentry, d_inode);
	at->key.inode = BPF_CORE_READ(inode, i_ino);
	if ((BPF_CORE_READ(inode, i_mode) & MODE_TYPE) == MODE_SOCKET)
		at->key.peer = why_peer(file);
}

static __always_inline void why_wait(struct why_task *at, struct task_struct *task, long state, bool runs)
{
	bool interruptible = !(state & TASK_UNINTERRUPTIBLE);

	if (state & TASK_STOPPED_TRACED_OR_FROZEN) {
		why_become(at, WHY_STOPPED);
	} else if (at->nr >= 0) {
		why_become(at, interruptible ? WHY_BLOCKED : WHY_DISK);
		why_object(at, task, runs);
	} else {
		why_become(at, interruptible ? WHY_OTHER : WHY_FAULT);
	}
}

/* A task leaves its CPU: its process had it since the last one did. */
static __always_inline void why_note_run(struct why_cpu *cpu, struct task_struct *task, __u64 now)
{
	__u64 since = cpu->since;
	__u32 pid = task->tgid;
	struct why_run *run = &cpu->runs[(cpu->count - 1) & (WHY_RUNS - 1)];

	cpu->since = now;
	if (!since)
		return;
	if (run->pid != pid || run->to != since) {
		run = &cpu->runs[cpu->count & (WHY_RUNS - 1)];
		run->from = since;
		run->pid = pid;
		veil_task_comm(veil_task_typed(task), run->comm);
		cpu->count++;
	}
	run->to = now;
}

/* A task has its CPU again: who had it while it waited. What it waited for another CPU before is taken for this one. */
static __always_inline void why_add_wait(struct why_task *at, struct why_cpu *cpu, __u64 now)
{
	__u64 since = at->since, left = now > since ? now - since : 0;
	struct why_key key = at->key;
	__u64 nothing[2] = {};

	at->since = now;
	key.nr = -1;
	key.arch = 0;
	for (__u64 i = 1; i <= WHY_RUNS; i++) {
		struct why_run *run = &cpu->runs[(cpu->count - i) & (WHY_RUNS - 1)];
		__u64 from = run->from > since ? run->from : since, had = run->to > from ? run->to - from : 0;

		if (!had || had > left)
			break;
		key.other = run->pid;
		why_count(&key, had, run->comm);
		left -= had;
	}
	if (!left)
		return;
	key.other = WHY_UNKNOWN;
	why_count(&key, left, nothing);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(why_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct why_task *leaves = why_find(prev->pid), *comes = why_find(next->pid);
	__u32 zero = 0;
	struct why_cpu *cpu = bpf_map_lookup_elem(&why_cpus, &zero);
	__u64 now;
	long state;

	if (!cpu)
		return 0;
	/* Asked for together the compiler would combine the pointers, which the verifier refuses. */
	now = bpf_ktime_get_ns();
	why_note_run(cpu, prev, now);
	/* The idle task of each CPU has the id 0, and is never looked for. */
	if (leaves) {
		why_add(leaves, prev, now);
		state = preempt ? 0 : veil_task_state(veil_task_typed(prev));
		if (!state)
			why_become(leaves, WHY_RUNNABLE);
		else
			why_wait(leaves, prev, state, true);
	}
	if (comes) {
		if (comes->key.state == WHY_RUNNABLE)
			why_add_wait(comes, cpu, now);
		else
			why_add(comes, next, now);
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
	__u32 parent = veil_task_pid(veil_current()), tid = child->pid;
	struct why_task at = {};

	if (!(clone_flags & CLONE_THREAD) || !bpf_map_lookup_elem(&why_processes, &parent) ||
	    *(volatile __u32 *)&why_done)
		return 0;
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
		registers = veil_task_registers(veil_task_typed(task));
		at.nr = veil_syscall_nr(registers);
		if (at.nr >= 0 && !(task->flags & PF_IO_WORKER)) {
			at.arch = veil_syscall_arch(veil_task_typed(task), at.nr);
			at.args[0] = veil_syscall_arg0(registers, at.arch);
			at.args[1] = veil_syscall_arg1(registers, at.arch);
		} else {
			at.nr = -1;
		}
		if (!state)
			why_become(&at, WHY_RUNNABLE);
		else
			why_wait(&at, task, state, false);
	}
	if (bpf_map_update_elem(&why_tasks, &tid, &at, BPF_NOEXIST) && !bpf_map_lookup_elem(&why_tasks, &tid))
		__sync_fetch_and_add(&why_lost_tasks, 1);
	return 0;
}

SEC("perf_event")
int why_sample_perf(struct bpf_perf_event_data *ctx)
{
	__u32 pid = veil_task_pid(veil_current());
	struct why_task *at = bpf_map_lookup_elem(&why_processes, &pid) ? why_find(veil_current_tid()) : NULL;
	struct why_sample *sample;
	long bytes;

	if (!at)
		return 0;
	sample = bpf_ringbuf_reserve(&why_samples, sizeof(*sample), 0);
	if (!sample) {
		__sync_fetch_and_add(&why_lost_samples, 1);
		return 0;
	}
	sample->pid = pid;
	sample->state = at->key.state;
	sample->nr = at->nr;
	sample->arch = at->arch;
	sample->time_ns = bpf_ktime_get_ns();
	bytes = bpf_get_stack(ctx, sample->user, sizeof(sample->user), BPF_F_USER_STACK);
	sample->user_frames = bytes > 0 ? (__u64)bytes / 8 : 0;
	bytes = bpf_get_stack(ctx, sample->kernel, sizeof(sample->kernel), 0);
	sample->kernel_frames = bytes > 0 ? (__u64)bytes / 8 : 0;
	bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
	return 0;
}
