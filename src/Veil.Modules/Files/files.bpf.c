/* SPDX-License-Identifier: GPL-3.0-only */
/* Files as they are opened, read and written, with their paths. */
#include "veil/arch.bpf.h"
#include "veil/filter.bpf.h"
#include "veil/threshold.bpf.h"

enum files_slot {
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
};

struct files_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_path_t filename;
};

/* With --slower, which needs a begin to each end. */
struct files_timed_event {
	struct veil_event common;
	enum files_op op;
	veil_ret_t ret;
	veil_bytes_t bytes;
	veil_duration_t duration_ns;
	veil_path_t filename;
};

VEIL_EVENT(0, files_event);
VEIL_EVENT(1, files_timed_event);

const volatile bool files_timed;

/* When an operation began, by thread and slot. What never ends gives way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} files_starts SEC(".maps");

static __always_inline __u64 files_call_key(__u32 slot)
{
	return (__u64)slot << 32 | (__u32)bpf_get_current_pid_tgid();
}

VEIL_FILTER(op, __u32);

#define FMODE_NOACCOUNT 0x20000000 /* include/linux/fs.h: an open file inside another one, as overlayfs has them */

static __always_inline bool files_passes(enum files_op op)
{
	__u32 key = op;

	return veil_filter_passes(op, &key) && veil_task_passes(veil_current());
}

/* Where its begin is not known, an event has no duration; one that had to be slow to be told is lost. */
static __always_inline void files_begun(__u64 key)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (bpf_map_update_elem(&files_starts, &key, &now, BPF_ANY) && veil_slower_ns)
		veil_lost(VEIL_LOST_MAP_FULL);
}

static __always_inline int files_begins(__u32 slot, enum files_op op)
{
	if (files_passes(op))
		files_begun(files_call_key(slot));
	return 0;
}

/* Is the result worth an event? Asked once, for it takes the time of the begin. */
static __always_inline bool files_result_passes(__u32 slot, long ret, __u64 *start_ns)
{
	__u64 key = files_call_key(slot), *start;

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

/* The two kinds of event differ in where the path is. */
static __always_inline struct veil_path *files_path(struct path_walk *walk)
{
	struct files_event *event = (void *)walk->event;
	struct files_timed_event *timed = (void *)walk->event;

	return files_timed ? &timed->filename : &event->filename;
}

static __always_inline bool files_wants_path(void)
{
	return files_timed ? veil_wants(struct files_timed_event, filename.bytes) ||
				 veil_wants(struct files_timed_event, filename.truncated)
			   : veil_wants(struct files_event, filename.bytes) ||
				 veil_wants(struct files_event, filename.truncated);
}

static __always_inline void files_submit(struct path_walk *walk, enum files_op op, long ret, __u64 start_ns,
					 __u32 path_size)
{
	struct files_event *event = (void *)walk->event;
	struct files_timed_event *timed = (void *)walk->event;
	__u64 size = files_timed ? offsetof(struct files_timed_event, filename.bytes)
				 : offsetof(struct files_event, filename.bytes);

	veil_event_init(&event->common, files_timed ? files_timed_event_kind : files_event_kind, veil_current());
	event->op = op;
	event->ret = ret;
	event->bytes = op != files_op__open && ret > 0 ? ret : 0;
	if (files_timed)
		timed->duration_ns = start_ns ? event->common.timestamp - start_ns : VEIL_DURATION_UNKNOWN;
	veil_output(event, size + (path_size & (2 * VEIL_PATH_MAX - 1)));
}

static __always_inline int files_done(__u32 slot, enum files_op op, struct dentry *dentry, struct vfsmount *mount,
				      long ret)
{
	struct path_walk *walk = veil_path_walk(slot);
	__u32 path_size = 0;
	__u64 start_ns;

	if (!walk || !files_result_passes(slot, ret, &start_ns))
		return 0;
	if (files_wants_path()) {
		veil_path_resolve(slot, (__u64)dentry, (__u64)mount);
		path_size = veil_path_take(walk, files_path(walk));
	}
	files_submit(walk, op, ret, start_ns, path_size);
	return 0;
}

static __always_inline int files_file_done(__u32 slot, enum files_op op, struct file *file, long ret)
{
	return files_done(slot, op, BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), ret);
}

static __always_inline struct file *files_of_descriptor(__u32 fd)
{
	struct task_struct *task = veil_current();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = NULL;

	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	files = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

#define AT_FDCWD -100

/* An open that did not come to a file: the name that was asked for, with the folder that it was relative to. */
static __always_inline int files_open_failed(__u32 slot, int folder, const void *name, bool from_user, long ret)
{
	struct task_struct *task = veil_current();
	struct path_walk *walk = veil_path_walk(slot);
	struct veil_path *path;
	__u64 start_ns;
	__u32 size = 0;
	char first = 0;

	if (!walk || !files_result_passes(slot, ret, &start_ns))
		return 0;
	if (from_user)
		bpf_probe_read_user(&first, 1, name);
	else
		bpf_probe_read_kernel(&first, 1, name);
	path = files_path(walk);
	path->truncated = 0;
	if (first != '/') {
		struct dentry *dentry = NULL;
		struct vfsmount *mount = NULL;

		if (folder == AT_FDCWD) {
			dentry = BPF_CORE_READ(task, fs, pwd.dentry);
			mount = BPF_CORE_READ(task, fs, pwd.mnt);
		} else {
			struct file *file = files_of_descriptor(folder);
			if (file) {
				dentry = BPF_CORE_READ(file, f_path.dentry);
				mount = BPF_CORE_READ(file, f_path.mnt);
			}
		}
		if (dentry) {
			veil_path_resolve(slot, (__u64)dentry, (__u64)mount);
			size = veil_path_take(walk, path);
		}
	}
	size = veil_path_append(path, size, name, from_user);
	files_submit(walk, files_op__open, ret, start_ns, size);
	return 0;
}

/* fentry: the functions that all of the kernel's own callers go through too. */

SEC("fexit/vfs_open")
int BPF_PROG(open_fentry, const struct path *path, struct file *file, int ret)
{
	if (ret || !files_passes(files_op__open) || BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT)
		return 0;
	return files_done(FILES_SLOT_OPEN, files_op__open, BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt), ret);
}

static __always_inline int files_open_failed_in_kernel(int folder, struct filename *name, long ret)
{
	if ((unsigned long)ret < (unsigned long)-4095 || !files_passes(files_op__open))
		return 0;
	return files_open_failed(FILES_SLOT_OPEN_FAILED, folder, BPF_CORE_READ(name, name), false, ret);
}

SEC("fexit/do_filp_open")
int BPF_PROG(open_failed_fentry, int folder, struct filename *name, const void *flags, long ret)
{
	return files_open_failed_in_kernel(folder, name, ret);
}

/* Its name in 7.x. */
SEC("fexit/do_file_open")
int BPF_PROG(open_failed_7_fentry, int folder, struct filename *name, const void *flags, long ret)
{
	return files_open_failed_in_kernel(folder, name, ret);
}

SEC("fexit/vfs_read")
int BPF_PROG(read_fentry, struct file *file, char *buffer, unsigned long count, void *position, long ret)
{
	return files_passes(files_op__read) ? files_file_done(FILES_SLOT_READ, files_op__read, file, ret) : 0;
}

SEC("fexit/vfs_write")
int BPF_PROG(write_fentry, struct file *file, const char *buffer, unsigned long count, void *position, long ret)
{
	return files_passes(files_op__write) ? files_file_done(FILES_SLOT_WRITE, files_op__write, file, ret) : 0;
}

SEC("fexit/vfs_readv")
int BPF_PROG(readv_fentry, struct file *file, const void *vec, unsigned long count, void *position, int flags, long ret)
{
	return files_passes(files_op__read) ? files_file_done(FILES_SLOT_READV, files_op__read, file, ret) : 0;
}

SEC("fexit/vfs_writev")
int BPF_PROG(writev_fentry, struct file *file, const void *vec, unsigned long count, void *position, int flags,
	     long ret)
{
	return files_passes(files_op__write) ? files_file_done(FILES_SLOT_WRITEV, files_op__write, file, ret) : 0;
}

/* Their begins, with --slower. */

SEC("fentry/vfs_open")
int BPF_PROG(open_begin_fentry, const struct path *path, struct file *file)
{
	return BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT ? 0 : files_begins(FILES_SLOT_OPEN, files_op__open);
}

SEC("fentry/do_filp_open")
int BPF_PROG(open_failed_begin_fentry)
{
	return files_begins(FILES_SLOT_OPEN_FAILED, files_op__open);
}

SEC("fentry/do_file_open")
int BPF_PROG(open_failed_7_begin_fentry)
{
	return files_begins(FILES_SLOT_OPEN_FAILED, files_op__open);
}

SEC("fentry/vfs_read")
int BPF_PROG(read_begin_fentry)
{
	return files_begins(FILES_SLOT_READ, files_op__read);
}

SEC("fentry/vfs_write")
int BPF_PROG(write_begin_fentry)
{
	return files_begins(FILES_SLOT_WRITE, files_op__write);
}

SEC("fentry/vfs_readv")
int BPF_PROG(readv_begin_fentry)
{
	return files_begins(FILES_SLOT_READV, files_op__read);
}

SEC("fentry/vfs_writev")
int BPF_PROG(writev_begin_fentry)
{
	return files_begins(FILES_SLOT_WRITEV, files_op__write);
}

/* kprobe: the same functions; what they were called with is remembered until they return. */

struct files_call {
	__u64 first;
	__u64 second;
};

/* By thread and slot: one of these functions may run inside another one, but not inside itself. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct files_call);
} files_calls SEC(".maps");

static __always_inline int files_enter(__u32 slot, enum files_op op, __u64 first, __u64 second)
{
	struct files_call call = {.first = first, .second = second};
	__u64 key = files_call_key(slot);

	if (!files_passes(op))
		return 0;
	if (files_timed)
		files_begun(key);
	/* The kernel drops the return of a function that runs in more threads at once than a kretprobe has room for. */
	if (bpf_map_lookup_elem(&files_calls, &key))
		veil_lost(VEIL_LOST_MISSED_PROBE);
	if (bpf_map_update_elem(&files_calls, &key, &call, BPF_ANY))
		veil_lost(VEIL_LOST_MAP_FULL);
	return 0;
}

static __always_inline bool files_leave(__u32 slot, struct files_call *call)
{
	__u64 key = files_call_key(slot);
	struct files_call *found = bpf_map_lookup_elem(&files_calls, &key);

	if (!found)
		return false;
	*call = *found;
	bpf_map_delete_elem(&files_calls, &key);
	return true;
}

static __always_inline int files_leave_file(__u32 slot, enum files_op op, long ret)
{
	struct files_call call;

	return files_leave(slot, &call) ? files_file_done(slot, op, (struct file *)call.first, ret) : 0;
}

static __always_inline int files_opened(struct file *file)
{
	if (BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT)
		return 0;
	return files_file_done(FILES_SLOT_OPEN, files_op__open, file, 0);
}

/* An open file inside another one is none of its own, but its return would be taken for the other's: they are counted.
 */
SEC("kprobe/vfs_open")
int BPF_KPROBE(open_enter_kprobe, const struct path *path, struct file *file)
{
	if (BPF_CORE_READ(file, f_mode) & FMODE_NOACCOUNT) {
		__u64 key = files_call_key(FILES_SLOT_OPEN);
		struct files_call *outer = bpf_map_lookup_elem(&files_calls, &key);

		if (outer)
			outer->second++;
		return 0;
	}
	return files_enter(FILES_SLOT_OPEN, files_op__open, (__u64)file, 0);
}

SEC("kretprobe/vfs_open")
int BPF_KRETPROBE(open_kprobe, int ret)
{
	__u64 key = files_call_key(FILES_SLOT_OPEN);
	struct files_call call, *outer = bpf_map_lookup_elem(&files_calls, &key);

	if (outer && outer->second) {
		outer->second--;
		return 0;
	}
	return files_leave(FILES_SLOT_OPEN, &call) && !ret ? files_opened((struct file *)call.first) : 0;
}

static __always_inline int files_open_left(long ret)
{
	struct files_call call;
	struct filename *name;

	if (!files_leave(FILES_SLOT_OPEN_FAILED, &call) || (unsigned long)ret < (unsigned long)-4095)
		return 0;
	name = (struct filename *)call.second;
	return files_open_failed(FILES_SLOT_OPEN_FAILED, (int)call.first, BPF_CORE_READ(name, name), false, ret);
}

SEC("kprobe/do_filp_open")
int BPF_KPROBE(open_failed_enter_kprobe, int folder, struct filename *name)
{
	return files_enter(FILES_SLOT_OPEN_FAILED, files_op__open, (__u64)folder, (__u64)name);
}

SEC("kretprobe/do_filp_open")
int BPF_KRETPROBE(open_failed_kprobe, long ret)
{
	return files_open_left(ret);
}

SEC("kprobe/do_file_open")
int BPF_KPROBE(open_failed_7_enter_kprobe, int folder, struct filename *name)
{
	return files_enter(FILES_SLOT_OPEN_FAILED, files_op__open, (__u64)folder, (__u64)name);
}

SEC("kretprobe/do_file_open")
int BPF_KRETPROBE(open_failed_7_kprobe, long ret)
{
	return files_open_left(ret);
}

SEC("kprobe/vfs_read")
int BPF_KPROBE(read_enter_kprobe, struct file *file)
{
	return files_enter(FILES_SLOT_READ, files_op__read, (__u64)file, 0);
}

SEC("kretprobe/vfs_read")
int BPF_KRETPROBE(read_kprobe, long ret)
{
	return files_leave_file(FILES_SLOT_READ, files_op__read, ret);
}

SEC("kprobe/vfs_write")
int BPF_KPROBE(write_enter_kprobe, struct file *file)
{
	return files_enter(FILES_SLOT_WRITE, files_op__write, (__u64)file, 0);
}

SEC("kretprobe/vfs_write")
int BPF_KRETPROBE(write_kprobe, long ret)
{
	return files_leave_file(FILES_SLOT_WRITE, files_op__write, ret);
}

SEC("kprobe/vfs_readv")
int BPF_KPROBE(readv_enter_kprobe, struct file *file)
{
	return files_enter(FILES_SLOT_READV, files_op__read, (__u64)file, 0);
}

SEC("kretprobe/vfs_readv")
int BPF_KRETPROBE(readv_kprobe, long ret)
{
	return files_leave_file(FILES_SLOT_READV, files_op__read, ret);
}

SEC("kprobe/vfs_writev")
int BPF_KPROBE(writev_enter_kprobe, struct file *file)
{
	return files_enter(FILES_SLOT_WRITEV, files_op__write, (__u64)file, 0);
}

SEC("kretprobe/vfs_writev")
int BPF_KRETPROBE(writev_kprobe, long ret)
{
	return files_leave_file(FILES_SLOT_WRITEV, files_op__write, ret);
}

/* System calls, as they end: the registers still hold the arguments, and the descriptor leads to the file. */

enum files_call_kind {
	FILES_CALL_OTHER,
	FILES_CALL_OPEN,	/* open, creat: the name first */
	FILES_CALL_OPENAT,	/* openat, openat2: a folder, then the name */
	FILES_CALL_OPEN_HANDLE, /* open_by_handle_at: no name */
	FILES_CALL_READ,
	FILES_CALL_WRITE,
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
    [437] = FILES_CALL_OPENAT,	    /* openat2 */
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
};

static files_call_table files_i386 = {
    [5] = FILES_CALL_OPEN,	    /* open */
    [8] = FILES_CALL_OPEN,	    /* creat */
    [295] = FILES_CALL_OPENAT,	    /* openat */
    [437] = FILES_CALL_OPENAT,	    /* openat2 */
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
};

/* The calls that x32 has to itself, from 512 on; the others are those of x86-64. */
static files_call_table files_x32 = {
    [515 - 512] = FILES_CALL_READ,  /* readv */
    [534 - 512] = FILES_CALL_READ,  /* preadv */
    [546 - 512] = FILES_CALL_READ,  /* preadv2 */
    [516 - 512] = FILES_CALL_WRITE, /* writev */
    [535 - 512] = FILES_CALL_WRITE, /* pwritev */
    [547 - 512] = FILES_CALL_WRITE, /* pwritev2 */
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
    [437] = FILES_CALL_OPENAT,	    /* openat2 */
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
};

static __always_inline enum files_call_kind files_call_kind(__u32 nr, enum veil_arch arch)
{
	if (arch != VEIL_ARCH_ARM64 || nr >= FILES_CALLS_MAX)
		return FILES_CALL_OTHER;
	veil_bound(nr, FILES_CALLS_MAX - 1);
	return files_arm64[nr];
}
#endif

/* An open that failed, from the registers of its call. */
static __always_inline int files_call_failed(void *regs, enum veil_arch arch, enum files_call_kind kind, long ret)
{
	__u64 first = veil_syscall_arg0(regs, arch);
	__u64 name = kind == FILES_CALL_OPENAT ? veil_syscall_arg1(regs, arch) : first;

	return files_open_failed(FILES_SLOT_OPEN, kind == FILES_CALL_OPENAT ? (int)first : AT_FDCWD,
				 kind == FILES_CALL_OPEN_HANDLE ? NULL : (void *)name, true, ret);
}

static __always_inline int files_syscall_done(void *regs, long ret)
{
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);
	enum files_op op = files_op__open;
	struct file *file;

	if (kind == FILES_CALL_OTHER)
		return 0;
	if (kind == FILES_CALL_READ)
		op = files_op__read;
	else if (kind == FILES_CALL_WRITE)
		op = files_op__write;
	if (!files_passes(op))
		return 0;

	if (op == files_op__open && ret < 0)
		return files_call_failed(regs, arch, kind, ret);
	file = files_of_descriptor(op == files_op__open ? (__u32)ret : (__u32)veil_syscall_arg0(regs, arch));
	if (!file) {
		/* EBADF, or another thread closed it meanwhile: there is a result, but no name to it. */
		struct path_walk *walk = veil_path_walk(FILES_SLOT_OPEN);
		struct veil_path *path;
		__u64 start_ns;

		if (!walk || !files_result_passes(FILES_SLOT_OPEN, ret, &start_ns))
			return 0;
		path = files_path(walk);
		path->size = 0;
		path->truncated = 0;
		files_submit(walk, op, ret, start_ns, 0);
		return 0;
	}
	return files_file_done(FILES_SLOT_OPEN, op, file, ret);
}

static __always_inline int files_syscall_begins(long nr)
{
	enum files_call_kind kind = files_call_kind(nr, veil_syscall_arch(veil_current(), nr));

	if (kind == FILES_CALL_OTHER)
		return 0;
	return files_begins(FILES_SLOT_OPEN, kind == FILES_CALL_READ	? files_op__read
					     : kind == FILES_CALL_WRITE ? files_op__write
									: files_op__open);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_begin_tp_btf, struct pt_regs *regs, long nr)
{
	return files_syscall_begins(nr);
}

SEC("raw_tp/sys_enter")
int syscall_begin_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return files_syscall_begins(ctx->args[1]);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_tp_btf, struct pt_regs *regs, long ret)
{
	return files_syscall_done(regs, ret);
}

SEC("raw_tp/sys_exit")
int syscall_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return files_syscall_done((void *)ctx->args[0], ctx->args[1]);
}

/*
 * kprobe: the kernel drops the return of a function that runs in more threads at once than a kretprobe has room for,
 * and a read that waits takes up a room. 5.10 has as many as there are CPUs (register_kretprobe, kernel/kprobes.c).
 * What is still remembered when the system call ends was dropped, and has the call's result.
 */
SEC("raw_tp/sys_exit")
int missed_kprobe(struct bpf_raw_tracepoint_args *ctx)
{
	void *regs = (void *)ctx->args[0];
	long ret = ctx->args[1];
	__s32 nr = veil_syscall_nr(regs);
	enum veil_arch arch = veil_syscall_arch(veil_current(), nr);
	enum files_call_kind kind = files_call_kind(nr, arch);
	struct files_call call;

	if (kind == FILES_CALL_OTHER)
		return 0;
	if (kind == FILES_CALL_READ)
		return files_leave_file(FILES_SLOT_READ, files_op__read, ret) |
		       files_leave_file(FILES_SLOT_READV, files_op__read, ret);
	if (kind == FILES_CALL_WRITE)
		return files_leave_file(FILES_SLOT_WRITE, files_op__write, ret) |
		       files_leave_file(FILES_SLOT_WRITEV, files_op__write, ret);
	if (files_leave(FILES_SLOT_OPEN_FAILED, &call) && ret < 0)
		files_call_failed(regs, arch, kind, ret);
	if (files_leave(FILES_SLOT_OPEN, &call) && ret >= 0)
		files_opened((struct file *)call.first);
	return 0;
}
