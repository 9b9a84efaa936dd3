/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting in the kernel: an event is not sent, but adds one to the count of its key. The key is a member of the event
 * struct, known by its offset, so every field of every module can be one. What is counted is in .rodata constants, so
 * the verifier removes the unused path: a tracing program has none of this in it, and a counting one no ring.
 */
#pragma once

#include "types.bpf.h"

const volatile bool veil_counting;

/* The key is a member of struct veil_origin, at this offset. */
const volatile bool veil_count_by_origin;
const volatile __u32 veil_count_origin_offset;

enum veil_count_key {
	VEIL_COUNT_KEY_NONE,  /* one count for all */
	VEIL_COUNT_KEY_WORD,  /* up to 8 bytes */
	VEIL_COUNT_KEY_BYTES, /* more, up to 24 */
	VEIL_COUNT_KEY_ERRNO, /* of a veil_ret_t, the errno alone */
	VEIL_COUNT_KEY_ARCH,  /* of a veil_syscall_t, the arch alone */
	VEIL_COUNT_KEY_PATH,
	VEIL_COUNT_KEY_ARGUMENT, /* the same, of a call's argument: a number is there with its call, as syscall says */
};
const volatile __u32 veil_count_key_kind;
const volatile __u32 veil_count_key_offset;
const volatile __u32 veil_count_key_size;

/* The number that a histogram is made of; size 0: no histogram. */
const volatile __u32 veil_count_value_offset;
const volatile __u32 veil_count_value_size;
const volatile bool veil_count_value_signed;
const volatile __u64 veil_count_value_none = ~0ULL; /* stands for none */

/* An event of fewer bytes lacks the key or the number. */
const volatile __u32 veil_count_event_size;

/* The kinds of event that have them, a bit each by their number in the module. */
const volatile __u64 veil_count_kinds = ~0ULL;
#define VEIL_COUNT_KIND_OFFSET 28 /* of veil_event.kind */

/* A duration is counted, which takes the time of the event. */
const volatile bool veil_count_needs_time;

/* There are two sets of counts: programs count in one while userspace reads and empties the other (--interval). */
const volatile bool veil_count_in_turns;
volatile __u32 veil_count_turn;

/* All modules start and stop counting at the same moment, however long attaching and detaching take. */
enum veil_count_state {
	VEIL_COUNT_IDLE, /* not started yet, or over */
	VEIL_COUNT_ACTIVE,
	VEIL_COUNT_DROP, /* paused */
};
volatile __u32 veil_count_state;

/* How many programs are counting in a set now. Userspace reads a set once there are none: a grace period of RCU would
 * do too, but takes seconds on a busy machine. Each shard has its cache line; CPUs beyond their number share. */
#define VEIL_COUNT_SHARDS 64
struct veil_count_running {
	__u64 programs;
	__u64 unused[7];
} veil_count_running[2][VEIL_COUNT_SHARDS];

#define VEIL_COUNT_WORDS    3
#define VEIL_COUNT_PATH_MAX 256
#define VEIL_COUNT_SMALL    1024
#define VEIL_DRAFT_MAX	    16384 /* of an event with parts; a power of two */
/* Slot 0 is for zero, slot n for 2^(n-1) up to 2^n. VEIL_HIST_MOST is for all that is more, VEIL_HIST_UNKNOWN for
 * events without a number. */
#define VEIL_HIST_MOST	  62
#define VEIL_HIST_UNKNOWN 63
#define VEIL_HIST_SLOTS	  64 /* a power of two: a mask is a bound that every verifier understands */

/* A path as a key. */
struct veil_count_path {
	__u32 size; /* all ones: the event has none */
	__u16 truncated;
	__u16 deleted;
	char bytes[VEIL_COUNT_PATH_MAX];
};

/* Events that are counted under no key. */
enum veil_count_rest {
	VEIL_COUNT_MAP_FULL,
	VEIL_COUNT_NO_FIELD, /* an event of a kind that lacks the field */
	VEIL_COUNT_PAUSED,
	VEIL_COUNT_RESTS,
};

/* The sizes are set before load: of a key, of a value (8, or 8 * VEIL_HIST_SLOTS), and how many. */
struct veil_counts {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__uint(key_size, 8);
	__uint(value_size, 8);
} veil_counts_0 SEC(".maps"), veil_counts_1 SEC(".maps");

/* Small numbers, and no key at all, are counted in an array, which costs half of a hash map. */
const volatile bool veil_count_small_keys;
struct veil_small_counts {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 8);
} veil_small_0 SEC(".maps"), veil_small_1 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * VEIL_COUNT_RESTS);
	__type(key, __u32);
	__type(value, __u64);
} veil_rests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct veil_count_path);
} veil_path_keys SEC(".maps");

const volatile __u64 veil_count_zeros[VEIL_HIST_SLOTS];

/* Per CPU, and still atomic: a program can be preempted or interrupted by another one. */
static __always_inline void veil_count_add(__u64 *count)
{
	__sync_fetch_and_add(count, 1);
}

static __always_inline __u64 *veil_count_running_here(__u32 turn)
{
	__u64 shard = bpf_get_smp_processor_id(), set = turn;

	veil_bound(shard, VEIL_COUNT_SHARDS - 1);
	veil_bound(set, 1);
	return &veil_count_running[set][shard].programs;
}

/*
 * Userspace switches to the other set, waits until no program is in the old one, and takes it. So a program reads the
 * turn again after it has entered. If it changed, the program enters both sets, since it may change once more:
 * whichever set is current then cannot be taken before the program has left.
 */
static __always_inline __u32 veil_count_enter(bool *both)
{
	__u32 turn = veil_count_turn & 1;

	__sync_fetch_and_add(veil_count_running_here(turn), 1);
	*both = (veil_count_turn & 1) != turn;
	if (*both) {
		__sync_fetch_and_add(veil_count_running_here(turn ^ 1), 1);
		turn = veil_count_turn & 1;
	}
	return turn;
}

static __always_inline void veil_count_leave(__u32 turn, bool both)
{
	__sync_fetch_and_add(veil_count_running_here(turn), -1);
	if (both)
		__sync_fetch_and_add(veil_count_running_here(turn ^ 1), -1);
}

static __always_inline void veil_count_rest(enum veil_count_rest rest, __u32 turn)
{
	__u32 slot = turn * VEIL_COUNT_RESTS + rest;
	__u64 *count = bpf_map_lookup_elem(&veil_rests, &slot);

	if (count)
		veil_count_add(count);
}

static __always_inline __u32 veil_count_log2(__u64 value)
{
	__u32 result, shift;

	result = (value > 0xffffffffULL) << 5;
	value >>= result;
	shift = (value > 0xffff) << 4;
	value >>= shift;
	result |= shift;
	shift = (value > 0xff) << 3;
	value >>= shift;
	result |= shift;
	shift = (value > 0xf) << 2;
	value >>= shift;
	result |= shift;
	shift = (value > 0x3) << 1;
	value >>= shift;
	result |= shift;
	return result | value >> 1;
}

/* A number in the event; signed ones are extended. */
static __always_inline __u64 veil_count_word(const void *member, __u32 size, bool is_signed)
{
	switch (size) {
	case 1:
		return *(const __u8 *)member;
	case 2:
		return *(const __u16 *)member;
	case 4:
		return is_signed ? (__u64)(__s64) * (const __s32 *)member : *(const __u32 *)member;
	default:
		/* Two words, because reads of the stack must be aligned, and a struct need not be. */
		return ((const __u32 *)member)[0] | (__u64)((const __u32 *)member)[1] << 32;
	}
}

static __always_inline __u64 veil_count_slot(const void *event)
{
	__u64 value, slot;

	if (!veil_count_value_size)
		return 0;
	value = veil_count_word(event + veil_count_value_offset, veil_count_value_size, veil_count_value_signed);
	if (value == veil_count_value_none || (veil_count_value_signed && (__s64)value < 0))
		return VEIL_HIST_UNKNOWN;
	slot = value ? veil_count_log2(value) + 1 : 0;
	if (slot > VEIL_HIST_MOST)
		slot = VEIL_HIST_MOST;
	veil_bound(slot, VEIL_HIST_SLOTS - 1);
	return slot;
}

#define veil_count_in(map, key, slot, turn)                                                                            \
	({                                                                                                             \
		__u64 *counts_ = bpf_map_lookup_elem(map, key);                                                        \
		if (!counts_) {                                                                                        \
			/* Fails if another CPU was first: then the key is there. */                                   \
			bpf_map_update_elem(map, key, (const void *)veil_count_zeros, BPF_NOEXIST);                    \
			counts_ = bpf_map_lookup_elem(map, key);                                                       \
		}                                                                                                      \
		if (counts_)                                                                                           \
			veil_count_add(counts_ + (slot));                                                              \
		else                                                                                                   \
			veil_count_rest(VEIL_COUNT_MAP_FULL, turn);                                                    \
	})

static __always_inline void veil_count_key_found(const void *key, __u64 slot, __u32 turn)
{
	if (turn)
		veil_count_in(&veil_counts_1, key, slot, turn);
	else
		veil_count_in(&veil_counts_0, key, slot, turn);
}

static __always_inline void veil_count_small(__u32 key, __u64 slot, __u32 turn)
{
	__u64 *count = turn ? bpf_map_lookup_elem(&veil_small_1, &key) : bpf_map_lookup_elem(&veil_small_0, &key);

	if (count)
		veil_count_add(count + slot);
}

static __always_inline void veil_count_path(const void *event, const void *member, __u32 turn)
{
	const struct veil_part *path = member;
	struct veil_count_path *key;
	__u64 size = path->size;
	__u32 zero = 0;

	key = bpf_map_lookup_elem(&veil_path_keys, &zero);
	if (!key)
		return;
	__builtin_memset(key, 0, sizeof(*key));
	key->truncated = path->truncated || size > VEIL_COUNT_PATH_MAX;
	key->deleted = path->deleted && size <= VEIL_COUNT_PATH_MAX;
	/* Compared again right before the call: 5.10's verifier forgets the bounds of a saved register. */
	asm volatile("" : "+r"(size));
	if (size > VEIL_COUNT_PATH_MAX)
		size = VEIL_COUNT_PATH_MAX;
	bpf_probe_read_kernel(key->bytes, size, event + (path->offset & (VEIL_DRAFT_MAX - 1)));
	key->size = path->offset ? size : ~0U;
	veil_count_key_found(key, veil_count_slot(event), turn);
}

static __always_inline void veil_count_in_turn(const void *event, __u64 size, const void *member, __u32 turn)
{
	__u32 kind = veil_count_key_kind;
	__u64 key[VEIL_COUNT_WORDS];

	if (veil_count_state == VEIL_COUNT_DROP) {
		veil_count_rest(VEIL_COUNT_PAUSED, turn);
		return;
	}
	if (veil_count_event_size > size ||
	    !(veil_count_kinds >> (*(const __u32 *)(event + VEIL_COUNT_KIND_OFFSET) & 63) & 1)) {
		veil_count_rest(VEIL_COUNT_NO_FIELD, turn);
		return;
	}
	if (kind >= VEIL_COUNT_KEY_PATH) {
		veil_count_path(event, member, turn);
		return;
	}
	if (kind == VEIL_COUNT_KEY_BYTES) {
		key[0] = veil_count_word(member, 8, false);
		key[1] = veil_count_word(member + 8, 8, false);
		key[2] = veil_count_key_size > 16 ? ((const __u32 *)member)[4] : 0;
	} else {
		key[0] = kind == VEIL_COUNT_KEY_NONE ? 0 : veil_count_word(member, veil_count_key_size, false);
		if (kind == VEIL_COUNT_KEY_ERRNO && key[0] < (__u64)-4095 && key[0] != (__u64)VEIL_RET_NONE)
			key[0] = 0;
		if (kind == VEIL_COUNT_KEY_ARCH)
			key[0] &= 0xffffffff00000000ULL;
		if (veil_count_small_keys && key[0] < VEIL_COUNT_SMALL) {
			veil_count_small(key[0], veil_count_slot(event), turn);
			return;
		}
	}
	veil_count_key_found(key, veil_count_slot(event), turn);
}

/* A call costs some 8 ns where the kernel guards every return, so a module with few programs and many events inlines
 * it. */
#ifndef VEIL_COUNT_INLINE
#define VEIL_COUNT_INLINE __noinline
#endif

/* Counts an event of `size` bytes by a member. Only those that veil_wants() need be set. */
static VEIL_COUNT_INLINE void veil_count(const void *event, __u64 size, const void *member)
{
	__u32 turn = 0;
	bool both = false;

	if (veil_count_state == VEIL_COUNT_IDLE)
		return;
	if (veil_count_in_turns)
		turn = veil_count_enter(&both);
	veil_count_in_turn(event, size, member, turn);
	if (veil_count_in_turns)
		veil_count_leave(turn, both);
}
