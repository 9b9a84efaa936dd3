/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Context switches: who leaves a CPU and why, who takes it, and how long that one had waited or been away. */
#include "veil/emit.bpf.h"
#include "veil/filter_either.bpf.h"
#include "veil/interrupt.bpf.h"
#include "veil/task_state.bpf.h"
#include "veil/threshold.bpf.h"

char _license[] SEC("license") = "GPL";

enum scheduler_state {
	scheduler_state__RUNNING,
	scheduler_state__SLEEPING,
	scheduler_state__DISK_SLEEP,
	scheduler_state__STOPPED,
	scheduler_state__TRACED,
	scheduler_state__EXIT_DEAD,
	scheduler_state__ZOMBIE,
	scheduler_state__PARKED,
	scheduler_state__DEAD,
	scheduler_state__IDLE,
	scheduler_state__NEW,
	scheduler_state__THROTTLED, /* of --off-cpu: ready to run, but its cgroup has used up its share of the CPUs */
};

/* The outgoing side is the common header's. */
struct scheduler_event {
	struct veil_event common;
	veil_cpu_t cpu;
	veil_prio_t prev_prio;
	enum scheduler_state prev_state;
	veil_prio_t next_prio;
	veil_comm_t next_comm;
	veil_pid_t next_pid;
	veil_tid_t next_tid;
	veil_duration_t wait_ns;
};

/* With --off-cpu: a task has a CPU again. The common header is its own. */
struct scheduler_off_event {
	struct veil_event common;
	veil_cpu_t cpu;
	enum scheduler_state off_state;
	veil_duration_t off_cpu_ns;
	veil_duration_t wait_ns; /* of that, since it was woken */
	veil_some_comm_t waker_comm;
	veil_some_pid_t waker_pid;
	veil_some_pid_t waker_tid;
	veil_ustack_t ustack; /* by which it left the CPU */
	veil_kstack_t kstack;
	veil_ustack_t waker_ustack;
	veil_kstack_t waker_kstack;
};

VEIL_EVENT(0, scheduler_event);
VEIL_EVENT(1, scheduler_off_event);

VEIL_FILTER(cpu, __u32);

/* include/linux/sched.h. The bits have been the same since 4.14. */
#define TASK_INTERRUPTIBLE 0x0001
#define TASK_STOPPED	   0x0004
#define TASK_TRACED	   0x0008
#define TASK_PARKED	   0x0040
#define TASK_DEAD	   0x0080
#define TASK_WAKING	   0x0200
#define TASK_NOLOAD	   0x0400
#define TASK_NEW	   0x0800
#define TASK_EXIT_DEAD	   0x0010 /* of exit_state */
#define TASK_EXIT_ZOMBIE   0x0020 /* of exit_state */

/* The hook has an argument for the state in which the task leaves. */
const volatile bool scheduler_has_state;

/* The tracer's id in the initial PID namespace, known once it was seen to run. Only the running task can be asked for
 * its id in the tracer's namespace. */
static __u32 scheduler_self;

static __always_inline bool scheduler_is_self(__u32 pid)
{
	if (veil_self_ns_inode)
		return pid && pid == scheduler_self;
	return veil_is_self(pid);
}

/*
 * The hook's fourth argument is the state that the kernel itself decided by (5.18, commits fa2c3254d7cf and
 * 9c2136be0878). Read from the task, as it must be before, it may be TASK_WAKING already: another CPU wakes the task
 * while it leaves.
 */
static __always_inline long scheduler_state_bits(struct veil_task task, const __u64 *args)
{
	return scheduler_has_state ? (__u32)args[3] : veil_task_state(task);
}

static __always_inline enum scheduler_state scheduler_state(long bits, int exit_state)
{
	if (exit_state & TASK_EXIT_ZOMBIE)
		return scheduler_state__ZOMBIE;
	if (exit_state & TASK_EXIT_DEAD)
		return scheduler_state__EXIT_DEAD;
	if (bits & TASK_DEAD)
		return scheduler_state__DEAD;
	if (bits & TASK_TRACED)
		return scheduler_state__TRACED;
	if (bits & TASK_STOPPED)
		return scheduler_state__STOPPED;
	if (bits & TASK_PARKED)
		return scheduler_state__PARKED;
	/* TASK_WAKING hides which sleep it was; assume interruptible. */
	if (bits & (TASK_INTERRUPTIBLE | TASK_WAKING))
		return scheduler_state__SLEEPING;
	if (bits & TASK_NOLOAD)
		return scheduler_state__IDLE;
	if (bits & TASK_NEW)
		return scheduler_state__NEW;
	return bits ? scheduler_state__DISK_SLEEP : scheduler_state__RUNNING;
}

/* Waits are measured: wait_ns is shown, counted or filtered by. */
const volatile bool scheduler_waits;

/*
 * Since when a task has been ready to run, and for which of its turns on a CPU. With the turn an old time is never
 * taken for that of this wait, and nothing has to be cleared when a task goes to sleep.
 */
struct scheduler_since {
	__u64 time;
	__u64 turn;
};

/* Kept with the task only where that may be made under the lock of a run queue, which the hooks hold. Where the hash
 * has no room the wait is not known. */
VEIL_TASK_STATE(scheduler, struct scheduler_since, 65536);

/* Which of its turns a task waits for; the first is 1. The kernel counts a switch just before the tracepoint. */
static __always_inline __u64 scheduler_turn(struct veil_task task)
{
	return veil_task_read(task, nvcsw) + veil_task_read(task, nivcsw) + 1;
}

/* Which task the filters are about: the one that the counted field belongs to, if there is one. */
enum scheduler_side {
	SCHEDULER_EITHER,
	SCHEDULER_OUTGOING,
	SCHEDULER_INCOMING,
};

static __always_inline enum scheduler_side scheduler_side_of(__u32 offset)
{
	if (offset >= offsetof(struct scheduler_event, next_prio))
		return SCHEDULER_INCOMING;
	if (offset == offsetof(struct scheduler_event, cpu) ||
	    offset == offsetof(struct scheduler_event, common.timestamp))
		return SCHEDULER_EITHER;
	return SCHEDULER_OUTGOING;
}

/* Of several fields that belong to both tasks, either is meant. */
static __always_inline enum scheduler_side scheduler_side_of_keys(void)
{
	enum scheduler_side side = SCHEDULER_EITHER, other;

	for (int number = 0; number < VEIL_COUNT_FIELDS && veil_count_fields[number].kind; number++) {
		other = veil_count_fields[number].of_origin ? SCHEDULER_OUTGOING
							    : scheduler_side_of(veil_count_fields[number].offset);
		if (side != SCHEDULER_EITHER && other != SCHEDULER_EITHER && other != side)
			return SCHEDULER_EITHER;
		if (other != SCHEDULER_EITHER)
			side = other;
	}
	return side;
}

/* From .rodata constants, so the verifier keeps one path. */
static __always_inline enum scheduler_side scheduler_side(void)
{
	if (veil_slower_ns)
		return SCHEDULER_INCOMING;
	if (veil_counting && veil_count_value_size)
		return scheduler_side_of(veil_count_value_offset);
	return veil_counting ? scheduler_side_of_keys() : SCHEDULER_EITHER;
}

/*
 * A switch is the tracer's own, and left out, only if both sides are the tracer or the idle task: if it takes the CPU
 * from another task, the switch is that task's too.
 */
static __always_inline bool scheduler_is_own(enum scheduler_side side, __u32 prev_pid, __u32 next_pid)
{
	if (side != SCHEDULER_EITHER)
		return scheduler_is_self(side == SCHEDULER_INCOMING ? next_pid : prev_pid);
	return (!prev_pid || scheduler_is_self(prev_pid)) && (!next_pid || scheduler_is_self(next_pid));
}

struct scheduler_pair {
	struct veil_task prev, next;
	__u32 prev_pid, next_pid;
};

/* The filters are checked for both tasks. Where they are about one side, both are that one. */
static __always_inline bool scheduler_passes(const struct scheduler_pair *pair)
{
	__u32 one_id = pair->prev_pid, other_id = pair->next_pid;
	struct veil_task one = pair->prev, other = pair->next;
	enum scheduler_side side = scheduler_side();

	if (veil_self_ns_inode && !scheduler_self && veil_current_is_self(pair->prev_pid))
		scheduler_self = pair->prev_pid;
	if (scheduler_is_own(side, pair->prev_pid, pair->next_pid))
		return false;
	if (side == SCHEDULER_INCOMING) {
		one = other;
		one_id = other_id;
	} else if (side == SCHEDULER_OUTGOING) {
		other = one;
		other_id = one_id;
	}
	return veil_either_passes(one, other, one_id, other_id);
}

/* If the filters are about the waiting task alone, its wait is needed only if it passes. */
static __always_inline bool scheduler_wait_is_wanted(struct veil_task task)
{
	return scheduler_side() != SCHEDULER_INCOMING || veil_task_passes_again(task);
}

/*
 * A task waits from now on. If it was preempted on its way to sleep it is woken while still in the queue, and has
 * waited since it was preempted. An entry found for a first turn is of an earlier task with that id.
 */
static __always_inline void scheduler_wait_start(struct veil_task task, __u64 *now)
{
	struct scheduler_since *since;
	__u64 turn;

	if (!scheduler_wait_is_wanted(task))
		return;
	since = veil_task_state_make(scheduler, task, veil_task_tid(task));
	turn = scheduler_turn(task);
	if (since && (since->turn != turn || turn == 1)) {
		*now = bpf_ktime_get_boot_ns();
		since->time = *now;
		since->turn = turn;
	}
}

/*
 * The outgoing task waits again if it was preempted or yielded. Its own state decides, as in the kernel's accounting
 * (sched_info_depart() in kernel/sched/stats.h): a signal may have kept it from the sleep that the hook reports.
 */
static __always_inline void scheduler_leave(bool preempted, struct veil_task task, __u64 *now)
{
	long state;

	if (!veil_task_tid(task))
		return; /* the idle task waits for nothing */
	state = veil_task_state(task);
	if (preempted || !state)
		scheduler_wait_start(task, now);
	else if (state & TASK_DEAD)
		veil_task_state_drop(scheduler, veil_task_tid(task));
}

/* How long the incoming task has waited, on whatever CPUs: all share one clock. */
static __always_inline veil_duration_t scheduler_wait(struct veil_task task, __u64 now)
{
	struct scheduler_since *since = veil_task_state_find(scheduler, task, veil_task_tid(task));

	if (!since || since->turn != scheduler_turn(task))
		return VEIL_DURATION_UNKNOWN;
	return now - since->time;
}

/* `args` are those of the tracepoint: preempt, prev, next, and the state of prev where the kernel has it. */
static __always_inline void scheduler_emit(const struct scheduler_pair *pair, const __u64 *args, __u32 cpu,
					   veil_duration_t wait, veil_timestamp_t now)
{
	struct veil_task prev = pair->prev, next = pair->next;
	struct scheduler_event counted, *event;

	event = veil_reserve(&counted);
	if (!event)
		return;
	veil_task_comm(prev, event->common.comm);
	event->common.pid = pair->prev_pid;
	event->common.tid = veil_task_tid(prev);
	event->common.uid = veil_task_uid(prev);
	event->common.kind = veil_module << 8 | scheduler_event_kind;
	event->common.timestamp = scheduler_waits ? now : veil_event_time();
	event->cpu = cpu;
	event->prev_prio = veil_task_read(prev, prio);
	/* A preempted task goes on running, whatever state it was about to enter. */
	if ((bool)args[0])
		event->prev_state = scheduler_state__RUNNING;
	else
		event->prev_state = scheduler_state(scheduler_state_bits(prev, args), veil_task_read(prev, exit_state));
	veil_task_comm(next, event->next_comm);
	event->next_pid = pair->next_pid;
	event->next_tid = veil_task_tid(next);
	event->next_prio = veil_task_read(next, prio);
	event->wait_ns = wait;
	veil_submit(event, sizeof(*event));
}

static __always_inline int scheduler_switch(const __u64 *args, struct veil_task prev, struct veil_task next)
{
	struct scheduler_pair pair = {.prev = prev, .next = next};
	veil_duration_t wait = VEIL_DURATION_UNKNOWN;
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 now = 0;

	/* Before the filters: a later event may need this wait. */
	if (scheduler_waits)
		scheduler_leave((bool)args[0], prev, &now);
	if (!veil_filter_passes_early(cpu, &cpu))
		return 0;
	pair.prev_pid = veil_task_pid(prev);
	pair.next_pid = veil_task_pid(next);
	if (!scheduler_passes(&pair) || !veil_filter_passes_late(cpu, &cpu))
		return 0;
	if (scheduler_waits) {
		if (!now)
			now = bpf_ktime_get_boot_ns();
		wait = scheduler_wait(next, now);
	}
	if (veil_slower_ns && (wait == VEIL_DURATION_UNKNOWN || wait < veil_slower_ns))
		return 0;
	scheduler_emit(&pair, args, cpu, wait, now);
	return 0;
}

static __always_inline int scheduler_wake(struct veil_task task)
{
	__u64 now;

	scheduler_wait_start(task, &now);
	return 0;
}

/*
 * Time away from the CPUs (--off-cpu). Only the programs below run then.
 */

enum scheduler_off_stack {
	SCHEDULER_OFF_USER = VEIL_STACK_USER,
	SCHEDULER_OFF_KERNEL = VEIL_STACK_KERNEL,
	SCHEDULER_OFF_WAKER_USER = 4,
	SCHEDULER_OFF_WAKER_KERNEL = 8,
};
const volatile __u32 scheduler_off_reads; /* which stacks are wanted */

/* How a task left its last CPU, and who woke it. `turn` is as in struct scheduler_since. */
struct scheduler_absence {
	__u64 left_ns;
	__u64 turn;
	__u64 woken_ns; /* 0: it was not */
	veil_comm_t waker_comm;
	__u32 waker_pid;
	__u32 waker_tid;
	__u32 state;  /* enum scheduler_state */
	__u32 nobody; /* bool: an interrupt woke it */
	veil_ustack_t ustack;
	veil_kstack_t kstack;
	veil_ustack_t waker_ustack;
	veil_kstack_t waker_kstack;
};

VEIL_TASK_STATE(sched_off, struct scheduler_absence, 65536);

/* The outgoing task is the running one still, so its stacks can be walked. */
static __always_inline void scheduler_off_leave(struct veil_task task, const __u64 *args, __u64 now)
{
	struct scheduler_absence *absence;
	__u32 tid = veil_task_tid(task);
	int exit_state = veil_task_read(task, exit_state);
	enum scheduler_state state = scheduler_state__RUNNING;

	if (!(bool)args[0])
		state = scheduler_state(scheduler_state_bits(task, args), exit_state);
	if (exit_state || state == scheduler_state__DEAD) {
		veil_task_state_drop(sched_off, tid);
		return;
	}
	if (!tid || scheduler_is_self(veil_task_pid(task)) || !veil_task_passes_again(task))
		return;
	if (state == scheduler_state__RUNNING && veil_task_is_throttled(task))
		state = scheduler_state__THROTTLED;
	absence = veil_task_state_make(sched_off, task, tid);
	if (!absence) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return;
	}
	absence->left_ns = now;
	absence->turn = scheduler_turn(task);
	absence->woken_ns = 0;
	absence->state = state;
	absence->ustack = scheduler_off_reads & SCHEDULER_OFF_USER ? veil_stack_current(VEIL_STACK_USER) : 0;
	absence->kstack =
	    scheduler_off_reads & SCHEDULER_OFF_KERNEL ? veil_stack_at((void *)args, VEIL_STACK_KERNEL) : 0;
}

static __always_inline int scheduler_off_wake(struct veil_task task, void *ctx)
{
	struct scheduler_absence *absence = veil_task_state_find(sched_off, task, veil_task_tid(task));
	struct veil_task waker = veil_current();

	if (!absence || absence->turn != scheduler_turn(task) || absence->woken_ns)
		return 0;
	absence->woken_ns = bpf_ktime_get_boot_ns();
	absence->nobody = !veil_task_tid(waker) || veil_is_interrupt(waker);
	veil_task_comm(waker, absence->waker_comm);
	absence->waker_pid = veil_task_pid(waker);
	absence->waker_tid = veil_task_tid(waker);
	absence->waker_ustack = scheduler_off_reads & SCHEDULER_OFF_WAKER_USER && !absence->nobody
				    ? veil_stack_current(VEIL_STACK_USER)
				    : 0;
	absence->waker_kstack =
	    scheduler_off_reads & SCHEDULER_OFF_WAKER_KERNEL ? veil_stack_at(ctx, VEIL_STACK_KERNEL) : 0;
	return 0;
}

static __always_inline void scheduler_off_emit(struct veil_task task, const struct scheduler_absence *absence,
					       __u32 cpu, __u64 now)
{
	struct scheduler_off_event counted, *event;
	struct veil_origin origin;
	__u32 uid = veil_task_uid(task);

	veil_task_origin(task, &origin);
	event = veil_reserve_as(&counted, &uid);
	if (!event)
		return;
	veil_task_comm(task, event->common.comm);
	event->common.pid = veil_task_pid(task);
	event->common.tid = veil_task_tid(task);
	event->common.uid = uid;
	event->common.kind = veil_module << 8 | scheduler_off_event_kind;
	event->common.timestamp = now;
	event->cpu = cpu;
	event->off_state = absence->state;
	event->off_cpu_ns = now - absence->left_ns;
	event->wait_ns = VEIL_DURATION_UNKNOWN;
	if (absence->state == scheduler_state__RUNNING || absence->state == scheduler_state__THROTTLED)
		event->wait_ns = event->off_cpu_ns;
	else if (absence->woken_ns)
		event->wait_ns = now - absence->woken_ns;
	/* Nobody woke a task that was put aside, and an interrupt is nobody. */
	if (absence->woken_ns && !absence->nobody) {
		__builtin_memcpy(event->waker_comm, absence->waker_comm, sizeof(event->waker_comm));
		event->waker_pid = absence->waker_pid;
		event->waker_tid = absence->waker_tid;
	} else {
		__builtin_memset(event->waker_comm, 0, sizeof(event->waker_comm));
		event->waker_comm[1] = '\xff'; /* VEIL_COMM_UNKNOWN */
		event->waker_pid = event->waker_tid = VEIL_PID_UNKNOWN;
	}
	event->ustack = absence->ustack;
	event->kstack = absence->kstack;
	event->waker_ustack = absence->woken_ns ? absence->waker_ustack : 0;
	event->waker_kstack = absence->woken_ns ? absence->waker_kstack : 0;
	veil_submit_as(event, sizeof(*event), &origin);
}

static __always_inline int scheduler_off_switch(const __u64 *args, struct veil_task prev, struct veil_task next)
{
	__u32 tid = veil_task_tid(next), cpu = bpf_get_smp_processor_id();
	__u64 now = bpf_ktime_get_boot_ns();
	struct scheduler_absence *absence;

	if (veil_self_ns_inode && !scheduler_self && veil_current_is_self(veil_task_pid(prev)))
		scheduler_self = veil_task_pid(prev);
	scheduler_off_leave(prev, args, now);
	if (!tid)
		return 0;
	absence = veil_task_state_find(sched_off, next, tid);
	if (!absence || !absence->left_ns || absence->turn != scheduler_turn(next))
		return 0; /* filtered out, or gone before the trace */
	if (veil_slower_ns && now - absence->left_ns < veil_slower_ns)
		return 0;
	if (!veil_filter_passes_early(cpu, &cpu) || scheduler_is_self(veil_task_pid(next)) || !veil_task_passes(next) ||
	    !veil_filter_passes_late(cpu, &cpu))
		return 0;
	scheduler_off_emit(next, absence, cpu, now);
	absence->left_ns = 0;
	return 0;
}

SEC("tp_btf/sched_switch")
int scheduler_off_tp_btf(__u64 *ctx)
{
	return scheduler_off_switch(ctx, veil_task_typed((void *)ctx[1]), veil_task_typed((void *)ctx[2]));
}

/* Where the waker runs: sched_wakeup may be on the CPU that the task is to go on on. */
SEC("tp_btf/sched_waking")
int BPF_PROG(scheduler_waking_tp_btf, struct task_struct *task)
{
	return scheduler_off_wake(veil_task_typed(task), ctx);
}

SEC("raw_tp/sched_switch")
int scheduler_off_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_off_switch(ctx->args, veil_task_at((void *)ctx->args[1]), veil_task_at((void *)ctx->args[2]));
}

SEC("raw_tp/sched_waking")
int scheduler_waking_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_off_wake(veil_task_at((void *)ctx->args[0]), ctx);
}

SEC("tp_btf/sched_switch")
int scheduler_switch_tp_btf(__u64 *ctx)
{
	return scheduler_switch(ctx, veil_task_typed((void *)ctx[1]), veil_task_typed((void *)ctx[2]));
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(scheduler_wake_tp_btf, struct task_struct *task)
{
	return scheduler_wake(veil_task_typed(task));
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(scheduler_new_tp_btf, struct task_struct *task)
{
	return scheduler_wake(veil_task_typed(task));
}

SEC("raw_tp/sched_switch")
int scheduler_switch_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_switch(ctx->args, veil_task_at((void *)ctx->args[1]), veil_task_at((void *)ctx->args[2]));
}

SEC("raw_tp/sched_wakeup")
int scheduler_wake_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_wake(veil_task_at((void *)ctx->args[0]));
}

SEC("raw_tp/sched_wakeup_new")
int scheduler_new_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_wake(veil_task_at((void *)ctx->args[0]));
}
