/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting in the kernel: an event is not sent, but adds one to the count of its key. The key is one or more members of
 * the event struct, known by their offsets, so every field of every module can be one. What is counted is in .rodata
 * constants, so the verifier removes the unused path: a tracing program has none of this in it, and a counting one no
 * ring.
 */
#pragma once

#include "errno.bpf.h"
#include "types.bpf.h"

const volatile bool veil_counting;

enum veil_count_key {
	VEIL_COUNT_KEY_NONE,  /* one count for all */
	VEIL_COUNT_KEY_WORD,  /* up to 8 bytes */
	VEIL_COUNT_KEY_BYTES, /* more, up to 24 */
	VEIL_COUNT_KEY_ERRNO, /* of a veil_ret_t, the errno alone */
	VEIL_COUNT_KEY_ARCH,  /* of a veil_syscall_t, the arch alone */
	VEIL_COUNT_KEY_PATH,
	VEIL_COUNT_KEY_ARGUMENT, /* the same, of a call's argument: a number is there with its call, as syscall says */
};

/* What events are counted by: members of their struct, whose values follow each other in the key. */
#define VEIL_COUNT_FIELDS 4
struct veil_count_field {
	__u32 kind;   /* enum veil_count_key; VEIL_COUNT_KEY_NONE: there is no such field */
	__u32 offset; /* in the record */
	__u32 size;
	__u32 place;	 /* of its bytes in the key */
	__u32 of_origin; /* it is a member of struct veil_origin ... */
	__u32 origin_offset;
};
const volatile struct veil_count_field veil_count_fields[VEIL_COUNT_FIELDS];

/* Is one of them text, and of how many bytes at most? The key is then built in memory of its own. */
const volatile __u32 veil_count_text_max;
const volatile bool veil_count_by_origin;

/* The number that is added up, or that a histogram is made of; size 0: events are only counted. */
const volatile __u32 veil_count_value_offset;
const volatile __u32 veil_count_value_size;
const volatile bool veil_count_value_signed;
const volatile __u64 veil_count_value_none = ~0ULL; /* what stands where there is no number, extended */
const volatile bool veil_count_hist;
const volatile bool veil_count_sums;

/* The error of the event, a veil_ret_t, of the kinds of event that have one. */
const volatile __u32 veil_count_error_offset;
const volatile __u64 veil_count_error_kinds;

/* Words of the event struct, by 4 bytes, that are read here: what no bit is set for need not be set. */
const volatile __u64 veil_count_reads[4];

/* An event of fewer bytes lacks a key or the number. */
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
#define VEIL_COUNT_KEY_MAX  512	  /* what a hash map takes before 5.11 */
#define VEIL_DRAFT_MAX	    16384 /* of an event with parts; a power of two */
/* Slot 0 is for zero, slot n for 2^(n-1) up to 2^n. VEIL_HIST_MOST is for all that is more, VEIL_HIST_UNKNOWN for
 * events without a number. */
#define VEIL_HIST_MOST	  62
#define VEIL_HIST_UNKNOWN 63
#define VEIL_HIST_SLOTS	  64 /* a power of two: a mask is a bound that every verifier understands */

/* What follows the count, or the slots, of a key where there is a number. */
enum veil_count_sum {
	VEIL_COUNT_SUM_MOST,
	VEIL_COUNT_SUM_LOW,  /* the lower 32 bits of all numbers, added up, ... */
	VEIL_COUNT_SUM_HIGH, /* and the upper ones: 64 bits would turn over, with addresses soon */
	VEIL_COUNT_SUM_ERRORS,
	VEIL_COUNT_SUM_UNKNOWN, /* events without a number */
	VEIL_COUNT_SUMS,
};

/* A path as a key. */
struct veil_count_path {
	__u32 size; /* all ones: the event has none */
	__u16 truncated;
	__u16 deleted;
	char bytes[VEIL_COUNT_PATH_MAX];
};

/* Events that are in no sum. */
enum veil_count_rest {
	VEIL_COUNT_NO_FIELD, /* an event of a kind that lacks the field */
	VEIL_COUNT_PAUSED,
	VEIL_COUNT_RESTS,
};

/* The sizes are set before load: of a key, of a value (a count or slots, and sums), and how many. */
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

/* Of each set the events whose key found no room. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
} veil_others SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * VEIL_COUNT_RESTS);
	__type(key, __u32);
	__type(value, __u64);
} veil_rests SEC(".maps");

/* A key with text: one path, or up to four fields. */
struct veil_count_text_key {
	struct veil_count_path first;
	char more[VEIL_COUNT_KEY_MAX - sizeof(struct veil_count_path)];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct veil_count_text_key);
} veil_text_keys SEC(".maps");

const volatile __u64 veil_count_zeros[VEIL_HIST_SLOTS + VEIL_COUNT_SUMS];

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

static __always_inline __u64 veil_count_slot(__u64 value)
{
	__u64 slot = value ? veil_count_log2(value) + 1 : 0;

	if (slot > VEIL_HIST_MOST)
		slot = VEIL_HIST_MOST;
	veil_bound(slot, VEIL_HIST_SLOTS - 1);
	return slot;
}

static __always_inline bool veil_count_has_failed(const void *event)
{
	return veil_count_error_kinds >> (*(const __u32 *)(event + VEIL_COUNT_KIND_OFFSET) & 63) & 1 &&
	       veil_ret_is_error(veil_count_word(event + veil_count_error_offset, sizeof(veil_ret_t), true));
}

/*
 * Adds the event's number. The largest one is not atomic, as 5.10 has no such instruction: if a program interrupts
 * another one on its CPU at the two's store, and both have a number that is larger than all before, it may be lost.
 */
static __always_inline void veil_count_number(__u64 *counts, const void *event)
{
	__u64 value = veil_count_word(event + veil_count_value_offset, veil_count_value_size, veil_count_value_signed);
	bool is_known = value != veil_count_value_none && !(veil_count_value_signed && (__s64)value < 0);
	__u64 *sums = counts + (veil_count_hist ? VEIL_HIST_SLOTS : 1);

	veil_count_add(counts + (!veil_count_hist ? 0 : is_known ? veil_count_slot(value) : VEIL_HIST_UNKNOWN));
	if (is_known && value > sums[VEIL_COUNT_SUM_MOST])
		sums[VEIL_COUNT_SUM_MOST] = value;
	if (!veil_count_sums)
		return;
	if (is_known) {
		__sync_fetch_and_add(&sums[VEIL_COUNT_SUM_LOW], value & 0xffffffff);
		if (value >> 32)
			__sync_fetch_and_add(&sums[VEIL_COUNT_SUM_HIGH], value >> 32);
	} else {
		veil_count_add(&sums[VEIL_COUNT_SUM_UNKNOWN]);
	}
	if (veil_count_error_kinds && veil_count_has_failed(event))
		veil_count_add(&sums[VEIL_COUNT_SUM_ERRORS]);
}

/* The counts of a key, or NULL: the map is full. */
#define veil_count_of(map, key)                                                                                        \
	({                                                                                                             \
		__u64 *counts_ = bpf_map_lookup_elem(map, key);                                                        \
		if (!counts_) {                                                                                        \
			/* Fails if another CPU was first: then the key is there. */                                   \
			bpf_map_update_elem(map, key, (const void *)veil_count_zeros, BPF_NOEXIST);                    \
			counts_ = bpf_map_lookup_elem(map, key);                                                       \
		}                                                                                                      \
		counts_;                                                                                               \
	})

static __always_inline void veil_count_into(__u64 *counts, const void *event)
{
	if (!counts)
		return;
	if (veil_count_value_size)
		veil_count_number(counts, event);
	else
		veil_count_add(counts);
}

static __always_inline void veil_count_key_found(const void *key, const void *event, __u32 turn)
{
	__u64 *counts = turn ? veil_count_of(&veil_counts_1, key) : veil_count_of(&veil_counts_0, key);

	if (!counts)
		counts = bpf_map_lookup_elem(&veil_others, &turn);
	veil_count_into(counts, event);
}

/* Where a field of an event is. `origin` is NULL if it is in the record, `arguments` has a place for each field. */
static __always_inline const void *veil_count_member(int number, const void *event, const void *origin,
						     const struct veil_part *arguments)
{
	if (veil_count_fields[number].kind == VEIL_COUNT_KEY_ARGUMENT)
		return &arguments[number];
	if (origin && veil_count_fields[number].of_origin)
		return origin + veil_count_fields[number].origin_offset;
	return event + veil_count_fields[number].offset;
}

/* Writes the words of a key; 3 of them have room. */
static __always_inline void veil_count_words(int number, const void *member, __u64 *key)
{
	__u32 kind = veil_count_fields[number].kind;

	if (kind == VEIL_COUNT_KEY_BYTES) {
		key[0] = veil_count_word(member, 8, false);
		key[1] = veil_count_word(member + 8, 8, false);
		key[2] = veil_count_fields[number].size > 16 ? ((const __u32 *)member)[4] : 0;
		return;
	}
	key[0] = veil_count_word(member, veil_count_fields[number].size, false);
	if (kind == VEIL_COUNT_KEY_ERRNO && key[0] < (__u64)-VEIL_ERRNO_MAX && key[0] != (__u64)VEIL_RET_NONE)
		key[0] = 0;
	if (kind == VEIL_COUNT_KEY_ARCH)
		key[0] &= 0xffffffff00000000ULL;
}

static __always_inline void veil_count_text(const void *event, const struct veil_part *text,
					    struct veil_count_path *key)
{
	__u64 size = text->size;

	key->truncated = text->truncated || size > veil_count_text_max;
	key->deleted = text->deleted && size <= veil_count_text_max;
	/* Compared again right before the call: 5.10's verifier forgets the bounds of a saved register. */
	asm volatile("" : "+r"(size));
	if (size > veil_count_text_max)
		size = veil_count_text_max;
	bpf_probe_read_kernel(key->bytes, size, event + (text->offset & (VEIL_DRAFT_MAX - 1)));
	key->size = text->offset ? size : ~0U;
}

static __noinline void veil_count_by_text(const void *event, const void *origin, const struct veil_part *arguments,
					  __u32 turn)
{
	struct veil_count_text_key *key;
	__u32 zero = 0;

	key = bpf_map_lookup_elem(&veil_text_keys, &zero);
	if (!key)
		return;
	__builtin_memset(&key->first, 0, sizeof(key->first));
	if (veil_count_fields[1].kind)
		__builtin_memset(key->more, 0, sizeof(key->more));
	for (int number = 0; number < VEIL_COUNT_FIELDS && veil_count_fields[number].kind; number++) {
		const void *member = veil_count_member(number, event, origin, arguments);
		void *place = (void *)key + veil_count_fields[number].place;

		if (veil_count_fields[number].kind >= VEIL_COUNT_KEY_PATH)
			veil_count_text(event, member, place);
		else
			veil_count_words(number, member, place);
	}
	veil_count_key_found(key, event, turn);
}

static __noinline void veil_count_by_several(const void *event, const void *origin, __u32 turn)
{
	__u64 key[VEIL_COUNT_FIELDS * VEIL_COUNT_WORDS] = {};

	for (int number = 0; number < VEIL_COUNT_FIELDS && veil_count_fields[number].kind; number++)
		veil_count_words(number, veil_count_member(number, event, origin, NULL),
				 (void *)key + veil_count_fields[number].place);
	veil_count_key_found(key, event, turn);
}

/* A call costs some 8 ns where the kernel guards every return, so a module with few programs and many events inlines
 * it. In the others each way of building a key is a function, for the kernel allows 512 bytes of stack for all that are
 * under way, whatever each of them does. */
#ifndef VEIL_COUNT_INLINE
#define VEIL_COUNT_INLINE __noinline
#endif

static VEIL_COUNT_INLINE void veil_count_by_one(const void *event, const void *origin, __u32 turn)
{
	__u64 key[VEIL_COUNT_WORDS] = {};
	__u32 small;

	if (veil_count_fields[0].kind)
		veil_count_words(0, veil_count_member(0, event, origin, NULL), key);
	if (veil_count_small_keys && key[0] < VEIL_COUNT_SMALL) {
		small = key[0];
		veil_count_into(turn ? bpf_map_lookup_elem(&veil_small_1, &small)
				     : bpf_map_lookup_elem(&veil_small_0, &small),
				event);
		return;
	}
	veil_count_key_found(key, event, turn);
}

static __always_inline void veil_count_in_turn(const void *event, __u64 size, const void *origin,
					       const struct veil_part *arguments, __u32 turn)
{
	if (veil_count_state == VEIL_COUNT_DROP) {
		veil_count_rest(VEIL_COUNT_PAUSED, turn);
		return;
	}
	if (veil_count_event_size > size ||
	    !(veil_count_kinds >> (*(const __u32 *)(event + VEIL_COUNT_KIND_OFFSET) & 63) & 1)) {
		veil_count_rest(VEIL_COUNT_NO_FIELD, turn);
		return;
	}
	if (veil_count_text_max) {
		veil_count_by_text(event, origin, arguments, turn);
		return;
	}
	if (veil_count_fields[1].kind) {
		veil_count_by_several(event, origin, turn);
		return;
	}
	veil_count_by_one(event, origin, turn);
}

/* Counts an event of `size` bytes. Only those that veil_wants() need be set. */
static VEIL_COUNT_INLINE void veil_count(const void *event, __u64 size, const void *origin,
					 const struct veil_part *arguments)
{
	__u32 turn = 0;
	bool both = false;

	if (veil_count_state == VEIL_COUNT_IDLE)
		return;
	if (veil_count_in_turns)
		turn = veil_count_enter(&both);
	veil_count_in_turn(event, size, origin, arguments, turn);
	if (veil_count_in_turns)
		veil_count_leave(turn, both);
}
