/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: what they execute, whom they fork, how they end, and whom the kernel kills for their memory. */
#include "veil/arch.bpf.h"
#include "veil/filter.bpf.h"
#include "veil/task_state.bpf.h"

/* The programs that build events. */
enum process_slot {
	PROCESS_SLOT_EXEC,
	PROCESS_SLOT_REFUSED,
	PROCESS_SLOT_FORK,
	PROCESS_SLOT_EXIT,
	PROCESS_SLOT_MEMORY,
	PROCESS_SLOT_FREE,
	PROCESS_SLOT_OOM,
	PROCESS_SLOTS,
};
#define VEIL_PATH_SLOTS PROCESS_SLOTS
#include "veil/path.bpf.h"

char _license[] SEC("license") = "GPL";

/* The order is ProcessModule's. */
enum process_type {
	process_type__EXEC,
	process_type__EXIT,
	process_type__FORK,
	process_type__OOM,
};

struct process_event {
	struct veil_event common;
	enum process_type evt_type;
	veil_pid_t ppid;
	veil_comm_t parent_comm;
	veil_fact_t thread; /* FORK, EXIT: of a thread, not of a process */
	veil_some_pid_t child_pid;
	veil_some_pid_t child_tid;
	veil_exit_code_t exit_code;
	veil_some_signal_t exit_signal;
	veil_fact_t core_dumped;
	veil_some_number_t oom_score_adj;
	veil_some_pid_t oom_pid;
	veil_some_ret_t ret;
	veil_some_duration_t duration_ns; /* of its life */
	veil_some_duration_t cpu_ns;
	veil_some_bytes_t max_rss_bytes;
	veil_some_bytes_t total_vm_bytes;
	veil_some_bytes_t anon_rss_bytes;
	veil_some_bytes_t file_rss_bytes;
	veil_some_bytes_t shmem_rss_bytes;
	veil_some_bytes_t pgtables_bytes;
	veil_some_comm_t oom_comm; /* who asked for memory that was not there */
	veil_path_t filename;
	veil_argv_t argv;
	veil_path_t exe;
	veil_path_t cwd;
};

VEIL_EVENT(0, process_event);

VEIL_FILTER(event, __u32);

const volatile bool veil_only_failed;
const volatile bool process_threads;
const volatile bool process_has_group_dead; /* the hook says whether the last thread ends */
const volatile bool process_frees_later;    /* the memory is freed after the hook */
const volatile __u32 process_page_bytes = 4096;

#define PROCESS_ERRNO_MAX 4095
#define PF_KTHREAD	  0x00200000 /* include/linux/sched.h */
#define SIGNAL_GROUP_EXIT 4	     /* include/linux/sched/signal.h */
#define MM_FILEPAGES	  0	     /* include/linux/mm_types_task.h */
#define MM_ANONPAGES	  1
#define MM_SHMEMPAGES	  3

/*
 * What EXEC found out, for EXIT: the kernel has it no more there, or a process has written over it. Most have little;
 * a process has one of the two. Where there is no room EXIT reads what is left of it, and a loss says so.
 */
#define PROCESS_KEPT_BYTES	832
#define PROCESS_KEPT_LONG_BYTES (3 * VEIL_PART_MAX)

struct process_parts {
	veil_path_t filename;
	veil_argv_t argv;
	veil_path_t exe;
};

struct process_kept {
	struct process_parts parts;
	__u64 size; /* 0: it has the other one, or none */
	char bytes[PROCESS_KEPT_BYTES];
};

struct process_kept_long {
	struct process_parts parts;
	__u64 size;
	char bytes[PROCESS_KEPT_LONG_BYTES];
};

VEIL_TASK_STATE(kept, struct process_kept, 8192);
VEIL_TASK_STATE(kept_long, struct process_kept_long, 512);

/* Copies `size` bytes, at most `most`, a constant. */
#define process_copy(to, from, size, most)                                                                             \
	({                                                                                                             \
		__u64 bytes_ = (size);                                                                                 \
		asm volatile("" : "+r"(bytes_));                                                                       \
		if (bytes_ > (most))                                                                                   \
			bytes_ = (most);                                                                               \
		bpf_probe_read_kernel(to, bytes_, from);                                                               \
	})

/* The place where the next part begins; one that does not fit there is cut. */
#define PROCESS_PLACE_MAX (VEIL_DRAFT_MAX - VEIL_PART_MAX - 8)

/* Where parts begin: after the struct. */
#define process_parts_start() (sizeof(struct process_event) + veil_origin_size)

static __always_inline void process_parts_keep(struct veil_task leader, struct veil_draft *draft)
{
	struct process_event *event = (void *)draft->bytes;
	__u64 size = draft->size - process_parts_start();
	__u32 pid = veil_task_pid(leader);
	struct process_kept *kept;
	struct process_kept_long *kept_long;

	kept = veil_task_state_make(kept, leader, pid);
	if (size <= PROCESS_KEPT_BYTES) {
		if (kept) {
			__builtin_memcpy(&kept->parts, &event->filename, sizeof(kept->parts));
			process_copy(kept->bytes, &draft->bytes[process_parts_start()], size, PROCESS_KEPT_BYTES);
			kept->size = size;
			return;
		}
	} else {
		if (kept)
			kept->size = 0;
		kept_long = veil_task_state_make(kept_long, leader, pid);
		if (kept_long) {
			__builtin_memcpy(&kept_long->parts, &event->filename, sizeof(kept_long->parts));
			process_copy(kept_long->bytes, &draft->bytes[process_parts_start()], size,
				     PROCESS_KEPT_LONG_BYTES);
			kept_long->size = size;
			return;
		}
	}
	veil_lost(VEIL_LOST_MAP_FULL);
}

/* A child goes on with its parent's program. */
static __always_inline void process_parts_inherit(struct veil_task parent, struct veil_task child)
{
	struct process_kept *from, *to;
	struct process_kept_long *from_long, *to_long;
	__u32 parent_pid = veil_task_pid(parent), pid = veil_task_pid(child);

	from = veil_task_state_find(kept, parent, parent_pid);
	if (!from) {
		veil_task_state_drop(kept, pid);
		return;
	}
	to = veil_task_state_make(kept, child, pid);
	if (!to) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return;
	}
	__builtin_memcpy(&to->parts, &from->parts, sizeof(to->parts));
	process_copy(to->bytes, from->bytes, from->size, PROCESS_KEPT_BYTES);
	to->size = from->size;
	if (from->size)
		return;
	from_long = veil_task_state_find(kept_long, parent, parent_pid);
	if (!from_long || !from_long->size)
		return;
	to_long = veil_task_state_make(kept_long, child, pid);
	if (!to_long) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return;
	}
	__builtin_memcpy(&to_long->parts, &from_long->parts, sizeof(to_long->parts));
	process_copy(to_long->bytes, from_long->bytes, from_long->size, PROCESS_KEPT_LONG_BYTES);
	to_long->size = from_long->size;
}

/* Begins an event about which nothing is known yet. */
static __always_inline struct process_event *process_event_start(struct veil_draft *draft, enum process_type type)
{
	struct process_event *event = veil_draft_start(draft, sizeof(*event));

	event->evt_type = type;
	event->ppid = VEIL_PID_UNKNOWN;
	__builtin_memcpy(event->parent_comm, VEIL_COMM_UNKNOWN, sizeof(VEIL_COMM_UNKNOWN));
	event->thread = 0;
	event->child_pid = event->child_tid = -1;
	event->exit_code = -1;
	event->exit_signal = 0;
	event->core_dumped = -1;
	event->oom_score_adj = VEIL_SOME_NUMBER_NONE;
	event->oom_pid = -1;
	event->ret = VEIL_RET_NONE;
	event->duration_ns = event->cpu_ns = event->max_rss_bytes = event->total_vm_bytes = -1;
	event->anon_rss_bytes = event->file_rss_bytes = event->shmem_rss_bytes = event->pgtables_bytes = -1;
	__builtin_memcpy(event->oom_comm, VEIL_COMM_UNKNOWN, sizeof(VEIL_COMM_UNKNOWN));
	veil_part_omit(&event->cwd);
	veil_part_omit(&event->filename);
	veil_part_omit(&event->argv);
	veil_part_omit(&event->exe);
	return event;
}

/* The place of the next part, which is begun there. */
static __always_inline __u64 process_part_start(struct veil_draft *draft, struct veil_part *part)
{
	__u64 place = draft->size;

	veil_part_start(draft, part);
	asm volatile("" : "+r"(place));
	if (place > PROCESS_PLACE_MAX) {
		part->truncated = 1;
		place = PROCESS_PLACE_MAX;
	}
	return place;
}

static __always_inline void process_part_end(struct veil_draft *draft, struct veil_part *part, __u64 size)
{
	if (part->truncated && part->offset > PROCESS_PLACE_MAX)
		return;
	part->size = size;
	draft->size = part->offset + size;
}

static __always_inline void process_add_string(struct veil_draft *draft, struct veil_part *part, const void *from,
					       bool from_user)
{
	__u64 place = process_part_start(draft, part);
	long length = from_user ? bpf_probe_read_user_str(&draft->bytes[place], VEIL_PART_MAX, from)
				: bpf_probe_read_kernel_str(&draft->bytes[place], VEIL_PART_MAX, from);

	if (length <= 0)
		veil_part_omit(part);
	else
		process_part_end(draft, part, length - 1);
}

static __always_inline void process_add_path(__u32 slot, struct path_walk *walk, struct veil_part *part,
					     const struct path *path)
{
	__u64 place, size, start;

	veil_path_resolve(slot, (__u64)BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt));
	place = process_part_start(&walk->draft, part);
	start = walk->start & (VEIL_PATH_MAX - 1);
	size = VEIL_PATH_MAX - start;
	process_copy(&walk->draft.bytes[place], &walk->bytes[start], size, VEIL_PART_MAX);
	process_part_end(&walk->draft, part, size);
	part->truncated |= walk->truncated;
	part->deleted = walk->deleted;
}

static __always_inline void process_add_exe(__u32 slot, struct path_walk *walk, struct veil_part *part,
					    struct mm_struct *mm)
{
	struct file *file = BPF_CORE_READ(mm, exe_file);

	if (file)
		process_add_path(slot, walk, part, &file->f_path);
}

static __always_inline void process_add_cwd(__u32 slot, struct path_walk *walk, struct veil_part *part,
					    struct veil_task task)
{
	struct fs_struct *fs = veil_task_read(task, fs);

	if (fs)
		process_add_path(slot, walk, part, &fs->pwd);
}

/* The arguments where the kernel has put them. Of a page that is not there nothing can be read. */
static __always_inline void process_add_argv(struct veil_draft *draft, struct veil_part *part, struct mm_struct *mm)
{
	__u64 from = BPF_CORE_READ(mm, arg_start), size = BPF_CORE_READ(mm, arg_end) - from;
	__u64 place = process_part_start(draft, part), page;

	asm volatile("" : "+r"(size));
	if (size > VEIL_PART_MAX) {
		size = VEIL_PART_MAX;
		part->truncated = 1;
	}
	if (!bpf_probe_read_user(&draft->bytes[place], size, (void *)from)) {
		process_part_end(draft, part, size);
		return;
	}
	page = VEIL_PART_MAX - (from & (VEIL_PART_MAX - 1));
	asm volatile("" : "+r"(page));
	if (page < size && page <= VEIL_PART_MAX && !bpf_probe_read_user(&draft->bytes[place], page, (void *)from)) {
		process_part_end(draft, part, page);
		part->truncated = 1;
		return;
	}
	veil_part_omit(part);
}

static __always_inline bool process_is_execveat(const struct veil_syscall *syscall)
{
	switch (syscall->arch) {
	case VEIL_ARCH_X86_64:
		return syscall->nr == 322;
	case VEIL_ARCH_X32:
		return (syscall->nr & ~0x40000000) == 545;
	case VEIL_ARCH_ARM64:
		return syscall->nr == 281;
	case VEIL_ARCH_I386:
		return syscall->nr == 358;
	default:
		return syscall->nr == 387;
	}
}

static __always_inline __u32 process_pointer_bytes(enum veil_arch arch)
{
	return arch == VEIL_ARCH_X86_64 || arch == VEIL_ARCH_ARM64 ? 8 : 4;
}

/*
 * Of a script the kernel puts its interpreter and its path where argv[0] was (fs/binfmt_script.c). That is noted as the
 * call begins. One that never ends is evicted.
 */
#define PROCESS_NAME_MAX 256

struct process_asked {
	__u64 length; /* with the NUL; 0: not known */
	char name[PROCESS_NAME_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct process_asked);
} process_asked SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct process_asked);
} process_asking SEC(".maps");

static __always_inline int process_ask(struct veil_syscall syscall, void *regs)
{
	__u32 tid = veil_current_tid(), zero = 0;
	struct process_asked *asked = bpf_map_lookup_elem(&process_asking, &zero);
	__u64 array, pointer = 0;
	long length;

	if (!asked)
		return 0;
	array = process_is_execveat(&syscall) ? veil_syscall_arg2(regs, syscall.arch)
					      : veil_syscall_arg1(regs, syscall.arch);
	bpf_probe_read_user(&pointer, process_pointer_bytes(syscall.arch), (void *)array);
	length = bpf_probe_read_user_str(asked->name, sizeof(asked->name), (void *)pointer);
	asked->length = length > 0 ? length : 0;
	bpf_map_update_elem(&process_asked, &tid, asked, BPF_ANY);
	return 0;
}

#define PROCESS_SCRIPT_DEPTH 12 /* the kernel goes through five interpreters, of which each may have an argument */

/* Bytes of the arguments before those that a script was given; 0: they are as they were. */
__noinline int process_skip_interpreter(__u32 slot)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct process_event *event;
	__u64 skip = 0;

	if (!walk)
		return 0;
	event = (void *)walk->draft.bytes;
	for (int argument = 0; argument < PROCESS_SCRIPT_DEPTH; argument++) {
		__u64 place = event->argv.offset + skip, filename = event->filename.offset, size, differs = 0;
		__u64 *own = (__u64 *)walk->bytes, *asked = own + PROCESS_NAME_MAX / sizeof(*own);
		long length;

		if (skip >= event->argv.size || place > PROCESS_PLACE_MAX || filename > PROCESS_PLACE_MAX)
			return 0;
		__builtin_memset(walk->bytes, 0, 2 * PROCESS_NAME_MAX);
		length = bpf_probe_read_kernel_str(walk->bytes, PROCESS_NAME_MAX, &walk->draft.bytes[place]);
		if (length <= 0)
			return 0;
		skip += length;
		size = length - 1;
		if (size != event->filename.size && length != PROCESS_NAME_MAX)
			continue;
		/* By words, with zeroes behind the names: byte by byte the verifier would go each way. */
		veil_bound(size, PROCESS_NAME_MAX - 1);
		bpf_probe_read_kernel(asked, size, &walk->draft.bytes[filename]);
		for (__u32 word = 0; word < PROCESS_NAME_MAX / sizeof(*own); word++)
			differs |= own[word] ^ asked[word];
		if (!differs)
			return skip;
	}
	return 0;
}

/* The arguments of a call that was refused: an array of pointers. */
struct process_array {
	__u64 at;
	__u32 pointer_bytes;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct process_array);
} process_arrays SEC(".maps");

#define PROCESS_ARRAY_STEPS 16
#define PROCESS_ARRAY_RUNS  257 /* 4,096 empty arguments */

/* Some of them; 1 if there are more. */
__noinline int process_add_some(__u32 slot)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct process_array *array;
	struct process_event *event;
	__u32 zero = 0;

	array = bpf_map_lookup_elem(&process_arrays, &zero);
	if (!walk || !array)
		return 0;
	event = (void *)walk->draft.bytes;
	for (int step = 0; step < PROCESS_ARRAY_STEPS; step++) {
		__u64 pointer = 0, place = walk->draft.size, room = VEIL_PART_MAX - event->argv.size;
		long length;

		if (array->pointer_bytes == 4 ? bpf_probe_read_user(&pointer, 4, (void *)array->at)
					      : bpf_probe_read_user(&pointer, 8, (void *)array->at)) {
			event->argv.truncated = 1;
			return 0;
		}
		if (!pointer)
			return 0;
		array->at += array->pointer_bytes;
		asm volatile("" : "+r"(place), "+r"(room));
		if (!room || room > VEIL_PART_MAX || place > PROCESS_PLACE_MAX) {
			event->argv.truncated = 1;
			return 0;
		}
		/* One byte more than fits, so that a cut argument is noticed. */
		length = bpf_probe_read_user_str(&walk->draft.bytes[place], room + 1, (void *)pointer);
		if (length < 0 || (__u64)length > room) {
			event->argv.truncated = 1;
			length = length < 0 ? 0 : room;
		}
		event->argv.size += length;
		walk->draft.size += length;
		if (event->argv.truncated)
			return 0;
	}
	return 1;
}

/* The first thread of its process. */
static __always_inline struct veil_task process_leader(struct veil_task task)
{
	task.address = veil_task_read(task, group_leader);
	return task;
}

/* Asks the filters, in their order: `early` before the task is looked at. */
static __always_inline bool process_passes(enum process_type type, struct veil_task task)
{
	__u32 key = type;

	return veil_filter_passes_early(event, &key) && veil_task_passes(task) && veil_filter_passes_late(event, &key);
}

static __always_inline void process_add_parent(struct process_event *event, struct veil_task task)
{
	event->ppid = veil_task_ppid(task);
	veil_task_parent_comm(task, event->parent_comm);
}

/* Puts the arguments that a script was called with in the place of those that its interpreter gets. */
static __always_inline void process_restore_argv(struct path_walk *walk, __u64 skip, struct mm_struct *mm,
						 const struct process_asked *asked)
{
	struct process_event *event = (void *)walk->draft.bytes;
	__u64 from = BPF_CORE_READ(mm, arg_start) + skip, size = BPF_CORE_READ(mm, arg_end) - from;
	__u64 place = event->argv.offset, length = asked ? asked->length : 0, room;
	const void *name = asked ? asked->name : NULL;

	/* Its page was not there: what it was executed by is what it mostly is. */
	if (!length) {
		name = &walk->draft.bytes[event->filename.offset & (VEIL_PART_MAX - 1)];
		length = event->filename.size + 1;
	}
	asm volatile("" : "+r"(place), "+r"(length));
	if (place > PROCESS_PLACE_MAX - PROCESS_NAME_MAX || length > PROCESS_NAME_MAX || !length)
		return;
	bpf_probe_read_kernel(&walk->draft.bytes[place], length, name);
	walk->draft.bytes[place + length - 1] = '\0';
	room = VEIL_PART_MAX - length;
	event->argv.truncated = size > room;
	if (size > room)
		size = room;
	place += length;
	asm volatile("" : "+r"(place), "+r"(size));
	if (place > PROCESS_PLACE_MAX || size > VEIL_PART_MAX)
		return;
	if (bpf_probe_read_user(&walk->draft.bytes[place], size, (void *)from))
		size = 0;
	event->argv.size = length + size;
	walk->draft.size = event->argv.offset + length + size;
}

/* The command of the session lives from its first execve on: before, it waits for us. */
volatile __u64 process_command_forked;
volatile __u64 process_command_begun;

static __always_inline void process_note_command(struct veil_task task)
{
	if (!veil_command || process_command_begun || veil_current_inside(veil_task_pid(task)) != veil_command)
		return;
	process_command_forked = veil_task_read(task, start_boottime);
	process_command_begun = bpf_ktime_get_boot_ns();
}

static __always_inline __u64 process_lifetime_ns(struct veil_task task)
{
	__u64 start = veil_task_read(task, start_boottime);

	return bpf_ktime_get_boot_ns() - (start == process_command_forked ? process_command_begun : start);
}

static __always_inline int process_exec(__u32 slot, struct veil_task task, __u32 old_tid, struct linux_binprm *program)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct mm_struct *mm = veil_task_read(task, mm);
	struct process_event *event;
	int skip;

	if (!walk)
		return 0;
	process_note_command(task);
	event = process_event_start(&walk->draft, process_type__EXEC);
	process_add_string(&walk->draft, &event->filename, BPF_CORE_READ(program, filename), false);
	process_add_argv(&walk->draft, &event->argv, mm);
	if (BPF_CORE_READ(program, interp) != BPF_CORE_READ(program, filename)) {
		skip = process_skip_interpreter(slot);
		if (skip > 0)
			process_restore_argv(walk, skip, mm, bpf_map_lookup_elem(&process_asked, &old_tid));
	}
	process_add_exe(slot, walk, &event->exe, mm);
	process_parts_keep(task, &walk->draft);
	if (veil_only_failed || !process_passes(process_type__EXEC, task))
		return 0;
	process_add_cwd(slot, walk, &event->cwd, task);
	process_add_parent(event, task);
	event->ret = 0;
	veil_event_init(&event->common, process_event_kind, task);
	veil_draft_emit(&walk->draft);
	return 0;
}

/* What execve was asked for is read as it fails: the kernel has read it by then, so it is there. */
static __always_inline int process_refuse(__u32 slot, struct veil_task task, struct veil_syscall syscall, void *regs,
					  long ret)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct process_event *event;
	struct process_array *array;
	__u64 filename;
	__u32 zero = 0;
	bool is_at;

	if (!veil_syscall_replaces_program(&syscall) || !process_passes(process_type__EXEC, task))
		return 0;
	array = bpf_map_lookup_elem(&process_arrays, &zero);
	if (!walk || !array)
		return 0;
	is_at = process_is_execveat(&syscall);
	filename = is_at ? veil_syscall_arg1(regs, syscall.arch) : veil_syscall_arg0(regs, syscall.arch);
	array->at = is_at ? veil_syscall_arg2(regs, syscall.arch) : veil_syscall_arg1(regs, syscall.arch);
	array->pointer_bytes = process_pointer_bytes(syscall.arch);
	event = process_event_start(&walk->draft, process_type__EXEC);
	process_add_string(&walk->draft, &event->filename, (void *)filename, true);
	process_part_start(&walk->draft, &event->argv);
	for (int run = 0; array->at && run < PROCESS_ARRAY_RUNS; run++) {
		if (!process_add_some(slot))
			break;
	}
	process_add_cwd(slot, walk, &event->cwd, task);
	process_add_parent(event, task);
	event->ret = ret;
	veil_event_init(&event->common, process_event_kind, task);
	veil_draft_emit(&walk->draft);
	return 0;
}

static __always_inline int process_fork(__u32 slot, struct veil_task child, __u64 flags)
{
	struct veil_task task = veil_current();
	struct path_walk *walk;
	struct process_event *event;
	bool is_thread = flags & CLONE_THREAD;

	if (!is_thread)
		process_parts_inherit(process_leader(task), child);
	if (veil_only_failed || (is_thread && !process_threads) || !process_passes(process_type__FORK, task))
		return 0;
	walk = veil_path_walk(slot);
	if (!walk)
		return 0;
	event = process_event_start(&walk->draft, process_type__FORK);
	event->thread = is_thread;
	event->child_pid = veil_task_pid(child);
	event->child_tid = veil_task_tid(child);
	process_add_parent(event, task);
	veil_event_init(&event->common, process_event_kind, task);
	veil_draft_emit(&walk->draft);
	return 0;
}

/*
 * By how much the clock of a CPU's run queue is behind ours; 0: not known. It is fresh as a new task is put into the
 * queue, so that is where it is looked at.
 */
#define PROCESS_CPUS	  256
#define PROCESS_TICK_MOST 20000000 /* nanoseconds: no tick is longer (CONFIG_HZ) */
volatile __u64 process_clocks[PROCESS_CPUS];

static __always_inline volatile __u64 *process_clock(__u32 cpu)
{
	__u64 place = cpu;

	veil_bound(place, PROCESS_CPUS - 1);
	return &process_clocks[place];
}

static __always_inline int process_note_clock(struct veil_task child)
{
	struct task_struct *address = child.address;
	struct rq *queue;

	if (!bpf_core_field_exists(address->se.cfs_rq))
		return 0;
	queue = BPF_CORE_READ(address, se.cfs_rq, rq);
	*process_clock(BPF_CORE_READ(queue, cpu)) = bpf_ktime_get_ns() - BPF_CORE_READ(queue, clock_task);
	return 0;
}

/* The CPU time of the running task. What the scheduler has is of the last tick. */
static __always_inline __u64 process_own_cpu_ns(struct veil_task task)
{
	__u64 behind = *process_clock(bpf_get_smp_processor_id()), since;

	since = bpf_ktime_get_ns() - behind - veil_task_read(task, se.exec_start);
	if (!behind || since > PROCESS_TICK_MOST)
		since = 0;
	return veil_task_read(task, se.sum_exec_runtime) + since;
}

#define PROCESS_THREADS_MAX 512

/* Of all threads: those that are gone, and those that are just ending. */
static __always_inline __u64 process_cpu_ns(struct veil_task task, struct signal_struct *signal)
{
	__u64 sum = BPF_CORE_READ(signal, sum_sched_runtime) + process_own_cpu_ns(task);
	struct list_head *head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	struct list_head *node = BPF_CORE_READ(signal, thread_head.next);

	for (int thread = 0; thread < PROCESS_THREADS_MAX && node && node != head; thread++) {
		struct task_struct *other = (void *)node - bpf_core_field_offset(struct task_struct, thread_node);

		if (other != task.address)
			sum += BPF_CORE_READ(other, se.sum_exec_runtime);
		node = BPF_CORE_READ(node, next);
	}
	return sum;
}

/* Processes whose end was seen, by the time of their start: two threads may both see that they are the last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u32);
} process_ended SEC(".maps");

static __always_inline bool process_ends_now(struct veil_task leader, struct signal_struct *signal)
{
	__u64 start = veil_task_read(leader, start_boottime) ^ (__u64)veil_task_pid(leader) << 40;
	__u32 seen = 1;

	return BPF_CORE_READ(signal, live.counter) <= 0 &&
	       !bpf_map_update_elem(&process_ended, &start, &seen, BPF_NOEXIST);
}

/* What EXEC had. Of a process without it what its memory still has, where the kernel lets go of that later. */
static __always_inline void process_add_parts(__u32 slot, struct path_walk *walk, struct process_event *event,
					      struct veil_task task, struct veil_task leader)
{
	struct veil_draft *draft = &walk->draft;
	__u32 pid = veil_task_pid(leader);
	struct mm_struct *mm;
	struct process_kept *kept = veil_task_state_find(kept, leader, pid);
	struct process_kept_long *kept_long;

	if (kept && kept->size) {
		__builtin_memcpy(&event->filename, &kept->parts, sizeof(kept->parts));
		process_copy(&draft->bytes[process_parts_start()], kept->bytes, kept->size, PROCESS_KEPT_BYTES);
		draft->size = process_parts_start() + kept->size;
		return;
	}
	kept_long = veil_task_state_find(kept_long, leader, pid);
	if (kept_long && kept_long->size) {
		__builtin_memcpy(&event->filename, &kept_long->parts, sizeof(kept_long->parts));
		process_copy(&draft->bytes[process_parts_start()], kept_long->bytes, kept_long->size,
			     PROCESS_KEPT_LONG_BYTES);
		draft->size = process_parts_start() + kept_long->size;
		return;
	}
	mm = veil_task_read(task, mm);
	if (!mm || veil_task_read(task, flags) & PF_KTHREAD)
		return;
	/* Behind the environment stands the name that it was executed by (fs/binfmt_elf.c). */
	process_add_string(draft, &event->filename, (void *)BPF_CORE_READ(mm, env_end), true);
	process_add_argv(draft, &event->argv, mm);
	process_add_exe(slot, walk, &event->exe, mm);
}

static __always_inline bool process_exit_passes(enum process_type type, struct veil_task task, int status)
{
	return (!veil_only_failed || status) && process_passes(type, task);
}

/* `status` as wait(2) gives it. */
static __always_inline void process_set_status(struct process_event *event, int status)
{
	if (status & 0x7f)
		event->exit_signal = status & 0x7f;
	else
		event->exit_code = status >> 8 & 0xff;
	event->core_dumped = !!(status & 0x80);
}

/* Ends whose memory is still to be freed, by the thread that ended last. */
struct process_ending {
	__u64 mm;
	__s32 status;
	__u32 of_command; /* bool */
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct process_ending);
} process_endings SEC(".maps");

static __always_inline void process_forget(struct veil_task leader)
{
	veil_task_state_drop(kept, veil_task_pid(leader));
	veil_task_state_drop(kept_long, veil_task_pid(leader));
}

/* `is_gone`: the task has been reaped. */
static __always_inline void process_exit_emit(__u32 slot, struct veil_task task, bool is_last, int status, bool is_gone)
{
	struct veil_task leader = process_leader(task);
	struct signal_struct *signal = veil_task_read(task, signal);
	struct path_walk *walk = veil_path_walk(slot);
	struct process_event *event;

	if (!walk)
		return;
	event = process_event_start(&walk->draft, process_type__EXIT);
	if (is_gone && veil_origin_size)
		veil_task_origin(task, (void *)&walk->draft.bytes[sizeof(*event)]);
	process_add_parts(slot, walk, event, task, leader);
	process_add_cwd(slot, walk, &event->cwd, task);
	process_add_parent(event, leader);
	process_set_status(event, status);
	event->thread = !is_last;
	if (is_last) {
		event->duration_ns = process_lifetime_ns(leader);
		event->cpu_ns = is_gone ? BPF_CORE_READ(signal, sum_sched_runtime) : process_cpu_ns(task, signal);
		event->max_rss_bytes = (__u64)BPF_CORE_READ(signal, maxrss) * process_page_bytes;
	} else {
		event->duration_ns = process_lifetime_ns(task);
		event->cpu_ns = process_own_cpu_ns(task);
	}
	veil_event_init(&event->common, process_event_kind, task);
	veil_stacks_check(&walk->draft.bytes[sizeof(*event)], &event->common);
	veil_draft_emit(&walk->draft);
	if (is_last)
		process_forget(leader);
}

/* Until the memory has been freed, which takes CPU time. What the event needs of it is kept. */
static __always_inline bool process_exit_defer(__u32 slot, struct veil_task task, struct mm_struct *mm, int status)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct process_ending ending = {.mm = (__u64)mm, .status = status};
	struct veil_command_state *command = NULL;
	__u32 tid = veil_task_tid(task);
	struct process_event *event;

	if (!walk || BPF_CORE_READ(mm, mm_users.counter) != 1)
		return false; /* somebody else has it too */
	event = process_event_start(&walk->draft, process_type__EXIT);
	process_add_parts(slot, walk, event, task, process_leader(task));
	process_parts_keep(process_leader(task), &walk->draft);
	/* The trace of a command ends with the last of its tasks: this one has still something to say. */
	if (veil_task_mark(task) & VEIL_MARK_COMMAND)
		command = veil_command_find();
	ending.of_command = command != NULL;
	if (bpf_map_update_elem(&process_endings, &tid, &ending, BPF_ANY))
		return false;
	if (command)
		__sync_fetch_and_add(&command->tasks, 1);
	return true;
}

static __always_inline int process_exit_late(__u32 slot, struct veil_task task, __u64 mm, bool is_gone)
{
	__u32 tid = veil_task_tid(task);
	struct process_ending *ending = bpf_map_lookup_elem(&process_endings, &tid);
	struct veil_command_state *command;

	if (!ending || (!is_gone && ending->mm != mm))
		return 0;
	process_exit_emit(slot, task, true, ending->status, is_gone);
	if (veil_follow && ending->of_command) {
		command = veil_command_find();
		if (command)
			__sync_fetch_and_add(&command->tasks, -1);
	}
	bpf_map_delete_elem(&process_endings, &tid);
	return 0;
}

static __always_inline int process_exit(__u32 slot, bool is_last)
{
	struct veil_task task = veil_current(), leader = process_leader(task);
	struct signal_struct *signal = veil_task_read(task, signal);
	struct mm_struct *mm = veil_task_read(task, mm);
	int status;

	if (!process_has_group_dead)
		is_last = process_ends_now(leader, signal);
	if (!is_last && !process_threads)
		return 0;
	if (is_last && !(BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT))
		status = veil_task_read(leader, exit_code);
	else
		status = is_last ? BPF_CORE_READ(signal, group_exit_code) : veil_task_read(task, exit_code);
	if (!process_exit_passes(process_type__EXIT, task, status)) {
		if (is_last)
			process_forget(leader);
		return 0;
	}
	if (!process_frees_later || !is_last || !mm || !process_exit_defer(slot, task, mm, status))
		process_exit_emit(slot, task, is_last, status, false);
	return 0;
}

/* Pages of a kind. */
static __always_inline __u64 process_rss_bytes(struct mm_struct *mm, __u32 kind)
{
	__u64 at = (__u64)mm;
	__s64 pages = 0;

	/* In the branches with an asm volatile, or the compiler moves out what only one of the kernels has. */
	if (bpf_core_field_exists(((struct mm_struct___rss_stat *)0)->rss_stat)) {
		at += bpf_core_field_offset(struct mm_struct___rss_stat, rss_stat) + kind * sizeof(pages);
		asm volatile("" : "+r"(at));
	} else {
		at += bpf_core_field_offset(struct mm_struct, rss_stat) +
		      bpf_core_field_offset(struct percpu_counter, count) +
		      kind * bpf_core_type_size(struct percpu_counter);
		asm volatile("" : "+r"(at));
	}
	bpf_probe_read_kernel(&pages, sizeof(pages), (void *)at);
	return pages > 0 ? pages * process_page_bytes : 0;
}

/* Who runs asked for the memory; it need not be the victim. Of one that is known by its id alone the rest is not. */
static __always_inline int process_oom(__u32 slot, struct veil_task task, const struct veil_identity *victim,
				       const struct veil_origin *origin, bool is_known)
{
	struct veil_task current = veil_current();
	__u32 key = process_type__OOM;
	struct process_event *event;
	struct signal_struct *signal;
	struct path_walk *walk;
	struct mm_struct *mm;

	if (!veil_filter_passes_early(event, &key) || !veil_identity_passes(victim, origin) ||
	    !veil_filter_passes_late(event, &key))
		return 0;
	walk = veil_path_walk(slot);
	if (!walk)
		return 0;
	event = process_event_start(&walk->draft, process_type__OOM);
	if (veil_origin_size)
		__builtin_memcpy(&walk->draft.bytes[sizeof(*event)], origin, sizeof(*origin));
	veil_task_comm(current, event->oom_comm);
	event->oom_pid = veil_task_pid(current);
	if (is_known) {
		mm = veil_task_read(task, mm);
		process_add_parent(event, task);
		signal = veil_task_read(task, signal);
		event->oom_score_adj = BPF_CORE_READ(signal, oom_score_adj);
		event->duration_ns = process_lifetime_ns(task);
		if (mm) {
			event->total_vm_bytes = (__u64)BPF_CORE_READ(mm, total_vm) * process_page_bytes;
			event->anon_rss_bytes = process_rss_bytes(mm, MM_ANONPAGES);
			event->file_rss_bytes = process_rss_bytes(mm, MM_FILEPAGES);
			event->shmem_rss_bytes = process_rss_bytes(mm, MM_SHMEMPAGES);
			event->pgtables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
			process_add_exe(slot, walk, &event->exe, mm);
		}
	}
	veil_event_init_as(&event->common, process_event_kind, victim);
	veil_stacks_check(&walk->draft.bytes[sizeof(*event)], &event->common);
	veil_draft_emit(&walk->draft);
	return 0;
}

/* The victim is a task, or before 6.9 (commit 72ba14deb40a) its id alone. */
SEC("tp_btf/mark_victim")
int BPF_PROG(process_oom_tp_btf, struct task_struct *victim)
{
	struct veil_task task = veil_task_typed(victim);
	struct veil_identity identity;
	struct veil_origin origin;

	veil_identity_of(task, &identity);
	veil_task_origin(task, &origin);
	identity.followed = veil_follow ? veil_task_followed(task) : veil_not_followed;
	return process_oom(PROCESS_SLOT_OOM, task, &identity, &origin, true);
}

SEC("raw_tp/mark_victim")
int process_oom_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 victim = ctx->args[0];
	bool is_task = victim > 0xffffffff, is_current = !is_task && (__u32)victim == veil_current_tid();
	struct veil_task task = veil_task_at(is_task ? (void *)victim : veil_current().address);
	struct veil_identity identity = {};
	struct veil_origin origin;

	identity.followed = veil_not_followed;
	if (is_task || is_current) {
		veil_identity_of(task, &identity);
		veil_task_origin(task, &origin);
		/* A mark that is kept with a task is not found from its address alone. */
		if (veil_follow && is_current)
			identity.followed = veil_task_followed(veil_current());
		else if (veil_follow && !veil_mark_in_tasks)
			identity.followed = veil_task_followed(task);
	} else {
		__builtin_memcpy(identity.comm, VEIL_COMM_UNKNOWN, sizeof(VEIL_COMM_UNKNOWN));
		veil_origin_none(&origin);
		identity.pid = identity.tid = victim;
		identity.uid = -1;
	}
	return process_oom(PROCESS_SLOT_OOM, task, &identity, &origin, is_task || is_current);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec_tp_btf, struct task_struct *task, int old_tid, struct linux_binprm *program)
{
	return process_exec(PROCESS_SLOT_EXEC, veil_current(), old_tid, program);
}

SEC("raw_tp/sched_process_exec")
int process_exec_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return process_exec(PROCESS_SLOT_EXEC, veil_current(), ctx->args[1], (void *)ctx->args[2]);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(process_ask_tp_btf, struct pt_regs *regs, long id)
{
	struct veil_syscall syscall = {.nr = (__s32)id};

	syscall.arch = veil_syscall_arch(veil_current(), syscall.nr);
	return veil_syscall_replaces_program(&syscall) ? process_ask(syscall, regs) : 0;
}

SEC("raw_tp/sys_enter")
int process_ask_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	struct veil_syscall syscall = {.nr = (__s32)ctx->args[1]};

	syscall.arch = veil_syscall_arch(veil_current(), syscall.nr);
	return veil_syscall_replaces_program(&syscall) ? process_ask(syscall, (void *)ctx->args[0]) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(process_ref_tp_btf, struct pt_regs *regs, long ret)
{
	struct veil_syscall syscall;
	struct veil_task task;

	if ((__u64)ret < (__u64)-PROCESS_ERRNO_MAX)
		return 0;
	task = veil_current();
	syscall.nr = (__s32)veil_syscall_nr_btf(regs);
	syscall.arch = veil_syscall_arch(task, syscall.nr);
	return process_refuse(PROCESS_SLOT_REFUSED, task, syscall, regs, ret);
}

SEC("raw_tp/sys_exit")
int process_ref_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	void *regs = (void *)ctx->args[0];
	struct veil_syscall syscall;
	struct veil_task task;

	if (ctx->args[1] < (__u64)-PROCESS_ERRNO_MAX)
		return 0;
	task = veil_current();
	syscall.nr = (__s32)veil_syscall_nr(regs);
	syscall.arch = veil_syscall_arch(task, syscall.nr);
	return process_refuse(PROCESS_SLOT_REFUSED, task, syscall, regs, ctx->args[1]);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(process_fork_tp_btf, struct task_struct *child, unsigned long flags)
{
	return process_fork(PROCESS_SLOT_FORK, veil_task_typed(child), flags);
}

SEC("raw_tp/task_newtask")
int process_fork_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return process_fork(PROCESS_SLOT_FORK, veil_task_at((void *)ctx->args[0]), ctx->args[1]);
}

SEC("tp_btf/sched_process_exit")
int process_exit_tp_btf(__u64 *ctx)
{
	return process_exit(PROCESS_SLOT_EXIT, process_has_group_dead && (bool)ctx[1]);
}

SEC("raw_tp/sched_process_exit")
int process_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return process_exit(PROCESS_SLOT_EXIT, process_has_group_dead && (bool)ctx->args[1]);
}

/* Mostly by the task whose it was. Where somebody else looked at the memory meanwhile, and frees it, the event comes as
 * the task itself is freed. */
SEC("tp_btf/exit_mmap")
int BPF_PROG(process_mem_tp_btf, struct mm_struct *mm)
{
	return process_exit_late(PROCESS_SLOT_MEMORY, veil_current(), (__u64)mm, false);
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(process_free_tp_btf, struct task_struct *task)
{
	return process_exit_late(PROCESS_SLOT_FREE, veil_task_typed(task), 0, true);
}

SEC("raw_tp/exit_mmap")
int process_mem_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return process_exit_late(PROCESS_SLOT_MEMORY, veil_current(), ctx->args[0], false);
}

SEC("raw_tp/sched_process_free")
int process_free_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return process_exit_late(PROCESS_SLOT_FREE, veil_task_at((void *)ctx->args[0]), 0, true);
}

SEC("raw_tp/sched_wakeup_new")
int process_clock_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return process_note_clock(veil_task_at((void *)ctx->args[0]));
}
