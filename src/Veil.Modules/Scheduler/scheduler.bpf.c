/* SPDX-License-Identifier: GPL-3.0-only */
/* Context switches: who leaves a CPU and why, who takes it, and how long that one had waited. */
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"

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

VEIL_EVENT(0, scheduler_event);

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

#define TASK_ON_RQ_MIGRATING 2 /* of on_rq: taken from one queue to another */

/* The hook says in which state the task leaves. */
const volatile bool scheduler_has_state;

/* The tracer's id in the initial PID namespace, once it was seen to run: of other tasks than the running one only that
 * can be told. */
static __u32 scheduler_self;

/* A field of a task that is not the running one. Behind tp_btf a plain load, else a helper. */
#define scheduler_read(btf, task, field) ((btf) ? (task)->field : BPF_CORE_READ(task, field))

static __always_inline __u32 scheduler_uid(bool btf, struct task_struct *task)
{
	return btf ? task->cred->uid.val : BPF_CORE_READ(task, cred, uid.val);
}

static __always_inline bool scheduler_is_self(__u32 tgid)
{
	if (veil_self_ns_inode)
		return tgid && tgid == scheduler_self;
	return tgid && (tgid == veil_self || tgid == veil_self_helper);
}

/*
 * The hook's fourth argument is the state that the kernel itself decided by (5.18, commits fa2c3254d7cf and
 * 9c2136be0878). Read from the task, as it must be before, it may be TASK_WAKING already: another CPU wakes the task
 * while it leaves.
 */
static __always_inline long scheduler_state_bits(bool btf, struct task_struct *task, const __u64 *args)
{
	struct task_struct___state *old = (void *)task;

	if (scheduler_has_state)
		return (__u32)args[3];
	if (bpf_core_field_exists(task->__state))
		return scheduler_read(btf, task, __state);
	return BPF_CORE_READ(old, state);
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
	if (bits & (TASK_INTERRUPTIBLE | TASK_WAKING)) /* of the sleeps that a task is woken from the usual one */
		return scheduler_state__SLEEPING;
	if (bits & TASK_NOLOAD)
		return scheduler_state__IDLE;
	if (bits & TASK_NEW)
		return scheduler_state__NEW;
	return bits ? scheduler_state__DISK_SLEEP : scheduler_state__RUNNING;
}

/* What a task had waited in all when it last took a CPU, if that was seen. */
struct scheduler_turn {
	__u64 number; /* of the turn that comes next */
	__u64 waited_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct scheduler_turn);
} scheduler_turns SEC(".maps");

/* Kernels without CONFIG_SCHED_INFO or CONFIG_FAIR_GROUP_SCHED do not have these fields. */
static __always_inline bool scheduler_knows_wait(void)
{
	struct task_struct *task = NULL;

	return bpf_core_field_exists(task->sched_info.last_queued) && bpf_core_field_exists(task->se.cfs_rq) &&
	       bpf_core_field_exists(((struct cfs_rq *)0)->rq);
}

static __always_inline void scheduler_set_turn(struct scheduler_turn *known, __u32 tid, __u64 number, __u64 waited_ns)
{
	struct scheduler_turn turn = {.number = number, .waited_ns = waited_ns};

	if (known)
		*known = turn;
	else
		/* Without room, a later wait is not known if the task is moved meanwhile; that is said, not lost. */
		bpf_map_update_elem(&scheduler_turns, &tid, &turn, BPF_ANY);
}

/*
 * How long the task has waited for the CPU that it takes now: the kernel's own measure, by the queue's own clock,
 * before sched_info_arrive() in kernel/sched/stats.h adds it to /proc/PID/schedstat. So no wake-up has to be traced for
 * it. A task of any class has the pointer to its CPU's queue (set_task_rq() in kernel/sched/sched.h).
 *
 * A waiting task may be moved to another CPU's queue. What it had waited before goes into its sum, run_delay, and
 * last_queued begins anew. So the wait is the growth of the sum since its last turn, where that was seen; else it is
 * the time in this queue, and not known if the task was moved (scheduler_migrate).
 */
static __always_inline veil_duration_t scheduler_wait(bool btf, struct task_struct *task, __u32 tid)
{
	__u64 queued, now, wait, number, sum;
	struct scheduler_turn *turn;

	if (!scheduler_knows_wait())
		return VEIL_DURATION_UNKNOWN;
	queued = scheduler_read(btf, task, sched_info.last_queued);
	if (!queued)
		return VEIL_DURATION_UNKNOWN; /* the idle task is in no queue */
	now = btf ? task->se.cfs_rq->rq->clock : BPF_CORE_READ(task, se.cfs_rq, rq, clock);
	wait = now > queued ? now - queued : 0;
	number = scheduler_read(btf, task, sched_info.pcount);
	sum = scheduler_read(btf, task, sched_info.run_delay);

	turn = bpf_map_lookup_elem(&scheduler_turns, &tid);
	sum += wait;
	if (turn && turn->number == number) {
		if (turn->waited_ns == VEIL_DURATION_UNKNOWN)
			wait = VEIL_DURATION_UNKNOWN;
		else if (sum - wait >= turn->waited_ns)
			wait = sum - turn->waited_ns;
	}
	scheduler_set_turn(turn, tid, number + 1, sum);
	return wait;
}

/* A waiting task is moved, and is in no queue for the moment. If its sum at its last turn is not known, it is too late.
 */
static __always_inline int scheduler_migrate(bool btf, struct task_struct *task)
{
	struct scheduler_turn *turn;
	__u64 number;
	__u32 tid;
	__u64 on_rq = btf ? task->on_rq : BPF_CORE_READ_BITFIELD_PROBED(task, on_rq);

	if (on_rq != TASK_ON_RQ_MIGRATING || !scheduler_knows_wait())
		return 0;
	tid = scheduler_read(btf, task, pid);
	number = scheduler_read(btf, task, sched_info.pcount);
	turn = bpf_map_lookup_elem(&scheduler_turns, &tid);
	if (!turn || turn->number != number)
		scheduler_set_turn(turn, tid, number, VEIL_DURATION_UNKNOWN);
	return 0;
}

static __always_inline void scheduler_name(bool btf, struct task_struct *task, struct veil_name *name)
{
	if (btf) {
		name->low = *(__u64 *)&task->comm[0];
		name->high = *(__u64 *)&task->comm[8];
	} else {
		BPF_CORE_READ_INTO(name, task, comm);
	}
}

static __always_inline bool scheduler_names_pass(bool btf, struct task_struct *prev, struct task_struct *next)
{
	__u32 mode = filter_name_mode, bits;
	struct veil_name name;

	if (!mode)
		return true;
	scheduler_name(btf, prev, &name);
	veil_name_end(&name);
	bits = veil_name_bits(&name);
	scheduler_name(btf, next, &name);
	veil_name_end(&name);
	return veil_filter_counted(filter_name_counter, veil_filter_decide(bits | veil_name_bits(&name), mode));
}

/*
 * A switch has two sides, and is left out as the tracer's own only where the other side is the idle task or the tracer
 * again: where it takes the CPU from somebody, that is the other one's switch too.
 */
static __always_inline bool scheduler_passes(bool btf, struct task_struct *prev, struct task_struct *next,
					     __u32 prev_tgid, __u32 next_tgid)
{
	if (veil_self_ns_inode && !scheduler_self && veil_is_self(prev_tgid))
		scheduler_self = prev_tgid;
	if ((!prev_tgid || scheduler_is_self(prev_tgid)) && (!next_tgid || scheduler_is_self(next_tgid)))
		return false;
	if (!veil_filter_either_passes(pid, &prev_tgid, &next_tgid))
		return false;
	if (filter_tid_mode) {
		__u32 prev_tid = scheduler_read(btf, prev, pid);
		__u32 next_tid = scheduler_read(btf, next, pid);
		if (!veil_filter_either_passes(tid, &prev_tid, &next_tid))
			return false;
	}
	if (filter_uid_mode) {
		__u32 prev_uid = scheduler_uid(btf, prev);
		__u32 next_uid = scheduler_uid(btf, next);
		if (!veil_filter_either_passes(uid, &prev_uid, &next_uid))
			return false;
	}
	return scheduler_names_pass(btf, prev, next);
}

/* `args` are those of the tracepoint: preempt, prev, next, and the state of prev where the kernel has it. */
static __always_inline int scheduler_switch(bool btf, const __u64 *args, struct task_struct *prev,
					    struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id(), prev_tgid, next_tgid;
	struct scheduler_event counted, *event;

	if (!veil_filter_passes(cpu, &cpu))
		return 0;
	prev_tgid = scheduler_read(btf, prev, tgid);
	next_tgid = scheduler_read(btf, next, tgid);
	if (!scheduler_passes(btf, prev, next, prev_tgid, next_tgid))
		return 0;
	event = veil_begin(&counted);
	if (!event)
		return 0;
	scheduler_name(btf, prev, (struct veil_name *)event->common.comm);
	event->common.pid = prev_tgid;
	event->common.tid = scheduler_read(btf, prev, pid);
	event->common.uid = scheduler_uid(btf, prev);
	event->common.kind = veil_module << 8 | scheduler_event_kind;
	event->common.timestamp = veil_event_time();
	event->cpu = cpu;
	event->prev_prio = scheduler_read(btf, prev, prio);
	/* A task that is preempted is still to run, whatever it was about to do. */
	event->prev_state = (bool)args[0] ? scheduler_state__RUNNING
					  : scheduler_state(scheduler_state_bits(btf, prev, args),
							    scheduler_read(btf, prev, exit_state));
	scheduler_name(btf, next, (struct veil_name *)event->next_comm);
	event->next_pid = next_tgid;
	event->next_tid = scheduler_read(btf, next, pid);
	event->next_prio = scheduler_read(btf, next, prio);
	if (veil_wants(struct scheduler_event, wait_ns))
		event->wait_ns = scheduler_wait(btf, next, event->next_tid);
	veil_submit(event, sizeof(*event));
	return 0;
}

SEC("tp_btf/sched_switch")
int switch_tp_btf(__u64 *ctx)
{
	return scheduler_switch(true, ctx, (struct task_struct *)ctx[1], (struct task_struct *)ctx[2]);
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(migrate_tp_btf, struct task_struct *task)
{
	return scheduler_migrate(true, task);
}

SEC("raw_tp/sched_switch")
int switch_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_switch(false, ctx->args, (struct task_struct *)ctx->args[1],
				(struct task_struct *)ctx->args[2]);
}

SEC("raw_tp/sched_migrate_task")
int migrate_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_migrate(false, (struct task_struct *)ctx->args[0]);
}
