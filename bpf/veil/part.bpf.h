/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events with values of variable size. A draft is the event's struct followed by its parts, built in memory of its own
 * and sent with the size that it then has. A member of the struct says where each part is (struct veil_part).
 */
#pragma once

#include "emit.bpf.h"

#define VEIL_PART_MAX 4096 /* bytes of one part */

/* The masks are what the verifier sees: a part begins below VEIL_DRAFT_MAX / 2 and has less than that. */
#define veil_draft_place(number) ((number) & (VEIL_DRAFT_MAX / 2 - 1))

struct veil_draft {
	__u64 size; /* bytes used */
	char bytes[VEIL_DRAFT_MAX];
};

/* Starts an event of the running task whose struct has `size` bytes. */
static __always_inline void *veil_draft_start(struct veil_draft *draft, __u32 size)
{
	draft->size = size + veil_origin_size;
	if (veil_origin_size)
		veil_current_origin((void *)&draft->bytes[size]);
	if (veil_stacks_read)
		veil_behind_stacks(&draft->bytes[size], veil_current_stacks(NULL));
	return draft->bytes;
}

/* Adds an empty part. */
static __always_inline void veil_part_start(struct veil_draft *draft, struct veil_part *part)
{
	part->offset = draft->size;
	part->size = 0;
	part->truncated = 0;
	part->deleted = 0;
}

/* The event has no such value. */
static __always_inline void veil_part_omit(struct veil_part *part)
{
	__builtin_memset(part, 0, sizeof(*part));
}

/* Adds a part: bytes of kernel memory, up to VEIL_PART_MAX. */
static __always_inline void veil_part_add(struct veil_draft *draft, struct veil_part *part, const void *from,
					  __u32 size)
{
	__u32 place = veil_draft_place(draft->size);

	size = veil_draft_place(size);
	veil_part_start(draft, part);
	if (bpf_probe_read_kernel(&draft->bytes[place], size, from)) {
		part->truncated = 1;
		return;
	}
	part->size = size;
	draft->size = place + size;
}

static __always_inline void veil_draft_emit(struct veil_draft *draft)
{
	veil_output(draft->bytes, draft->size & (VEIL_DRAFT_MAX - 1));
}
