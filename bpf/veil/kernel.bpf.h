/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel types that Veil's programs touch, and nothing else.
 *
 * Every field is relocated by libbpf against the running kernel's BTF (CO-RE), so only the names matter
 * here, not the offsets. A checked-in header keeps the build independent of the kernel that it runs on.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/ptrace.h> /* the layout of a kprobe's context */
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 only */
	struct {
		__u32 count;
	} preempt; /* arm64 only */
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct user_namespace {
	struct user_namespace *parent;
	kuid_t owner;
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	struct user_namespace *user_ns;
};

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct signal_struct {
	atomic_t live; /* threads */
	struct list_head thread_head;
	unsigned int flags;
	int group_exit_code;
	unsigned long maxrss;		      /* pages */
	unsigned long long sum_sched_runtime; /* of threads that are gone */
	short oom_score_adj;
	struct task_struct *group_exec_task; /* since 5.17 */
};

/* Before. */
struct signal_struct___exit {
	struct task_struct *group_exit_task;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct seccomp {
	int mode;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct rq {
	int cpu;
	__u64 clock_task;
};

struct cfs_rq {
	struct rq *rq;	    /* CONFIG_FAIR_GROUP_SCHED */
	int throttle_count; /* CONFIG_CFS_BANDWIDTH: above 0 where it, or one above it, is throttled */
};

struct sched_entity {
	__u64 exec_start; /* when sum_exec_runtime was brought up to date, by the clock_task of its CPU */
	__u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq;	     /* CONFIG_FAIR_GROUP_SCHED */
	__u64 prev_sum_exec_runtime; /* as it came onto its CPU */
};

/* CONFIG_SCHED_INFO */
struct sched_info {
	unsigned long long last_arrival;
};

/* Control groups. A node's id is one among those of its hierarchy. */
struct kernfs_node {
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup *dfl_cgrp;
	struct cgroup_subsys_state *subsys[1];
};

enum cgroup_subsys_id {
	memory_cgrp_id,
	pids_cgrp_id,
	cpu_cgrp_id,
	cpuset_cgrp_id,
	devices_cgrp_id,
	freezer_cgrp_id,
	io_cgrp_id,
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	unsigned int on_cpu; /* int, and smaller from 7.x on: libbpf fits what is unsigned */
	struct sched_entity se;
	bool throttled;		 /* since 6.18, commit 7fc2d1439247; CONFIG_CFS_BANDWIDTH */
	unsigned int frozen : 1; /* where the freezer of cgroup v2 need not wait for it */
	unsigned long jobctl;
	struct sched_info sched_info;
	unsigned int __state; /* since 5.14, commit 2f064a59a11f */
	int prio;
	int exit_state;
	int exit_code;
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct list_head children;
	struct list_head sibling;
	struct list_head thread_node;
	unsigned long nvcsw;
	unsigned long nivcsw;
	__u64 start_time;
	__u64 start_boottime; /* since 5.5 */
	struct signal_struct *signal;
	struct css_set *cgroups;
	const struct cred *cred;
	struct seccomp seccomp; /* CONFIG_SECCOMP */
	struct sigpending pending;
	struct bpf_local_storage *bpf_storage; /* since 5.11, commit a10787e6d58c */
	struct uprobe_task *utask;	       /* CONFIG_UPROBES */
	char comm[16];
};

/* Before 5.14. */
struct task_struct___state {
	long state;
};

/* files: from a descriptor to a path. */
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct qstr {
	__u32 hash;
	__u32 len;
	const unsigned char *name;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
	unsigned long i_ino;
	long long i_size;
	void *i_private;
};

/* nsfs: what an inode is the namespace of. */
struct proc_ns_operations {
	const char *name;
};

struct ns_common {
	const struct proc_ns_operations *ops;
	unsigned int inum;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	void *private_data;
	struct path f_path;
	struct {
		struct {
			long counter;
		} refcnt;
	} f_ref; /* from 6.13 on, commit 90ee6ed776c0; below 0 when the last one is gone */
};

/* Before. */
struct file___f_count {
	struct {
		long counter;
	} f_count;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
	unsigned int next_fd;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct open_flags {
	int lookup_flags;
};

/* io_uring: a request, since 5.19 with its result; what it does has its own struct in its first bytes. */
struct io_cqe {
	__s32 res;
};

struct io_kiocb {
	struct file *file;
	__u8 opcode;
	struct io_cqe cqe;
};

struct io_open {
	__u32 file_slot;
};

struct io_splice {
	int splice_fd_in;
	unsigned int flags;
};

struct filename {
	const char *name;
};

/* uprobe: where the kernel lets a function return to that a uretprobe watches. */
struct xol_area {
	unsigned long vaddr;
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct rw_semaphore {
	atomic64_t count;
};

struct percpu_counter {
	__s64 count;
};

struct mm_struct {
	struct uprobes_state uprobes_state;
	struct rw_semaphore mmap_lock;
	atomic_t mm_users;
	atomic64_t pgtables_bytes;
	unsigned long total_vm;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_end;
	struct file *exe_file;
	struct percpu_counter rss_stat[4]; /* since 6.2, commit f1a7941243c1 */
};

/* Before. */
struct mm_rss_stat {
	atomic64_t count[4];
};

struct mm_struct___rss_stat {
	struct mm_rss_stat rss_stat;
};

/* network: a TCP socket, and the way to it from a file. */
struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* the own port in host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct proto *skc_prot;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr; /* CONFIG_IPV6 */
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	atomic64_t skc_cookie;
};

typedef struct {
	int owned;
} socket_lock_t;

/* sk_protocol and sk_shutdown are whole members from 5.6 on (commit bf9765145b85). */
struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct socket *sk_socket;
	kuid_t sk_uid;
	int sk_err;
	__u32 sk_ack_backlog; /* of a listener: connections that wait for accept() */
	__u32 sk_max_ack_backlog;
	atomic_t sk_drops;
	__u16 sk_protocol;
	__u8 sk_shutdown;
};

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_retrans;
	__u32 total_retrans;
	__u32 srtt_us;
	__u32 write_seq;
	__u32 snd_nxt;
	__u32 snd_una;
	bool is_mptcp;
};

/* CONFIG_MPTCP: a socket of its own, which has TCP sockets below. */
struct mptcp_sock {
	struct sock *first;
};

struct inet_connection_sock {
	void *icsk_ulp_data;
};

struct mptcp_subflow_context {
	struct sock *conn;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	int skb_iif;
	__be16 protocol;
	__u16 network_header;
	unsigned char *head;
	unsigned char *data;
};

/* syscall: a program that takes the place of another. */
struct linux_binprm {
	unsigned long p; /* its stack */
	int argc;
	int envc;
	const char *filename;
	const char *interp; /* not the same: of a script */
	const char *fdpath; /* what `filename` is where it was given below a descriptor */
};

/* syscall: what a descriptor stands for. */
struct socket_alloc {
	struct inode vfs_inode;
};

struct proto {
	char name[32];
};

struct sockaddr_un {
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[1];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct netlink_sock {
	__u32 portid;
};

struct eventfd_ctx {
	__u64 count;
	unsigned int flags;
	int id; /* since 5.2, commit b556db17b0e7 */
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct proto_accept_arg {
	int flags;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	__u32 uid;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct trace_event_raw_inet_sock_set_state {
	const void *skaddr;
	int oldstate;
	int newstate;
};

/* The kernel's own struct pt_regs; the headers of userspace have another one under that name. */
struct pt_regs___x86 {
	unsigned long bx, cx, dx, si, di, bp, sp, r8, r9, r10, orig_ax, ip, cs;
};

struct pt_regs___veil_arm64 {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};

struct trace_event_raw_sys_enter {
	long id;
	unsigned long args[6];
};

struct trace_event_raw_sys_exit {
	long id;
	long ret;
};

struct trace_event_raw_sched_process_fork {
	int child_pid;
};

struct trace_event_raw_sched_process_exec {
	int pid;
	int old_pid;
};

enum special_kfunc_type {
	KF_bpf_rdonly_cast,
};

#pragma clang attribute pop

/* Since 6.2, commit a35b9af4ec2c: gives an address its type, so that fields are read by loads, which fail softly. */
extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym __weak;

#define VEIL_HAS_CAST bpf_core_enum_value_exists(enum special_kfunc_type, KF_bpf_rdonly_cast)

/* A field of a kernel's struct at any address: a load where there is the cast, else a call of a helper. */
#define veil_read(type, address, field)                                                                                \
	({                                                                                                             \
		type *at_ = (type *)(address);                                                                         \
		VEIL_HAS_CAST ? ((type *)bpf_rdonly_cast(at_, bpf_core_type_id_kernel(type)))->field                   \
			      : BPF_CORE_READ(at_, field);                                                             \
	})

/* Masks a value that the compiler knows to be in bounds already, for the verifier, which may not. */
#define veil_bound(value, mask) asm volatile("%0 &= %1" : "+r"(value) : "i"(mask))
