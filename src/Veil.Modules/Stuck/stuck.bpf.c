/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `veil stuck`: one look at all tasks, and nothing stays attached. The iterator writes a struct look_task for each
 * task that is wanted; src/Veil.Core/Stuck reads them and, from outside, what the arguments of their calls point to.
 */
#define VEIL_WITHOUT_FOLLOW
#include "veil/filter.bpf.h"
#include "veil/look.bpf.h"

char _license[] SEC("license") = "GPL";

/* include/linux/sched.h */
#define TASK_INTERRUPTIBLE   0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_NOLOAD	     0x0400

/* Set before load. */
/* Only tasks that wait so, and those that sleep in a call: whether they wait for a file system, their stacks say. */
const volatile bool stuck_uninterruptible;
const volatile __u64 stuck_slower_ns; /* only tasks that have been off the CPU for so long */

/* The stack of a program has no room for it. An object is used for one look. */
struct look_task stuck_found;

SEC("iter/task")
int stuck_task_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct look_task *found = &stuck_found;
	struct seq_file *seq = ctx->meta->seq;
	__u64 size;
	long bytes;

	if (!task || !veil_task_passes(veil_task_typed(task)))
		return 0;
	look_at(task, found);
	if (stuck_uninterruptible && (found->state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) != TASK_UNINTERRUPTIBLE &&
	    !(found->marks & LOOK_FROZEN) && !(found->state & TASK_INTERRUPTIBLE && found->marks & LOOK_IN_CALL))
		return 0;
	if (stuck_slower_ns && (found->off_cpu_ns == LOOK_TIME_UNKNOWN || found->off_cpu_ns < stuck_slower_ns))
		return 0;
	if (!(found->marks & LOOK_ON_CPU) && !task->exit_state) {
		bytes = bpf_get_task_stack(task, found->stack, sizeof(found->stack), 0);
		if (bytes > 0)
			found->frames = bytes / sizeof(found->stack[0]);
	}
	size = offsetof(struct look_task, stack) + found->frames * sizeof(found->stack[0]);
	asm volatile("" : "+r"(size)); /* the compiler knows the bound, the verifier does not */
	if (size <= sizeof(*found))
		bpf_seq_write(seq, found, size);
	return 0;
}

/* An end of a pipe or of a socket, and who has it. DescriptorOwners.cs has the same. */
struct stuck_end {
	__u32 pid;
	__u32 mode; /* FMODE_READ 1, FMODE_WRITE 2 */
	__u64 inode;
	__u64 peer;  /* of a UNIX socket that is connected */
	__u64 super; /* the file system, which makes the inode unique */
};

#define AF_UNIX	 1
#define S_IFMT	 0170000
#define S_IFIFO	 0010000
#define S_IFSOCK 0140000

static __always_inline __u64 stuck_socket_inode(struct socket *socket)
{
	return socket ? BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino) : 0;
}

static __always_inline __u64 stuck_unix_peer(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk), *peer;

	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	if (!bpf_core_type_exists(struct unix_sock)) /* it is in a kernel module, CONFIG_UNIX=m */
		return 0;
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	return peer ? stuck_socket_inode(BPF_CORE_READ(peer, sk_socket)) : 0;
}

/* Every one of the machine, when it is asked for the first other end. Threads that share their files are one. */
SEC("iter/task_file")
int stuck_file_iter(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct stuck_end end = {};
	struct inode *inode;
	__u32 type;

	if (!task || !file)
		return 0;
	inode = BPF_CORE_READ(file, f_path.dentry, d_inode);
	type = inode ? BPF_CORE_READ(inode, i_mode) & S_IFMT : 0;
	if (type != S_IFIFO && type != S_IFSOCK)
		return 0;
	end.pid = task->tgid;
	end.mode = BPF_CORE_READ(file, f_mode) & 3;
	end.inode = BPF_CORE_READ(inode, i_ino);
	end.super = (__u64)BPF_CORE_READ(file, f_path.dentry, d_sb);
	if (type == S_IFSOCK)
		end.peer = stuck_unix_peer(file);
	bpf_seq_write(ctx->meta->seq, &end, sizeof(end));
	return 0;
}
