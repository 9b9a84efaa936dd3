/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Filters: one hash map per dimension, changed by userspace while the trace runs. A value carries an allow
 * and a deny bit, so one lookup decides both, deny first.
 *
 * `filter_X_mode` says whether a dimension holds any key at all: an unused one costs a load and a branch.
 * `filter_X_hint` has bit n set when a key whose lowest six bits are n is in the map. A clear bit is the answer without
 * a lookup, which is most of what a filtered event would cost; the more keys, the less it helps, and it is never wrong.
 */
#pragma once

#include "event.bpf.h"

#define VEIL_ALLOW	 1
#define VEIL_DENY	 2
#define VEIL_SINGLE	 (1ULL << 32)
#define VEIL_FILTER_KEYS 10240

/* What the filters in force let through and dropped, where somebody can ask for it: `filter_X_counter` is then a
 * dimension's place here, and 0 otherwise, which costs nothing. */
#define VEIL_FILTER_COUNTERS 32
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VEIL_FILTER_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} filter_counts SEC(".maps");

static __always_inline bool veil_filter_counted(__u32 counter, bool passes)
{
	__u32 slot = counter + passes;
	__u64 *count;

	if (!counter)
		return passes;
	count = bpf_map_lookup_elem(&filter_counts, &slot);
	if (count)
		__sync_fetch_and_add(count, 1);
	return passes;
}

#define VEIL_FILTER(dimension, key_type)                                                                               \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_HASH);                                                                       \
		__uint(max_entries, VEIL_FILTER_KEYS);                                                                 \
		__type(key, key_type);                                                                                 \
		__type(value, __u8);                                                                                   \
	} filter_##dimension SEC(".maps");                                                                             \
	volatile __u32 filter_##dimension##_mode;                                                                      \
	volatile __u64 filter_##dimension##_hint;                                                                      \
	volatile __u64 filter_##dimension##_single;                                                                    \
	const volatile __u32 filter_##dimension##_counter

/* `low` is the first word of a key. */
#define veil_filter_may_hold(dimension, low) (filter_##dimension##_hint >> ((__u32)(low) % 64) & 1)

/*
 * An event is counted once by each filter that it comes to, in one order: first the filters of its task, then those of
 * the module. What asks a second time (at the end of what it asked at the beginning) asks `again`, and is in no count.
 */
#define veil_filter_counter(dimension, again) ((again) ? 0 : filter_##dimension##_counter)

/*
 * No key like that is allowed, whatever the rest of it is: for a check before the rest is known, and before the task
 * is looked at. So it is left out where decisions are counted, or events of other tasks would be in the count.
 */
#define veil_filter_excludes(dimension, low)                                                                           \
	(!filter_##dimension##_counter && (filter_##dimension##_mode & VEIL_ALLOW) &&                                  \
	 !veil_filter_may_hold(dimension, low))

/*
 * What the filter says of a key: VEIL_ALLOW, VEIL_DENY, both or neither. `mode` is the dimension's, read once and
 * before all else: userspace orders its stores so that an event that reads in this order is decided by the filter
 * before a change or by the one after it (FilterChange.cs). So a word is never read twice for one decision.
 */
#define veil_filter_find(dimension, key, mode)                                                                         \
	({                                                                                                             \
		__u32 low_ = *(const __u32 *)(key), bits_ = 0;                                                         \
		__u64 single_ = sizeof(*(key)) == sizeof(__u32) ? filter_##dimension##_single : 0;                     \
		if (single_)                                                                                           \
			bits_ = single_ == (VEIL_SINGLE | low_) ? (mode) : 0;                                          \
		else if (veil_filter_may_hold(dimension, low_))                                                        \
			bits_ = veil_filter_bits(bpf_map_lookup_elem(&filter_##dimension, key));                       \
		bits_;                                                                                                 \
	})

#define veil_filter_passes_as(dimension, key, again)                                                                   \
	({                                                                                                             \
		__u32 mode_ = filter_##dimension##_mode;                                                               \
		!mode_ || veil_filter_counted(veil_filter_counter(dimension, again),                                   \
					      veil_filter_decide(veil_filter_find(dimension, key, mode_), mode_));     \
	})
#define veil_filter_passes(dimension, key)	 veil_filter_passes_as(dimension, key, false)
#define veil_filter_passes_again(dimension, key) veil_filter_passes_as(dimension, key, true)

/* A filter of the module that costs less than those of the task: asked before them where nothing is counted, and after
 * them where something is. Both have to be asked. */
#define veil_filter_passes_early(dimension, key)                                                                       \
	(filter_##dimension##_counter || veil_filter_passes_again(dimension, key))
#define veil_filter_passes_late(dimension, key) (!filter_##dimension##_counter || veil_filter_passes(dimension, key))

/* Of two keys, as an event has that has two sides: a deny of either says no, an allow of either is enough. */
#define veil_filter_either_passes(dimension, one, other)                                                               \
	({                                                                                                             \
		__u32 mode_ = filter_##dimension##_mode;                                                               \
		!mode_ || veil_filter_counted(filter_##dimension##_counter,                                            \
					      veil_filter_decide(veil_filter_find(dimension, one, mode_) |             \
								     veil_filter_find(dimension, other, mode_),        \
								 mode_));                                              \
	})

static __always_inline __u32 veil_filter_bits(const __u8 *found)
{
	return found ? *found : 0;
}

/* The whole rule: a deny says no; otherwise yes, unless something is allowed and this is not. */
static __always_inline bool veil_filter_decide(__u32 bits, __u32 mode)
{
	if (bits & VEIL_DENY)
		return false;
	return !(mode & VEIL_ALLOW) || (bits & VEIL_ALLOW);
}

/* A task name, or a part of one shifted to its front, as two words: windows of it are shifts, not loops over bytes. */
struct veil_name {
	__u64 low, high;
};

struct veil_name_verdict {
	__u32 generation;
	__u32 bits;
};

VEIL_FILTER(pid, __u32);
VEIL_FILTER(tid, __u32);
VEIL_FILTER(uid, __u32);
VEIL_FILTER(name, struct veil_name);

/* Bit L: the name filter holds a part that is L bytes long. Userspace raises the generation with every change. */
volatile __u32 filter_name_lengths;
volatile __u32 filter_name_generation;

/*
 * Is a part of the name in the filter? That takes a lookup for each window of the name, so the answer is remembered per
 * name and holds until the filter changes. A lost entry costs time, never an answer.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct veil_name);
	__type(value, struct veil_name_verdict);
} name_verdicts SEC(".maps");

/*
 * The last name that a CPU asked for: mostly it is the next one too, and then not even the map of verdicts is asked.
 * The check is over all the rest, because a program that was preempted in the middle of writing it may go on under the
 * eyes of another.
 */
struct veil_name_recent {
	struct veil_name name;
	__u32 generation;
	__u32 bits;
	__u64 check;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct veil_name_recent);
} name_recent SEC(".maps");

/* The thread group of the tracer itself, 0 with --include-self; its id in a PID namespace if that is not the initial
 * one. */
const volatile __u32 veil_self;
const volatile __u32 veil_self_helper; /* and of its helper process, or 0 */
const volatile __u64 veil_self_ns_device;
const volatile __u64 veil_self_ns_inode;

static __always_inline bool veil_is_self(__u32 tgid)
{
	struct bpf_pidns_info inside = {};

	if (!veil_self_ns_inode)
		return tgid && (tgid == veil_self || tgid == veil_self_helper);
	return veil_self &&
	       !bpf_get_ns_current_pid_tgid(veil_self_ns_device, veil_self_ns_inode, &inside, sizeof(inside)) &&
	       (inside.tgid == veil_self || inside.tgid == veil_self_helper);
}

/* Clears what follows the NUL: it is what is left of a longer name that the task had before. */
static __always_inline void veil_name_end(struct veil_name *name)
{
	/* The highest bit of the lowest zero byte; Mycroft's test is exact for that one. */
	__u64 low = (name->low - 0x0101010101010101ULL) & ~name->low & 0x8080808080808080ULL;
	__u64 high = (name->high - 0x0101010101010101ULL) & ~name->high & 0x8080808080808080ULL;

	if (high)
		name->high &= ((high & -high) >> 7) - 1;
	if (low) {
		name->low &= ((low & -low) >> 7) - 1;
		name->high = 0;
	}
}

/*
 * One window: the first bytes of a name that was shifted to it. A global function, because the verifier then walks it
 * once and not 120 times: that was a third of the time from exec to attached.
 */
__noinline __u32 veil_name_window(__u64 low, __u64 high, __u32 length)
{
	__u64 mask = (1ULL << 8 * (length & 7)) - 1;
	struct veil_name part = {.low = low, .high = high};
	__u8 *found;

	if (!(filter_name_lengths & (1u << (length & 31))))
		return 0;
	if (length < 8) {
		part.low &= mask;
		part.high = 0;
	} else {
		part.high &= mask;
	}
	found = bpf_map_lookup_elem(&filter_name, &part);
	return found ? *found : 0;
}

static __always_inline __u32 veil_name_search(const struct veil_name *name)
{
	__u64 low = name->low, high = name->high;
	__u8 bits = 0;

	for (int start = 0; start < 15; start++) {
		for (int length = 1; length <= 15 - start; length++)
			bits |= veil_name_window(low, high, length);
		low = low >> 8 | high << 56;
		high >>= 8;
	}
	return bits;
}

static __always_inline __u64 veil_name_check(const struct veil_name *name, __u32 generation, __u32 bits)
{
	return name->low * 0x9e3779b97f4a7c15ULL + name->high * 0xc2b2ae3d27d4eb4fULL + ((__u64)generation << 2 | bits);
}

static __always_inline __u32 veil_name_find(const struct veil_name *name, __u32 generation)
{
	struct veil_name_verdict *known, fresh;

	known = bpf_map_lookup_elem(&name_verdicts, name);
	if (known && known->generation == generation)
		return known->bits;
	/* The generation was read before the filter: a change in between makes this verdict stale, not wrong for ever.
	 */
	fresh.generation = generation;
	fresh.bits = veil_name_search(name);
	bpf_map_update_elem(&name_verdicts, name, &fresh, BPF_ANY);
	return fresh.bits;
}

static __always_inline __u32 veil_name_bits(const struct veil_name *name)
{
	__u32 zero = 0, generation = filter_name_generation, bits;
	volatile struct veil_name_recent *recent = bpf_map_lookup_elem(&name_recent, &zero);

	if (!recent)
		return veil_name_find(name, generation);
	if (recent->name.low == name->low && recent->name.high == name->high && recent->generation == generation) {
		bits = recent->bits;
		if (recent->check == veil_name_check(name, generation, bits))
			return bits;
	}
	bits = veil_name_find(name, generation);
	recent->name.low = name->low;
	recent->name.high = name->high;
	recent->generation = generation;
	recent->bits = bits;
	recent->check = veil_name_check(name, generation, bits);
	return bits;
}

static __always_inline bool veil_name_passes(const struct veil_name *name, bool again)
{
	__u32 mode = filter_name_mode;

	return !mode ||
	       veil_filter_counted(veil_filter_counter(name, again), veil_filter_decide(veil_name_bits(name), mode));
}

static __always_inline bool veil_task_passes_as(struct task_struct *task, bool again)
{
	__u32 tgid = veil_task_read(task, tgid);

	if (veil_is_self(tgid))
		return false;
	if (!veil_filter_passes_as(pid, &tgid, again))
		return false;
	if (filter_tid_mode) {
		__u32 tid = veil_task_read(task, pid);
		if (!veil_filter_passes_as(tid, &tid, again))
			return false;
	}
	if (filter_uid_mode) {
		__u32 uid = veil_task_uid(task);
		if (!veil_filter_passes_as(uid, &uid, again))
			return false;
	}
	if (filter_name_mode) {
		struct veil_name name;
		veil_task_comm(task, &name);
		veil_name_end(&name);
		if (!veil_name_passes(&name, again))
			return false;
	}
	return true;
}

/* The filters that every module has, over the running task; the cheap ones first. */
static __always_inline bool veil_task_passes(struct task_struct *task)
{
	return veil_task_passes_as(task, false);
}

static __always_inline bool veil_task_passes_again(struct task_struct *task)
{
	return veil_task_passes_as(task, true);
}

/* The same over a task that was remembered. */
static __always_inline bool veil_identity_passes(const struct veil_identity *identity)
{
	__u32 tgid = identity->pid, tid = identity->tid, uid = identity->uid;

	/* In a PID namespace of its own only the running task can be told to be the tracer. */
	if (!veil_self_ns_inode && tgid && (tgid == veil_self || tgid == veil_self_helper))
		return false;
	if (!veil_filter_passes(pid, &tgid) || !veil_filter_passes(tid, &tid) || !veil_filter_passes(uid, &uid))
		return false;
	if (filter_name_mode) {
		struct veil_name name;
		__builtin_memcpy(&name, identity->comm, sizeof(name));
		veil_name_end(&name);
		if (!veil_name_passes(&name, false))
			return false;
	}
	return true;
}
