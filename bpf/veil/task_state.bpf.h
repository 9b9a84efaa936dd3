/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a module remembers of each thread. The kernel keeps it with the task where it can be asked for that at any
 * moment (docs/adr/0010-calls-kept-with-tasks.md): a third of the cost, and room for every thread. Else a hash has it
 * by the thread's id, up to `entries`, and the module deletes it when the thread ends.
 */
#pragma once

#include "task.bpf.h"

/*
 * Declares it, once in a module:
 * - module_in_tasks: it is kept with the task; set before load
 * - module_tasks, module_tids: the two maps, of which userspace has the other one not made
 * - module_nothing: what a thread has at first
 */
#define VEIL_TASK_STATE(module, value_type, entries)                                                                   \
	const volatile bool module##_in_tasks;                                                                         \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_TASK_STORAGE);                                                               \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                                  \
		__type(key, int);                                                                                      \
		__type(value, value_type);                                                                             \
	} module##_tasks SEC(".maps");                                                                                 \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_HASH);                                                                       \
		__uint(max_entries, entries);                                                                          \
		__type(key, __u32);                                                                                    \
		__type(value, value_type);                                                                             \
	} module##_tids SEC(".maps");                                                                                  \
	static const value_type module##_nothing

/* What is remembered of a task, or NULL. `tid` is looked at only where the hash has it. */
#define veil_task_state_find(module, task, tid)                                                                        \
	({                                                                                                             \
		void *state_;                                                                                          \
		if (module##_in_tasks) {                                                                               \
			state_ = bpf_task_storage_get(&module##_tasks, (task).address, NULL, 0);                       \
		} else {                                                                                               \
			__u32 tid_ = tid;                                                                              \
			state_ = bpf_map_lookup_elem(&module##_tids, &tid_);                                           \
		}                                                                                                      \
		state_;                                                                                                \
	})

/* The same, made where there is none. NULL: there is no room. */
#define veil_task_state_make(module, task, tid)                                                                        \
	({                                                                                                             \
		void *state_;                                                                                          \
		if (module##_in_tasks) {                                                                               \
			state_ = bpf_task_storage_get(&module##_tasks, (task).address, NULL,                           \
						      BPF_LOCAL_STORAGE_GET_F_CREATE);                                 \
		} else {                                                                                               \
			__u32 tid_ = tid;                                                                              \
			state_ = bpf_map_lookup_elem(&module##_tids, &tid_);                                           \
			if (!state_) {                                                                                 \
				bpf_map_update_elem(&module##_tids, &tid_, &module##_nothing, BPF_ANY);                \
				state_ = bpf_map_lookup_elem(&module##_tids, &tid_);                                   \
			}                                                                                              \
		}                                                                                                      \
		state_;                                                                                                \
	})

/* Forgets it. The kernel does that itself where it keeps it. */
#define veil_task_state_drop(module, tid)                                                                              \
	({                                                                                                             \
		__u32 tid_ = tid;                                                                                      \
		if (!module##_in_tasks)                                                                                \
			bpf_map_delete_elem(&module##_tids, &tid_);                                                    \
	})
