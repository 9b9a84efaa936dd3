/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for locks: futex calls, with the thread that holds the lock as far as its word, or the owner beside it, names
 * one. A lock that is free never reaches the kernel. docs/adr/0054-who-holds-a-lock.md says what is believed and why.
 */
#include "veil/arch.bpf.h"
#include "veil/emit.bpf.h"
#include "veil/result.bpf.h"
#include "veil/task_state.bpf.h"
#include "veil/threshold.bpf.h"
#include "pid.bpf.h"

char _license[] SEC("license") = "GPL";

enum lock_operation {
	lock_operation__wait,
	lock_operation__wait_bitset,
	lock_operation__lock_pi,
	lock_operation__wait_requeue_pi,
	lock_operation__waitv,
};

/* By what the holder is known. */
enum lock_type {
	lock_type__mutex,  /* glibc: the owner is beside the word */
	lock_type__robust, /* glibc: the word names the owner, and so does what is beside it */
	lock_type__musl,   /* a mutex of musl that is not the plain one: the word names it */
	lock_type__pi,	   /* the kernel's own rule: the word names it */
	lock_type__rwlock, /* glibc, held by a writer */
	lock_type__join,   /* no lock: the thread whose end is waited for */
	lock_type_unknown = ~0U,
};

struct lock_event {
	struct veil_event common;
	veil_address_t address;
	enum lock_operation operation;
	enum lock_type lock;
	veil_comm_t holder;
	veil_pid_t holder_pid;
	veil_tid_t holder_tid;
	veil_comm_t woken_by;
	veil_pid_t woken_by_pid;
	veil_tid_t woken_by_tid;
	veil_ret_t ret;
	veil_duration_t duration_ns;
};

VEIL_EVENT(0, lock_event);

/* include/uapi/linux/futex.h */
#define FUTEX_WAIT	      0
#define FUTEX_LOCK_PI	      6
#define FUTEX_WAIT_BITSET     9
#define FUTEX_WAIT_REQUEUE_PI 11
#define FUTEX_LOCK_PI2	      13
#define FUTEX_CMD_MASK	      0x7f
#define FUTEX_PRIVATE	      128 /* of futex_wait() and futex_waitv() too */
#define FUTEX_WAITERS	      0x80000000
#define FUTEX_OWNER_DIED      0x40000000
#define FUTEX_TID_MASK	      0x3fffffff

struct lock_waitv {
	__u64 value, address;
	__u32 flags, reserved;
};

/* A wait that is under way. */
struct lock_wait {
	__u64 start_ns; /* 0: none */
	__u64 shown_ns; /* the start of the one that was shown as it had become slow */
	__u64 address;
	__u32 operation, lock;
	veil_comm_t holder, woken_by;
	__u32 holder_pid, holder_tid, woken_by_pid, woken_by_tid;
};

VEIL_TASK_STATE(lock, struct lock_wait, 65536);

/* The calls that wait on a futex. */
enum lock_call {
	LOCK_CALL_NONE,
	LOCK_CALL_FUTEX,
	LOCK_CALL_WAIT,	 /* futex_wait(), since 6.7 */
	LOCK_CALL_WAITV, /* futex_waitv(), since 5.16 */
};

/* Is it the number of one in any table of this machine? Most calls are none. */
static __always_inline bool lock_may_be_call(__s32 nr)
{
#if defined(__TARGET_ARCH_x86)
	nr &= ~X32_BIT;
	return nr == 202 || nr == 240 || nr == 422 || nr == 449 || nr == 455;
#else
	return nr == 98 || nr == 240 || nr == 422 || nr == 449 || nr == 455;
#endif
}

static __always_inline bool lock_is_32bit(enum veil_arch arch)
{
	return arch == VEIL_ARCH_I386 || arch == VEIL_ARCH_ARM || arch == VEIL_ARCH_X32;
}

static __always_inline enum lock_call lock_call(__s32 nr, enum veil_arch arch)
{
	if (arch == VEIL_ARCH_X32)
		nr &= ~0x40000000;
	if (nr == 449)
		return LOCK_CALL_WAITV;
	if (nr == 455)
		return LOCK_CALL_WAIT;
	switch (arch) {
	case VEIL_ARCH_X86_64:
	case VEIL_ARCH_X32:
		return nr == 202 ? LOCK_CALL_FUTEX : LOCK_CALL_NONE;
	case VEIL_ARCH_ARM64:
		return nr == 98 ? LOCK_CALL_FUTEX : LOCK_CALL_NONE;
	default: /* futex and futex_time64 */
		return nr == 240 || nr == 422 ? LOCK_CALL_FUTEX : LOCK_CALL_NONE;
	}
}

/* What a call asks for. */
struct lock_asked {
	__u64 address, timeout;
	__u32 value, operation;
	bool is_private, is_32bit;
};

static __always_inline bool lock_read_futex(struct lock_asked *asked, const __u64 *args)
{
	__u32 command = args[1] & FUTEX_CMD_MASK;

	asked->address = args[0];
	asked->value = args[2];
	asked->timeout = args[3];
	asked->is_private = args[1] & FUTEX_PRIVATE;
	switch (command) {
	case FUTEX_WAIT:
		asked->operation = lock_operation__wait;
		return true;
	case FUTEX_WAIT_BITSET:
		asked->operation = lock_operation__wait_bitset;
		return true;
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		asked->operation = lock_operation__lock_pi;
		return true;
	case FUTEX_WAIT_REQUEUE_PI:
		asked->operation = lock_operation__wait_requeue_pi;
		return true;
	default:
		return false;
	}
}

/* False: it is no wait. */
static __always_inline bool lock_read(struct lock_asked *asked, enum lock_call call, const __u64 *args)
{
	struct lock_waitv first = {};

	switch (call) {
	case LOCK_CALL_FUTEX:
		return lock_read_futex(asked, args);
	case LOCK_CALL_WAIT: /* address, value, mask, flags, timeout, clock */
		asked->address = args[0];
		asked->value = args[1];
		asked->timeout = args[4];
		asked->is_private = args[3] & FUTEX_PRIVATE;
		asked->operation = lock_operation__wait;
		return true;
	case LOCK_CALL_WAITV: /* of several only the first is shown, and whose these are is not known */
		bpf_probe_read_user(&first, sizeof(first), (void *)args[0]);
		asked->address = first.address;
		asked->operation = lock_operation__waitv;
		return true;
	default:
		return false;
	}
}

/*
 * A thread of the waiter's PID namespace that can have the lock: of its own process, or of any if the futex is shared.
 * The lock's own owner may be the waiter itself: a thread that locks a plain mutex twice.
 */
static __always_inline struct task_struct *lock_holder_find(struct veil_task waiter, const struct lock_asked *asked,
							    __u32 tid)
{
	struct task_struct *holder = tid ? veil_pid_find(waiter, tid) : NULL;

	if (!holder || BPF_CORE_READ(holder, exit_state) || !BPF_CORE_READ(holder, mm) ||
	    (asked->is_private && BPF_CORE_READ(holder, tgid) != (int)veil_task_pid(waiter)))
		return NULL;
	return holder;
}

/*
 * glibc's struct __pthread_mutex_s: __lock, __count, __owner, then __nusers and __kind, on 32 bits these two the other
 * way round. The same as long as glibc has it. Other users of futexes write 2 into a word too, so all that is beside it
 * has to fit.
 */
#define GLIBC_KIND_MAX	   0x3ff
#define GLIBC_KIND_ROBUST  16
#define GLIBC_KIND_SHARED  128
#define GLIBC_KIND_SPECIAL (16 | 32 | 64) /* robust, inheriting, protecting: they have no 2 */
#define GLIBC_USERS_MAX	   (1 << 22)

static __always_inline __u32 lock_glibc_owner(const struct lock_asked *asked, bool is_robust)
{
	__u32 words[5] = {}, kind, users;

	if (bpf_probe_read_user(words, sizeof(words), (void *)asked->address))
		return 0;
	kind = asked->is_32bit ? words[3] : words[4];
	users = asked->is_32bit ? words[4] : words[3];
	if (kind & ~GLIBC_KIND_MAX || !users || users > GLIBC_USERS_MAX ||
	    !(kind & GLIBC_KIND_SHARED) != asked->is_private)
		return 0;
	if ((kind & GLIBC_KIND_SPECIAL) != (is_robust ? GLIBC_KIND_ROBUST : 0))
		return 0;
	return words[2];
}

/* musl's pthread_mutex_t: the type is the word before. Its rwlock counts readers in such a word, but lies at a multiple
 * of 8, where a mutex on 64 bits has the type. */
#define MUSL_TYPE_MAX	 0x8f
#define MUSL_TYPE_KIND	 15
#define MUSL_TYPE_SHARED 128
#define MUSL_PLAIN	 16 /* EBUSY: the plain mutex names nobody */

static __always_inline __u32 lock_musl_owner(const struct lock_asked *asked)
{
	__u32 type = 0;

	if (asked->is_32bit || !(asked->address & 4) ||
	    bpf_probe_read_user(&type, sizeof(type), (void *)(asked->address - 4)) || type & ~MUSL_TYPE_MAX ||
	    !(type & MUSL_TYPE_KIND) || !(type & MUSL_TYPE_SHARED) != asked->is_private)
		return 0;
	return asked->value & FUTEX_TID_MASK;
}

/*
 * glibc's struct __pthread_rwlock_arch_t on 64 bits: __readers, __writers, __wrphase_futex, __writers_futex, two more
 * words, __cur_writer. It is at a multiple of 8, so the address says which of the two words is waited on. Two bits of
 * __readers say that a writer has it (nptl/pthread_rwlock_common.c).
 */
#define GLIBC_RWLOCK_PHASE   8
#define GLIBC_RWLOCK_WRITERS 12
#define GLIBC_RWLOCK_USED    3 /* locked, and somebody waits */
#define GLIBC_RWLOCK_WRITTEN 3

static __always_inline __u32 lock_rwlock_owner(const struct lock_asked *asked)
{
	__u64 base = asked->address - (asked->address & 4 ? GLIBC_RWLOCK_WRITERS : GLIBC_RWLOCK_PHASE);
	__u32 words[8] = {};

	if (asked->is_32bit || bpf_probe_read_user(words, sizeof(words), (void *)base) ||
	    (words[0] & GLIBC_RWLOCK_WRITTEN) != GLIBC_RWLOCK_WRITTEN || !words[7] != asked->is_private)
		return 0;
	return words[6];
}

/* Who has it as the wait begins, and by what that is known. */
static __always_inline struct task_struct *lock_holder(struct veil_task waiter, const struct lock_asked *asked,
						       __u32 *type)
{
	__u32 value = asked->value, tid = 0;
	struct task_struct *joined;

	*type = lock_type_unknown;
	if (asked->operation == lock_operation__lock_pi) {
		if (bpf_probe_read_user(&value, sizeof(value), (void *)asked->address))
			return NULL;
		*type = lock_type__pi;
		tid = value & FUTEX_TID_MASK;
	} else if (asked->operation == lock_operation__waitv || asked->operation == lock_operation__wait_requeue_pi) {
		return NULL;
	} else if (value & FUTEX_WAITERS) {
		if (value & FUTEX_OWNER_DIED)
			return NULL;
		tid = lock_glibc_owner(asked, true);
		*type = lock_type__robust;
		if (!tid || tid != (value & FUTEX_TID_MASK)) {
			tid = lock_musl_owner(asked);
			*type = lock_type__musl;
		}
	} else if (value == 2) {
		/* Conditions wait with a bitset, mutexes only with a timeout. */
		if (asked->operation == lock_operation__wait || asked->timeout)
			tid = lock_glibc_owner(asked, false);
		*type = lock_type__mutex;
	} else if (value == GLIBC_RWLOCK_USED) {
		tid = lock_rwlock_owner(asked);
		*type = lock_type__rwlock;
	}
	if (!tid && !(value & FUTEX_WAITERS) && asked->operation != lock_operation__lock_pi) {
		joined = lock_holder_find(waiter, asked, value);
		if (joined && veil_pid_clears(joined) == asked->address) {
			*type = lock_type__join;
			return joined;
		}
	}
	return lock_holder_find(waiter, asked, tid);
}

/* A function: its stack is not that of whoever calls it. */
static __noinline int lock_start(struct lock_wait *wait, const struct lock_asked *asked)
{
	veil_comm_t nobody = VEIL_COMM_UNKNOWN;
	struct task_struct *holder;
	__u32 type;

	if (!wait || !asked)
		return 0;
	holder = lock_holder(veil_current(), asked, &type);
	wait->address = asked->address;
	wait->operation = asked->operation;
	__builtin_memcpy(wait->woken_by, nobody, sizeof(nobody));
	wait->woken_by_pid = VEIL_PID_UNKNOWN;
	wait->woken_by_tid = VEIL_PID_UNKNOWN;
	if (holder) {
		veil_task_comm(veil_task_at(holder), wait->holder);
		wait->holder_pid = BPF_CORE_READ(holder, tgid);
		wait->holder_tid = BPF_CORE_READ(holder, pid);
		wait->lock = type;
	} else {
		__builtin_memcpy(wait->holder, nobody, sizeof(nobody));
		wait->holder_pid = VEIL_PID_UNKNOWN;
		wait->holder_tid = VEIL_PID_UNKNOWN;
		wait->lock = lock_type_unknown;
	}
	wait->start_ns = bpf_ktime_get_boot_ns();
	return 0;
}

#define lock_enter(read, regs, id)                                                                                     \
	({                                                                                                             \
		__s32 nr_ = (__s32)(id);                                                                               \
		if (lock_may_be_call(nr_)) {                                                                           \
			enum veil_arch arch_ = veil_syscall_arch(veil_current(), nr_);                                 \
			__u64 args_[6];                                                                                \
			veil_syscall_args(read, regs, arch_, args_);                                                   \
			lock_begin(nr_, arch_, args_);                                                                 \
		}                                                                                                      \
		0;                                                                                                     \
	})

static __always_inline void lock_begin(__s32 nr, enum veil_arch arch, const __u64 *args)
{
	struct lock_asked asked = {.is_32bit = lock_is_32bit(arch)};
	struct veil_task task = veil_current();
	struct lock_wait *wait;

	if (!lock_read(&asked, lock_call(nr, arch), args) || !veil_task_passes(task))
		return;
	wait = veil_task_state_make(lock, task, veil_task_tid(task));
	if (!wait) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return;
	}
	lock_start(wait, &asked);
}

static __always_inline int lock_emit(struct veil_task task, const struct lock_wait *wait, veil_ret_t ret,
				     const struct veil_origin *origin)
{
	veil_comm_t nobody = VEIL_COMM_UNKNOWN;
	struct lock_event counted, *event;
	__u64 start = wait->start_ns;
	/* After a timeout or a signal whoever was interrupted by the clock would be named. */
	bool is_woken = ret >= 0;

	if (!veil_ret_passes(ret) || !veil_is_slow(start))
		return 0;
	event = veil_reserve(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, lock_event_kind, task);
	event->address = wait->address;
	event->operation = wait->operation;
	event->lock = wait->lock;
	__builtin_memcpy(event->holder, wait->holder, sizeof(event->holder));
	event->holder_pid = wait->holder_pid;
	event->holder_tid = wait->holder_tid;
	__builtin_memcpy(event->woken_by, is_woken ? wait->woken_by : nobody, sizeof(event->woken_by));
	event->woken_by_pid = is_woken ? wait->woken_by_pid : VEIL_PID_UNKNOWN;
	event->woken_by_tid = is_woken ? wait->woken_by_tid : VEIL_PID_UNKNOWN;
	event->ret = ret;
	event->duration_ns = event->common.timestamp - start;
	veil_submit_as(event, sizeof(*event), origin);
	return 0;
}

static __always_inline int lock_end(veil_ret_t ret)
{
	struct veil_task task = veil_current();
	struct lock_wait *wait = veil_task_state_find(lock, task, veil_task_tid(task));

	if (!wait || !wait->start_ns)
		return 0;
	lock_emit(task, wait, ret, NULL);
	wait->start_ns = 0;
	return 0;
}

static __always_inline int lock_thread_end(void)
{
	lock_end(VEIL_RET_NONE);
	veil_task_state_drop(lock, veil_current_tid());
	return 0;
}

/* The running task wakes `task`. */
static __always_inline int lock_wake(struct veil_task task)
{
	struct lock_wait *wait;
	struct veil_task waker;

	if (lock_in_tasks && !veil_task_read(task, bpf_storage))
		return 0;
	wait = veil_task_state_find(lock, task, veil_task_tid(task));
	if (!wait || !wait->start_ns)
		return 0;
	waker = veil_current();
	veil_task_comm(waker, wait->woken_by);
	wait->woken_by_pid = veil_task_pid(waker);
	wait->woken_by_tid = veil_task_tid(waker);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(lock_enter_tp_btf, struct pt_regs *regs, long id)
{
	return lock_enter(veil_regs_plain, regs, id);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(lock_exit_tp_btf, struct pt_regs *regs, long ret)
{
	return lock_may_be_call(veil_syscall_nr_btf(regs)) ? lock_end(ret) : 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(lock_gone_tp_btf)
{
	return lock_thread_end();
}

SEC("tp_btf/sched_waking")
int BPF_PROG(lock_wake_tp_btf, struct task_struct *task)
{
	return lock_wake(veil_task_typed(task));
}

SEC("raw_tp/sys_enter")
int lock_enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return lock_enter(veil_regs_core, ctx->args[0], ctx->args[1]);
}

SEC("raw_tp/sys_exit")
int lock_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return lock_may_be_call(veil_syscall_nr((void *)ctx->args[0])) ? lock_end(ctx->args[1]) : 0;
}

SEC("raw_tp/sched_process_exit")
int lock_gone_raw_tp(void *ctx)
{
	return lock_thread_end();
}

SEC("raw_tp/sched_waking")
int lock_wake_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return lock_wake(veil_task_at((void *)ctx->args[0]));
}

/* --slower: waits that have become slow and are still under way, each once. */
SEC("iter/task")
int lock_slow(struct bpf_iter__task *ctx)
{
	struct task_struct *address = ctx->task;
	struct lock_wait *wait, copy;
	struct veil_origin origin;

	if (!address)
		return 0;
	wait = veil_task_state_find(lock, veil_task_typed(address), veil_task_tid(veil_task_typed(address)));
	if (!wait || !wait->start_ns || wait->shown_ns == wait->start_ns || !veil_is_slow(wait->start_ns))
		return 0;
	copy = *wait;
	if (!copy.start_ns || *(volatile __u64 *)&wait->start_ns != copy.start_ns)
		return 0;
	wait->shown_ns = copy.start_ns;
	veil_task_origin(veil_task_typed(address), &origin);
	return lock_emit(veil_task_typed(address), &copy, VEIL_RET_RUNNING, &origin);
}
