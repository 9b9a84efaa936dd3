/* SPDX-License-Identifier: GPL-3.0-only */
/* Context switches: who leaves a CPU and why, who takes it, and how long that one had waited. */
#include "veil/emit.bpf.h"
#include "veil/filter.bpf.h"
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
	if (bits & (TASK_INTERRUPTIBLE | TASK_WAKING)) /* TASK_WAKING hides which sleep it was; assume interruptible. */
		return scheduler_state__SLEEPING;
	if (bits & TASK_NOLOAD)
		return scheduler_state__IDLE;
	if (bits & TASK_NEW)
		return scheduler_state__NEW;
	return bits ? scheduler_state__DISK_SLEEP : scheduler_state__RUNNING;
}

/* Waiting is measured: somebody wants to see it. */
const volatile bool scheduler_waits;

/*
 * Since when a task is able to run, by the clock of events, and for which of its turns: the time of an earlier wait is
 * so never taken for that of this one, and nothing has to be cleared when a task goes to sleep.
 */
struct scheduler_since {
	__u64 time;
	__u64 turn;
};

/* Kept with the task where the hooks may make it there: they hold the lock of a run queue. */
const volatile bool scheduler_since_in_tasks;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct scheduler_since);
} scheduler_task_since SEC(".maps");

/* Else by the thread's id, until it ends. Where there is no room the wait is not known. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct scheduler_since);
} scheduler_since SEC(".maps");

static __always_inline struct scheduler_since *scheduler_since_of(bool btf, struct task_struct *task)
{
	__u32 tid;

	if (btf && scheduler_since_in_tasks)
		return bpf_task_storage_get(&scheduler_task_since, task, NULL, 0);
	tid = scheduler_read(btf, task, pid);
	return bpf_map_lookup_elem(&scheduler_since, &tid);
}

static __always_inline struct scheduler_since *scheduler_make_since(bool btf, struct task_struct *task)
{
	struct scheduler_since none = {}, *since;
	__u32 tid;

	if (btf && scheduler_since_in_tasks)
		return bpf_task_storage_get(&scheduler_task_since, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	tid = scheduler_read(btf, task, pid);
	since = bpf_map_lookup_elem(&scheduler_since, &tid);
	if (since)
		return since;
	bpf_map_update_elem(&scheduler_since, &tid, &none, BPF_ANY);
	return bpf_map_lookup_elem(&scheduler_since, &tid);
}

/* The kernel does it where it keeps them. */
static __always_inline void scheduler_forget(bool btf, struct task_struct *task)
{
	__u32 tid;

	if (btf && scheduler_since_in_tasks)
		return;
	tid = scheduler_read(btf, task, pid);
	bpf_map_delete_elem(&scheduler_since, &tid);
}

/* Which of its turns a task waits for; the first is 1. The kernel counts the task's leaves just before it tells of one.
 */
static __always_inline __u64 scheduler_turn(bool btf, struct task_struct *task)
{
	return scheduler_read(btf, task, nvcsw) + scheduler_read(btf, task, nivcsw) + 1;
}

/* Whom the filters mean: the task that the number or the key is of, where there is one. */
enum scheduler_side {
	SCHEDULER_EITHER,
	SCHEDULER_OUTGOING,
	SCHEDULER_INCOMING,
};

static __always_inline enum scheduler_side scheduler_side_of(__u32 offset)
{
	if (offset >= offsetof(struct scheduler_event, next_prio))
		return SCHEDULER_INCOMING;
	return offset == offsetof(struct scheduler_event, cpu) ||
		       offset == offsetof(struct scheduler_event, common.timestamp)
		   ? SCHEDULER_EITHER
		   : SCHEDULER_OUTGOING;
}

/* Constant, so the verifier keeps one of the ways. */
static __always_inline enum scheduler_side scheduler_side(void)
{
	if (veil_slower_ns)
		return SCHEDULER_INCOMING;
	if (veil_counting && veil_count_value_size)
		return scheduler_side_of(veil_count_value_offset);
	if (veil_counting && veil_count_key_kind)
		return scheduler_side_of(veil_count_key_offset);
	return SCHEDULER_EITHER;
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

static __always_inline bool scheduler_names_pass(bool btf, struct task_struct *one, struct task_struct *other)
{
	__u32 mode = filter_name_mode, bits;
	struct veil_name name;

	if (!mode)
		return true;
	scheduler_name(btf, one, &name);
	veil_name_end(&name);
	bits = veil_name_bits(&name);
	scheduler_name(btf, other, &name);
	veil_name_end(&name);
	return veil_filter_counted(filter_name_counter, veil_filter_decide(bits | veil_name_bits(&name), mode));
}

/*
 * A switch has two sides, and is left out as the tracer's own only where the other side is the idle task or the tracer
 * again: where it takes the CPU from somebody, that is the other one's switch too.
 */
static __always_inline bool scheduler_is_own(enum scheduler_side side, __u32 prev_tgid, __u32 next_tgid)
{
	if (side != SCHEDULER_EITHER)
		return scheduler_is_self(side == SCHEDULER_INCOMING ? next_tgid : prev_tgid);
	return (!prev_tgid || scheduler_is_self(prev_tgid)) && (!next_tgid || scheduler_is_self(next_tgid));
}

/* The filters are asked for both sides, or for one of them twice. */
static __always_inline bool scheduler_passes(bool btf, struct task_struct *prev, struct task_struct *next,
					     __u32 prev_tgid, __u32 next_tgid)
{
	enum scheduler_side side = scheduler_side();
	bool only_next = side == SCHEDULER_INCOMING, only_prev = side == SCHEDULER_OUTGOING;
	struct task_struct *one = only_next ? next : prev, *other = only_prev ? prev : next;
	__u32 one_id = only_next ? next_tgid : prev_tgid, other_id = only_prev ? prev_tgid : next_tgid;

	if (veil_self_ns_inode && !scheduler_self && veil_is_self(prev_tgid))
		scheduler_self = prev_tgid;
	if (scheduler_is_own(side, prev_tgid, next_tgid))
		return false;
	if (!veil_filter_either_passes(pid, &one_id, &other_id))
		return false;
	if (filter_tid_mode) {
		one_id = scheduler_read(btf, one, pid);
		other_id = scheduler_read(btf, other, pid);
		if (!veil_filter_either_passes(tid, &one_id, &other_id))
			return false;
	}
	if (filter_uid_mode) {
		one_id = scheduler_uid(btf, one);
		other_id = scheduler_uid(btf, other);
		if (!veil_filter_either_passes(uid, &one_id, &other_id))
			return false;
	}
	return scheduler_names_pass(btf, one, other);
}

/* Where the filters mean the task that waits alone, they tell already now whether anybody wants to know its wait. */
static __always_inline bool scheduler_wait_is_wanted(bool btf, struct task_struct *task)
{
	struct veil_name name;
	__u32 id;

	if (scheduler_side() != SCHEDULER_INCOMING)
		return true;
	if (filter_pid_mode) {
		id = scheduler_read(btf, task, tgid);
		if (!veil_filter_passes_again(pid, &id))
			return false;
	}
	if (filter_tid_mode) {
		id = scheduler_read(btf, task, pid);
		if (!veil_filter_passes_again(tid, &id))
			return false;
	}
	if (filter_uid_mode) {
		id = scheduler_uid(btf, task);
		if (!veil_filter_passes_again(uid, &id))
			return false;
	}
	if (!filter_name_mode)
		return true;
	scheduler_name(btf, task, &name);
	veil_name_end(&name);
	return veil_name_passes(&name, true);
}

/*
 * A task waits from now on. One that was preempted on its way to sleep is woken while it stands in the queue: it has
 * waited since it was preempted. What is there for a first turn is of an earlier task with that id.
 */
static __always_inline void scheduler_wait_begins(bool btf, struct task_struct *task, __u64 *now)
{
	struct scheduler_since *since;
	__u64 turn;

	if (!scheduler_wait_is_wanted(btf, task))
		return;
	since = scheduler_make_since(btf, task);
	turn = scheduler_turn(btf, task);
	if (since && (since->turn != turn || turn == 1)) {
		*now = bpf_ktime_get_boot_ns();
		since->time = *now;
		since->turn = turn;
	}
}

/*
 * The outgoing task waits again if it was preempted or gave way. The task's own state decides, as it does for the
 * kernel's books (sched_info_depart() in kernel/sched/stats.h): a signal may have kept it from a sleep that the hook
 * still tells of.
 */
static __always_inline void scheduler_leave(bool btf, bool preempted, struct task_struct *task, __u64 *now)
{
	struct task_struct___state *old = (void *)task;
	long state;

	if (!scheduler_read(btf, task, pid))
		return; /* the idle task waits for nothing */
	if (bpf_core_field_exists(task->__state))
		state = scheduler_read(btf, task, __state);
	else
		state = BPF_CORE_READ(old, state);
	if (preempted || !state)
		scheduler_wait_begins(btf, task, now);
	else if (state & TASK_DEAD)
		scheduler_forget(btf, task);
}

/* What the incoming task has waited, wherever it was moved meanwhile: the clock is one for all CPUs. */
static __always_inline veil_duration_t scheduler_wait(bool btf, struct task_struct *task, __u64 now)
{
	struct scheduler_since *since = scheduler_since_of(btf, task);

	if (!since || since->turn != scheduler_turn(btf, task))
		return VEIL_DURATION_UNKNOWN;
	return now - since->time;
}

/* `args` are those of the tracepoint: preempt, prev, next, and the state of prev where the kernel has it. */
static __always_inline int scheduler_switch(bool btf, const __u64 *args, struct task_struct *prev,
					    struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id(), prev_tgid, next_tgid;
	veil_duration_t wait = VEIL_DURATION_UNKNOWN;
	struct scheduler_event counted, *event;
	__u64 now = 0;

	/* Whoever is shown next may have waited since now. */
	if (scheduler_waits)
		scheduler_leave(btf, (bool)args[0], prev, &now);
	if (!veil_filter_passes_early(cpu, &cpu))
		return 0;
	prev_tgid = scheduler_read(btf, prev, tgid);
	next_tgid = scheduler_read(btf, next, tgid);
	if (!scheduler_passes(btf, prev, next, prev_tgid, next_tgid) || !veil_filter_passes_late(cpu, &cpu))
		return 0;
	if (scheduler_waits) {
		if (!now)
			now = bpf_ktime_get_boot_ns();
		wait = scheduler_wait(btf, next, now);
	}
	if (veil_slower_ns && (wait == VEIL_DURATION_UNKNOWN || wait < veil_slower_ns))
		return 0;
	event = veil_begin(&counted);
	if (!event)
		return 0;
	scheduler_name(btf, prev, (struct veil_name *)event->common.comm);
	event->common.pid = prev_tgid;
	event->common.tid = scheduler_read(btf, prev, pid);
	event->common.uid = scheduler_uid(btf, prev);
	event->common.kind = veil_module << 8 | scheduler_event_kind;
	event->common.timestamp = scheduler_waits ? now : veil_event_time();
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
	event->wait_ns = wait;
	veil_submit(event, sizeof(*event));
	return 0;
}

static __always_inline int scheduler_wakes(bool btf, struct task_struct *task)
{
	__u64 now;

	scheduler_wait_begins(btf, task, &now);
	return 0;
}

SEC("tp_btf/sched_switch")
int switch_tp_btf(__u64 *ctx)
{
	return scheduler_switch(true, ctx, (struct task_struct *)ctx[1], (struct task_struct *)ctx[2]);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(wakeup_tp_btf, struct task_struct *task)
{
	return scheduler_wakes(true, task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(wakeup_new_tp_btf, struct task_struct *task)
{
	return scheduler_wakes(true, task);
}

SEC("raw_tp/sched_switch")
int switch_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_switch(false, ctx->args, (struct task_struct *)ctx->args[1],
				(struct task_struct *)ctx->args[2]);
}

SEC("raw_tp/sched_wakeup")
int wakeup_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_wakes(false, (struct task_struct *)ctx->args[0]);
}

SEC("raw_tp/sched_wakeup_new")
int wakeup_new_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return scheduler_wakes(false, (struct task_struct *)ctx->args[0]);
}
