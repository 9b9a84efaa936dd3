/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a dentry and its mount to an absolute path, as d_path() in fs/d_path.c does it, but up to the root of the mount
 * namespace: what a chroot hides from its process is shown.
 *
 * Define VEIL_PATH_SLOTS first, the number of programs that walk. Each has its own memory per CPU, because another
 * program may run while one is preempted. The same program may not; the kernel counts that as missed.
 */
#pragma once

#include "part.bpf.h"

#define PATH_NAME_MAX	 256 /* a name has at most 255 bytes */
#define PATH_CLIMB_STEPS 8
#define PATH_CLIMBS	 256 /* 2,048 components: no path of 4,096 bytes has more */
#define PATH_SCAN_STEPS	 16
#define PATH_SCANS	 257 /* VEIL_PATH_MAX and the end */

#define PIPEFS_MAGIC	    0x50495045 /* include/uapi/linux/magic.h */
#define SOCKFS_MAGIC	    0x534F434B
#define ANON_INODE_FS_MAGIC 0x09041934
#define NSFS_MAGIC	    0x6e736673
#define PIDFS_MAGIC	    0x50494446 /* since 6.9; a pidfd was an anonymous inode before */

#define PATH_NS_NAME_MAX 32 /* of what /proc/PID/ns has the longest is pid_for_children */

struct path_walk {
	struct dentry *dentry;
	struct vfsmount *mount;
	struct dentry *mount_root;
	struct dentry *root; /* that ".." does not lead out of; NULL where nobody asks */
	struct vfsmount *root_mount;
	__u32 root_start; /* where the path below the root begins; 0: the root is not above the file */
	__u32 depth;	  /* names below the root */
	__u32 start;	  /* the path is bytes[start, VEIL_PATH_MAX): it grows to the front */
	bool truncated;
	bool deleted;
	__u32 scanned; /* veil_path_scan(): from here to the end, places in the draft */
	__u32 scan_end;
	__u32 scan_name; /* bytes of the name that it is in, and how many of them are dots */
	__u32 scan_dots;
	__u32 left_root;  /* behind the last ".." that would have led out of the root */
	__u32 clean_root; /* veil_path_clean(): ".." does not lead out of what is before */
	__u32 clean_end;  /* where the name that it is in ends, in the path that it makes */
	__u32 clean_skip; /* names that a ".." behind them takes back */
	char bytes[VEIL_PATH_MAX + PATH_NAME_MAX];
	struct veil_draft draft;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VEIL_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct path_walk);
} path_walks SEC(".maps");

static __always_inline struct path_walk *veil_path_walk(__u32 slot)
{
	return bpf_map_lookup_elem(&path_walks, &slot);
}

/* Puts text in front. `length` must be a constant. */
static __always_inline void path_prepend(struct path_walk *walk, const char *text, __u32 length)
{
	__u32 start = (walk->start - length) & (VEIL_PATH_MAX - 1);

	__builtin_memcpy(&walk->bytes[start], text, length);
	walk->start = start;
}

static __always_inline void path_prepend_number(struct path_walk *walk, __u64 number)
{
	for (int digit = 0; digit < 20; digit++) {
		char text = '0' + number % 10;

		path_prepend(walk, &text, 1);
		number /= 10;
		if (!number)
			break;
	}
}

static __always_inline bool path_prepend_name(struct path_walk *walk, struct dentry *dentry)
{
	const unsigned char *name = veil_read(struct dentry, dentry, d_name.name);
	__u32 length = veil_read(struct dentry, dentry, d_name.len) & (PATH_NAME_MAX - 1);
	__u32 start = walk->start;

	if (start < length + 1) {
		walk->truncated = 1;
		return false;
	}
	start = (start - length - 1) & (VEIL_PATH_MAX - 1);
	walk->bytes[start] = '/';
	if (bpf_probe_read_kernel(&walk->bytes[start + 1], length, name))
		walk->truncated = 1;
	walk->start = start;
	return true;
}

static __always_inline void path_enter_mount(struct path_walk *walk, struct vfsmount *mount)
{
	walk->mount = mount;
	walk->mount_root = veil_read(struct vfsmount, mount, mnt_root);
}

/*
 * Climbs some components; 1 if there are more. A global function, which the verifier walks once however often it is
 * called; bpf_loop() came with 5.17.
 */
__noinline int veil_path_climb(__u32 slot)
{
	struct path_walk *walk = veil_path_walk(slot);

	if (!walk)
		return 0;
	for (int step = 0; step < PATH_CLIMB_STEPS; step++) {
		struct dentry *dentry = walk->dentry, *parent;

		if (dentry == walk->root && walk->mount == walk->root_mount) {
			walk->root_start = walk->start;
			walk->root = NULL;
		}
		if (dentry == walk->mount_root) {
			struct mount *mount = (void *)walk->mount - bpf_core_field_offset(struct mount, mnt), *above;

			above = veil_read(struct mount, mount, mnt_parent);
			if (above == mount)
				return 0;
			walk->dentry = veil_read(struct mount, mount, mnt_mountpoint);
			path_enter_mount(walk, (void *)above + bpf_core_field_offset(struct mount, mnt));
			continue;
		}
		parent = veil_read(struct dentry, dentry, d_parent);
		if (!parent || parent == dentry)
			return 0; /* cut off from the tree, as a lazily unmounted one is */
		if (!path_prepend_name(walk, dentry))
			return 0;
		walk->depth += walk->root != NULL;
		walk->dentry = parent;
	}
	return 1;
}

/* The kernel's mark for a file whose name is gone. */
static __always_inline void path_prepend_deleted(struct path_walk *walk)
{
	path_prepend(walk, " (deleted)", 10);
	walk->deleted = 1;
}

/* mnt:[4026531841], as ns_dname() in fs/nsfs.c has it. */
static __always_inline void path_prepend_ns(struct path_walk *walk, struct inode *inode)
{
	struct ns_common *ns = BPF_CORE_READ(inode, i_private);
	const char *name = BPF_CORE_READ(ns, ops, name);
	char text[PATH_NS_NAME_MAX];
	long length = bpf_probe_read_kernel_str(text, sizeof(text), name) - 1;
	__u32 start;

	path_prepend(walk, "]", 1);
	path_prepend_number(walk, BPF_CORE_READ(inode, i_ino));
	path_prepend(walk, ":[", 2);
	if (length <= 0)
		return;
	length &= PATH_NS_NAME_MAX - 1;
	start = (walk->start - length) & (VEIL_PATH_MAX - 1);
	bpf_probe_read_kernel(&walk->bytes[start], length, name);
	walk->start = start;
}

/* A file that is in no tree gets its kind and number, as in /proc/PID/fd. */
static __always_inline bool path_is_special(struct path_walk *walk, struct dentry *dentry)
{
	unsigned long magic;

	magic = BPF_CORE_READ(dentry, d_sb, s_magic);
	switch (magic) {
	case PIPEFS_MAGIC:
	case SOCKFS_MAGIC:
		path_prepend(walk, "]", 1);
		path_prepend_number(walk, BPF_CORE_READ(dentry, d_inode, i_ino));
		if (magic == PIPEFS_MAGIC)
			path_prepend(walk, "pipe:[", 6);
		else
			path_prepend(walk, "socket:[", 8);
		return true;
	case NSFS_MAGIC:
		path_prepend_ns(walk, BPF_CORE_READ(dentry, d_inode));
		return true;
	case PIDFS_MAGIC:
		path_prepend(walk, "anon_inode:[pidfd]", 18);
		return true;
	case ANON_INODE_FS_MAGIC:
		path_prepend_name(walk, dentry);
		walk->start = (walk->start + 1) & (VEIL_PATH_MAX - 1); /* without the slash */
		path_prepend(walk, "anon_inode:", 11);
		return true;
	}
	/* A file that never had a name, such as of memfd_create(2): simple_dname() in fs/d_path.c. */
	if (dentry == walk->mount_root)
		return false;
	path_prepend_deleted(walk);
	path_prepend_name(walk, dentry);
	return true;
}

/* Leaves the path in the slot's walk. A global function too: it is long, and many programs call it. */
__noinline int veil_path_resolve(__u32 slot, __u64 dentry_address, __u64 mount_address)
{
	struct path_walk *walk = veil_path_walk(slot);
	struct dentry *dentry = (struct dentry *)dentry_address;
	struct vfsmount *mount = (struct vfsmount *)mount_address;
	bool is_root;

	if (!walk)
		return 0;
	walk->start = VEIL_PATH_MAX;
	walk->truncated = 0;
	walk->deleted = 0;
	walk->root_start = walk->depth = 0;
	walk->dentry = dentry;
	path_enter_mount(walk, mount);
	is_root = veil_read(struct dentry, dentry, d_parent) == dentry;
	if (is_root && path_is_special(walk, dentry))
		return 0;

	/* Unhashed and not a root: the name is gone, the file lives on (d_unlinked() in include/linux/dcache.h). */
	if (!is_root && !veil_read(struct dentry, dentry, d_hash.pprev))
		path_prepend_deleted(walk);
	for (int climb = 0; climb < PATH_CLIMBS; climb++) {
		if (!veil_path_climb(slot))
			break;
	}
	if (walk->start == VEIL_PATH_MAX)
		path_prepend(walk, "/", 1);
	return 0;
}

/* Adds the path that was resolved last to the event. */
static __always_inline void veil_path_add(struct path_walk *walk, struct veil_part *path)
{
	veil_part_add(&walk->draft, path, &walk->bytes[walk->start & (VEIL_PATH_MAX - 1)], VEIL_PATH_MAX - walk->start);
	path->truncated |= walk->truncated;
	path->deleted = walk->deleted;
}

/*
 * Appends a name, which need not exist, to the path that was added last. If the name cannot be read the path is empty:
 * the folder alone would be wrong. That is no loss, the caller gave a bad pointer.
 */
static __always_inline void veil_path_append(struct path_walk *walk, struct veil_part *path, const void *name,
					     bool from_user)
{
	struct veil_draft *draft = &walk->draft;
	__u32 place = veil_draft_place(draft->size), size;
	char first = 0;
	long length;

	length = from_user ? bpf_probe_read_user(&first, 1, name) : bpf_probe_read_kernel(&first, 1, name);
	if (first == '/' && path->size == 1)
		place = veil_draft_place(path->offset); /* the root is in the name */
	else if (first != '/' && path->size > 1) {
		draft->bytes[place] = '/';
		place = veil_draft_place(place + 1);
	}
	/* One byte more than fits, so that a cut name is noticed. */
	if (!length)
		length = from_user ? bpf_probe_read_user_str(&draft->bytes[place], VEIL_PATH_MAX + 1, name)
				   : bpf_probe_read_kernel_str(&draft->bytes[place], VEIL_PATH_MAX + 1, name);
	if (length <= 1) {
		draft->size = path->offset;
		veil_part_start(draft, path);
		return;
	}
	size = place + length - 1 - path->offset;
	if (size > VEIL_PATH_MAX || length > VEIL_PATH_MAX) {
		path->truncated = 1;
		size = size > VEIL_PATH_MAX ? VEIL_PATH_MAX : size;
	}
	path->size = size;
	walk->deleted = path->deleted; /* the folder's, for veil_path_clean() */
	path->deleted = 0;
	draft->size = path->offset + size;
}

/* Some bytes of a name, to find where it would leave the root; 1 if there are more. */
__noinline int veil_path_scan(__u32 slot)
{
	struct path_walk *walk = veil_path_walk(slot);

	if (!walk)
		return 0;
	for (int step = 0; step < PATH_SCAN_STEPS; step++) {
		bool ends = walk->scanned >= walk->scan_end;
		char byte = walk->draft.bytes[veil_draft_place(walk->scanned)];

		if (!ends && byte != '/') {
			walk->scan_name++;
			walk->scan_dots += byte == '.';
		} else {
			if (walk->scan_name == 2 && walk->scan_dots == 2) {
				if (walk->depth)
					walk->depth--;
				else
					walk->left_root = walk->scanned;
			} else if (walk->scan_name > 1 || walk->scan_name > walk->scan_dots) {
				walk->depth++;
			}
			walk->scan_name = walk->scan_dots = 0;
		}
		if (ends)
			return 0;
		walk->scanned++;
	}
	return 1;
}

/*
 * After veil_path_append(): above the root ".." leads to the root, so a name that would leave it goes on there
 * (follow_dotdot() in fs/namei.c). Left as it was, it would be the name of a file outside of a chroot.
 */
static __always_inline void veil_path_keep_in_root(__u32 slot, struct path_walk *walk, struct veil_part *path,
						   __u32 folder_size)
{
	struct veil_draft *draft = &walk->draft;
	__u32 root_size = folder_size - (VEIL_PATH_MAX - walk->root_start), size;

	/* Of the namespace's own root nothing is before the name. */
	if (!walk->root_start || root_size <= 1 || root_size > folder_size || path->size <= folder_size)
		return;
	walk->scanned = path->offset + folder_size;
	walk->scan_end = path->offset + path->size;
	walk->scan_name = walk->scan_dots = 0;
	walk->left_root = 0;
	for (int scan = 0; scan < PATH_SCANS; scan++) {
		if (!veil_path_scan(slot))
			break;
	}
	if (!walk->left_root)
		return;
	size = veil_draft_place(walk->scan_end - walk->left_root);
	bpf_probe_read_kernel(&draft->bytes[veil_draft_place(path->offset + root_size)], size,
			      &draft->bytes[veil_draft_place(walk->left_root)]);
	path->size = root_size + size;
	draft->size = path->offset + path->size;
}

#define PATH_CLEAN_STEPS 32
#define PATH_CLEANS	 129 /* VEIL_PATH_MAX and one more */

/* Some bytes of a path, from its end; 1 if there are more. */
__noinline int veil_path_clean_some(__u32 slot)
{
	struct path_walk *walk = veil_path_walk(slot);

	if (!walk)
		return 0;
	for (int step = 0; step < PATH_CLEAN_STEPS; step++) {
		bool is_gone;
		__u32 start;
		char byte;

		if (walk->scan_end <= walk->scanned)
			return 0;
		walk->scan_end--;
		byte = walk->draft.bytes[veil_draft_place(walk->scan_end)];
		start = (walk->start - 1) & (VEIL_PATH_MAX - 1);
		walk->bytes[start] = byte;
		walk->start = start;
		if (byte != '/') {
			walk->scan_name++;
			walk->scan_dots += byte == '.';
			continue;
		}
		is_gone = walk->scan_name <= 1 && walk->scan_name == walk->scan_dots;
		if (walk->scan_name == 2 && walk->scan_dots == 2) {
			walk->clean_skip++;
			is_gone = true;
		} else if (!is_gone && walk->clean_skip) {
			walk->clean_skip--;
			is_gone = true;
		}
		if (is_gone)
			walk->start = walk->clean_end;
		walk->clean_end = walk->start;
		walk->scan_name = walk->scan_dots = 0;
		if (walk->scan_end == walk->clean_root)
			walk->clean_skip = 0;
	}
	return 1;
}

/*
 * After veil_path_append(): takes ".", ".." and empty names out of the path that was added last, so that a filter by
 * path has one spelling to compare. A symbolic link before ".." is taken for a folder.
 */
static __always_inline void veil_path_clean(__u32 slot, struct path_walk *walk, struct veil_part *path,
					    __u32 folder_size)
{
	__u32 root_size = walk->root_start ? folder_size - (VEIL_PATH_MAX - walk->root_start) : 0;

	if (!path->size || walk->draft.bytes[veil_draft_place(path->offset)] != '/')
		return;
	walk->scanned = path->offset;
	walk->scan_end = path->offset + path->size;
	walk->scan_name = walk->scan_dots = 0;
	walk->clean_root = path->offset + (root_size > 1 && root_size <= folder_size ? root_size : 0);
	walk->clean_skip = 0;
	walk->start = walk->clean_end = VEIL_PATH_MAX;
	for (int part = 0; part < PATH_CLEANS; part++) {
		if (!veil_path_clean_some(slot))
			break;
	}
	if (walk->start == VEIL_PATH_MAX)
		path_prepend(walk, "/", 1);
	walk->truncated = path->truncated;
	/* What "." is of a folder that is gone has its mark. */
	walk->deleted = walk->deleted && VEIL_PATH_MAX - walk->start == folder_size;
	walk->draft.size = path->offset;
	veil_path_add(walk, path);
}
