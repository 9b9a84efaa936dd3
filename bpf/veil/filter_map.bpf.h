/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters: one hash map for each dimension, changed by userspace while the trace runs. A value has an allow and a deny
 * bit, so one lookup decides both, deny first.
 */
#pragma once

#include "task.bpf.h"

#define VEIL_ALLOW	 1
#define VEIL_DENY	 2
#define VEIL_ANY	 (VEIL_ALLOW | VEIL_DENY)
#define VEIL_SINGLE	 (1ULL << 32)
#define VEIL_FILTER_KEYS 10240

/* How many events each filter has passed and dropped, for `status`. */
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

/*
 * Declares the filter by a dimension:
 * - filter_X: the map, from a key to its VEIL_ALLOW and VEIL_DENY
 * - filter_X_mode: VEIL_ALLOW if the map has any allowed key, VEIL_DENY if any denied one. 0: the filter is not in use,
 *   and costs a load and a branch
 * - filter_X_hint: bit n is set when a key whose lowest six bits are n is in the map. A clear bit is the answer without
 *   a lookup, which is most of what a filtered event would cost; the more keys, the less it helps, and it is never
 * wrong
 * - filter_X_single: VEIL_SINGLE and the key, where there is just one, of four bytes. Nothing is looked up then
 * - filter_X_counter: where filter_counts has the dimension: dropped events there, passed ones in the next slot. 0: its
 *   decisions are not counted, which costs nothing. Set before load
 */
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
 * Each filter counts an event once, in one order: first the filters of its task, then those of the module. A second
 * check (as a call ends, after one as it began) is made with `again`, and is not counted.
 */
#define veil_filter_counter(dimension, again) ((again) ? 0 : filter_##dimension##_counter)

/*
 * True if no key that begins with `low` is allowed: an early check, before the rest of the key is known and the task is
 * looked at. Not made when decisions are counted, because it would count events of tasks that other filters drop.
 */
#define veil_filter_excludes(dimension, low)                                                                           \
	(!filter_##dimension##_counter && (filter_##dimension##_mode & VEIL_ALLOW) &&                                  \
	 !veil_filter_may_hold(dimension, low))

/*
 * What the filter has for a key: VEIL_ALLOW, VEIL_DENY, both or neither. `mode` is read once and first: userspace
 * orders its stores so that an event is decided by the filter before a change or by the one after it (FilterChange.cs).
 * So no word is read twice for one decision.
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

/* `asked` are the bits that count: a followed task is asked for no allow. Where nothing is followed all count, and the
 * verifier is spared a smaller range. */
#define veil_filter_mode(mode, asked) (veil_follow && (asked) != VEIL_ANY ? (mode) & (asked) : (mode))

#define veil_filter_passes_as(dimension, key, again, asked)                                                            \
	({                                                                                                             \
		__u32 mode_ = veil_filter_mode(filter_##dimension##_mode, asked);                                      \
		!mode_ || veil_filter_counted(veil_filter_counter(dimension, again),                                   \
					      veil_filter_decide(veil_filter_find(dimension, key, mode_), mode_));     \
	})
#define veil_filter_passes(dimension, key)	 veil_filter_passes_as(dimension, key, false, VEIL_ANY)
#define veil_filter_passes_again(dimension, key) veil_filter_passes_as(dimension, key, true, VEIL_ANY)

/* For a filter of the module that is cheaper than those of the task: checked before them, but after them when decisions
 * are counted. A program checks both. */
#define veil_filter_passes_early(dimension, key)                                                                       \
	(filter_##dimension##_counter || veil_filter_passes_again(dimension, key))
#define veil_filter_passes_late(dimension, key) (!filter_##dimension##_counter || veil_filter_passes(dimension, key))

/* For an event with two sides: a deny of either key drops it, an allow of either is enough. */
#define veil_filter_either_passes(dimension, one, other, asked)                                                        \
	({                                                                                                             \
		__u32 mode_ = veil_filter_mode(filter_##dimension##_mode, asked);                                      \
		!mode_ || veil_filter_counted(filter_##dimension##_counter,                                            \
					      veil_filter_decide(veil_filter_find(dimension, one, mode_) |             \
								     veil_filter_find(dimension, other, mode_),        \
								 mode_));                                              \
	})

static __always_inline __u32 veil_filter_bits(const __u8 *found)
{
	return found ? *found : 0;
}

/* The rule: a denied key is dropped; if any key is allowed, all others are dropped too. */
static __always_inline bool veil_filter_decide(__u32 bits, __u32 mode)
{
	if (bits & VEIL_DENY)
		return false;
	return !(mode & VEIL_ALLOW) || (bits & VEIL_ALLOW);
}
