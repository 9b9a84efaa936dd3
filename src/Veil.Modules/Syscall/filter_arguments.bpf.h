/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --path and --fd: does any argument of a call name one of these paths, or is it one of these descriptors? */
#pragma once

#include "arguments.bpf.h"

#define VEIL_PATH_FILTER       path
#define VEIL_PATH_SOURCE(slot) syscall_path_source()
#define VEIL_PATH_SOURCE_BYTES SYSCALL_BYTES

static __always_inline const char *syscall_path_source(void)
{
	struct syscall_draft *draft = syscall_current_draft();

	return draft ? draft->bytes : NULL;
}

#include "veil/filter_path.bpf.h"

VEIL_FILTER(fd, __u32);

#define SYSCALL_FILTER_SLOT 1 /* the end's */

/* What the filter has for all paths of a call: its arguments (`paths`, a bit for each) and those behind descriptors. */
__noinline __u32 syscall_paths_bits(__u32 paths)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 place = veil_origin_size;
	__u32 bits = 0;

	if (!draft)
		return 0;
	for (int number = 0; number < SYSCALL_CHUNKS_MAX; number++) {
		struct syscall_chunk *chunk;
		bool is_path;

		asm volatile("" : "+r"(place));
		if (place >= draft->size || place > SYSCALL_BYTES - sizeof(*chunk))
			break;
		chunk = (void *)&draft->bytes[place];
		is_path = chunk->kind == SYSCALL_CHUNK_PATH ||
			  (chunk->kind == SYSCALL_CHUNK_VALUE && paths >> (chunk->arg & 7) & 1);
		if (is_path && !(chunk->flags & SYSCALL_UNREAD))
			bits |= veil_path_bits(SYSCALL_FILTER_SLOT, place + sizeof(*chunk), chunk->size,
					       chunk->flags & SYSCALL_DELETED);
		place += sizeof(*chunk) + ((chunk->size + 7ULL) & ~7ULL);
	}
	return bits;
}

static __always_inline __u32 syscall_fd_bits(__u64 value, __u32 mode)
{
	__u32 fd = value;

	return (__s32)fd < 0 ? 0 : veil_filter_find(fd, &fd, mode);
}

/* Asked at the end, when all is known: a call is one event, and is decided once. */
static __always_inline bool syscall_arguments_pass(const struct syscall_draft *draft)
{
	const struct syscall_plan *plan = syscall_plan_of(draft);
	__u32 mode = filter_fd_mode, bits = 0;
	struct veil_path_match *match;

	if (mode) {
		for (__u32 arg = 0; plan && arg < SYSCALL_ARGS; arg++) {
			if (plan->fds >> arg & 1)
				bits |= syscall_fd_bits(draft->event.call.args[arg], mode);
		}
		if (plan && plan->fds >> SYSCALL_FD_RETURNED && (__s64)draft->event.call.ret >= 0)
			bits |= syscall_fd_bits(draft->event.call.ret, mode);
		if (!veil_filter_counted(filter_fd_counter, veil_filter_decide(bits, mode)))
			return false;
	}
	if (!filter_path_mode)
		return true;
	match = veil_path_filter_start(SYSCALL_FILTER_SLOT);
	return !match || veil_path_filter_decide(match, plan ? syscall_paths_bits(plan->paths) : 0);
}

/* The same of another task's call, for an iterator: the functions above ask for the running task's. */
static __always_inline bool syscall_arguments_pass_of(const struct syscall_draft *draft)
{
	struct veil_task task = veil_current();
	struct syscall_draft *own;
	bool passes;

	if (!filter_fd_mode && !filter_path_mode)
		return true;
	own = veil_task_state_make(args, task, veil_task_tid(task));
	if (!own || bpf_probe_read_kernel(own, sizeof(*own), draft))
		return false;
	passes = syscall_arguments_pass(own);
	own->call.start_ns = 0;
	return passes;
}
