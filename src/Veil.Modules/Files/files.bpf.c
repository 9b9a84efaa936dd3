/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to files, with their paths. */
#include "veil/arch.bpf.h"
#include "veil/result.bpf.h"
#include "veil/task_state.bpf.h"
#include "veil/threshold.bpf.h"

/* The programs that resolve paths. All hooks need the first three. */
enum files_slot {
	FILES_SLOT_CALL,
	FILES_SLOT_ENTER,
	FILES_SLOT_URING,
	FILES_SLOT_OPEN,
	FILES_SLOT_OPEN_FAILED,
	FILES_SLOT_READ,
	FILES_SLOT_WRITE,
	FILES_SLOT_READV,
	FILES_SLOT_WRITEV,
	FILES_SLOTS,
};
#define VEIL_PATH_SLOTS	 FILES_SLOTS
#define VEIL_PATH_FILTER file
#include "veil/filter_path.bpf.h"

char _license[] SEC("license") = "GPL";

/* The order is OpDimension's. */
enum files_op {
	files_op__open,
	files_op__read,
	files_op__write,
	files_op__copy, /* without --op these and those before it */
	files_op__sync,
	files_op__truncate,
	files_op__stat,
	files_op__unlink,
	files_op__rename,
	files_op__mkdir,
	files_op__rmdir,
	files_op__link,
	files_op__symlink,
	files_op__chmod,
	files_op__chown,
	files_op__mmap,
	files_op__close,
};

struct files_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
	veil_path_t target; /* the second path */
};

/* With --slower, which needs a start for each end. All begin like the first one. */
struct files_timed_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
	veil_path_t target;
	veil_duration_t duration_ns;
};

/* With --op: what the call was asked for. */
struct files_op_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
	veil_path_t target;
	veil_file_flags_t flags;
	veil_offset_t offset;
	veil_name_t requested;
	veil_mode_t mode;
};

struct files_timed_op_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
	veil_path_t target;
	veil_file_flags_t flags;
	veil_offset_t offset;
	veil_name_t requested;
	veil_mode_t mode;
	veil_duration_t duration_ns;
};

VEIL_EVENT(0, files_event);
VEIL_EVENT(1, files_timed_event);
VEIL_EVENT(2, files_op_event);
VEIL_EVENT(3, files_timed_op_event);

const volatile bool files_timed;
const volatile bool files_detailed; /* --op is given */
const volatile bool files_closes;   /* ... with close, whose path is kept from before */

/* When an operation started, by thread and slot. One that never ends is evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} files_starts SEC(".maps");

static __always_inline __u64 files_call_key(__u32 slot)
{
	return (__u64)slot << 32 | veil_current_tid();
}

VEIL_FILTER(op, __u32);

#define SIGSYS 31

#define FMODE_NOACCOUNT 0x20000000 /* include/linux/fs.h: an open file inside another one, as overlayfs has them */

/* The others are traced where --op names them. */
static __always_inline bool files_is_chosen(enum files_op op)
{
	return op <= files_op__copy || filter_op_mode & VEIL_ALLOW;
}

static __always_inline bool files_passes(enum files_op op)
{
	__u32 key = op;

	return veil_filter_passes_early(op, &key) && veil_current_passes(false) && veil_filter_passes_late(op, &key);
}

/* The same at the start. The end counts. */
static __always_inline bool files_may_pass(enum files_op op)
{
	__u32 key = op;

	return veil_filter_passes_again(op, &key) && veil_current_passes(true);
}

/* Without its start an event has no duration, and with --slower it is lost. */
static __always_inline void files_clock_start(__u64 key)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (bpf_map_update_elem(&files_starts, &key, &now, BPF_ANY) && veil_slower_ns)
		veil_lost(VEIL_LOST_MAP_FULL);
}

static __always_inline int files_op_start(__u32 slot, enum files_op op)
{
	if (files_may_pass(op))
		files_clock_start(files_call_key(slot));
	return 0;
}

/*
 * fentry and kprobe see no call that failed before it came to their functions: that seccomp(2) refused, or with a bad
 * descriptor or pointer. The program at sys_exit emits those. It must not emit again what was emitted before: the last
 * failure of a thread is noted here.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __s64);
} files_failures SEC(".maps");

static __always_inline void files_note_failure(__s64 ret)
{
	__u32 tid = veil_current_tid();

	if (ret < 0)
		bpf_map_update_elem(&files_failures, &tid, &ret, BPF_ANY);
}

static __always_inline bool files_take_failure(__s64 ret)
{
	__u32 tid = veil_current_tid();
	__s64 *noted = bpf_map_lookup_elem(&files_failures, &tid);
	bool same = noted && *noted == ret;

	if (noted)
		bpf_map_delete_elem(&files_failures, &tid);
	return same;
}

/* Is the result worth an event? Asked once: it takes the start out of the map. */
static __always_inline bool files_result_passes(__u64 key, long ret, __u64 *start_ns)
{
	__u64 *start;

	*start_ns = 0;
	if (files_timed) {
		start = bpf_map_lookup_elem(&files_starts, &key);
		if (start) {
			*start_ns = *start;
			bpf_map_delete_elem(&files_starts, &key);
		}
	}
	return veil_ret_passes(ret) && veil_is_slow(*start_ns);
}

#define files_wants_path(member)                                                                                       \
	(filter_file_mode || veil_wants(struct files_event, member) ||                                                 \
	 veil_wants(struct files_event, member.truncated) || veil_wants(struct files_event, member.deleted))

/* Begins an event, without its paths. NULL: it is left out. Where its paths decide whether it passes, that is decided
 * once they are known: files_event_emit(). */
static __always_inline struct files_event *files_event_start(struct path_walk *walk, enum files_op op, long ret)
{
	struct files_op_event *event;

	if (!filter_file_mode && veil_is_left_out())
		return NULL;
	event = veil_draft_start(
	    &walk->draft, files_detailed
			      ? (files_timed ? sizeof(struct files_timed_op_event) : sizeof(struct files_op_event))
			      : (files_timed ? sizeof(struct files_timed_event) : sizeof(struct files_event)));
	event->op = op;
	event->ret = ret;
	event->bytes = op != files_op__open && op <= files_op__copy && ret > 0 ? ret : 0;
	veil_part_start(&walk->draft, &event->filename);
	veil_part_omit(&event->target);
	if (files_detailed) {
		event->flags.set = VEIL_FLAGS_NONE;
		event->flags.word = 0;
		event->offset = VEIL_OFFSET_NONE;
		event->mode = VEIL_MODE_NONE;
		veil_part_omit(&event->requested);
	}
	return (struct files_event *)event;
}

static __always_inline __u32 files_path_bits(__u32 slot, const struct veil_part *path)
{
	if (!path->size)
		return 0;
	return veil_path_bits(slot, path->offset, path->size, path->deleted);
}

/* The filter by path, last of all: either path is enough. */
static __always_inline bool files_paths_pass(__u32 slot, struct path_walk *walk)
{
	struct files_event *event = (void *)walk->draft.bytes;
	struct veil_path_match *match;

	if (!filter_file_mode)
		return true;
	match = veil_path_filter_start(slot);
	return !match || veil_path_filter_decide(match, files_path_bits(slot, &event->filename) |
							    files_path_bits(slot, &event->target));
}

static __always_inline void files_event_emit(__u32 slot, struct path_walk *walk, struct veil_task task, __u64 start_ns)
{
	struct files_timed_event *event = (void *)walk->draft.bytes;
	__u64 duration;

	if (!files_paths_pass(slot, walk) || (filter_file_mode && veil_is_left_out()))
		return;

	veil_event_init(&event->common,
			files_detailed ? (files_timed ? files_timed_op_event_kind : files_op_event_kind)
				       : (files_timed ? files_timed_event_kind : files_event_kind),
			task);
	if (files_timed) {
		duration = start_ns ? event->common.timestamp - start_ns : VEIL_DURATION_UNKNOWN;
		if (files_detailed)
			((struct files_timed_op_event *)event)->duration_ns = duration;
		else
			event->duration_ns = duration;
	}
	veil_draft_emit(&walk->draft);
}

static __always_inline void files_add_path(__u32 slot, struct path_walk *walk, struct veil_part *path,
					   struct dentry *dentry, struct vfsmount *mount)
{
	veil_path_resolve(slot, (__u64)dentry, (__u64)mount);
	veil_path_add(walk, path);
}

/* Without a file (NULL) the path is empty: the descriptor led nowhere. */
static __always_inline void files_add_file(__u32 slot, struct path_walk *walk, struct veil_part *path,
					   struct file *file)
{
	if (file)
		files_add_path(slot, walk, path, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	else
		veil_part_start(&walk->draft, path);
}

static __always_inline int files_path_emit(__u32 slot, enum files_op op, struct dentry *dentry, struct vfsmount *mount,
					   long ret)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct files_event *event;
	__u64 start_ns;

	files_note_failure(ret);
	if (!walk || !files_result_passes(files_call_key(slot), ret, &start_ns))
		return 0;
	event = files_event_start(walk, op, ret);
	if (!event)
		return 0;
	if (files_wants_path(filename))
		files_add_path(slot, walk, &event->filename, dentry, mount);
	files_event_emit(slot, walk, veil_current(), start_ns);
	return 0;
}

static __always_inline int files_file_emit(__u32 slot, enum files_op op, struct file *file, long ret)
{
	return files_path_emit(slot, op, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), ret);
}

#define AT_FDCWD -100
/* include/linux/namei.h, which BTF does not have. They were numbered anew between 6.12 and 7.2; neither number means
 * anything else to an open in the other numbering. */
#define LOOKUP_IN_ROOT (1 << 20 | 1 << 28)
#define LOOKUP_CACHED  (1 << 21 | 1 << 9)
#define EAGAIN	       11

/* What an open asked for. */
struct files_asked {
	const void *name;
	int folder;
	bool from_user;
	bool in_root; /* the folder is the root too: openat2(2), RESOLVE_IN_ROOT */
	void *regs;   /* of its call; NULL where that is not known */
};

static __always_inline void files_add_details(struct path_walk *walk, void *regs);

/* The folder that a name is relative to; for one that begins with a slash, the root. */
static __always_inline void files_add_folder(__u32 slot, struct path_walk *walk, struct veil_part *path,
					     const struct files_asked *asked)
{
	struct task_struct *task = veil_current().address;
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct dentry *dentry = NULL;
	struct vfsmount *mount = NULL;
	struct file *file;
	char first = 0;

	if (asked->from_user)
		bpf_probe_read_user(&first, 1, asked->name);
	else
		bpf_probe_read_kernel(&first, 1, asked->name);
	walk->root = BPF_CORE_READ(fs, root.dentry);
	walk->root_mount = BPF_CORE_READ(fs, root.mnt);
	if (first == '/' && !asked->in_root) {
		dentry = walk->root;
		mount = walk->root_mount;
	} else if (asked->folder == AT_FDCWD) {
		dentry = BPF_CORE_READ(fs, pwd.dentry);
		mount = BPF_CORE_READ(fs, pwd.mnt);
	} else if ((file = veil_current_file(asked->folder))) {
		dentry = BPF_CORE_READ(file, f_path.dentry);
		mount = BPF_CORE_READ(file, f_path.mnt);
	}
	if (asked->in_root) {
		walk->root = dentry;
		walk->root_mount = mount;
	}
	if (dentry)
		files_add_path(slot, walk, path, dentry, mount);
	else
		veil_part_start(&walk->draft, path);
	walk->root = NULL;
}

/* An open that did not come to a file: the name that was asked for, with the folder that it was relative to. */
static __always_inline int files_failed_open_emit(__u32 slot, const struct files_asked *asked, long ret)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct files_event *event;
	__u32 folder_size;
	__u64 start_ns;

	if (!walk || !files_result_passes(files_call_key(slot), ret, &start_ns))
		return 0;
	event = files_event_start(walk, files_op__open, ret);
	if (!event)
		return 0;
	if (files_wants_path(filename)) {
		files_add_folder(slot, walk, &event->filename, asked);
		folder_size = event->filename.size;
		veil_path_append(walk, &event->filename, asked->name, asked->from_user);
		veil_path_keep_in_root(slot, walk, &event->filename, folder_size);
	}
	if (asked->regs)
		files_add_details(walk, asked->regs);
	files_event_emit(slot, walk, veil_current(), start_ns);
	return 0;
}

/* From 6.9 on pidfd_open() and clone3() make their descriptor by vfs_open(): nobody opened a file. */
static __always_inline bool files_is_pidfd(struct dentry *dentry)
{
	return BPF_CORE_READ(dentry, d_sb, s_magic) == PIDFS_MAGIC;
}

/* fentry: functions that the kernel's own callers go through too. */

SEC("fexit/vfs_open")
int BPF_PROG(files_open_exit_fentry, const struct path *path, struct file *file, int ret)
{
	if (ret || BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT || files_is_pidfd(BPF_CORE_READ(path, dentry)) ||
	    !files_passes(files_op__open))
		return 0;
	return files_path_emit(FILES_SLOT_OPEN, files_op__open, BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt),
			       ret);
}

/* Of a function that returns a pointer or an errno. Only compared: to the verifier it is a pointer. */
static __always_inline bool files_is_error(long ret)
{
	return (unsigned long)ret >= (unsigned long)-VEIL_ERRNO_MAX;
}

static __always_inline int files_filp_open_emit(int folder, struct filename *name, const struct open_flags *flags,
						long ret)
{
	struct files_asked asked = {.folder = folder};
	int lookup_flags = BPF_CORE_READ(flags, lookup_flags);

	/* Since 7.0 a name that could not be had (too long, a bad address) comes here as an error: the call tells it.
	 */
	if (files_is_error((long)name))
		return 0;
	/* io_uring tries it without waiting first. As openat2(2) with RESOLVE_CACHED it is told by the call. */
	if (lookup_flags & LOOKUP_CACHED && ret == -EAGAIN)
		return 0;
	files_note_failure(ret);
	asked.name = BPF_CORE_READ(name, name);
	asked.in_root = lookup_flags & LOOKUP_IN_ROOT;
	return files_failed_open_emit(FILES_SLOT_OPEN_FAILED, &asked, ret);
}

static __always_inline int files_filp_open_end_fentry(int folder, struct filename *name, const struct open_flags *flags,
						      long ret)
{
	if (!files_is_error(ret) || !files_passes(files_op__open))
		return 0;
	return files_filp_open_emit(folder, name, flags, ret);
}

SEC("fexit/do_filp_open")
int BPF_PROG(files_filp_exit_fentry, int folder, struct filename *name, const struct open_flags *flags, long ret)
{
	return files_filp_open_end_fentry(folder, name, flags, ret);
}

/* Its name in 7.x. */
SEC("fexit/do_file_open")
int BPF_PROG(files_file_exit_fentry, int folder, struct filename *name, const struct open_flags *flags, long ret)
{
	return files_filp_open_end_fentry(folder, name, flags, ret);
}

SEC("fexit/vfs_read")
int BPF_PROG(files_read_exit_fentry, struct file *file, char *buffer, unsigned long count, void *position, long ret)
{
	return files_passes(files_op__read) ? files_file_emit(FILES_SLOT_READ, files_op__read, file, ret) : 0;
}

SEC("fexit/vfs_write")
int BPF_PROG(files_write_exit_fentry, struct file *file, const char *buffer, unsigned long count, void *position,
	     long ret)
{
	return files_passes(files_op__write) ? files_file_emit(FILES_SLOT_WRITE, files_op__write, file, ret) : 0;
}

SEC("fexit/vfs_readv")
int BPF_PROG(files_readv_exit_fentry, struct file *file, const void *vec, unsigned long count, void *position,
	     int flags, long ret)
{
	return files_passes(files_op__read) ? files_file_emit(FILES_SLOT_READV, files_op__read, file, ret) : 0;
}

SEC("fexit/vfs_writev")
int BPF_PROG(files_writev_exit_fentry, struct file *file, const void *vec, unsigned long count, void *position,
	     int flags, long ret)
{
	return files_passes(files_op__write) ? files_file_emit(FILES_SLOT_WRITEV, files_op__write, file, ret) : 0;
}

/* Their starts, with --slower. */

SEC("fentry/vfs_open")
int BPF_PROG(files_open_enter_fentry, const struct path *path, struct file *file)
{
	if (!(BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT))
		files_op_start(FILES_SLOT_OPEN, files_op__open);
	return 0;
}

SEC("fentry/do_filp_open")
int BPF_PROG(files_filp_enter_fentry)
{
	return files_op_start(FILES_SLOT_OPEN_FAILED, files_op__open);
}

SEC("fentry/do_file_open")
int BPF_PROG(files_file_enter_fentry)
{
	return files_op_start(FILES_SLOT_OPEN_FAILED, files_op__open);
}

SEC("fentry/vfs_read")
int BPF_PROG(files_read_enter_fentry)
{
	return files_op_start(FILES_SLOT_READ, files_op__read);
}

SEC("fentry/vfs_write")
int BPF_PROG(files_write_enter_fentry)
{
	return files_op_start(FILES_SLOT_WRITE, files_op__write);
}

SEC("fentry/vfs_readv")
int BPF_PROG(files_readv_enter_fentry)
{
	return files_op_start(FILES_SLOT_READV, files_op__read);
}

SEC("fentry/vfs_writev")
int BPF_PROG(files_writev_enter_fentry)
{
	return files_op_start(FILES_SLOT_WRITEV, files_op__write);
}

/* kprobe: the same functions; what they were called with is remembered until they return. */

struct files_call {
	__u64 first;
	__u64 second;
	__u64 third;
};

/* By thread and slot: one of these functions may run inside another one, but not inside itself. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct files_call);
} files_calls SEC(".maps");

static __always_inline int files_call_keep(__u32 slot, __u64 first, __u64 second, __u64 third)
{
	struct files_call call = {.first = first, .second = second, .third = third};
	__u64 key = files_call_key(slot);

	if (files_timed)
		files_clock_start(key);
	/* The kernel drops the return of a function that runs in more threads at once than a kretprobe has instances.
	 */
	if (bpf_map_lookup_elem(&files_calls, &key))
		veil_lost(VEIL_LOST_MISSED_PROBE);
	if (bpf_map_update_elem(&files_calls, &key, &call, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

static __always_inline int files_call_start(__u32 slot, enum files_op op, __u64 first)
{
	if (files_passes(op))
		files_call_keep(slot, first, 0, 0);
	return 0;
}

/* An open that succeeds comes to vfs_open() too, whose program counts it. One that fails is counted as it returns. */
static __always_inline int files_filp_open_start(int folder, struct filename *name, const struct open_flags *flags)
{
	if (!files_may_pass(files_op__open))
		return 0;
	return files_call_keep(FILES_SLOT_OPEN_FAILED, (__u64)folder, (__u64)name, (__u64)flags);
}

static __always_inline bool files_call_take(__u32 slot, struct files_call *call)
{
	__u64 key = files_call_key(slot);
	struct files_call *found = bpf_map_lookup_elem(&files_calls, &key);

	if (!found)
		return false;
	*call = *found;
	bpf_map_delete_elem(&files_calls, &key);
	return true;
}

static __always_inline int files_call_end(__u32 slot, enum files_op op, long ret)
{
	struct files_call call;

	if (files_call_take(slot, &call))
		files_file_emit(slot, op, (struct file *)call.first, ret);
	return 0;
}

static __always_inline int files_open_emit(struct file *file)
{
	if (BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT || files_is_pidfd(BPF_CORE_READ(file, f_path.dentry)))
		return 0;
	return files_file_emit(FILES_SLOT_OPEN, files_op__open, file, 0);
}

/* Nested opens are not reported, but are counted so that their returns are not taken for the outer one's. */
SEC("kprobe/vfs_open")
int BPF_KPROBE(files_open_enter_kprobe, const struct path *path, struct file *file)
{
	if (BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT) {
		__u64 key = files_call_key(FILES_SLOT_OPEN);
		struct files_call *outer = bpf_map_lookup_elem(&files_calls, &key);

		if (outer)
			outer->second++;
		return 0;
	}
	return files_call_start(FILES_SLOT_OPEN, files_op__open, (__u64)file);
}

SEC("kretprobe/vfs_open")
int BPF_KRETPROBE(files_open_exit_kprobe, int ret)
{
	__u64 key = files_call_key(FILES_SLOT_OPEN);
	struct files_call call, *outer = bpf_map_lookup_elem(&files_calls, &key);

	if (outer && outer->second) {
		outer->second--;
		return 0;
	}
	if (files_call_take(FILES_SLOT_OPEN, &call) && !ret)
		files_open_emit((struct file *)call.first);
	return 0;
}

static __always_inline int files_filp_open_end_kprobe(long ret)
{
	bool passes = files_is_error(ret) && files_passes(files_op__open);
	struct files_call call;

	/* The call is taken in any case, or it would stay. */
	if (!files_call_take(FILES_SLOT_OPEN_FAILED, &call) || !passes)
		return 0;
	return files_filp_open_emit((int)call.first, (struct filename *)call.second, (struct open_flags *)call.third,
				    ret);
}

SEC("kprobe/do_filp_open")
int BPF_KPROBE(files_filp_enter_kprobe, int folder, struct filename *name, const struct open_flags *flags)
{
	return files_filp_open_start(folder, name, flags);
}

SEC("kretprobe/do_filp_open")
int BPF_KRETPROBE(files_filp_exit_kprobe, long ret)
{
	return files_filp_open_end_kprobe(ret);
}

SEC("kprobe/do_file_open")
int BPF_KPROBE(files_file_enter_kprobe, int folder, struct filename *name, const struct open_flags *flags)
{
	return files_filp_open_start(folder, name, flags);
}

SEC("kretprobe/do_file_open")
int BPF_KRETPROBE(files_file_exit_kprobe, long ret)
{
	return files_filp_open_end_kprobe(ret);
}

SEC("kprobe/vfs_read")
int BPF_KPROBE(files_read_enter_kprobe, struct file *file)
{
	return files_call_start(FILES_SLOT_READ, files_op__read, (__u64)file);
}

SEC("kretprobe/vfs_read")
int BPF_KRETPROBE(files_read_exit_kprobe, long ret)
{
	return files_call_end(FILES_SLOT_READ, files_op__read, ret);
}

SEC("kprobe/vfs_write")
int BPF_KPROBE(files_write_enter_kprobe, struct file *file)
{
	return files_call_start(FILES_SLOT_WRITE, files_op__write, (__u64)file);
}

SEC("kretprobe/vfs_write")
int BPF_KRETPROBE(files_write_exit_kprobe, long ret)
{
	return files_call_end(FILES_SLOT_WRITE, files_op__write, ret);
}

SEC("kprobe/vfs_readv")
int BPF_KPROBE(files_readv_enter_kprobe, struct file *file)
{
	return files_call_start(FILES_SLOT_READV, files_op__read, (__u64)file);
}

SEC("kretprobe/vfs_readv")
int BPF_KRETPROBE(files_readv_exit_kprobe, long ret)
{
	return files_call_end(FILES_SLOT_READV, files_op__read, ret);
}

SEC("kprobe/vfs_writev")
int BPF_KPROBE(files_writev_enter_kprobe, struct file *file)
{
	return files_call_start(FILES_SLOT_WRITEV, files_op__write, (__u64)file);
}

SEC("kretprobe/vfs_writev")
int BPF_KRETPROBE(files_writev_exit_kprobe, long ret)
{
	return files_call_end(FILES_SLOT_WRITEV, files_op__write, ret);
}

/* System calls, as they end: the registers still hold the arguments, and the descriptor leads to the file. */

enum files_call_kind {
	FILES_CALL_OTHER,
	FILES_CALL_EXEC,	/* opens and reads by itself */
	FILES_CALL_OPEN,	/* the name first */
	FILES_CALL_CREAT,	/* the same, without flags */
	FILES_CALL_OPENAT,	/* a folder, then the name */
	FILES_CALL_OPENAT2,	/* the same, and a struct open_how */
	FILES_CALL_OPEN_HANDLE, /* open_by_handle_at: no name */
	FILES_CALL_READ,
	FILES_CALL_READ_AT,
	FILES_CALL_WRITE,
	FILES_CALL_WRITE_AT,
	FILES_CALL_SENDFILE, /* from here on copies. To, from. */
	FILES_CALL_SPLICE,   /* splice, copy_file_range: from, its offset, to */
	FILES_CALL_TEE,	     /* from, to */
	FILES_CALL_VMSPLICE, /* a pipe */
	FILES_CALL_IOCTL,    /* to, FICLONE or FICLONERANGE, from */
	FILES_CALL_SYNC,     /* from here on as files_shapes says */
	FILES_CALL_FSYNC,    /* fsync, fdatasync, syncfs */
	FILES_CALL_SYNC_RANGE,
	FILES_CALL_SYNC_RANGE_32,
	FILES_CALL_TRUNCATE,
	FILES_CALL_FTRUNCATE,
	FILES_CALL_TRUNCATE_64, /* of 32-bit programs */
	FILES_CALL_FTRUNCATE_64,
	FILES_CALL_STAT, /* stat, lstat */
	FILES_CALL_FSTAT,
	FILES_CALL_STATAT,
	FILES_CALL_STATX,
	FILES_CALL_UNLINK,
	FILES_CALL_UNLINKAT, /* with AT_REMOVEDIR it is rmdir */
	FILES_CALL_RENAME,
	FILES_CALL_RENAMEAT,
	FILES_CALL_RENAMEAT2,
	FILES_CALL_MKDIR,
	FILES_CALL_MKDIRAT,
	FILES_CALL_RMDIR,
	FILES_CALL_LINK,
	FILES_CALL_LINKAT,
	FILES_CALL_SYMLINK,
	FILES_CALL_SYMLINKAT,
	FILES_CALL_CHMOD,
	FILES_CALL_FCHMOD,
	FILES_CALL_CHMODAT,
	FILES_CALL_CHMODAT2,
	FILES_CALL_CHOWN, /* chown, lchown */
	FILES_CALL_FCHOWN,
	FILES_CALL_CHOWNAT,
	FILES_CALL_MMAP,
	FILES_CALL_MMAP2, /* its offset is in pages */
	FILES_CALL_CLOSE,
	FILES_CALL_KINDS,
};

/* Which arguments a call has: their numbers from 1 on; 0 is none. */
struct files_shape {
	__u8 op;
	__u8 fd;
	__u8 folder;
	__u8 name;
	__u8 target_folder;
	__u8 target; /* a name */
	__u8 flags;
	__u8 flag_set; /* enum veil_flag_set */
	__u8 mode;
	__u8 offset;
	__u8 bytes;
	__u8 wide; /* 1: of a 32-bit program the offset is in two registers; 2: so are the bytes */
};

#define FILES_SHAPES 64 /* a power of two */
static const struct files_shape files_shapes[FILES_SHAPES] = {
    [FILES_CALL_EXEC] = {.op = files_op__open},
    [FILES_CALL_OPEN] = {.op = files_op__open, .name = 1, .flags = 2, .flag_set = VEIL_FLAGS_OPEN, .mode = 3},
    [FILES_CALL_CREAT] = {.op = files_op__open, .name = 1, .mode = 2},
    [FILES_CALL_OPENAT] =
	{.op = files_op__open, .folder = 1, .name = 2, .flags = 3, .flag_set = VEIL_FLAGS_OPEN, .mode = 4},
    [FILES_CALL_OPENAT2] = {.op = files_op__open, .folder = 1, .name = 2, .flag_set = VEIL_FLAGS_OPEN},
    [FILES_CALL_OPEN_HANDLE] = {.op = files_op__open, .flags = 3, .flag_set = VEIL_FLAGS_OPEN},
    [FILES_CALL_READ] = {.op = files_op__read, .fd = 1},
    [FILES_CALL_READ_AT] = {.op = files_op__read, .fd = 1, .offset = 4, .wide = 1},
    [FILES_CALL_WRITE] = {.op = files_op__write, .fd = 1},
    [FILES_CALL_WRITE_AT] = {.op = files_op__write, .fd = 1, .offset = 4, .wide = 1},
    [FILES_CALL_SENDFILE] = {.op = files_op__copy},
    [FILES_CALL_SPLICE] = {.op = files_op__copy},
    [FILES_CALL_TEE] = {.op = files_op__copy},
    [FILES_CALL_VMSPLICE] = {.op = files_op__copy},
    [FILES_CALL_IOCTL] = {.op = files_op__copy},
    [FILES_CALL_SYNC] = {.op = files_op__sync},
    [FILES_CALL_FSYNC] = {.op = files_op__sync, .fd = 1},
    [FILES_CALL_SYNC_RANGE] =
	{.op = files_op__sync, .fd = 1, .offset = 2, .bytes = 3, .flags = 4, .flag_set = VEIL_FLAGS_SYNC},
    [FILES_CALL_SYNC_RANGE_32] =
	{.op = files_op__sync, .fd = 1, .offset = 2, .bytes = 4, .flags = 6, .flag_set = VEIL_FLAGS_SYNC, .wide = 3},
    [FILES_CALL_TRUNCATE] = {.op = files_op__truncate, .name = 1, .bytes = 2},
    [FILES_CALL_FTRUNCATE] = {.op = files_op__truncate, .fd = 1, .bytes = 2},
    [FILES_CALL_TRUNCATE_64] = {.op = files_op__truncate, .name = 1, .bytes = 2, .wide = 2},
    [FILES_CALL_FTRUNCATE_64] = {.op = files_op__truncate, .fd = 1, .bytes = 2, .wide = 2},
    [FILES_CALL_STAT] = {.op = files_op__stat, .name = 1},
    [FILES_CALL_FSTAT] = {.op = files_op__stat, .fd = 1},
    [FILES_CALL_STATAT] = {.op = files_op__stat, .folder = 1, .name = 2, .flags = 4, .flag_set = VEIL_FLAGS_AT},
    [FILES_CALL_STATX] = {.op = files_op__stat, .folder = 1, .name = 2, .flags = 3, .flag_set = VEIL_FLAGS_STATX},
    [FILES_CALL_UNLINK] = {.op = files_op__unlink, .name = 1},
    [FILES_CALL_UNLINKAT] = {.op = files_op__unlink, .folder = 1, .name = 2, .flags = 3, .flag_set = VEIL_FLAGS_AT},
    [FILES_CALL_RENAME] = {.op = files_op__rename, .name = 1, .target = 2},
    [FILES_CALL_RENAMEAT] = {.op = files_op__rename, .folder = 1, .name = 2, .target_folder = 3, .target = 4},
    [FILES_CALL_RENAMEAT2] = {.op = files_op__rename,
			      .folder = 1,
			      .name = 2,
			      .target_folder = 3,
			      .target = 4,
			      .flags = 5,
			      .flag_set = VEIL_FLAGS_RENAME},
    [FILES_CALL_MKDIR] = {.op = files_op__mkdir, .name = 1, .mode = 2},
    [FILES_CALL_MKDIRAT] = {.op = files_op__mkdir, .folder = 1, .name = 2, .mode = 3},
    [FILES_CALL_RMDIR] = {.op = files_op__rmdir, .name = 1},
    [FILES_CALL_LINK] = {.op = files_op__link, .name = 1, .target = 2},
    [FILES_CALL_LINKAT] = {.op = files_op__link,
			   .folder = 1,
			   .name = 2,
			   .target_folder = 3,
			   .target = 4,
			   .flags = 5,
			   .flag_set = VEIL_FLAGS_AT},
    [FILES_CALL_SYMLINK] = {.op = files_op__symlink, .name = 1, .target = 2},
    [FILES_CALL_SYMLINKAT] = {.op = files_op__symlink, .name = 1, .target_folder = 2, .target = 3},
    [FILES_CALL_CHMOD] = {.op = files_op__chmod, .name = 1, .mode = 2},
    [FILES_CALL_FCHMOD] = {.op = files_op__chmod, .fd = 1, .mode = 2},
    [FILES_CALL_CHMODAT] = {.op = files_op__chmod, .folder = 1, .name = 2, .mode = 3},
    [FILES_CALL_CHMODAT2] =
	{.op = files_op__chmod, .folder = 1, .name = 2, .mode = 3, .flags = 4, .flag_set = VEIL_FLAGS_AT},
    [FILES_CALL_CHOWN] = {.op = files_op__chown, .name = 1},
    [FILES_CALL_FCHOWN] = {.op = files_op__chown, .fd = 1},
    [FILES_CALL_CHOWNAT] = {.op = files_op__chown, .folder = 1, .name = 2, .flags = 5, .flag_set = VEIL_FLAGS_AT},
    [FILES_CALL_MMAP] =
	{.op = files_op__mmap, .fd = 5, .bytes = 2, .flags = 4, .flag_set = VEIL_FLAGS_MMAP, .offset = 6},
    [FILES_CALL_MMAP2] =
	{.op = files_op__mmap, .fd = 5, .bytes = 2, .flags = 4, .flag_set = VEIL_FLAGS_MMAP, .offset = 6},
    [FILES_CALL_CLOSE] = {.op = files_op__close, .fd = 1},
};

static __always_inline const struct files_shape *files_shape_of(enum files_call_kind kind)
{
	__u64 place = kind;

	veil_bound(place, FILES_SHAPES - 1);
	return &files_shapes[place];
}

/*
 * The numbers are the ABI's: arch/x86/entry/syscalls/, include/uapi/asm-generic/unistd.h. Tables and not a switch: the
 * verifier would walk all that follows for each case.
 */
#define FILES_CALLS_MAX 512 /* a power of two */
typedef const __u8 files_call_table[FILES_CALLS_MAX];

#if defined(__TARGET_ARCH_x86)
static files_call_table files_x86_64 = {
    [2] = FILES_CALL_OPEN,	    /* open */
    [85] = FILES_CALL_CREAT,	    /* creat */
    [257] = FILES_CALL_OPENAT,	    /* openat */
    [437] = FILES_CALL_OPENAT2,	    /* openat2 */
    [304] = FILES_CALL_OPEN_HANDLE, /* open_by_handle_at */
    [0] = FILES_CALL_READ,	    /* read */
    [17] = FILES_CALL_READ_AT,	    /* pread64 */
    [19] = FILES_CALL_READ,	    /* readv */
    [295] = FILES_CALL_READ_AT,	    /* preadv */
    [327] = FILES_CALL_READ_AT,	    /* preadv2 */
    [1] = FILES_CALL_WRITE,	    /* write */
    [18] = FILES_CALL_WRITE_AT,	    /* pwrite64 */
    [20] = FILES_CALL_WRITE,	    /* writev */
    [296] = FILES_CALL_WRITE_AT,    /* pwritev */
    [328] = FILES_CALL_WRITE_AT,    /* pwritev2 */
    [40] = FILES_CALL_SENDFILE,	    /* sendfile */
    [275] = FILES_CALL_SPLICE,	    /* splice */
    [326] = FILES_CALL_SPLICE,	    /* copy_file_range */
    [276] = FILES_CALL_TEE,	    /* tee */
    [278] = FILES_CALL_VMSPLICE,    /* vmsplice */
    [16] = FILES_CALL_IOCTL,	    /* ioctl */
    [59] = FILES_CALL_EXEC,	    /* execve */
    [322] = FILES_CALL_EXEC,	    /* execveat */
    [74] = FILES_CALL_FSYNC,	    /* fsync */
    [75] = FILES_CALL_FSYNC,	    /* fdatasync */
    [306] = FILES_CALL_FSYNC,	    /* syncfs */
    [162] = FILES_CALL_SYNC,	    /* sync */
    [277] = FILES_CALL_SYNC_RANGE,  /* sync_file_range */
    [76] = FILES_CALL_TRUNCATE,	    /* truncate */
    [77] = FILES_CALL_FTRUNCATE,    /* ftruncate */
    [4] = FILES_CALL_STAT,	    /* stat */
    [6] = FILES_CALL_STAT,	    /* lstat */
    [5] = FILES_CALL_FSTAT,	    /* fstat */
    [262] = FILES_CALL_STATAT,	    /* newfstatat */
    [332] = FILES_CALL_STATX,	    /* statx */
    [87] = FILES_CALL_UNLINK,	    /* unlink */
    [263] = FILES_CALL_UNLINKAT,    /* unlinkat */
    [82] = FILES_CALL_RENAME,	    /* rename */
    [264] = FILES_CALL_RENAMEAT,    /* renameat */
    [316] = FILES_CALL_RENAMEAT2,   /* renameat2 */
    [83] = FILES_CALL_MKDIR,	    /* mkdir */
    [258] = FILES_CALL_MKDIRAT,	    /* mkdirat */
    [84] = FILES_CALL_RMDIR,	    /* rmdir */
    [86] = FILES_CALL_LINK,	    /* link */
    [265] = FILES_CALL_LINKAT,	    /* linkat */
    [88] = FILES_CALL_SYMLINK,	    /* symlink */
    [266] = FILES_CALL_SYMLINKAT,   /* symlinkat */
    [90] = FILES_CALL_CHMOD,	    /* chmod */
    [91] = FILES_CALL_FCHMOD,	    /* fchmod */
    [268] = FILES_CALL_CHMODAT,	    /* fchmodat */
    [452] = FILES_CALL_CHMODAT2,    /* fchmodat2 */
    [92] = FILES_CALL_CHOWN,	    /* chown */
    [94] = FILES_CALL_CHOWN,	    /* lchown */
    [93] = FILES_CALL_FCHOWN,	    /* fchown */
    [260] = FILES_CALL_CHOWNAT,	    /* fchownat */
    [9] = FILES_CALL_MMAP,	    /* mmap */
    [3] = FILES_CALL_CLOSE,	    /* close */
};

static files_call_table files_i386 = {
    [5] = FILES_CALL_OPEN,	      /* open */
    [8] = FILES_CALL_CREAT,	      /* creat */
    [295] = FILES_CALL_OPENAT,	      /* openat */
    [437] = FILES_CALL_OPENAT2,	      /* openat2 */
    [342] = FILES_CALL_OPEN_HANDLE,   /* open_by_handle_at */
    [3] = FILES_CALL_READ,	      /* read */
    [145] = FILES_CALL_READ,	      /* readv */
    [180] = FILES_CALL_READ_AT,	      /* pread64 */
    [333] = FILES_CALL_READ_AT,	      /* preadv */
    [378] = FILES_CALL_READ_AT,	      /* preadv2 */
    [4] = FILES_CALL_WRITE,	      /* write */
    [146] = FILES_CALL_WRITE,	      /* writev */
    [181] = FILES_CALL_WRITE_AT,      /* pwrite64 */
    [334] = FILES_CALL_WRITE_AT,      /* pwritev */
    [379] = FILES_CALL_WRITE_AT,      /* pwritev2 */
    [187] = FILES_CALL_SENDFILE,      /* sendfile */
    [239] = FILES_CALL_SENDFILE,      /* sendfile64 */
    [313] = FILES_CALL_SPLICE,	      /* splice */
    [377] = FILES_CALL_SPLICE,	      /* copy_file_range */
    [315] = FILES_CALL_TEE,	      /* tee */
    [316] = FILES_CALL_VMSPLICE,      /* vmsplice */
    [54] = FILES_CALL_IOCTL,	      /* ioctl */
    [11] = FILES_CALL_EXEC,	      /* execve */
    [358] = FILES_CALL_EXEC,	      /* execveat */
    [118] = FILES_CALL_FSYNC,	      /* fsync */
    [148] = FILES_CALL_FSYNC,	      /* fdatasync */
    [344] = FILES_CALL_FSYNC,	      /* syncfs */
    [36] = FILES_CALL_SYNC,	      /* sync */
    [314] = FILES_CALL_SYNC_RANGE_32, /* sync_file_range */
    [92] = FILES_CALL_TRUNCATE,	      /* truncate */
    [93] = FILES_CALL_FTRUNCATE,      /* ftruncate */
    [193] = FILES_CALL_TRUNCATE_64,   /* truncate64 */
    [194] = FILES_CALL_FTRUNCATE_64,  /* ftruncate64 */
    [18] = FILES_CALL_STAT,	      /* oldstat */
    [84] = FILES_CALL_STAT,	      /* oldlstat */
    [28] = FILES_CALL_FSTAT,	      /* oldfstat */
    [106] = FILES_CALL_STAT,	      /* stat */
    [107] = FILES_CALL_STAT,	      /* lstat */
    [108] = FILES_CALL_FSTAT,	      /* fstat */
    [195] = FILES_CALL_STAT,	      /* stat64 */
    [196] = FILES_CALL_STAT,	      /* lstat64 */
    [197] = FILES_CALL_FSTAT,	      /* fstat64 */
    [300] = FILES_CALL_STATAT,	      /* fstatat64 */
    [383] = FILES_CALL_STATX,	      /* statx */
    [10] = FILES_CALL_UNLINK,	      /* unlink */
    [301] = FILES_CALL_UNLINKAT,      /* unlinkat */
    [38] = FILES_CALL_RENAME,	      /* rename */
    [302] = FILES_CALL_RENAMEAT,      /* renameat */
    [353] = FILES_CALL_RENAMEAT2,     /* renameat2 */
    [39] = FILES_CALL_MKDIR,	      /* mkdir */
    [296] = FILES_CALL_MKDIRAT,	      /* mkdirat */
    [40] = FILES_CALL_RMDIR,	      /* rmdir */
    [9] = FILES_CALL_LINK,	      /* link */
    [303] = FILES_CALL_LINKAT,	      /* linkat */
    [83] = FILES_CALL_SYMLINK,	      /* symlink */
    [304] = FILES_CALL_SYMLINKAT,     /* symlinkat */
    [15] = FILES_CALL_CHMOD,	      /* chmod */
    [94] = FILES_CALL_FCHMOD,	      /* fchmod */
    [306] = FILES_CALL_CHMODAT,	      /* fchmodat */
    [452] = FILES_CALL_CHMODAT2,      /* fchmodat2 */
    [16] = FILES_CALL_CHOWN,	      /* lchown16 */
    [182] = FILES_CALL_CHOWN,	      /* chown16 */
    [95] = FILES_CALL_FCHOWN,	      /* fchown16 */
    [198] = FILES_CALL_CHOWN,	      /* lchown */
    [212] = FILES_CALL_CHOWN,	      /* chown */
    [207] = FILES_CALL_FCHOWN,	      /* fchown */
    [298] = FILES_CALL_CHOWNAT,	      /* fchownat */
    [192] = FILES_CALL_MMAP2,	      /* mmap2 */
    [6] = FILES_CALL_CLOSE,	      /* close */
};

/* The calls that x32 has to itself, from 512 on; the others are those of x86-64. */
static files_call_table files_x32 = {
    [515 - 512] = FILES_CALL_READ,     /* readv */
    [534 - 512] = FILES_CALL_READ_AT,  /* preadv */
    [546 - 512] = FILES_CALL_READ_AT,  /* preadv2 */
    [516 - 512] = FILES_CALL_WRITE,    /* writev */
    [535 - 512] = FILES_CALL_WRITE_AT, /* pwritev */
    [547 - 512] = FILES_CALL_WRITE_AT, /* pwritev2 */
    [532 - 512] = FILES_CALL_VMSPLICE, /* vmsplice */
    [514 - 512] = FILES_CALL_IOCTL,    /* ioctl */
    [520 - 512] = FILES_CALL_EXEC,     /* execve */
    [545 - 512] = FILES_CALL_EXEC,     /* execveat */
};

static __always_inline enum files_call_kind files_call_kind(__u32 nr, enum veil_arch arch)
{
	if (arch == VEIL_ARCH_X32) {
		nr -= X32_BIT;
		if (nr >= FILES_CALLS_MAX && nr < 2 * FILES_CALLS_MAX)
			return files_x32[nr & (FILES_CALLS_MAX - 1)];
	}
	if (nr >= FILES_CALLS_MAX)
		return FILES_CALL_OTHER;
	veil_bound(nr, FILES_CALLS_MAX - 1);
	return arch == VEIL_ARCH_I386 ? files_i386[nr] : files_x86_64[nr];
}
#else
static files_call_table files_arm64 = {
    [56] = FILES_CALL_OPENAT,	    /* openat */
    [437] = FILES_CALL_OPENAT2,	    /* openat2 */
    [265] = FILES_CALL_OPEN_HANDLE, /* open_by_handle_at */
    [63] = FILES_CALL_READ,	    /* read */
    [65] = FILES_CALL_READ,	    /* readv */
    [67] = FILES_CALL_READ_AT,	    /* pread64 */
    [69] = FILES_CALL_READ_AT,	    /* preadv */
    [286] = FILES_CALL_READ_AT,	    /* preadv2 */
    [64] = FILES_CALL_WRITE,	    /* write */
    [66] = FILES_CALL_WRITE,	    /* writev */
    [68] = FILES_CALL_WRITE_AT,	    /* pwrite64 */
    [70] = FILES_CALL_WRITE_AT,	    /* pwritev */
    [287] = FILES_CALL_WRITE_AT,    /* pwritev2 */
    [71] = FILES_CALL_SENDFILE,	    /* sendfile */
    [76] = FILES_CALL_SPLICE,	    /* splice */
    [285] = FILES_CALL_SPLICE,	    /* copy_file_range */
    [77] = FILES_CALL_TEE,	    /* tee */
    [75] = FILES_CALL_VMSPLICE,	    /* vmsplice */
    [29] = FILES_CALL_IOCTL,	    /* ioctl */
    [221] = FILES_CALL_EXEC,	    /* execve */
    [281] = FILES_CALL_EXEC,	    /* execveat */
    [82] = FILES_CALL_FSYNC,	    /* fsync */
    [83] = FILES_CALL_FSYNC,	    /* fdatasync */
    [267] = FILES_CALL_FSYNC,	    /* syncfs */
    [81] = FILES_CALL_SYNC,	    /* sync */
    [84] = FILES_CALL_SYNC_RANGE,   /* sync_file_range */
    [45] = FILES_CALL_TRUNCATE,	    /* truncate */
    [46] = FILES_CALL_FTRUNCATE,    /* ftruncate */
    [80] = FILES_CALL_FSTAT,	    /* fstat */
    [79] = FILES_CALL_STATAT,	    /* newfstatat */
    [291] = FILES_CALL_STATX,	    /* statx */
    [35] = FILES_CALL_UNLINKAT,	    /* unlinkat */
    [38] = FILES_CALL_RENAMEAT,	    /* renameat */
    [276] = FILES_CALL_RENAMEAT2,   /* renameat2 */
    [34] = FILES_CALL_MKDIRAT,	    /* mkdirat */
    [37] = FILES_CALL_LINKAT,	    /* linkat */
    [36] = FILES_CALL_SYMLINKAT,    /* symlinkat */
    [52] = FILES_CALL_FCHMOD,	    /* fchmod */
    [53] = FILES_CALL_CHMODAT,	    /* fchmodat */
    [452] = FILES_CALL_CHMODAT2,    /* fchmodat2 */
    [55] = FILES_CALL_FCHOWN,	    /* fchown */
    [54] = FILES_CALL_CHOWNAT,	    /* fchownat */
    [222] = FILES_CALL_MMAP,	    /* mmap */
    [57] = FILES_CALL_CLOSE,	    /* close */
};

static __always_inline enum files_call_kind files_call_kind(__u32 nr, enum veil_arch arch)
{
	if (arch != VEIL_ARCH_ARM64 || nr >= FILES_CALLS_MAX)
		return FILES_CALL_OTHER;
	veil_bound(nr, FILES_CALLS_MAX - 1);
	return files_arm64[nr];
}
#endif

static __always_inline enum files_op files_op_of(enum files_call_kind kind)
{
	return files_shape_of(kind)->op;
}

#define AT_REMOVEDIR  0x200 /* include/uapi/linux/fcntl.h */
#define MAP_ANONYMOUS 0x20  /* include/uapi/asm-generic/mman-common.h */

/* The same of a call, whose flags may make it another one. */
static __always_inline enum files_op files_op_of_call(void *regs, enum veil_arch arch, enum files_call_kind kind)
{
	if (kind == FILES_CALL_UNLINKAT && veil_syscall_arg2(regs, arch) & AT_REMOVEDIR)
		return files_op__rmdir;
	return files_op_of(kind);
}

#define RESOLVE_IN_ROOT 0x10 /* include/uapi/linux/openat2.h */

struct files_open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

struct files_arguments {
	__u64 values[8]; /* from 1 on; the first is 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct files_arguments);
} files_args SEC(".maps");

static __always_inline struct files_arguments *files_arguments_of(void *regs, enum veil_arch arch)
{
	__u32 zero = 0;
	struct files_arguments *arguments = bpf_map_lookup_elem(&files_args, &zero);

	if (arguments)
		veil_syscall_args(veil_regs_core, regs, arch, arguments->values + 1);
	return arguments;
}

static __always_inline __u64 files_argument(const struct files_arguments *arguments, __u64 number, bool is_wide)
{
	__u64 next = number + 1;

	veil_bound(number, 7);
	if (!is_wide)
		return arguments->values[number];
	veil_bound(next, 7);
	return arguments->values[number] | arguments->values[next] << 32;
}

/* The name as it was asked for. Global functions, which the verifier walks once; before 5.13 they take numbers only. */
__noinline int files_add_requested(__u64 name)
{
	struct path_walk *walk = veil_path_walk(FILES_SLOT_CALL);
	struct files_op_event *event;
	struct veil_draft *draft;
	long length;

	if (!walk)
		return 0;
	draft = &walk->draft;
	event = (void *)draft->bytes;
	/* Behind two paths that are as long as can be. */
	if (draft->size >= VEIL_DRAFT_MAX / 2)
		return 0;
	length = bpf_probe_read_user_str(&draft->bytes[veil_draft_place(draft->size)], VEIL_PATH_MAX + 1, (void *)name);
	if (length < 0)
		return 0;
	/* An empty one is 0 bytes on some kernels, and its NUL on others. */
	length += !length;
	veil_part_start(draft, &event->requested);
	event->requested.truncated = length > VEIL_PATH_MAX;
	event->requested.size = length - 1;
	draft->size += length - 1;
	return 0;
}

#define O_CREAT	  0100 /* include/uapi/asm-generic/fcntl.h */
#define O_TMPFILE 020000000

static __always_inline void files_add_details_of(struct path_walk *walk, const struct files_arguments *arguments,
						 enum veil_arch arch, enum files_call_kind kind)
{
	struct files_op_event *event = (void *)walk->draft.bytes;
	const struct files_shape *shape = files_shape_of(kind);
	__u64 flags = files_argument(arguments, shape->flags, false);
	__u64 mode = files_argument(arguments, shape->mode, false);
	bool has_mode = shape->mode, is_wide = arch == VEIL_ARCH_I386;
	struct files_open_how how = {};

	if (kind == FILES_CALL_OPENAT2) {
		has_mode = !bpf_probe_read_user(&how, sizeof(how), (void *)arguments->values[3]);
		flags = how.flags;
		mode = how.mode;
	}
	if (shape->flag_set == VEIL_FLAGS_OPEN && !(flags & (O_CREAT | O_TMPFILE)))
		has_mode = false;
	event->flags.set = shape->flag_set;
	event->flags.word = flags;
	if (has_mode)
		event->mode = (__u16)mode;
	if (shape->offset)
		event->offset = files_argument(arguments, shape->offset, is_wide && shape->wide & 1);
	if (kind == FILES_CALL_MMAP2)
		event->offset *= 4096;
	if (shape->name && veil_wants(struct files_op_event, requested))
		files_add_requested(files_argument(arguments, shape->name, false));
}

static __always_inline void files_add_details(struct path_walk *walk, void *regs)
{
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	const struct files_arguments *arguments;

	if (!files_detailed)
		return;
	arguments = files_arguments_of(regs, arch);
	if (arguments)
		files_add_details_of(walk, arguments, arch, files_call_kind(nr, arch));
}

/* An open that failed, from the registers of its call. */
static __always_inline int files_failed_syscall_emit(void *regs, enum veil_arch arch, enum files_call_kind kind,
						     long ret)
{
	__u64 first = veil_syscall_arg0(regs, arch);
	struct files_asked asked = {.folder = AT_FDCWD, .name = (void *)first, .from_user = true, .regs = regs};
	struct files_open_how how = {};

	if (kind == FILES_CALL_OPENAT || kind == FILES_CALL_OPENAT2) {
		asked.folder = first;
		asked.name = (void *)veil_syscall_arg1(regs, arch);
	} else if (kind == FILES_CALL_OPEN_HANDLE) {
		asked.name = NULL;
	}
	if (kind == FILES_CALL_OPENAT2) {
		bpf_probe_read_user(&how, sizeof(how), (void *)veil_syscall_arg2(regs, arch));
		asked.in_root = how.resolve & RESOLVE_IN_ROOT;
	}
	return files_failed_open_emit(FILES_SLOT_CALL, &asked, ret);
}

/* include/uapi/linux/fs.h: reflinks, which share what they copy. */
#define FICLONE	     0x40049409
#define FICLONERANGE 0x4020940d

struct files_clone_range {
	__s64 source_fd;
	__u64 source_offset;
	__u64 length; /* 0: up to the end */
	__u64 target_offset;
};

static __always_inline bool files_is_clone(void *regs, enum veil_arch arch)
{
	__u32 command = veil_syscall_arg1(regs, arch);

	return command == FICLONE || command == FICLONERANGE;
}

/* The two descriptors of a copy; -1: memory, which has no name. */
struct files_copy {
	int source_fd;
	int target_fd;
	__u64 bytes;
};

/* A reflink's result is 0; its bytes are those that it shares. */
static __always_inline void files_clone_read(void *regs, enum veil_arch arch, long ret, struct files_copy *copy)
{
	__u64 argument = veil_syscall_arg2(regs, arch);
	struct files_clone_range range = {};
	struct file *source;

	copy->target_fd = veil_syscall_arg0(regs, arch);
	copy->source_fd = argument;
	if ((__u32)veil_syscall_arg1(regs, arch) == FICLONERANGE) {
		if (bpf_probe_read_user(&range, sizeof(range), (void *)argument))
			range.source_fd = -1;
		copy->source_fd = range.source_fd;
	}
	copy->bytes = range.length;
	source = veil_current_file(copy->source_fd);
	if (!range.length && source)
		copy->bytes = BPF_CORE_READ(source, f_path.dentry, d_inode, i_size) - range.source_offset;
	if (ret)
		copy->bytes = 0;
}

#define FMODE_WRITE 2

static __always_inline void files_copy_read(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret,
					    struct files_copy *copy)
{
	int first = veil_syscall_arg0(regs, arch), second = veil_syscall_arg1(regs, arch);
	struct file *pipe;

	copy->bytes = ret > 0 ? ret : 0;
	switch (kind) {
	case FILES_CALL_SENDFILE:
		copy->target_fd = first;
		copy->source_fd = second;
		break;
	case FILES_CALL_SPLICE:
		copy->source_fd = first;
		copy->target_fd = veil_syscall_arg2(regs, arch);
		break;
	case FILES_CALL_TEE:
		copy->source_fd = first;
		copy->target_fd = second;
		break;
	case FILES_CALL_IOCTL:
		files_clone_read(regs, arch, ret, copy);
		break;
	default: /* vmsplice: out of memory into a pipe, or out of one into memory */
		pipe = veil_current_file(first);
		copy->source_fd = copy->target_fd = -1;
		if (pipe && !(BPF_CORE_READ(pipe, f_mode) & FMODE_WRITE))
			copy->source_fd = first;
		else
			copy->target_fd = first;
	}
}

static __always_inline int files_copy_emit(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret)
{
	struct path_walk *walk = veil_path_walk(FILES_SLOT_CALL);
	bool from_memory, to_memory;
	struct files_event *event;
	struct files_copy copy;
	__u64 start_ns;

	if (!walk || !files_result_passes(files_call_key(FILES_SLOT_CALL), ret, &start_ns))
		return 0;
	event = files_event_start(walk, files_op__copy, ret);
	if (!event)
		return 0;
	files_copy_read(regs, arch, kind, ret, &copy);
	event->bytes = copy.bytes;
	from_memory = kind == FILES_CALL_VMSPLICE && copy.source_fd < 0;
	to_memory = kind == FILES_CALL_VMSPLICE && copy.target_fd < 0;
	if (from_memory)
		veil_part_omit(&event->filename);
	else if (files_wants_path(filename))
		files_add_file(FILES_SLOT_CALL, walk, &event->filename, veil_current_file(copy.source_fd));
	if (!to_memory && files_wants_path(target))
		files_add_file(FILES_SLOT_CALL, walk, &event->target, veil_current_file(copy.target_fd));
	else if (!to_memory)
		veil_part_start(&walk->draft, &event->target);
	files_event_emit(FILES_SLOT_CALL, walk, veil_current(), start_ns);
	return 0;
}

/*
 * Was the call refused by SECCOMP_RET_TRAP? Then the registers are rolled back (syscall_rollback()), the register of
 * the result has the number of the call or its first argument, and SIGSYS is pending.
 */
static __always_inline bool files_call_trapped(void)
{
	struct task_struct *task = veil_current().address;

	if (!bpf_core_field_exists(task->seccomp) || !BPF_CORE_READ(task, seccomp.mode))
		return false;
	return BPF_CORE_READ(task, pending.signal.sig[0]) >> (SIGSYS - 1) & 1;
}

/*
 * Seccomp may skip a call and return 0 (SECCOMP_RET_ERRNO with no errno), and 0 is a descriptor too. A real open that
 * got it has set where the next search starts (alloc_fd() in fs/file.c). Another thread that opens or closes meanwhile
 * can make this wrong: then the name is the one that was asked for.
 */
static __always_inline bool files_open_is_feigned(enum files_op op, long ret)
{
	struct task_struct *task = veil_current().address;

	if (op != files_op__open || ret || !bpf_core_field_exists(task->seccomp) || !BPF_CORE_READ(task, seccomp.mode))
		return false;
	return BPF_CORE_READ(task, files, next_fd) != 1;
}

/* The path of a descriptor that a thread closes, from before. */
struct files_closing {
	__u64 fd; /* plus 1; 0: none */
	__u16 size;
	__u8 truncated;
	__u8 deleted;
	char bytes[VEIL_PATH_MAX];
};
VEIL_TASK_STATE(closing, struct files_closing, 1024);

static __always_inline int files_close_start(void *regs, enum veil_arch arch)
{
	struct path_walk *walk = veil_path_walk(FILES_SLOT_ENTER);
	__u32 fd = veil_syscall_arg0(regs, arch);
	struct veil_task task = veil_current();
	struct file *file = veil_current_file(fd);
	struct files_closing *closing;
	__u32 start, size;

	if (!walk || !file)
		return 0;
	closing = veil_task_state_make(closing, task, veil_current_tid());
	if (!closing) {
		veil_lost(VEIL_LOST_MAP_FULL);
		return 0;
	}
	veil_path_resolve(FILES_SLOT_ENTER, (__u64)BPF_CORE_READ(file, f_path.dentry),
			  (__u64)BPF_CORE_READ(file, f_path.mnt));
	start = walk->start & (VEIL_PATH_MAX - 1);
	size = VEIL_PATH_MAX - start;
	closing->fd = (__u64)fd + 1;
	closing->size = size;
	closing->truncated = walk->truncated;
	closing->deleted = walk->deleted;
	asm volatile("" : "+r"(size));
	if (size > VEIL_PATH_MAX)
		return 0;
	bpf_probe_read_kernel(closing->bytes, size, &walk->bytes[start]);
	return 0;
}

/* Empty where the descriptor was open to nothing, or the call was not seen to begin. */
static __always_inline void files_add_closed(struct path_walk *walk, struct veil_part *path, __u32 fd)
{
	struct veil_task task = veil_current();
	struct files_closing *closing;
	__u32 tid = veil_current_tid();

	if (!files_closes)
		return;
	closing = veil_task_state_find(closing, task, tid);
	if (!closing)
		return;
	if (closing->fd == (__u64)fd + 1) {
		veil_part_add(&walk->draft, path, closing->bytes, closing->size);
		path->truncated |= closing->truncated;
		path->deleted = closing->deleted;
	}
	closing->fd = 0;
	veil_task_state_drop(closing, tid);
}

#define FILES_NAME_TARGET  1 /* it is the event's second path */
#define FILES_NAME_ALONE   2 /* relative to nothing */
#define FILES_NAME_OR_FILE 4 /* where it is empty, the folder's descriptor is meant */

/* A name, with the folder that it is relative to, from the memory of the call. */
__noinline int files_add_name(__u64 folder, __u64 name, __u32 how)
{
	struct files_asked asked = {.name = (void *)name, .folder = folder, .from_user = true};
	struct path_walk *walk = veil_path_walk(FILES_SLOT_CALL);
	struct files_event *event;
	struct veil_part *path;
	__u32 folder_size;
	char first = 0;

	if (!walk)
		return 0;
	event = (void *)walk->draft.bytes;
	path = how & FILES_NAME_TARGET ? &event->target : &event->filename;
	if (how & FILES_NAME_ALONE)
		veil_part_start(&walk->draft, path);
	else
		files_add_folder(FILES_SLOT_CALL, walk, path, &asked);
	bpf_probe_read_user(&first, 1, asked.name);
	if (how & FILES_NAME_OR_FILE && !first)
		return 0;
	folder_size = path->size;
	veil_path_append(walk, path, asked.name, true);
	if (!(how & FILES_NAME_ALONE))
		veil_path_clean(FILES_SLOT_CALL, walk, path, folder_size);
	return 0;
}

#define AT_EMPTY_PATH 0x1000

/* A call whose arguments files_shapes has. */
static __always_inline int files_shaped_emit(void *regs, enum veil_arch arch, enum files_call_kind kind,
					     enum files_op op, long ret)
{
	const struct files_arguments *arguments = files_arguments_of(regs, arch);
	struct path_walk *walk = veil_path_walk(FILES_SLOT_CALL);
	const struct files_shape *shape = files_shape_of(kind);
	struct files_event *event;
	__u64 start_ns, folder;
	__u32 how = 0;

	if (!walk || !arguments || !files_result_passes(files_call_key(FILES_SLOT_CALL), ret, &start_ns))
		return 0;
	event = files_event_start(walk, op, ret);
	if (!event)
		return 0;
	if (shape->bytes)
		event->bytes = files_argument(arguments, shape->bytes, arch == VEIL_ARCH_I386 && shape->wide & 2);
	if ((shape->flag_set == VEIL_FLAGS_AT || shape->flag_set == VEIL_FLAGS_STATX) &&
	    files_argument(arguments, shape->flags, false) & AT_EMPTY_PATH)
		how = FILES_NAME_OR_FILE;
	if (kind == FILES_CALL_SYNC) {
		veil_part_omit(&event->filename);
	} else if (files_wants_path(filename)) {
		if (kind == FILES_CALL_CLOSE) {
			files_add_closed(walk, &event->filename, arguments->values[1]);
		} else if (shape->fd) {
			files_add_file(FILES_SLOT_CALL, walk, &event->filename,
				       veil_current_file(files_argument(arguments, shape->fd, false)));
		} else {
			folder = shape->folder ? files_argument(arguments, shape->folder, false) : AT_FDCWD;
			files_add_name(folder, files_argument(arguments, shape->name, false),
				       op == files_op__symlink ? FILES_NAME_ALONE : how);
		}
	}
	if (shape->target) {
		veil_part_start(&walk->draft, &event->target);
		folder = shape->target_folder ? files_argument(arguments, shape->target_folder, false) : AT_FDCWD;
		if (files_wants_path(target))
			files_add_name(folder, files_argument(arguments, shape->target, false), FILES_NAME_TARGET);
	}
	if (files_detailed)
		files_add_details_of(walk, arguments, arch, kind);
	files_event_emit(FILES_SLOT_CALL, walk, veil_current(), start_ns);
	return 0;
}

/* Not a call that is traced. Of all ioctls only FICLONE and FICLONERANGE are copies; memory of no file is none of ours.
 */
static __always_inline bool files_call_is_other(void *regs, enum veil_arch arch, enum files_call_kind kind)
{
	__u64 flags;

	if (kind <= FILES_CALL_EXEC || !files_is_chosen(files_op_of(kind)))
		return true;
	if (kind == FILES_CALL_MMAP || kind == FILES_CALL_MMAP2) {
		flags = veil_syscall_arg3(regs, arch);
		return flags & MAP_ANONYMOUS;
	}
	return kind == FILES_CALL_IOCTL && !files_is_clone(regs, arch);
}

/* A call that came to an end, from its registers. */
static __always_inline int files_syscall_emit(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret)
{
	enum files_op op = files_op_of_call(regs, arch, kind);
	struct files_event *event;
	struct path_walk *walk;
	struct file *file;
	__u64 start_ns;
	__u32 fd;

	if (op > files_op__copy)
		return files_shaped_emit(regs, arch, kind, op, ret);
	if (op == files_op__copy)
		return files_copy_emit(regs, arch, kind, ret);
	if ((op == files_op__open && ret < 0) || files_open_is_feigned(op, ret))
		return files_failed_syscall_emit(regs, arch, kind, ret);

	walk = veil_path_walk(FILES_SLOT_CALL);
	if (!walk || !files_result_passes(files_call_key(FILES_SLOT_CALL), ret, &start_ns))
		return 0;
	event = files_event_start(walk, op, ret);
	if (!event)
		return 0;
	if (files_wants_path(filename)) {
		/* Empty for EBADF, or if another thread closed it meanwhile. */
		fd = op == files_op__open ? ret : veil_syscall_arg0(regs, arch);
		file = veil_current_file(fd);
		files_add_file(FILES_SLOT_CALL, walk, &event->filename, file);
	}
	files_add_details(walk, regs);
	files_event_emit(FILES_SLOT_CALL, walk, veil_current(), start_ns);
	return 0;
}

static __always_inline int files_syscall_end(void *regs, long ret)
{
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);

	if (files_call_is_other(regs, arch, kind) || !files_passes(files_op_of_call(regs, arch, kind)))
		return 0;
	return files_syscall_emit(regs, arch, kind, files_call_trapped() ? VEIL_RET_NONE : ret);
}

static __always_inline int files_syscall_start(void *regs, long nr)
{
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);

	enum files_op op;

	if (files_call_is_other(regs, arch, kind))
		return 0;
	op = files_op_of_call(regs, arch, kind);
	if (!files_may_pass(op))
		return 0;
	if (files_timed)
		files_clock_start(files_call_key(FILES_SLOT_CALL));
	return files_closes && kind == FILES_CALL_CLOSE ? files_close_start(regs, arch) : 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(files_call_enter_tp_btf, struct pt_regs *regs, long nr)
{
	return files_syscall_start(regs, nr);
}

SEC("raw_tp/sys_enter")
int files_call_enter_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return files_syscall_start((void *)ctx->args[0], ctx->args[1]);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(files_call_exit_tp_btf, struct pt_regs *regs, long ret)
{
	return files_syscall_end(regs, ret);
}

SEC("raw_tp/sys_exit")
int files_call_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return files_syscall_end((void *)ctx->args[0], ctx->args[1]);
}

/* Was the call's end seen at the functions that fentry and kprobe are at? Only opens, reads and writes have them, and
 * some failures come before. */
static __always_inline bool files_was_emitted(enum files_op op, long ret)
{
	if (op >= files_op__copy || files_open_is_feigned(op, ret))
		return false;
	return ret >= 0 || files_take_failure(ret);
}

/* Beside fentry and kprobe: what does not come to their functions. */
static __always_inline int files_beside_end(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret)
{
	enum files_op op = files_op_of_call(regs, arch, kind);

	if (kind == FILES_CALL_EXEC)
		files_take_failure(0);
	if (files_call_is_other(regs, arch, kind))
		return 0;
	/* The filters first, which is cheaper; but where they count they must not count an event twice. */
	if (!filter_op_counter && !files_passes(op))
		return 0;
	if (files_call_trapped())
		ret = VEIL_RET_NONE;
	else if (files_was_emitted(op, ret))
		return 0;
	if (filter_op_counter && !files_passes(op))
		return 0;
	return files_syscall_emit(regs, arch, kind, ret);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(files_call_exit_fentry, struct pt_regs *regs, long ret)
{
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);

	return files_beside_end(regs, arch, files_call_kind(nr, arch), ret);
}

/*
 * kprobe: the kernel drops the return of a function that runs in more threads at once than a kretprobe has instances,
 * and a read that blocks occupies one. 5.10 has as many as there are CPUs (register_kretprobe() in kernel/kprobes.c). A
 * call that is still kept when its system call ends was dropped, and has that result.
 */
static __always_inline bool files_dropped_end(enum files_op op, long ret)
{
	__u32 slot = op == files_op__read ? FILES_SLOT_READ : FILES_SLOT_WRITE;
	__u32 slot_v = op == files_op__read ? FILES_SLOT_READV : FILES_SLOT_WRITEV;
	struct files_call call;

	if (op != files_op__read && op != files_op__write)
		return false;
	if (!files_call_take(slot, &call)) {
		slot = slot_v;
		if (!files_call_take(slot, &call))
			return false;
	}
	files_file_emit(slot, op, (struct file *)call.first, ret);
	return true;
}

SEC("raw_tp/sys_exit")
int files_call_exit_kprobe(struct bpf_raw_tracepoint_args *ctx)
{
	void *regs = (void *)ctx->args[0];
	long ret = ctx->args[1];
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);
	struct files_call call;

	if (kind > FILES_CALL_EXEC && files_op_of(kind) == files_op__open) {
		/* A failure is emitted from the registers, below. */
		files_call_take(FILES_SLOT_OPEN_FAILED, &call);
		if (files_call_take(FILES_SLOT_OPEN, &call) && ret >= 0)
			return files_open_emit((struct file *)call.first);
	} else if (kind > FILES_CALL_EXEC && files_dropped_end(files_op_of(kind), ret)) {
		files_take_failure(ret);
		return 0;
	}
	return files_beside_end(regs, arch, kind, ret);
}

/* The start of what the functions do not see. */
static __always_inline int files_beside_start(void *regs, long nr)
{
	enum files_call_kind kind = files_call_kind(nr, veil_syscall_arch(veil_current(), nr));

	return files_op_of(kind) >= files_op__copy ? files_syscall_start(regs, nr) : 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(files_call_enter_fentry, struct pt_regs *regs, long nr)
{
	return files_beside_start(regs, nr);
}

SEC("raw_tp/sys_enter")
int files_call_enter_kprobe(struct bpf_raw_tracepoint_args *ctx)
{
	return files_beside_start((void *)ctx->args[0], ctx->args[1]);
}

/*
 * io_uring moves bytes without vfs_read and vfs_write, and long after its system call. From 5.19 on its tracepoint has
 * the request, and the request its file and its result; before, neither.
 */
static const __u8 files_uring_kinds[64] = {
    /* enum io_uring_op in include/uapi/linux/io_uring.h */
    [1] = FILES_CALL_READ,	 /* READV */
    [2] = FILES_CALL_WRITE,	 /* WRITEV */
    [4] = FILES_CALL_READ,	 /* READ_FIXED */
    [3] = FILES_CALL_FSYNC,	 /* FSYNC */
    [5] = FILES_CALL_WRITE,	 /* WRITE_FIXED */
    [8] = FILES_CALL_SYNC_RANGE, /* SYNC_FILE_RANGE */
    [18] = FILES_CALL_OPENAT,	 /* OPENAT */
    [22] = FILES_CALL_READ,	 /* READ */
    [23] = FILES_CALL_WRITE,	 /* WRITE */
    [28] = FILES_CALL_OPENAT2,	 /* OPENAT2 */
    [30] = FILES_CALL_SPLICE,	 /* SPLICE */
    [33] = FILES_CALL_TEE,	 /* TEE */
    [55] = FILES_CALL_FTRUNCATE, /* FTRUNCATE */
    [60] = FILES_CALL_READ,	 /* READV_FIXED */
    [61] = FILES_CALL_WRITE,	 /* WRITEV_FIXED */
};

#define PF_IO_WORKER 0x00000010 /* include/linux/sched.h */

/* What a worker thread of io_uring does (since 5.12 one of the process's own) its process does. */
static __always_inline struct veil_task files_uring_task(void)
{
	struct veil_task task = veil_current();

	if (veil_task_read(task, flags) & PF_IO_WORKER)
		task.address = veil_task_read(task, group_leader);
	return task;
}

static __always_inline enum files_call_kind files_uring_kind(struct io_kiocb *request)
{
	__u32 opcode = BPF_CORE_READ(request, opcode);

	if (opcode >= sizeof(files_uring_kinds))
		return FILES_CALL_OTHER;
	veil_bound(opcode, sizeof(files_uring_kinds) - 1);
	return files_uring_kinds[opcode];
}

static __always_inline bool files_uring_passes(enum files_call_kind kind)
{
	__u32 op = files_op_of(kind);

	return files_is_chosen(op) && veil_filter_passes_early(op, &op) && veil_task_passes(files_uring_task()) &&
	       veil_filter_passes_late(op, &op);
}

/* The same at the start. The end counts. */
static __always_inline bool files_uring_may_pass(enum files_call_kind kind)
{
	__u32 op = files_op_of(kind);

	return files_is_chosen(op) && veil_filter_passes_again(op, &op) && veil_task_passes_again(files_uring_task());
}

/* The file of a request. An open has one if it went into the descriptor table. */
static __always_inline struct file *files_uring_file(struct io_kiocb *request, enum files_op op, long ret)
{
	if (op != files_op__open)
		return BPF_CORE_READ(request, file);
	if (ret < 0 || BPF_CORE_READ((struct io_open *)request, file_slot))
		return NULL;
	return veil_current_file(ret);
}

#define SPLICE_F_FD_IN_FIXED (1u << 31)

/* The source of a copy. NULL: it is in the ring's own table. */
static __always_inline struct file *files_uring_source(struct io_kiocb *request)
{
	struct io_splice *splice = (struct io_splice *)request;

	if (BPF_CORE_READ(splice, flags) & SPLICE_F_FD_IN_FIXED)
		return NULL;
	return veil_current_file(BPF_CORE_READ(splice, splice_fd_in));
}

static __always_inline int files_uring_end(struct io_kiocb *request, bool with_opens)
{
	struct path_walk *walk = veil_path_walk(FILES_SLOT_URING);
	struct files_event *event;
	enum files_call_kind kind;
	struct file *file;
	__u64 start_ns;
	enum files_op op;
	long ret;

	/* Further results of one request come without it. */
	if (!walk || !request)
		return 0;
	kind = files_uring_kind(request);
	op = files_op_of(kind);
	if (kind == FILES_CALL_OTHER || (op == files_op__open && !with_opens) || !files_uring_passes(kind))
		return 0;
	ret = BPF_CORE_READ(request, cqe.res);
	if (!files_result_passes((__u64)request, ret, &start_ns))
		return 0;

	event = files_event_start(walk, op, ret);
	if (!event)
		return 0;
	file = files_uring_file(request, op, ret);
	if (files_wants_path(filename))
		files_add_file(FILES_SLOT_URING, walk, &event->filename,
			       op == files_op__copy ? files_uring_source(request) : file);
	if (op == files_op__copy && files_wants_path(target))
		files_add_file(FILES_SLOT_URING, walk, &event->target, file);
	files_event_emit(FILES_SLOT_URING, walk, files_uring_task(), start_ns);
	return 0;
}

static __always_inline int files_uring_start(struct io_kiocb *request)
{
	enum files_call_kind kind = files_uring_kind(request);

	if (kind != FILES_CALL_OTHER && files_uring_may_pass(kind))
		files_clock_start((__u64)request);
	return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(files_uring_exit_tp_btf, void *ring, void *request)
{
	return files_uring_end(request, true);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(files_uring_exit_fentry, void *ring, void *request)
{
	return files_uring_end(request, false);
}

SEC("raw_tp/io_uring_complete")
int files_uring_exit_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return files_uring_end((void *)ctx->args[1], true);
}

SEC("raw_tp/io_uring_complete")
int files_uring_exit_kprobe(struct bpf_raw_tracepoint_args *ctx)
{
	return files_uring_end((void *)ctx->args[1], false);
}

/* io_uring_submit_sqe was renamed io_uring_submit_req in 6.3. */
SEC("raw_tp/io_uring_submit_req")
int files_uring_req(struct bpf_raw_tracepoint_args *ctx)
{
	return files_uring_start((void *)ctx->args[0]);
}

SEC("raw_tp/io_uring_submit_sqe")
int files_uring_sqe(struct bpf_raw_tracepoint_args *ctx)
{
	return files_uring_start((void *)ctx->args[0]);
}
