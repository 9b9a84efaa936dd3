/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter by path: folders, ends and parts of paths, and patterns. All of them together are one automaton, whose
 * states are bits of a few words; userspace makes it (PathAutomaton.cs). A byte of a path takes it from one set of
 * states to the next, so what a path costs depends on its length and on the words, not on the patterns, and a path that
 * no pattern can match any more costs nothing further.
 *
 * Define VEIL_PATH_FILTER first, the name of the dimension; path.bpf.h comes before.
 */
#pragma once

#include "filter.bpf.h"
#include "path.bpf.h"

#define VEIL_PATH_WORDS 8 /* 512 states: the bytes of all patterns, and one or two more for each */

struct veil_path_row {
	__u64 next[VEIL_PATH_WORDS]; /* the states that go on to the one after them */
	__u64 stay[VEIL_PATH_WORDS]; /* those that are kept */
};

/* PathAutomaton.cs has the same. */
struct veil_path_set {
	__u32 words;
	__u32 mode;
	__u64 first[VEIL_PATH_WORDS];
	__u64 allow[VEIL_PATH_WORDS];
	__u64 deny[VEIL_PATH_WORDS];
	struct veil_path_row rows[256]; /* by byte */
};

#define path_filter_of_(dimension, part) filter_##dimension##part
#define path_filter_of(dimension, part)	 path_filter_of_(dimension, part)
#define path_filter(part)		 path_filter_of(VEIL_PATH_FILTER, part)

/* As VEIL_FILTER: there are two sets, of which userspace changes the one that is not in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct veil_path_set);
} path_filter() SEC(".maps");
volatile __u32 path_filter(_mode);
volatile __u32 path_filter(_set);
const volatile __u32 path_filter(_counter);

#define PATH_MATCH_BYTES 32
#define PATH_MATCHES	 129 /* VEIL_PATH_MAX and one more */

/* The path that a slot's program is at. */
struct veil_path_match {
	__u32 set;
	__u32 mode;
	__u64 states[VEIL_PATH_WORDS];
	__u8 bytes[PATH_MATCH_BYTES];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VEIL_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct veil_path_match);
} path_matches SEC(".maps");

/* Where the paths are: the includer may have them elsewhere than in the draft of path.bpf.h. */
#ifndef VEIL_PATH_SOURCE
#define VEIL_PATH_SOURCE(slot) path_source_of(slot)
#define VEIL_PATH_SOURCE_BYTES VEIL_DRAFT_MAX
static __always_inline const char *path_source_of(__u32 slot)
{
	struct path_walk *walk = veil_path_walk(slot);

	return walk ? walk->draft.bytes : NULL;
}
#endif

/* Up to PATH_MATCH_BYTES of a path; 0 if nothing can match any more. */
__noinline int veil_path_match_some(__u32 slot, __u32 from, __u32 size)
{
	const char *source = VEIL_PATH_SOURCE(slot);
	__u64 place = from;
	struct veil_path_match *match = bpf_map_lookup_elem(&path_matches, &slot);
	struct veil_path_set *set;
	__u64 any = 0, states;
	__u32 number;

	if (!match)
		return 0;
	number = match->set;
	set = bpf_map_lookup_elem(&path_filter(), &number);
	if (!set || !source)
		return 0;
	asm volatile("" : "+r"(place));
	if (place > VEIL_PATH_SOURCE_BYTES - PATH_MATCH_BYTES)
		return 0;
	bpf_probe_read_kernel(match->bytes, PATH_MATCH_BYTES, source + place);
	if (set->words == 1) {
		states = match->states[0];
		for (__u32 at = 0; at < PATH_MATCH_BYTES; at++) {
			struct veil_path_row *row = &set->rows[match->bytes[at]];

			if (at >= size || !states)
				break;
			states = (states & row->next[0]) << 1 | (states & row->stay[0]);
		}
		match->states[0] = states;
		return states != 0;
	}
	for (__u32 at = 0; at < PATH_MATCH_BYTES; at++) {
		struct veil_path_row *row = &set->rows[match->bytes[at]];
		__u64 carry = 0;

		if (at >= size)
			break;
		any = 0;
		for (int word = 0; word < VEIL_PATH_WORDS; word++) {
			__u64 next = match->states[word] & row->next[word];

			states = next << 1 | carry | (match->states[word] & row->stay[word]);
			carry = next >> 63;
			match->states[word] = states;
			any |= states;
		}
		if (!any)
			break;
	}
	return any != 0;
}

/* VEIL_ALLOW and VEIL_DENY of the patterns that are at their end. */
static __always_inline __u32 path_match_bits(const struct veil_path_match *match, const struct veil_path_set *set)
{
	__u64 allowed = 0, denied = 0;

	for (int word = 0; word < VEIL_PATH_WORDS; word++) {
		allowed |= match->states[word] & set->allow[word];
		denied |= match->states[word] & set->deny[word];
	}
	return (allowed ? VEIL_ALLOW : 0) | (denied ? VEIL_DENY : 0);
}

#define PATH_DELETED_SIZE 10 /* " (deleted)" */

/* What the filter has for a path, which begins at a place in its source. A file whose name is gone is still the one
 * that was meant. */
__noinline __u32 veil_path_bits(__u32 slot, __u32 from, __u32 size, bool is_deleted)
{
	struct veil_path_match *match = bpf_map_lookup_elem(&path_matches, &slot);
	__u32 number, bits = 0, left = size, piece;
	struct veil_path_set *set;
	bool is_alive = true;

	if (!match)
		return 0;
	number = match->set;
	set = bpf_map_lookup_elem(&path_filter(), &number);
	if (!set)
		return 0;
	for (int word = 0; word < VEIL_PATH_WORDS; word++)
		match->states[word] = set->first[word];
	if (is_deleted && left >= PATH_DELETED_SIZE)
		left -= PATH_DELETED_SIZE;
	else
		is_deleted = false;
	for (int part = 0; part < PATH_MATCHES; part++) {
		piece = left < PATH_MATCH_BYTES ? left : PATH_MATCH_BYTES;
		if (!piece)
			break;
		if (!veil_path_match_some(slot, from, piece)) {
			is_alive = false;
			break;
		}
		from += piece;
		left -= piece;
	}
	if (!is_alive)
		return 0;
	bits = path_match_bits(match, set);
	if (is_deleted && veil_path_match_some(slot, from, PATH_DELETED_SIZE))
		bits |= path_match_bits(match, set);
	return bits;
}

/* Begins a decision; NULL: the filter lets all pass. Its mode and its set are read once. */
static __always_inline struct veil_path_match *veil_path_filter_start(__u32 slot)
{
	struct veil_path_match *match = bpf_map_lookup_elem(&path_matches, &slot);
	struct veil_path_set *set;
	__u32 number;

	if (!match)
		return NULL;
	number = match->set = path_filter(_set) & 1;
	set = bpf_map_lookup_elem(&path_filter(), &number);
	if (!set || !set->mode)
		return NULL;
	match->mode = set->mode;
	return match;
}

static __always_inline bool veil_path_filter_decide(const struct veil_path_match *match, __u32 bits)
{
	return veil_filter_counted(path_filter(_counter), veil_filter_decide(bits, match->mode));
}
