/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as they are opened, read, written and copied, with their paths. */
#include "veil/arch.bpf.h"
#include "veil/result.bpf.h"
#include "veil/threshold.bpf.h"

/* The programs that resolve paths. All hooks need the first two. */
enum files_slot {
	FILES_SLOT_CALL,
	FILES_SLOT_URING,
	FILES_SLOT_OPEN,
	FILES_SLOT_OPEN_FAILED,
	FILES_SLOT_READ,
	FILES_SLOT_WRITE,
	FILES_SLOT_READV,
	FILES_SLOT_WRITEV,
	FILES_SLOTS,
};
#define VEIL_PATH_SLOTS FILES_SLOTS
#include "veil/path.bpf.h"

char _license[] SEC("license") = "GPL";

/* The order is OpDimension's. */
enum files_op {
	files_op__open,
	files_op__read,
	files_op__write,
	files_op__copy,
};

struct files_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
	veil_path_t target; /* of a copy */
};

/* With --slower, which needs a start for each end. It begins like the other one. */
struct files_timed_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
	veil_path_t target;
	veil_duration_t duration_ns;
};

VEIL_EVENT(0, files_event);
VEIL_EVENT(1, files_timed_event);

const volatile bool files_timed;

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

static __always_inline bool files_passes(enum files_op op)
{
	__u32 key = op;

	return veil_filter_passes_early(op, &key) && veil_task_passes(veil_current()) &&
	       veil_filter_passes_late(op, &key);
}

/* The same at the start. The end counts. */
static __always_inline bool files_may_pass(enum files_op op)
{
	__u32 key = op;

	return veil_filter_passes_again(op, &key) && veil_task_passes_again(veil_current());
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
	(veil_wants(struct files_event, member) || veil_wants(struct files_event, member.truncated) ||                 \
	 veil_wants(struct files_event, member.deleted))

/* Begins an event, without its paths. */
static __always_inline struct files_event *files_event_start(struct path_walk *walk, enum files_op op, long ret)
{
	struct files_event *event =
	    veil_draft_start(&walk->draft, files_timed ? sizeof(struct files_timed_event) : sizeof(struct files_event));

	event->op = op;
	event->ret = ret;
	event->bytes = op != files_op__open && ret > 0 ? ret : 0;
	veil_part_start(&walk->draft, &event->filename);
	veil_part_omit(&event->target);
	return event;
}

static __always_inline void files_event_emit(struct path_walk *walk, struct veil_task task, __u64 start_ns)
{
	struct files_timed_event *event = (void *)walk->draft.bytes;

	veil_event_init(&event->common, files_timed ? files_timed_event_kind : files_event_kind, task);
	if (files_timed)
		event->duration_ns = start_ns ? event->common.timestamp - start_ns : VEIL_DURATION_UNKNOWN;
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
	if (files_wants_path(filename))
		files_add_path(slot, walk, &event->filename, dentry, mount);
	files_event_emit(walk, veil_current(), start_ns);
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
};

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
	if (files_wants_path(filename)) {
		files_add_folder(slot, walk, &event->filename, asked);
		folder_size = event->filename.size;
		veil_path_append(walk, &event->filename, asked->name, asked->from_user);
		veil_path_keep_in_root(slot, walk, &event->filename, folder_size);
	}
	files_event_emit(walk, veil_current(), start_ns);
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
	FILES_CALL_OPEN,	/* open, creat: the name first */
	FILES_CALL_OPENAT,	/* a folder, then the name */
	FILES_CALL_OPENAT2,	/* the same, and a struct open_how */
	FILES_CALL_OPEN_HANDLE, /* open_by_handle_at: no name */
	FILES_CALL_READ,
	FILES_CALL_WRITE,
	FILES_CALL_SENDFILE, /* from here on copies. To, from. */
	FILES_CALL_SPLICE,   /* splice, copy_file_range: from, its offset, to */
	FILES_CALL_TEE,	     /* from, to */
	FILES_CALL_VMSPLICE, /* a pipe */
	FILES_CALL_IOCTL,    /* to, FICLONE or FICLONERANGE, from */
};

/*
 * The numbers are the ABI's: arch/x86/entry/syscalls/, include/uapi/asm-generic/unistd.h. Tables and not a switch: the
 * verifier would walk all that follows for each case.
 */
#define FILES_CALLS_MAX 512 /* a power of two */
typedef const __u8 files_call_table[FILES_CALLS_MAX];

#if defined(__TARGET_ARCH_x86)
static files_call_table files_x86_64 = {
    [2] = FILES_CALL_OPEN,	    /* open */
    [85] = FILES_CALL_OPEN,	    /* creat */
    [257] = FILES_CALL_OPENAT,	    /* openat */
    [437] = FILES_CALL_OPENAT2,	    /* openat2 */
    [304] = FILES_CALL_OPEN_HANDLE, /* open_by_handle_at */
    [0] = FILES_CALL_READ,	    /* read */
    [17] = FILES_CALL_READ,	    /* pread64 */
    [19] = FILES_CALL_READ,	    /* readv */
    [295] = FILES_CALL_READ,	    /* preadv */
    [327] = FILES_CALL_READ,	    /* preadv2 */
    [1] = FILES_CALL_WRITE,	    /* write */
    [18] = FILES_CALL_WRITE,	    /* pwrite64 */
    [20] = FILES_CALL_WRITE,	    /* writev */
    [296] = FILES_CALL_WRITE,	    /* pwritev */
    [328] = FILES_CALL_WRITE,	    /* pwritev2 */
    [40] = FILES_CALL_SENDFILE,	    /* sendfile */
    [275] = FILES_CALL_SPLICE,	    /* splice */
    [326] = FILES_CALL_SPLICE,	    /* copy_file_range */
    [276] = FILES_CALL_TEE,	    /* tee */
    [278] = FILES_CALL_VMSPLICE,    /* vmsplice */
    [16] = FILES_CALL_IOCTL,	    /* ioctl */
    [59] = FILES_CALL_EXEC,	    /* execve */
    [322] = FILES_CALL_EXEC,	    /* execveat */
};

static files_call_table files_i386 = {
    [5] = FILES_CALL_OPEN,	    /* open */
    [8] = FILES_CALL_OPEN,	    /* creat */
    [295] = FILES_CALL_OPENAT,	    /* openat */
    [437] = FILES_CALL_OPENAT2,	    /* openat2 */
    [342] = FILES_CALL_OPEN_HANDLE, /* open_by_handle_at */
    [3] = FILES_CALL_READ,	    /* read */
    [145] = FILES_CALL_READ,	    /* readv */
    [180] = FILES_CALL_READ,	    /* pread64 */
    [333] = FILES_CALL_READ,	    /* preadv */
    [378] = FILES_CALL_READ,	    /* preadv2 */
    [4] = FILES_CALL_WRITE,	    /* write */
    [146] = FILES_CALL_WRITE,	    /* writev */
    [181] = FILES_CALL_WRITE,	    /* pwrite64 */
    [334] = FILES_CALL_WRITE,	    /* pwritev */
    [379] = FILES_CALL_WRITE,	    /* pwritev2 */
    [187] = FILES_CALL_SENDFILE,    /* sendfile */
    [239] = FILES_CALL_SENDFILE,    /* sendfile64 */
    [313] = FILES_CALL_SPLICE,	    /* splice */
    [377] = FILES_CALL_SPLICE,	    /* copy_file_range */
    [315] = FILES_CALL_TEE,	    /* tee */
    [316] = FILES_CALL_VMSPLICE,    /* vmsplice */
    [54] = FILES_CALL_IOCTL,	    /* ioctl */
    [11] = FILES_CALL_EXEC,	    /* execve */
    [358] = FILES_CALL_EXEC,	    /* execveat */
};

/* The calls that x32 has to itself, from 512 on; the others are those of x86-64. */
static files_call_table files_x32 = {
    [515 - 512] = FILES_CALL_READ,     /* readv */
    [534 - 512] = FILES_CALL_READ,     /* preadv */
    [546 - 512] = FILES_CALL_READ,     /* preadv2 */
    [516 - 512] = FILES_CALL_WRITE,    /* writev */
    [535 - 512] = FILES_CALL_WRITE,    /* pwritev */
    [547 - 512] = FILES_CALL_WRITE,    /* pwritev2 */
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
    [67] = FILES_CALL_READ,	    /* pread64 */
    [69] = FILES_CALL_READ,	    /* preadv */
    [286] = FILES_CALL_READ,	    /* preadv2 */
    [64] = FILES_CALL_WRITE,	    /* write */
    [66] = FILES_CALL_WRITE,	    /* writev */
    [68] = FILES_CALL_WRITE,	    /* pwrite64 */
    [70] = FILES_CALL_WRITE,	    /* pwritev */
    [287] = FILES_CALL_WRITE,	    /* pwritev2 */
    [71] = FILES_CALL_SENDFILE,	    /* sendfile */
    [76] = FILES_CALL_SPLICE,	    /* splice */
    [285] = FILES_CALL_SPLICE,	    /* copy_file_range */
    [77] = FILES_CALL_TEE,	    /* tee */
    [75] = FILES_CALL_VMSPLICE,	    /* vmsplice */
    [29] = FILES_CALL_IOCTL,	    /* ioctl */
    [221] = FILES_CALL_EXEC,	    /* execve */
    [281] = FILES_CALL_EXEC,	    /* execveat */
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
	if (kind == FILES_CALL_READ)
		return files_op__read;
	if (kind == FILES_CALL_WRITE)
		return files_op__write;
	return kind > FILES_CALL_WRITE ? files_op__copy : files_op__open;
}

#define RESOLVE_IN_ROOT 0x10 /* include/uapi/linux/openat2.h */

struct files_open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

/* An open that failed, from the registers of its call. */
static __always_inline int files_failed_syscall_emit(void *regs, enum veil_arch arch, enum files_call_kind kind,
						     long ret)
{
	__u64 first = veil_syscall_arg0(regs, arch);
	struct files_asked asked = {.folder = AT_FDCWD, .name = (void *)first, .from_user = true};
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
	files_event_emit(walk, veil_current(), start_ns);
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

/* Not a call of this module. Of all ioctls only FICLONE and FICLONERANGE are copies. */
static __always_inline bool files_call_is_other(void *regs, enum veil_arch arch, enum files_call_kind kind)
{
	return kind <= FILES_CALL_EXEC || (kind == FILES_CALL_IOCTL && !files_is_clone(regs, arch));
}

/* A call that came to an end, from its registers. */
static __always_inline int files_syscall_emit(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret)
{
	enum files_op op = files_op_of(kind);
	struct files_event *event;
	struct path_walk *walk;
	struct file *file;
	__u64 start_ns;
	__u32 fd;

	if (op == files_op__copy)
		return files_copy_emit(regs, arch, kind, ret);
	if ((op == files_op__open && ret < 0) || files_open_is_feigned(op, ret))
		return files_failed_syscall_emit(regs, arch, kind, ret);

	walk = veil_path_walk(FILES_SLOT_CALL);
	if (!walk || !files_result_passes(files_call_key(FILES_SLOT_CALL), ret, &start_ns))
		return 0;
	event = files_event_start(walk, op, ret);
	if (files_wants_path(filename)) {
		/* Empty for EBADF, or if another thread closed it meanwhile. */
		fd = op == files_op__open ? ret : veil_syscall_arg0(regs, arch);
		file = veil_current_file(fd);
		files_add_file(FILES_SLOT_CALL, walk, &event->filename, file);
	}
	files_event_emit(walk, veil_current(), start_ns);
	return 0;
}

static __always_inline int files_syscall_end(void *regs, long ret)
{
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);

	if (files_call_is_other(regs, arch, kind) || !files_passes(files_op_of(kind)))
		return 0;
	return files_syscall_emit(regs, arch, kind, files_call_trapped() ? VEIL_RET_NONE : ret);
}

static __always_inline int files_syscall_start(void *regs, long nr)
{
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);

	if (files_call_is_other(regs, arch, kind))
		return 0;
	return files_op_start(FILES_SLOT_CALL, files_op_of(kind));
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

/* Was the call's end seen at the functions that fentry and kprobe are at? Copies have none, and some failures come
 * before them. */
static __always_inline bool files_was_emitted(enum files_op op, long ret)
{
	if (op == files_op__copy || files_open_is_feigned(op, ret))
		return false;
	return ret >= 0 || files_take_failure(ret);
}

/* Beside fentry and kprobe: what does not come to their functions. */
static __always_inline int files_beside_end(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret)
{
	enum files_op op = files_op_of(kind);

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

static __always_inline int files_copy_start(void *regs, long nr)
{
	enum files_call_kind kind = files_call_kind(nr, veil_syscall_arch(veil_current(), nr));

	return files_op_of(kind) == files_op__copy ? files_syscall_start(regs, nr) : 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(files_call_enter_fentry, struct pt_regs *regs, long nr)
{
	return files_copy_start(regs, nr);
}

SEC("raw_tp/sys_enter")
int files_call_enter_kprobe(struct bpf_raw_tracepoint_args *ctx)
{
	return files_copy_start((void *)ctx->args[0], ctx->args[1]);
}

/*
 * io_uring moves bytes without vfs_read and vfs_write, and long after its system call. From 5.19 on its tracepoint has
 * the request, and the request its file and its result; before, neither.
 */
static const __u8 files_uring_kinds[64] = {
    /* enum io_uring_op in include/uapi/linux/io_uring.h */
    [1] = FILES_CALL_READ,     /* READV */
    [2] = FILES_CALL_WRITE,    /* WRITEV */
    [4] = FILES_CALL_READ,     /* READ_FIXED */
    [5] = FILES_CALL_WRITE,    /* WRITE_FIXED */
    [18] = FILES_CALL_OPENAT,  /* OPENAT */
    [22] = FILES_CALL_READ,    /* READ */
    [23] = FILES_CALL_WRITE,   /* WRITE */
    [28] = FILES_CALL_OPENAT2, /* OPENAT2 */
    [30] = FILES_CALL_SPLICE,  /* SPLICE */
    [33] = FILES_CALL_TEE,     /* TEE */
    [60] = FILES_CALL_READ,    /* READV_FIXED */
    [61] = FILES_CALL_WRITE,   /* WRITEV_FIXED */
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

	return veil_filter_passes_early(op, &op) && veil_task_passes(files_uring_task()) &&
	       veil_filter_passes_late(op, &op);
}

/* The same at the start. The end counts. */
static __always_inline bool files_uring_may_pass(enum files_call_kind kind)
{
	__u32 op = files_op_of(kind);

	return veil_filter_passes_again(op, &op) && veil_task_passes_again(files_uring_task());
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
	file = files_uring_file(request, op, ret);
	if (files_wants_path(filename))
		files_add_file(FILES_SLOT_URING, walk, &event->filename,
			       op == files_op__copy ? files_uring_source(request) : file);
	if (op == files_op__copy && files_wants_path(target))
		files_add_file(FILES_SLOT_URING, walk, &event->target, file);
	files_event_emit(walk, files_uring_task(), start_ns);
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
