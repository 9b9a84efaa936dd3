/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --args: what a call's arguments point to, read by a table and not by code for each call. Userspace fills the table
 * from what it knows of the calls (Arguments/CallTable.cs) and decodes what is read here.
 *
 * Input is read when the call begins: later another thread may have changed it, and execve has replaced it. A page that
 * is not in memory then cannot be read by a program, which must not sleep; the kernel brings it in while it serves the
 * call, so it is read again at the end, and marked. Output is read at the end.
 *
 * What is read is a row of chunks after the event's struct: a header (struct syscall_chunk), then its bytes, filled up
 * to 8.
 */
#pragma once

#include "veil/emit.bpf.h"
#include "veil/task_state.bpf.h"

#define VEIL_PATH_SLOTS 2 /* a call's begin and its end */
#include "veil/path.bpf.h"

#define SYSCALL_ARGS	    6
#define SYSCALL_TABLES	    5 /* enum veil_arch */
#define SYSCALL_TABLE_CALLS 1024

/* How an argument that is an address is read. CallPlan.cs has the same. */
enum syscall_read {
	SYSCALL_READ_NONE,
	SYSCALL_READ_STRING,   /* up to its NUL */
	SYSCALL_READ_FIXED,    /* `unit` bytes */
	SYSCALL_READ_COUNTED,  /* as many elements of `unit` bytes as the argument `count` says */
	SYSCALL_READ_RESULT,   /* as many elements of `unit` bytes as the call returned */
	SYSCALL_READ_POINTED,  /* as many bytes as the int says that the argument `count` points to */
	SYSCALL_READ_STRINGS,  /* an array of addresses of strings, which ends in NULL; `unit` bytes each */
	SYSCALL_READ_NUMBER,   /* how many addresses such an array has */
	SYSCALL_READ_VECTOR,   /* as many struct iovec as the argument `count` says, and what they point to */
	SYSCALL_READ_MESSAGE,  /* a struct msghdr, and what it points to */
	SYSCALL_READ_MESSAGES, /* as many struct mmsghdr as the argument `count` says, or the call returned */
};

struct syscall_reader {
	__u8 read;
	__u8 count;
	__u16 unit;
	__u32 size_max; /* bytes, of each string or buffer */
};

struct syscall_plan {
	struct syscall_reader enter[SYSCALL_ARGS];
	struct syscall_reader exit[SYSCALL_ARGS];
	__u8 enters;	  /* bit n: argument n is read when the call begins */
	__u8 exits;	  /* ... when it ends */
	__u8 descriptors; /* bit n: argument n is a descriptor; bit 7: the result is one */
	__u8 is_compat;	  /* addresses and lengths in memory have 4 bytes */
	__u32 unused;
};

/* What a chunk is of an argument. */
enum syscall_chunk_kind {
	SYSCALL_CHUNK_VALUE,   /* what it points to; of an array of strings, the string `index` */
	SYSCALL_CHUNK_NAME,    /* of a message, its address */
	SYSCALL_CHUNK_VECTOR,  /* of a message, its struct iovec */
	SYSCALL_CHUNK_PART,    /* what struct iovec `index` points to */
	SYSCALL_CHUNK_CONTROL, /* of a message, its control data */
	SYSCALL_CHUNK_PATH,    /* of a descriptor, what it stands for, as text */
	SYSCALL_CHUNK_SOCKET,  /* of a descriptor, struct syscall_socket and a path */
	SYSCALL_CHUNK_NUMBER,  /* how many addresses an array has: a word */
};

#define SYSCALL_UNREAD	  1 /* it could not be read */
#define SYSCALL_LATE	  2 /* it is input, and was read when the call ended */
#define SYSCALL_TRUNCATED 4 /* there was more */
#define SYSCALL_OUTPUT	  8 /* it was read when the call ended, as is right for it */

struct syscall_chunk {
	__u64 address;
	__u32 size; /* bytes that follow, without what fills them up */
	__u8 arg;   /* and of several messages the number of this one, times 8 */
	__u8 index;
	__u8 flags;
	__u8 kind;
};

/* Bytes of all chunks of a call. With what is before them it has to fit kmalloc_nolock(), which gives 8 KiB. */
#define SYSCALL_BYTES 7680

struct syscall_args_event {
	struct veil_event common;
	veil_gid_t gid;
	veil_duration_t duration_ns;
	veil_call_t call;
};

/* The call that a thread is in, if it passed the filters. It stays until the thread ends: to write into it costs half
 * of what making and deleting one for each call does. */
struct syscall_call {
	__u64 start_ns; /* 0: it is in none */
	struct veil_syscall syscall;
};

/* The same with its event, as far as that is known. */
struct syscall_draft {
	struct syscall_call call;
	__u32 unread; /* bit n: argument n is to be read again at the end */
	__u32 size;   /* of what is in bytes */
	struct syscall_args_event event;
	char bytes[SYSCALL_BYTES];
};

VEIL_TASK_STATE(args, struct syscall_draft, 2048);

static __always_inline struct syscall_draft *syscall_current_draft(void)
{
	struct veil_task task = veil_current();

	return veil_task_state_find(args, task, veil_task_tid(task));
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct syscall_plan);
} syscall_plans SEC(".maps");

static __always_inline struct syscall_plan *syscall_plan_of(const struct veil_syscall *syscall)
{
	__u32 nr = syscall->nr & ~0x40000000; /* the bit of x32 */
	__u32 key = syscall->arch * SYSCALL_TABLE_CALLS + nr;

	return nr < SYSCALL_TABLE_CALLS ? bpf_map_lookup_elem(&syscall_plans, &key) : NULL;
}

#define syscall_read_bytes(is_string, to, size, from)                                                                  \
	((is_string) ? bpf_probe_read_user_str(to, size, (const void *)(from))                                         \
		     : bpf_probe_read_user(to, size, (const void *)(from)))

/*
 * Reads into the draft's room at `place`. The verifier knows no sum of two variables, so what is left is judged in
 * steps.
 */
static __noinline long syscall_fetch(struct syscall_draft *draft, __u64 place, __u64 from, __u64 size, bool is_string)
{
	if (place <= SYSCALL_BYTES - 4096) {
		asm volatile("" : "+r"(size));
		if (size > 4096)
			size = 4096;
		return syscall_read_bytes(is_string, &draft->bytes[place], size, from);
	}
	if (place <= SYSCALL_BYTES - 1024) {
		asm volatile("" : "+r"(size));
		if (size > 1024)
			size = 1024;
		return syscall_read_bytes(is_string, &draft->bytes[place], size, from);
	}
	if (place <= SYSCALL_BYTES - 128) {
		asm volatile("" : "+r"(size));
		if (size > 128)
			size = 128;
		return syscall_read_bytes(is_string, &draft->bytes[place], size, from);
	}
	return -1;
}

static __always_inline __u64 syscall_room(__u64 place)
{
	return place <= SYSCALL_BYTES - 4096 ? 4096 : place <= SYSCALL_BYTES - 1024 ? 1024 : 128;
}

/* What a chunk is, in one word: a function of BPF has five parameters. */
#define SYSCALL_STRING		      (1U << 31)
#define syscall_tag(arg, index, kind) ((arg) | (index) << 8 | (kind) << 16)

/* Adds a chunk. `tag` may carry SYSCALL_STRING: `size` is then the most that is shown. False: it could not be read. */
static __always_inline int syscall_add_to(struct syscall_draft *draft, __u64 address, __u64 size, __u32 tag,
					  __u32 flags)
{
	bool is_string = tag & SYSCALL_STRING;
	struct syscall_chunk *chunk;
	__u64 place = draft->size, room;
	long length;

	if (place > SYSCALL_BYTES - 128 - sizeof(*chunk))
		return 0;
	chunk = (void *)&draft->bytes[place];
	place += sizeof(*chunk);
	chunk->address = address;
	chunk->arg = tag;
	chunk->index = tag >> 8;
	chunk->kind = tag >> 16 & 0x7f;
	chunk->flags = flags;
	chunk->size = 0;
	room = syscall_room(place);
	/* Two more than are shown: the NUL, and one that says that there is more. */
	if (is_string)
		size += 2;
	if (size > room) {
		size = room;
		if (!is_string)
			chunk->flags |= SYSCALL_TRUNCATED;
	}
	length = syscall_fetch(draft, place, address, size, is_string);
	draft->size = place;
	if (length < 0) {
		chunk->flags |= SYSCALL_UNREAD;
		return 0;
	}
	if (is_string) {
		if (length == (long)size) {
			chunk->flags |= SYSCALL_TRUNCATED;
			length--;
		}
		size = length > 0 ? length - 1 : 0;
	}
	chunk->size = size;
	draft->size = place + ((size + 7) & ~7ULL);
	return 1;
}

static __noinline int syscall_add(struct syscall_draft *draft, __u64 address, __u64 size, __u32 tag, __u32 flags)
{
	return syscall_add_to(draft, address, size, tag, flags);
}

/*
 * What follows reads what has parts of its own. Global functions: the verifier looks at each once, however often it is
 * called, and before 5.13 they take numbers only; so each asks for the draft again.
 */
__noinline int syscall_add_chunk(__u64 address, __u64 size, __u32 tag, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();

	return draft ? syscall_add_to(draft, address, size, tag, flags) : 0;
}

/* Beside the flags of a chunk. */
#define SYSCALL_COMPAT	256 /* addresses have 4 bytes */
#define SYSCALL_SEVERAL 512 /* it is a struct mmsghdr, which ends in the length of its message */

static __always_inline __u64 syscall_word(__u64 from, bool is_compat, bool *failed)
{
	__u64 word = 0;
	long error = is_compat ? bpf_probe_read_user(&word, 4, (const void *)from)
			       : bpf_probe_read_user(&word, 8, (const void *)from);

	if (error)
		*failed = true;
	return word;
}

#define SYSCALL_STRINGS_MAX  32
#define SYSCALL_NUMBER_MAX   512
#define SYSCALL_VECTOR_MAX   16
#define SYSCALL_MESSAGES_MAX 8

/* The strings of an array. One more than are shown is looked at, to know whether there is more. */
__noinline int syscall_add_strings(__u64 address, __u64 size_max, __u32 arg, __u32 flags)
{
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8;
	bool failed = false;

	for (__u32 index = 0; index <= SYSCALL_STRINGS_MAX; index++) {
		__u64 string = syscall_word(address + index * width, flags & SYSCALL_COMPAT, &failed);
		__u32 tag = syscall_tag(arg, index, SYSCALL_CHUNK_VALUE) | SYSCALL_STRING;

		if (failed)
			return 0;
		if (!string)
			break;
		if (!syscall_add_chunk(string, size_max, tag, flags & 0xff))
			return 0;
	}
	return 1;
}

__noinline int syscall_add_number(__u64 address, __u32 arg, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8, number = 0, place;
	struct syscall_chunk *chunk;
	bool failed = false;

	if (!draft)
		return 0;
	for (__u32 index = 0; index < SYSCALL_NUMBER_MAX; index++) {
		if (!syscall_word(address + index * width, flags & SYSCALL_COMPAT, &failed))
			break;
		number++;
	}
	place = draft->size;
	if (place > SYSCALL_BYTES - 128)
		return 0;
	chunk = (void *)&draft->bytes[place];
	chunk->address = address;
	chunk->size = 8;
	chunk->arg = arg;
	chunk->index = 0;
	chunk->flags = flags | (failed ? SYSCALL_UNREAD : 0);
	chunk->kind = SYSCALL_CHUNK_NUMBER;
	*(__u64 *)(chunk + 1) = number;
	draft->size = place + sizeof(*chunk) + 8;
	return !failed;
}

/* `count` struct iovec and what they point to: of all parts `total` bytes, of each `size_max`. `tag` is that of the
 * structs. */
__noinline int syscall_add_vector(__u64 address, __u64 count, __u64 sizes, __u32 tag, __u32 flags)
{
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8, left = sizes >> 16, size_max = sizes & 0xffff;
	bool failed = false;
	int read = 1;

	if (count > SYSCALL_STRINGS_MAX)
		count = SYSCALL_STRINGS_MAX;
	if (!syscall_add_chunk(address, count * 2 * width, tag, flags & 0xff))
		return 0;
	for (__u32 index = 0; index < SYSCALL_VECTOR_MAX; index++) {
		__u64 at = address + index * 2 * width, base, size;

		if (index >= count || !left)
			break;
		base = syscall_word(at, flags & SYSCALL_COMPAT, &failed);
		size = syscall_word(at + width, flags & SYSCALL_COMPAT, &failed);
		if (failed)
			return 0;
		if (size > left)
			size = left;
		left -= size;
		read &= syscall_add_chunk(base, size < size_max ? size : size_max,
					  syscall_tag(tag & 0xff, index, SYSCALL_CHUNK_PART), flags & 0xff);
	}
	return read;
}

#define SYSCALL_NAME_MAX    128
#define SYSCALL_CONTROL_MAX 256

__noinline int syscall_add_message(__u64 address, __u64 sizes, __u32 arg, __u32 flags)
{
	bool is_compat = flags & SYSCALL_COMPAT, failed = false;
	__u64 width = is_compat ? 4 : 8, name, name_size, control, control_size, vector, count;
	int read = 1;

	if (!syscall_add_chunk(address, (flags & SYSCALL_SEVERAL ? 8 : 7) * width,
			       syscall_tag(arg, 0, SYSCALL_CHUNK_VALUE), flags & 0xff))
		return 0;
	name = syscall_word(address, is_compat, &failed);
	name_size = syscall_word(address + width, true, &failed);
	vector = syscall_word(address + 2 * width, is_compat, &failed);
	count = syscall_word(address + 3 * width, is_compat, &failed);
	control = syscall_word(address + 4 * width, is_compat, &failed);
	control_size = syscall_word(address + 5 * width, is_compat, &failed);
	if (failed)
		return 0;
	if (name && name_size)
		read &= syscall_add_chunk(name, name_size < SYSCALL_NAME_MAX ? name_size : SYSCALL_NAME_MAX,
					  syscall_tag(arg, 0, SYSCALL_CHUNK_NAME), flags & 0xff);
	if (vector && count)
		read &= syscall_add_vector(vector, count, sizes, syscall_tag(arg, 0, SYSCALL_CHUNK_VECTOR), flags);
	if (control && control_size)
		read &=
		    syscall_add_chunk(control, control_size < SYSCALL_CONTROL_MAX ? control_size : SYSCALL_CONTROL_MAX,
				      syscall_tag(arg, 0, SYSCALL_CHUNK_CONTROL), flags & 0xff);
	return read;
}

__noinline int syscall_add_messages(__u64 address, __u64 number, __u64 sizes, __u32 arg, __u32 flags)
{
	__u64 size = flags & SYSCALL_COMPAT ? 32 : 64;
	int read = 1;

	for (__u32 index = 0; index < SYSCALL_MESSAGES_MAX; index++) {
		if (index >= number)
			break;
		read &= syscall_add_message(address + index * size, sizes, arg | index << 3, flags | SYSCALL_SEVERAL);
	}
	return read;
}

#define SYSCALL_FD_RETURNED 7 /* the place of what a call returned, among its descriptors */
#define SYSCALL_AT_FDCWD    -100

/* Adds what has been put together elsewhere in the kernel. */
static __always_inline int syscall_add_kernel(struct syscall_draft *draft, const void *from, __u64 size, __u32 tag)
{
	struct syscall_chunk *chunk;
	__u64 place = draft->size;

	if (place > SYSCALL_BYTES - 1024 - sizeof(*chunk))
		return 0;
	chunk = (void *)&draft->bytes[place];
	place += sizeof(*chunk);
	chunk->address = 0;
	chunk->arg = tag;
	chunk->index = 0;
	chunk->kind = tag >> 16;
	chunk->flags = 0;
	if (place <= SYSCALL_BYTES - 4096) {
		asm volatile("" : "+r"(size));
		if (size > 4096)
			size = 4096;
		if (bpf_probe_read_kernel(&draft->bytes[place], size, from))
			return 0;
	} else {
		asm volatile("" : "+r"(size));
		if (size > 1024) {
			size = 1024;
			chunk->flags = SYSCALL_TRUNCATED;
		}
		if (bpf_probe_read_kernel(&draft->bytes[place], size, from))
			return 0;
	}
	chunk->size = size;
	draft->size = place + ((size + 7) & ~7ULL);
	return 1;
}

/* What a place in the tree of files is called. */
__noinline int syscall_add_path(__u64 dentry, __u64 mount, __u32 arg, __u32 slot)
{
	struct syscall_draft *draft = syscall_current_draft();
	struct path_walk *walk;
	__u64 start;

	veil_path_resolve(slot, dentry, mount);
	walk = veil_path_walk(slot);
	if (!draft || !walk)
		return 0;
	start = walk->start;
	asm volatile("" : "+r"(start));
	if (start >= VEIL_PATH_MAX)
		return 0;
	return syscall_add_kernel(draft, &walk->bytes[start], VEIL_PATH_MAX - start,
				  syscall_tag(arg, 0, SYSCALL_CHUNK_PATH));
}

/* What a descriptor stands for now. */
static __noinline int syscall_add_descriptor(__s32 fd, __u32 arg, __u32 slot)
{
	struct task_struct *task = veil_current().address;
	struct dentry *dentry;
	struct vfsmount *mount;
	struct file *file;

	if (fd == SYSCALL_AT_FDCWD) {
		dentry = BPF_CORE_READ(task, fs, pwd.dentry);
		mount = BPF_CORE_READ(task, fs, pwd.mnt);
	} else {
		if (fd < 0)
			return 0;
		file = veil_current_file(fd);
		if (!file)
			return 0;
		dentry = BPF_CORE_READ(file, f_path.dentry);
		mount = BPF_CORE_READ(file, f_path.mnt);
	}
	return syscall_add_path((__u64)dentry, (__u64)mount, arg, slot);
}

/* Reads argument `arg` as its reader says. False: some of it could not be read. */
static __noinline int syscall_read_arg(struct syscall_draft *draft, const struct syscall_plan *plan, __u32 arg,
				       __u32 flags)
{
	__u32 with_width = flags | (plan->is_compat ? SYSCALL_COMPAT : 0);
	__u64 ret = draft->event.call.ret, address, size, count;
	bool at_end = flags & SYSCALL_OUTPUT;
	struct syscall_reader reader;

	if (arg >= SYSCALL_ARGS)
		return 1;
	reader = at_end ? plan->exit[arg] : plan->enter[arg];
	address = draft->event.call.args[arg];
	if (!address)
		return 1;
	/* A vector's parts: what they have in all, and the most of each. */
	size = (at_end ? ret : 1ULL << 40) << 16 | (reader.size_max & 0xffff);
	count = draft->event.call.args[reader.count < SYSCALL_ARGS ? reader.count : 0];
	switch (reader.read) {
	case SYSCALL_READ_STRING:
		return syscall_add(draft, address, reader.size_max, arg | SYSCALL_STRING, flags);
	case SYSCALL_READ_STRINGS:
		return syscall_add_strings(address, reader.size_max, arg, with_width);
	case SYSCALL_READ_NUMBER:
		return syscall_add_number(address, arg, with_width);
	case SYSCALL_READ_VECTOR:
		return syscall_add_vector(address, count, size, arg, with_width);
	case SYSCALL_READ_MESSAGE:
		return syscall_add_message(address, size, arg, with_width);
	case SYSCALL_READ_MESSAGES:
		return syscall_add_messages(address, at_end ? ret : count, 1ULL << 56 | (reader.size_max & 0xffff), arg,
					    with_width);
	case SYSCALL_READ_FIXED:
		size = reader.unit;
		break;
	case SYSCALL_READ_COUNTED:
		size = count * reader.unit;
		break;
	case SYSCALL_READ_RESULT:
		size = ret * reader.unit;
		break;
	case SYSCALL_READ_POINTED:
		size = 0;
		if (!count || bpf_probe_read_user(&size, 4, (const void *)count))
			return 0;
		break;
	default:
		return 1;
	}
	if (size > reader.size_max) {
		size = reader.size_max;
		flags |= SYSCALL_TRUNCATED;
	}
	return syscall_add(draft, address, size, arg, flags);
}

/* The arguments of a call that begins. */
static __always_inline void syscall_args_enter(struct syscall_draft *draft)
{
	const struct syscall_plan *plan = syscall_plan_of(&draft->call.syscall);

	draft->size = 0;
	draft->unread = 0;
	if (!plan)
		return;
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (plan->enters >> arg & 1 && !syscall_read_arg(draft, plan, arg, 0))
			draft->unread |= 1U << arg;
	}
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (plan->descriptors >> arg & 1)
			syscall_add_descriptor(draft->event.call.args[arg], arg, 0);
	}
}

/* A call that was not seen to begin: its input is read now. */
static __always_inline void syscall_args_unseen(struct syscall_draft *draft, const void *from)
{
	const struct syscall_plan *plan = syscall_plan_of(&draft->call.syscall);

	draft->size = 0;
	draft->unread = plan && from ? plan->enters : 0;
}

/* What is known only now. */
static __always_inline void syscall_args_exit(struct syscall_draft *draft)
{
	const struct syscall_plan *plan = syscall_plan_of(&draft->call.syscall);
	bool failed = (__u64)draft->event.call.ret >= (__u64)-4095 || draft->event.call.ret == VEIL_RET_NONE;

	if (!plan)
		return;
	/* At the old addresses there is now the new program. */
	if (!failed && veil_syscall_replaces_program(&draft->call.syscall))
		draft->unread = 0;
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (draft->unread >> arg & 1)
			syscall_read_arg(draft, plan, arg, SYSCALL_LATE);
		if (!failed && plan->exits >> arg & 1)
			syscall_read_arg(draft, plan, arg, SYSCALL_OUTPUT);
	}
	if (!failed && plan->descriptors >> SYSCALL_FD_RETURNED)
		syscall_add_descriptor(draft->event.call.ret, SYSCALL_FD_RETURNED, 1);
}
