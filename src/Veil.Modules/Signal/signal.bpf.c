/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals as they are sent: who sends what to whom, and what becomes of it. */
#include "veil/emit.bpf.h"
#include "veil/filter_either.bpf.h"

char _license[] SEC("license") = "GPL";

enum signal_type {
	signal_type__SENT,
};

/* Who decided that it is sent. The kernel sends many in the middle of what a process does. */
enum signal_origin {
	signal_origin__user,
	signal_origin__kernel,
};

/* The first four are the kernel's: include/trace/events/signal.h. */
enum signal_result {
	signal_result__delivered,
	signal_result__ignored,
	signal_result__pending, /* one of its kind waits already, and this one is dropped */
	signal_result__failed,	/* there was no memory, or too many wait */
};

/* What it does to the target, as things are at that moment. */
enum signal_effect {
	signal_effect__none,
	signal_effect__handled, /* by a handler, or somebody waits for it */
	signal_effect__blocked, /* it waits until the target lets it */
	signal_effect__stops,
	signal_effect__continues,
	signal_effect__deadly,
};

/* The sender is the common header's. */
struct signal_event {
	struct veil_event common;
	enum signal_type evt_type;
	enum signal_origin from;
	veil_signal_t signal; /* aligned to 8, so that it can be a key on the stack */
	veil_comm_t target_comm;
	veil_pid_t target_pid;
	veil_tid_t target_tid;
	enum signal_result result;
	enum signal_effect effect;
	veil_address_t address;
};

VEIL_EVENT(0, signal_event);

VEIL_FILTER(signal, __u32);
VEIL_FILTER(effect, __u32);

/* The same on x86 and arm64: include/uapi/asm-generic/signal.h. */
#define SIGNAL_ILL	4
#define SIGNAL_TRAP	5
#define SIGNAL_BUS	7
#define SIGNAL_FPE	8
#define SIGNAL_KILL	9
#define SIGNAL_SEGV	11
#define SIGNAL_CHILD	17
#define SIGNAL_CONTINUE 18
#define SIGNAL_STOP	19
#define SIGNAL_TTOU	22 /* SIGTSTP and SIGTTIN are before it */
#define SIGNAL_URGENT	23
#define SIGNAL_WINDOW	28
#define SIGNAL_MAX	64
#define SIGNAL_BIT(sig) (1ULL << ((sig)-1))
#define SIGNAL_FAULTS                                                                                                  \
	(SIGNAL_BIT(SIGNAL_ILL) | SIGNAL_BIT(SIGNAL_TRAP) | SIGNAL_BIT(SIGNAL_BUS) | SIGNAL_BIT(SIGNAL_FPE) |          \
	 SIGNAL_BIT(SIGNAL_SEGV))
#define SIGNAL_DISMISSED (SIGNAL_BIT(SIGNAL_CHILD) | SIGNAL_BIT(SIGNAL_URGENT) | SIGNAL_BIT(SIGNAL_WINDOW))

/* Instead of the address of what comes with a signal: include/linux/sched/signal.h. */
#define SIGNAL_NO_INFO 0 /* SEND_SIG_NOINFO: as if the running task had sent it */
#define SIGNAL_PRIVATE 1 /* SEND_SIG_PRIV: by the kernel */

#define SIGNAL_BY_KERNEL  128  /* SI_KERNEL */
#define SIGNAL_BY_TIMER	  (-2) /* SI_TIMER */
#define SIGQUEUE_PREALLOC 1

#define SIGNAL_LOSES_INFO 4 /* TRACE_SIGNAL_LOSE_INFO: it is delivered all the same */
#define SIGNAL_BY_DEFAULT 0 /* SIG_DFL */
#define SIGNAL_IGNORED	  1 /* SIG_IGN */

/* The beginning of struct kernel_siginfo, which is as userspace knows it. */
struct signal_info {
	__s32 number;
	__s32 error;
	__s32 code;
	__u32 hole;
	__u64 address;
};

/* Of the kernel's own structs only the names matter. */
struct kernel_siginfo;

struct sigqueue {
	int flags;
	struct signal_info info;
} __attribute__((preserve_access_index));

struct sighand_struct {
	struct k_sigaction action[SIGNAL_MAX];
} __attribute__((preserve_access_index));

struct signal_struct___threads {
	int nr_threads;
	struct task_struct *curr_target;
} __attribute__((preserve_access_index));

struct task_struct___mask {
	struct sighand_struct *sighand;
	struct {
		unsigned long sig[1];
	} blocked, real_blocked;
} __attribute__((preserve_access_index));

static __always_inline bool signal_is_blocked_by(struct task_struct *task, __u64 bit)
{
	struct task_struct___mask *masked = (void *)task;

	return BPF_CORE_READ(masked, blocked.sig[0]) & bit;
}

/* A signal for a process goes to a thread that lets it. The kernel has looked for one already, and notes the last one
 * found in curr_target (complete_signal() in kernel/signal.c). */
static __always_inline bool signal_is_blocked(struct task_struct *target, __u64 bit, bool is_for_process)
{
	struct signal_struct___threads *threads;

	if (!signal_is_blocked_by(target, bit))
		return false;
	threads = (void *)BPF_CORE_READ(target, signal);
	return !is_for_process || BPF_CORE_READ(threads, nr_threads) == 1 ||
	       signal_is_blocked_by(BPF_CORE_READ(threads, curr_target), bit);
}

static __always_inline enum signal_effect signal_effect(struct task_struct *target, __u32 signal, bool is_for_process,
							__u32 result)
{
	struct task_struct___mask *masked = (void *)target;
	__u64 bit = SIGNAL_BIT(signal), handler = SIGNAL_BY_DEFAULT;
	struct sighand_struct *handlers;

	/* It ends a stop also where it is ignored. */
	if (result == signal_result__ignored)
		return signal == SIGNAL_CONTINUE ? signal_effect__continues : signal_effect__none;
	if (result == signal_result__failed)
		return signal_effect__none;
	if (signal == SIGNAL_KILL)
		return signal_effect__deadly;
	if (signal == SIGNAL_STOP)
		return signal_effect__stops;
	if (signal_is_blocked(target, bit, is_for_process))
		return signal_effect__blocked;
	/* Not blocked only because of sigwait(3), which puts the usual mask aside. */
	if (BPF_CORE_READ(masked, real_blocked.sig[0]) & bit)
		return signal_effect__handled;
	handlers = BPF_CORE_READ(masked, sighand);
	bpf_probe_read_kernel(&handler, sizeof(handler),
			      (void *)__builtin_preserve_access_index(&handlers->action) +
				  (signal - 1) * bpf_core_type_size(struct k_sigaction));
	if (handler > SIGNAL_IGNORED)
		return signal_effect__handled;
	if (signal == SIGNAL_CONTINUE)
		return signal_effect__continues;
	if (handler == SIGNAL_IGNORED || bit & SIGNAL_DISMISSED)
		return signal_effect__none;
	return signal > SIGNAL_STOP && signal <= SIGNAL_TTOU ? signal_effect__stops : signal_effect__deadly;
}

/* Anybody may send a code below 0. That of a timer is the kernel's only where the signal lies in the timer's own memory
 * (posixtimer_send_sigqueue()). */
static __always_inline bool signal_is_of_timer(__u64 info)
{
	struct sigqueue *queue = (void *)info - bpf_core_field_offset(struct sigqueue, info);

	return BPF_CORE_READ(queue, flags) & SIGQUEUE_PREALLOC;
}

struct signal_sent {
	struct signal_info info;
	enum signal_origin from;
	bool is_plain; /* the running task is behind it, although the kernel sends it */
};

static __always_inline void signal_read(struct signal_sent *sent, __u32 signal, __u64 info)
{
	__builtin_memset(sent, 0, sizeof(*sent));
	sent->from = signal_origin__kernel;
	if (info > SIGNAL_PRIVATE) {
		bpf_probe_read_kernel(&sent->info, sizeof(sent->info), (void *)info);
		if (sent->info.code <= 0 && !(sent->info.code == SIGNAL_BY_TIMER && signal_is_of_timer(info)))
			sent->from = signal_origin__user;
	} else if (info == SIGNAL_PRIVATE) {
		sent->info.code = SIGNAL_BY_KERNEL;
	}
	sent->is_plain = info == SIGNAL_NO_INFO || signal == SIGNAL_CHILD;
}

static __always_inline veil_address_t signal_address(const struct signal_sent *sent, __u32 signal)
{
	bool has = SIGNAL_FAULTS & SIGNAL_BIT(signal) && sent->info.code > 0 && sent->info.code != SIGNAL_BY_KERNEL;

	return has ? sent->info.address : VEIL_ADDRESS_NONE;
}

/* Left out are the tracer's signals to itself. */
static __always_inline bool signal_passes(struct veil_task sender, struct veil_task target, bool has_sender)
{
	__u32 sender_pid = veil_task_pid(sender), target_pid = veil_task_pid(target);

	if (!has_sender)
		return veil_task_passes(target);
	if (veil_current_is_self(sender_pid) && (sender_pid == target_pid || veil_is_self(target_pid)))
		return false;
	return veil_either_passes(sender, target, sender_pid, target_pid);
}

/*
 * `args` are those of the tracepoint: the signal, what comes with it, the target, whether it is for its process, the
 * result. A timer or a terminal sends in the middle of whatever runs: then there is no sender.
 */
static __always_inline int signal_send(const __u64 *args, struct veil_task target)
{
	__u32 signal = args[0], effect, result = (__u32)args[4];
	struct veil_task sender = veil_current();
	struct signal_event counted, *event;
	struct veil_origin origin;
	struct signal_sent sent;
	veil_comm_t nobody = VEIL_COMM_UNKNOWN;
	bool has_sender;

	/* SIGCHLD is of interest to few, and the most frequent: only where it is asked for. */
	if (!signal || signal > SIGNAL_MAX || (signal == SIGNAL_CHILD && !(filter_signal_mode & VEIL_ALLOW)) ||
	    !veil_filter_passes(signal, &signal))
		return 0;
	signal_read(&sent, signal, args[1]);
	has_sender =
	    sent.from == signal_origin__user || sent.is_plain || veil_task_pid(sender) == veil_task_pid(target);
	if (!signal_passes(sender, target, has_sender))
		return 0;
	if (result == SIGNAL_LOSES_INFO)
		result = signal_result__delivered;
	effect = signal_effect(target.address, signal, args[3], result);
	if (!veil_filter_passes(effect, &effect))
		return 0;
	event = veil_reserve(&counted);
	if (!event)
		return 0;
	veil_event_init(&event->common, signal_event_kind, sender);
	if (!has_sender) {
		__builtin_memcpy(event->common.comm, nobody, sizeof(nobody));
		event->common.pid = VEIL_PID_UNKNOWN;
		event->common.tid = VEIL_PID_UNKNOWN;
		event->common.uid = 0;
	}
	event->evt_type = signal_type__SENT;
	event->from = sent.from;
	event->signal.number = signal;
	event->signal.code = sent.info.code;
	if (veil_wants(struct signal_event, target_comm))
		veil_task_comm(target, event->target_comm);
	event->target_pid = veil_task_pid(target);
	event->target_tid = veil_task_tid(target);
	event->result = result;
	event->effect = effect;
	event->address = signal_address(&sent, signal);
	if (has_sender)
		veil_task_origin(sender, &origin);
	else
		veil_origin_none(&origin);
	veil_submit_as(event, sizeof(*event), &origin);
	return 0;
}

SEC("tp_btf/signal_generate")
int signal_tp_btf(__u64 *ctx)
{
	return signal_send(ctx, veil_task_typed((void *)ctx[2]));
}

SEC("raw_tp/signal_generate")
int signal_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return signal_send(ctx->args, veil_task_at((void *)ctx->args[2]));
}
