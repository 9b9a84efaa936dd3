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
#include <bpf/bpf_endian.h>

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
	SYSCALL_READ_FDS,      /* as COUNTED, of `size_max` bytes where there is no such argument: each begins with a
				* descriptor, which is looked up too */
	SYSCALL_READ_SET,      /* `unit` bytes, a set of descriptors below what the argument `count` says */
	SYSCALL_READ_ENTRIES,  /* how many entries of a folder are in as many bytes as the call returned */
	SYSCALL_READ_REQUESTS, /* as many addresses of struct iocb as the argument `count` says, and what these write */
	SYSCALL_READ_SIZED,    /* `unit` bytes more than the int says that is `count` bytes into it */
};

struct syscall_reader {
	__u8 read;
	__u8 count;
	__u16 unit;
	__u32 size_max; /* bytes, of each string or buffer */
};

/* What a pointer in the structure that an argument points to leads to. CallNested.cs has the same. */
struct syscall_nested {
	__u8 arg;   /* with SYSCALL_NESTED_EXIT and its like */
	__u8 read;  /* FIXED, COUNTED, STRING or VECTOR */
	__u8 at;    /* the pointer is so many bytes into the structure */
	__u8 count; /* and the number of its elements so many */
	__u16 unit;
	__u16 size_max;
};

#define SYSCALL_NESTED_EXIT   8	 /* read when the call ends */
#define SYSCALL_NESTED_WIDE   16 /* the pointer has 8 bytes, whatever an address has */
#define SYSCALL_NESTED_COUNT4 32 /* the number has 4 bytes; else as many as the pointer */
#define SYSCALL_NESTED_MAX    4

/* In `more`. */
#define SYSCALL_COMPAT_PLAN  1 /* addresses and lengths in memory have 4 bytes */
#define SYSCALL_NESTED_ENTER 2 /* there is something nested to read when the call begins */
#define SYSCALL_NESTED_END   4
#define SYSCALL_END_ALWAYS   8 /* what is read when the call ends is read also where it has failed */
#define SYSCALL_PACKED_SHIFT 4 /* from here on: so many arguments are not in registers, but in an array */

struct syscall_plan {
	struct syscall_reader enter[SYSCALL_ARGS];
	struct syscall_reader exit[SYSCALL_ARGS];
	__u8 enters;	  /* bit n: argument n is read when the call begins */
	__u8 exits;	  /* ... when it ends */
	__u8 descriptors; /* bit n: argument n is a descriptor; 6: the current folder is wanted; 7: the result is one */
	__u8 more;
	__u8 paths;			 /* bit n: argument n is a path, whether or not it is shown whole */
	__u8 fds;			 /* as descriptors, but also where these are not looked up */
	__u8 counted[VEIL_COUNT_FIELDS]; /* 1 + the argument that calls are counted by, or 0 */
	__u8 selector;			 /* 1 + the argument that another plan goes by, or 0 */
	__u8 unused;
	struct syscall_nested nested[SYSCALL_NESTED_MAX];
};

/* What a chunk is of an argument. */
enum syscall_chunk_kind {
	SYSCALL_CHUNK_VALUE,   /* what it points to; of an array of strings, the string `index` */
	SYSCALL_CHUNK_NAME,    /* of a message, its address */
	SYSCALL_CHUNK_VECTOR,  /* of a message, its struct iovec */
	SYSCALL_CHUNK_PART,    /* what struct iovec `index` points to */
	SYSCALL_CHUNK_CONTROL, /* of a message, its control data */
	SYSCALL_CHUNK_PATH,    /* of a descriptor, what it stands for, as text; `address` is its detail */
	SYSCALL_CHUNK_SOCKET,  /* of a descriptor, struct syscall_socket */
	SYSCALL_CHUNK_NUMBER,  /* how many addresses an array has, or entries: a word */
	SYSCALL_CHUNK_TEXT,    /* userspace's own */
	SYSCALL_CHUNK_NESTED,  /* what the pointer in row `index` of the plan leads to */
};

#define SYSCALL_UNREAD	  1  /* it could not be read */
#define SYSCALL_LATE	  2  /* it is input, and was read when the call ended */
#define SYSCALL_TRUNCATED 4  /* there was more */
#define SYSCALL_OUTPUT	  8  /* it was read when the call ended, as is right for it */
#define SYSCALL_DELETED	  16 /* of a path: the name is gone */
#define SYSCALL_PARTIAL	  64 /* beside SYSCALL_UNREAD: these bytes could be, up to the next page */
#define SYSCALL_DETAILED  32 /* of a path: `address` is more than it says; of a string: it is the array's own */

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

/* So many chunks are looked at for one of them. */
#define SYSCALL_CHUNKS_MAX 64

/* What a chunk can have, where there is so much room, or less. */
#define SYSCALL_ROOM_MAX  4104
#define SYSCALL_ROOM_SOME 1024
#define SYSCALL_ROOM_MIN  128

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
	__u64 shown_ns; /* the start of the last one that was shown while it was under way */
};

/* An argument that is counted by as a number: the call says how it is shown. */
struct syscall_number {
	struct veil_syscall syscall;
	__u64 value;
};

/* Is a call sent (sample.bpf.h)? Decided as it begins, before anything is read, unless its arguments decide whether it
 * passes. */
enum syscall_choice {
	SYSCALL_SENT,
	SYSCALL_LEFT_OUT,
	SYSCALL_UNDECIDED,
};

/* The same with its event, as far as that is known. */
struct syscall_draft {
	struct syscall_call call;
	__u32 unread;		   /* bit n: argument n is to be read again at the end; SYSCALL_BEGAN_BEFORE */
	__u32 size;		   /* of what is in bytes: struct veil_origin where that is wanted, then chunks */
	__u32 plan;		   /* its place in syscall_plans */
	__u32 choice;		   /* enum syscall_choice */
	struct veil_syscall shown; /* the call, or the one that socketcall stands for */
	struct syscall_args_event event;
	char bytes[SYSCALL_BYTES];
	struct veil_part counted[VEIL_COUNT_FIELDS]; /* arguments that calls are counted by: where they are */
	struct syscall_number numbers[VEIL_COUNT_FIELDS];
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

/*
 * A call that was under way when the trace began, as a look from outside found it (UnderWay.cs), by thread. It holds
 * until the thread is seen to begin one.
 */
struct syscall_known {
	__u64 start_ns; /* it began then, or before */
	struct veil_syscall syscall;
	__u64 args[SYSCALL_ARGS];
	__u32 unread;
	__u32 size;
	char bytes[SYSCALL_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct syscall_known);
} args_known SEC(".maps");

/* Beside the bits of arguments in `unread`: something nested; and when the call began is not known. */
#define SYSCALL_UNREAD_NESTED (1U << 8)
#define SYSCALL_BEGAN_BEFORE  (1U << 31)

/* Of a call that does many things: its place in syscall_plans by the call and the value of its selector. */
struct syscall_variant {
	__u32 plan;
	__u32 value;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2048);
	__type(key, struct syscall_variant);
	__type(value, __u32);
} call_variants SEC(".maps");

#define SYSCALL_NO_PLAN (~0U)

static __always_inline struct syscall_plan *syscall_plan_of(const struct syscall_draft *draft)
{
	__u32 key = draft->plan;

	return bpf_map_lookup_elem(&syscall_plans, &key);
}

/* What a chunk is, in one word: a function of BPF has five parameters. */
#define SYSCALL_STRING		      (1U << 31)
#define syscall_tag(arg, index, kind) ((arg) | (index) << 8 | (kind) << 16)

/* Begins a chunk. NULL: there is no room. */
static __always_inline struct syscall_chunk *syscall_begin(struct syscall_draft *draft, __u64 address, __u32 tag,
							   __u32 flags)
{
	__u64 place = draft->size;
	struct syscall_chunk *chunk;

	if (place > SYSCALL_BYTES - SYSCALL_ROOM_MIN - sizeof(*chunk))
		return NULL;
	chunk = (void *)&draft->bytes[place];
	chunk->address = address;
	chunk->size = 0;
	chunk->arg = tag;
	chunk->index = tag >> 8;
	chunk->flags = flags;
	chunk->kind = tag >> 16 & 0x7f;
	draft->size = place + sizeof(*chunk);
	return chunk;
}

static __always_inline __u64 syscall_room(__u64 place)
{
	if (place <= SYSCALL_BYTES - SYSCALL_ROOM_MAX)
		return SYSCALL_ROOM_MAX;
	return place <= SYSCALL_BYTES - SYSCALL_ROOM_SOME ? SYSCALL_ROOM_SOME : SYSCALL_ROOM_MIN;
}

/* Reads with `room` as a constant, which the verifier can add to. */
#define syscall_fetch(room)                                                                                            \
	({                                                                                                             \
		asm volatile("" : "+r"(size), "+r"(place));                                                            \
		if (size > (room) || place > SYSCALL_BYTES - (room))                                                   \
			return 0;                                                                                      \
		is_string ? bpf_probe_read_user_str(&draft->bytes[place], size, (const void *)address)                 \
			  : bpf_probe_read_user(&draft->bytes[place], size, (const void *)address);                    \
	})

#define SYSCALL_PAGE 4096

/* What could not be read whole, up to the end of its page. */
static __always_inline void syscall_add_rest(struct syscall_draft *draft, struct syscall_chunk *chunk, __u64 address,
					     __u64 size)
{
	__u64 place = draft->size, left = SYSCALL_PAGE - (address & (SYSCALL_PAGE - 1));

	asm volatile("" : "+r"(left), "+r"(place));
	if (left >= size || left > SYSCALL_ROOM_SOME || place > SYSCALL_BYTES - SYSCALL_ROOM_SOME ||
	    bpf_probe_read_user(&draft->bytes[place], left, (const void *)address))
		return;
	chunk->flags |= SYSCALL_PARTIAL;
	chunk->size = left;
	draft->size = place + ((left + 7) & ~7ULL);
}

/*
 * What reads and what has parts of its own is a global function: the verifier looks at each once, however often it is
 * called. Before 5.13 they take numbers only; so each asks for the draft again.
 *
 * Adds a chunk. `tag` may carry SYSCALL_STRING: `size` is then the most that is shown. 0: it could not be read.
 */
static __always_inline int syscall_add_to(struct syscall_draft *draft, __u64 address, __u64 size, __u32 tag,
					  __u32 flags)
{
	bool is_string = tag & SYSCALL_STRING;
	struct syscall_chunk *chunk;
	__u64 place, room;
	long length;

	chunk = syscall_begin(draft, address, tag, flags);
	if (!chunk)
		return 0;
	place = draft->size;
	/* The verifier knows no sum of two variables, so what is left is judged in steps. */
	room = syscall_room(place);
	/* Two more than are shown: the NUL, and one that says that there is more. */
	size += is_string ? 2 : 0;
	if (size > room) {
		size = room;
		chunk->flags |= is_string ? 0 : SYSCALL_TRUNCATED;
	}
	if (room == SYSCALL_ROOM_MAX)
		length = syscall_fetch(SYSCALL_ROOM_MAX);
	else if (room == SYSCALL_ROOM_SOME)
		length = syscall_fetch(SYSCALL_ROOM_SOME);
	else
		length = syscall_fetch(SYSCALL_ROOM_MIN);
	if (length < 0) {
		chunk->flags |= SYSCALL_UNREAD;
		if (!is_string)
			syscall_add_rest(draft, chunk, address, size);
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
#define SYSCALL_NUMBER_STEP  16
#define SYSCALL_NUMBER_STEPS 64
#define SYSCALL_VECTOR_MAX   32
#define SYSCALL_MESSAGES_MAX 8

/* The strings of an array. One more than are shown is looked at, to know whether there is more. */
__noinline int syscall_add_strings(__u64 address, __u64 size_max, __u32 arg, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8;
	bool failed = false;
	int read = 1;

	for (__u32 index = 0; draft && index <= SYSCALL_STRINGS_MAX; index++) {
		__u64 at = address + index * width, string = syscall_word(at, flags & SYSCALL_COMPAT, &failed);
		__u32 tag = syscall_tag(arg, index, SYSCALL_CHUNK_VALUE);

		if (failed) {
			syscall_begin(draft, at, tag, (flags & 0xff) | SYSCALL_UNREAD | SYSCALL_DETAILED);
			return 0;
		}
		if (!string)
			break;
		read &= syscall_add_chunk(string, size_max, tag | SYSCALL_STRING, flags & 0xff);
	}
	return read;
}

#define SYSCALL_REQUESTS_MAX  8
#define SYSCALL_REQUEST_SIZE  64 /* struct iocb, include/uapi/linux/aio_abi.h, and where in it are: */
#define SYSCALL_REQUEST_OP    16
#define SYSCALL_REQUEST_DATA  24
#define SYSCALL_REQUEST_LEN   32
#define SYSCALL_REQUEST_WRITE 1 /* IOCB_CMD_PWRITE */

/* The requests of io_submit, and what those that write have. */
__noinline int syscall_add_requests(__u64 address, __u64 count, __u32 arg, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8;
	bool failed = false;
	int read = 1;

	for (__u32 index = 0; draft && index < SYSCALL_REQUESTS_MAX; index++) {
		__u64 at = address + index * width, request, size = 0;
		__u16 operation = 0;

		if (index >= count)
			break;
		request = syscall_word(at, flags & SYSCALL_COMPAT, &failed);
		if (failed) {
			syscall_begin(draft, at, syscall_tag(arg, index, SYSCALL_CHUNK_VALUE),
				      (flags & 0xff) | SYSCALL_UNREAD | SYSCALL_DETAILED);
			return 0;
		}
		read &= syscall_add_chunk(request, SYSCALL_REQUEST_SIZE, syscall_tag(arg, index, SYSCALL_CHUNK_VALUE),
					  flags & 0xff);
		bpf_probe_read_user(&operation, sizeof(operation), (const void *)(request + SYSCALL_REQUEST_OP));
		if (operation != SYSCALL_REQUEST_WRITE)
			continue;
		size = syscall_word(request + SYSCALL_REQUEST_LEN, false, &failed);
		syscall_add_chunk(syscall_word(request + SYSCALL_REQUEST_DATA, false, &failed), size < 32 ? size : 32,
				  syscall_tag(arg, index, SYSCALL_CHUNK_PART),
				  (flags & 0xff) | (size > 32 ? SYSCALL_TRUNCATED : 0));
	}
	return read;
}

/* How many of some addresses come before NULL, or before one that cannot be read. */
__noinline int syscall_count_words(__u64 address, __u32 flags)
{
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8;
	bool failed = false;

	for (int index = 0; index < SYSCALL_NUMBER_STEP; index++) {
		if (!syscall_word(address + index * width, flags & SYSCALL_COMPAT, &failed) || failed)
			return index;
	}
	return SYSCALL_NUMBER_STEP;
}

__noinline int syscall_add_number(__u64 address, __u32 arg, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8, number = 0;
	struct syscall_chunk *chunk;
	bool failed = false;

	if (!draft)
		return 0;
	for (int step = 0; step < SYSCALL_NUMBER_STEPS; step++) {
		int count = syscall_count_words(address + number * width, flags);

		number += count;
		if (count < SYSCALL_NUMBER_STEP)
			break;
	}
	if (syscall_word(address + number * width, flags & SYSCALL_COMPAT, &failed))
		flags |= SYSCALL_TRUNCATED; /* nobody has counted further */
	chunk = syscall_begin(draft, address, syscall_tag(arg, 0, SYSCALL_CHUNK_NUMBER),
			      (flags & 0xff) | (failed ? SYSCALL_UNREAD : 0));
	if (!chunk)
		return 0;
	chunk->size = sizeof(number);
	*(__u64 *)(chunk + 1) = number;
	draft->size += sizeof(number);
	return !failed;
}

#define SYSCALL_ENTRY_STEP  16
#define SYSCALL_ENTRY_STEPS 128

/* Of up to so many entries the bytes, shifted by 8, and how many they are. The length of each is at `length_at`. */
__noinline int syscall_count_entries(__u64 address, __u64 left, __u32 length_at)
{
	__u32 count, bytes = 0;
	__u16 length = 0;

	for (count = 0; count < SYSCALL_ENTRY_STEP; count++) {
		if (bytes >= left)
			break;
		if (bpf_probe_read_user(&length, sizeof(length), (const void *)(address + bytes + length_at)) ||
		    !length)
			break;
		bytes += length;
	}
	return bytes << 8 | count;
}

__noinline int syscall_add_entries(__u64 address, __u64 size, __u32 length_at, __u32 arg, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	struct syscall_chunk *chunk;
	__u64 number = 0, done = 0;

	if (!draft)
		return 0;
	for (int step = 0; step < SYSCALL_ENTRY_STEPS && done < size; step++) {
		__u32 counted = syscall_count_entries(address + done, size - done, length_at);

		number += counted & 0xff;
		done += counted >> 8;
		if ((counted & 0xff) < SYSCALL_ENTRY_STEP)
			break;
	}
	chunk = syscall_begin(draft, address, syscall_tag(arg, 0, SYSCALL_CHUNK_NUMBER),
			      (flags & 0xff) | (done < size ? SYSCALL_UNREAD : 0));
	if (!chunk)
		return 0;
	chunk->size = sizeof(number);
	*(__u64 *)(chunk + 1) = number;
	draft->size += sizeof(number);
	return 1;
}

/* `count` struct iovec and what they point to: of all parts `total` bytes, of each `size_max`. `tag` is that of the
 * structs. */
__noinline int syscall_add_vector(__u64 address, __u64 count, __u64 sizes, __u32 tag, __u32 flags)
{
	__u64 width = flags & SYSCALL_COMPAT ? 4 : 8, left = sizes >> 16, size_max = sizes & 0xffff;
	bool failed = false;
	int read;

	if (count > SYSCALL_STRINGS_MAX)
		count = SYSCALL_STRINGS_MAX;
	read = syscall_add_chunk(address, count * 2 * width, tag, flags & 0xff);
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
					  syscall_tag(tag & 0xff, index, SYSCALL_CHUNK_PART),
					  (flags & 0xff) | (size > size_max ? SYSCALL_TRUNCATED : 0));
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

#define SYSCALL_FD_FOLDER    6
#define SYSCALL_FD_RETURNED  7 /* the place of what a call returned, among its descriptors */
#define SYSCALL_AT_FDCWD     -100
#define SYSCALL_AT_EXIT_BIT  31 /* in the tag of a descriptor: it is looked up when the call ends */
#define SYSCALL_AT_EXIT	     (1U << SYSCALL_AT_EXIT_BIT)
#define SYSCALL_TAG_DETAILED (1U << 30)

/* What a place in the tree of files is called. */
__noinline int syscall_add_path(__u64 dentry, __u64 mount, __u64 detail, __u32 tag)
{
	__u32 slot = tag >> SYSCALL_AT_EXIT_BIT;
	struct syscall_draft *draft = syscall_current_draft();
	struct syscall_chunk *chunk;
	struct path_walk *walk;
	__u64 start, place, size;

	veil_path_resolve(slot, dentry, mount);
	walk = veil_path_walk(slot);
	if (!draft || !walk)
		return 0;
	start = walk->start;
	asm volatile("" : "+r"(start));
	if (start >= VEIL_PATH_MAX)
		return 0;
	chunk = syscall_begin(draft, detail, (tag & 0xffff) | SYSCALL_CHUNK_PATH << 16,
			      (walk->deleted ? SYSCALL_DELETED : 0) | (walk->truncated ? SYSCALL_TRUNCATED : 0) |
				  (tag & SYSCALL_TAG_DETAILED ? SYSCALL_DETAILED : 0));
	if (!chunk)
		return 0;
	place = draft->size;
	size = VEIL_PATH_MAX - start;
	asm volatile("" : "+r"(size), "+r"(place));
	if (place <= SYSCALL_BYTES - VEIL_PATH_MAX) {
		if (size > VEIL_PATH_MAX || bpf_probe_read_kernel(&draft->bytes[place], size, &walk->bytes[start]))
			return 0;
	} else {
		if (size > SYSCALL_ROOM_MIN) {
			size = SYSCALL_ROOM_MIN;
			chunk->flags |= SYSCALL_TRUNCATED;
		}
		asm volatile("" : "+r"(size), "+r"(place));
		if (place > SYSCALL_BYTES - SYSCALL_ROOM_MIN || size > SYSCALL_ROOM_MIN ||
		    bpf_probe_read_kernel(&draft->bytes[place], size, &walk->bytes[start]))
			return 0;
	}
	chunk->size = size;
	draft->size = place + ((size + 7) & ~7ULL);
	return 1;
}

/* A socket, as userspace shows it. CallSocket.cs has the same. */
struct syscall_socket {
	__u64 inode;
	__u64 peer; /* AF_UNIX: the other's inode; AF_NETLINK: the port */
	__u16 family;
	__u16 local_port;
	__u16 remote_port;
	__u16 protocol;
	__u8 local[16];
	__u8 remote[16];
	char name[16]; /* of struct proto */
	__u32 path_size;
	char path[108]; /* AF_UNIX: sun_path */
};

static __always_inline __u64 syscall_socket_inode(struct socket *socket)
{
	return socket ? BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino) : 0;
}

static __always_inline void syscall_read_unix(struct syscall_socket *to, struct sock *sk)
{
	struct unix_address *address;
	struct sock *peer;
	__u64 size;

	if (!bpf_core_type_exists(struct unix_sock)) /* it is in a kernel module, CONFIG_UNIX=m */
		return;
	address = BPF_CORE_READ((struct unix_sock *)sk, addr);
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	to->peer = peer ? syscall_socket_inode(BPF_CORE_READ(peer, sk_socket)) : 0;
	if (!address)
		return;
	size = BPF_CORE_READ(address, len) - 2; /* sun_family */
	asm volatile("" : "+r"(size));
	if (size > sizeof(to->path))
		return;
	if (!bpf_probe_read_kernel(to->path, size, address->name[0].sun_path))
		to->path_size = size;
}

/* What is at both ends of a socket. */
__noinline int syscall_add_socket(__u64 file_address, __u32 tag)
{
	struct socket *socket = BPF_CORE_READ((struct file *)file_address, private_data);
	struct syscall_draft *draft = syscall_current_draft();
	struct sock *sk = BPF_CORE_READ(socket, sk);
	struct proto *proto = BPF_CORE_READ(sk, __sk_common.skc_prot);
	struct syscall_chunk *chunk;
	struct syscall_socket *to;

	if (!draft || draft->size > SYSCALL_BYTES - 256 - sizeof(*chunk))
		return 0;
	chunk = syscall_begin(draft, 0, (tag & 0xffff) | SYSCALL_CHUNK_SOCKET << 16, 0);
	if (!chunk)
		return 0;
	to = (void *)(chunk + 1);
	__builtin_memset(to, 0, sizeof(*to));
	to->inode = syscall_socket_inode(socket);
	to->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	to->protocol = BPF_CORE_READ(sk, sk_protocol);
	bpf_probe_read_kernel(to->name, sizeof(to->name), proto->name);
	switch (to->family) {
	case 1: /* AF_UNIX */
		syscall_read_unix(to, sk);
		break;
	case 16: /* AF_NETLINK */
		to->peer = BPF_CORE_READ((struct netlink_sock *)sk, portid);
		break;
	case 2: /* AF_INET */
		BPF_CORE_READ_INTO((__u32 *)to->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)to->remote, sk, __sk_common.skc_daddr);
		break;
	case 10: /* AF_INET6 */
		if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
			BPF_CORE_READ_INTO(&to->local, sk, __sk_common.skc_v6_rcv_saddr);
			BPF_CORE_READ_INTO(&to->remote, sk, __sk_common.skc_v6_daddr);
		}
		break;
	}
	if (to->family == 2 || to->family == 10) {
		/* Not skc_num: that is cleared as a connection ends. */
		to->local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
		to->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	}
	chunk->size = sizeof(*to);
	draft->size += sizeof(*to);
	return 1;
}

#define SYSCALL_MODE_TYPE  0170000 /* S_IFMT */
#define SYSCALL_MODE_BLOCK 0060000
#define SYSCALL_MODE_CHAR  0020000

/*
 * More than a path says: of a device its number (with bit 32 of a block device), of a pidfd the process, of a signalfd
 * its signals, of an eventfd what it has.
 */
static __always_inline bool syscall_file_detail(struct file *file, struct dentry *dentry, bool is_root, __u64 *detail)
{
	struct inode *inode = veil_read(struct dentry, dentry, d_inode);
	__u16 type = veil_read(struct inode, inode, i_mode) & SYSCALL_MODE_TYPE;
	const unsigned char *name;
	struct eventfd_ctx *event;
	unsigned long magic;
	char start[8] = {};
	struct pid *pid;
	void *data;

	if (type == SYSCALL_MODE_CHAR || type == SYSCALL_MODE_BLOCK) {
		*detail = BPF_CORE_READ(inode, i_rdev) | (__u64)(type == SYSCALL_MODE_BLOCK) << 32;
		return true;
	}
	if (!is_root)
		return false;
	magic = BPF_CORE_READ(dentry, d_sb, s_magic);
	if (magic == PIDFS_MAGIC) {
		pid = BPF_CORE_READ(inode, i_private);
		*detail = BPF_CORE_READ(pid, numbers[0].nr);
		return true;
	}
	if (magic != ANON_INODE_FS_MAGIC)
		return false;
	name = BPF_CORE_READ(dentry, d_name.name);
	bpf_probe_read_kernel(start, sizeof(start), name);
	data = BPF_CORE_READ(file, private_data);
	if (start[1] == 'p' && start[2] == 'i') { /* [pidfd], before pidfs */
		pid = data;
		*detail = BPF_CORE_READ(pid, numbers[0].nr);
		return true;
	}
	if (start[1] == 's') { /* [signalfd], which has those that it does not take */
		bpf_probe_read_kernel(detail, sizeof(*detail), data);
		*detail = ~*detail;
		return true;
	}
	if (start[1] == 'e' && start[6] == 'f' && bpf_core_type_exists(struct eventfd_ctx)) { /* [eventfd] */
		event = data;
		*detail = BPF_CORE_READ(event, count);
		if (*detail >> 32)
			return false;
		*detail |= (__u64)BPF_CORE_READ(event, id) << 32 | (__u64)BPF_CORE_READ(event, flags) << 63;
		return true;
	}
	return false;
}

/* What a descriptor stands for now. */
__noinline int syscall_add_descriptor(__s32 fd, __u32 tag)
{
	struct path_walk *walk = veil_path_walk(tag >> SYSCALL_AT_EXIT_BIT);
	struct vfsmount *mount;
	struct dentry *dentry;
	struct fs_struct *fs;
	struct file *file;
	__u64 detail = 0;
	bool is_root;

	if (!walk)
		return 0;
	if (fd == SYSCALL_AT_FDCWD) {
		fs = veil_task_read(veil_current(), fs);
		dentry = veil_read(struct fs_struct, fs, pwd.dentry);
		mount = veil_read(struct fs_struct, fs, pwd.mnt);
	} else {
		if (fd < 0)
			return 0;
		file = veil_current_file(fd);
		if (!file)
			return 0;
		dentry = veil_read(struct file, file, f_path.dentry);
		mount = veil_read(struct file, file, f_path.mnt);
		is_root = veil_read(struct dentry, dentry, d_parent) == dentry;
		if (is_root && BPF_CORE_READ(dentry, d_sb, s_magic) == SOCKFS_MAGIC)
			return syscall_add_socket((__u64)file, tag);
		if (syscall_file_detail(file, dentry, is_root, &detail))
			tag |= SYSCALL_TAG_DETAILED;
	}
	/* Out of memory they are numbers, and not pointers of a type, which a global function does not take. */
	walk->dentry = dentry;
	walk->mount = mount;
	return syscall_add_path(*(volatile __u64 *)&walk->dentry, *(volatile __u64 *)&walk->mount, detail, tag);
}

#define SYSCALL_FDS_MAX 32

/* Descriptors that are at the beginning of each element of an array. */
__noinline int syscall_add_descriptors(__u64 address, __u64 size, __u64 unit, __u32 tag)
{
	bool failed = false;

	for (__u32 index = 0; index < SYSCALL_FDS_MAX; index++) {
		__u64 at = index * unit;
		__s32 fd;

		if (at + 4 > size)
			break;
		fd = syscall_word(address + at, true, &failed);
		if (failed)
			break;
		syscall_add_descriptor(fd, tag | index << 8);
	}
	return 0;
}

#define SYSCALL_SET_BYTES 32 /* looked up are descriptors below 256 */

/* Those of one byte of a set, the first of which is `fd`; how many there have been so far. */
__noinline int syscall_add_set_byte(__u64 address, __u32 fd, __u32 tag)
{
	__u8 byte = 0;

	bpf_probe_read_user(&byte, sizeof(byte), (const void *)address);
	for (int bit = 0; bit < 8; bit++) {
		if (!(byte >> bit & 1))
			continue;
		syscall_add_descriptor(fd + bit, tag);
		tag += 1 << 8;
	}
	return tag >> 8;
}

__noinline int syscall_add_set(__u64 address, __u64 number, __u32 arg)
{
	__u32 index = 0;

	for (__u32 byte = 0; byte < SYSCALL_SET_BYTES; byte++) {
		if (byte * 8 >= number || index >= SYSCALL_FDS_MAX)
			break;
		index = syscall_add_set_byte(address + byte, byte * 8, arg | index << 8);
	}
	return 0;
}

/* `number` words at `from` become the arguments. 0: they could not be read. */
__noinline int syscall_unpack(__u64 from, __u32 number)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u32 words[SYSCALL_ARGS] = {};

	if (!draft)
		return 0;
	for (__u32 word = 0; word < SYSCALL_ARGS; word++) {
		if (word < number &&
		    bpf_probe_read_user(&words[word], sizeof(words[word]), (const void *)(from + 4 * word)))
			return 0;
	}
	for (__u32 word = 0; word < SYSCALL_ARGS; word++)
		draft->event.call.args[word] = words[word];
	return 1;
}

/* Finds the plan of a call by its number, and of one that does many things by what it is asked for. `may_read`: it is
 * the running task's, and its memory can be read. A function, for its stack. */
static __noinline void syscall_choose_plan(struct syscall_draft *draft, bool may_read)
{
	__u32 nr = draft->call.syscall.nr & ~0x40000000; /* the bit of x32 */
	struct syscall_variant variant = {.plan = SYSCALL_NO_PLAN};
	__u64 selector, packed = draft->event.call.args[0];
	struct syscall_plan *plan;
	__u32 *found;

	draft->shown = draft->call.syscall;
	if (nr < SYSCALL_TABLE_CALLS)
		variant.plan = draft->call.syscall.arch * SYSCALL_TABLE_CALLS + nr;
	draft->plan = variant.plan;
	plan = syscall_plan_of(draft);
	if (!plan)
		return;
	selector = plan->selector;
	if (selector) {
		__u64 place = selector - 1;

		asm volatile("" : "+r"(place));
		if (place >= SYSCALL_ARGS)
			return;
		variant.value = draft->event.call.args[place];
		found = bpf_map_lookup_elem(&call_variants, &variant);
		if (!found)
			return;
		draft->plan = *found;
		plan = syscall_plan_of(draft);
		packed = draft->event.call.args[1];
	}
	if (!plan || !(plan->more >> SYSCALL_PACKED_SHIFT))
		return;
	if (may_read && syscall_unpack(packed, plan->more >> SYSCALL_PACKED_SHIFT))
		draft->shown.nr = draft->plan % SYSCALL_TABLE_CALLS;
	else
		draft->plan = selector ? variant.plan : SYSCALL_NO_PLAN;
}

/* Reads what a pointer within a structure leads to. */
__noinline int syscall_read_nested(__u32 index, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 place = index, arg, from, address, count = 1, size;
	const struct syscall_plan *plan;
	struct syscall_nested nested;
	bool is_narrow, failed = false;
	__u32 tag;

	asm volatile("" : "+r"(place));
	if (place >= SYSCALL_NESTED_MAX || !draft)
		return 1;
	plan = syscall_plan_of(draft);
	if (!plan)
		return 1;
	nested = plan->nested[place];
	arg = nested.arg & 7;
	asm volatile("" : "+r"(arg));
	if (arg >= SYSCALL_ARGS)
		return 1;
	from = draft->event.call.args[arg];
	if (!from)
		return 1;
	is_narrow = plan->more & SYSCALL_COMPAT_PLAN && !(nested.arg & SYSCALL_NESTED_WIDE);
	address = syscall_word(from + nested.at, is_narrow, &failed);
	if (nested.read == SYSCALL_READ_COUNTED || nested.read == SYSCALL_READ_VECTOR)
		count = syscall_word(from + nested.count, is_narrow || nested.arg & SYSCALL_NESTED_COUNT4, &failed);
	if (failed)
		return 0;
	if (!address)
		return 1;
	tag = syscall_tag(arg, index, SYSCALL_CHUNK_NESTED);
	if (nested.read == SYSCALL_READ_STRING)
		return syscall_add_chunk(address, nested.size_max, tag | SYSCALL_STRING, flags);
	if (nested.read == SYSCALL_READ_VECTOR)
		return syscall_add_vector(address, count, 1ULL << 56 | nested.size_max,
					  syscall_tag(arg, 0, SYSCALL_CHUNK_VECTOR),
					  flags | (plan->more & SYSCALL_COMPAT_PLAN ? SYSCALL_COMPAT : 0));
	size = count * nested.unit;
	if (size > nested.size_max || count > nested.size_max) {
		size = nested.size_max;
		flags |= SYSCALL_TRUNCATED;
	}
	return syscall_add_chunk(address, size, tag, flags);
}

/* Reads argument `arg` as its reader says. 0: some of it could not be read. */
__noinline int syscall_read_arg(__u32 arg, __u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 ret, address, size, count = 0, place = arg, counted;
	const struct syscall_plan *plan;
	struct syscall_reader reader;
	__u32 with_width;
	int read;

	asm volatile("" : "+r"(place));
	if (place >= SYSCALL_ARGS || !draft)
		return 1;
	plan = syscall_plan_of(draft);
	if (!plan)
		return 1;
	reader = flags & SYSCALL_OUTPUT ? plan->exit[place] : plan->enter[place];
	with_width = flags | (plan->more & SYSCALL_COMPAT_PLAN ? SYSCALL_COMPAT : 0);
	ret = draft->event.call.ret;
	address = draft->event.call.args[place];
	if (!address)
		return 1;
	/* A vector's parts: what they have in all, and the most of each. */
	size = (flags & SYSCALL_OUTPUT ? ret : 1ULL << 40) << 16 | (reader.size_max & 0xffff);
	counted = reader.count;
	asm volatile("" : "+r"(counted));
	if (counted < SYSCALL_ARGS)
		count = draft->event.call.args[counted];
	switch (reader.read) {
	case SYSCALL_READ_STRING:
		return syscall_add_to(draft, address, reader.size_max, arg | SYSCALL_STRING, flags);
	case SYSCALL_READ_STRINGS:
		return syscall_add_strings(address, reader.size_max, arg, with_width);
	case SYSCALL_READ_REQUESTS:
		return syscall_add_requests(address, count, arg, with_width);
	case SYSCALL_READ_NUMBER:
		return syscall_add_number(address, arg, with_width);
	case SYSCALL_READ_ENTRIES:
		return syscall_add_entries(address, ret, 2 * (plan->more & SYSCALL_COMPAT_PLAN ? reader.unit : 8), arg,
					   flags);
	case SYSCALL_READ_VECTOR:
		return syscall_add_vector(address, count, size, arg, with_width);
	case SYSCALL_READ_MESSAGE:
		return syscall_add_message(address, size, arg, with_width);
	case SYSCALL_READ_MESSAGES:
		return syscall_add_messages(address, flags & SYSCALL_OUTPUT ? ret : count,
					    1ULL << 56 | (reader.size_max & 0xffff), arg, with_width);
	case SYSCALL_READ_FIXED:
	case SYSCALL_READ_SET:
		size = reader.unit;
		break;
	case SYSCALL_READ_COUNTED:
		size = count * reader.unit;
		break;
	case SYSCALL_READ_FDS:
		size = counted < SYSCALL_ARGS ? count * reader.unit : reader.size_max;
		break;
	case SYSCALL_READ_RESULT:
		size = ret * reader.unit;
		break;
	case SYSCALL_READ_SIZED:
		size = 0;
		if (bpf_probe_read_user(&size, 4, (const void *)(address + counted)))
			size = 0;
		size += reader.unit;
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
	read = syscall_add_to(draft, address, size, arg, flags);
	if (read && reader.read == SYSCALL_READ_SET)
		syscall_add_set(address, count, arg);
	if (read && reader.read == SYSCALL_READ_FDS)
		syscall_add_descriptors(address, size, reader.unit,
					arg | (flags & SYSCALL_OUTPUT ? SYSCALL_AT_EXIT : 0));
	return read;
}

/* Everything that is nested and that is read now. 0: some of it could not be. */
__noinline int syscall_read_all_nested(__u32 flags)
{
	struct syscall_draft *draft = syscall_current_draft();
	const struct syscall_plan *plan;
	int read = 1;

	plan = draft ? syscall_plan_of(draft) : NULL;
	if (!plan)
		return 1;
	for (__u32 index = 0; index < SYSCALL_NESTED_MAX; index++) {
		if (plan->nested[index].read &&
		    !(plan->nested[index].arg & SYSCALL_NESTED_EXIT) == !(flags & SYSCALL_OUTPUT))
			read &= syscall_read_nested(index, flags);
	}
	return read;
}

/* The arguments of a call that begins. */
static __always_inline void syscall_args_enter(struct syscall_draft *draft)
{
	const struct syscall_plan *plan = syscall_plan_of(draft);

	draft->size = veil_origin_size;
	draft->unread = 0;
	if (!plan)
		return;
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (plan->enters >> arg & 1 && !syscall_read_arg(arg, 0))
			draft->unread |= 1U << arg;
	}
	if (plan->more & SYSCALL_NESTED_ENTER && !syscall_read_all_nested(0))
		draft->unread |= SYSCALL_UNREAD_NESTED;
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (plan->descriptors >> arg & 1)
			syscall_add_descriptor(draft->event.call.args[arg], arg);
	}
	if (plan->descriptors >> SYSCALL_FD_FOLDER & 1)
		syscall_add_descriptor(SYSCALL_AT_FDCWD, SYSCALL_FD_FOLDER);
}

/* A string of the kernel. */
static __always_inline int syscall_add_name(struct syscall_draft *draft, __u64 address, __u64 name, __u32 arg)
{
	struct syscall_chunk *chunk = syscall_begin(draft, address, arg, SYSCALL_LATE);
	__u64 place = draft->size;
	long length;

	asm volatile("" : "+r"(place));
	if (!chunk || place > SYSCALL_BYTES - SYSCALL_ROOM_MAX)
		return 0;
	length = bpf_probe_read_kernel_str(&draft->bytes[place], SYSCALL_ROOM_MAX, (const void *)name);
	if (length <= 0) {
		chunk->flags |= SYSCALL_UNREAD;
		return 0;
	}
	chunk->size = length - 1;
	draft->size = place + ((length + 6) & ~7ULL);
	return 1;
}

#define SYSCALL_SCRIPT (1ULL << 32) /* beside the number of environment variables */

/*
 * An argument of execve that could not be read as it began: the memory that it was in is gone, but what the kernel took
 * from there is the new program's, whose stack begins with the number of arguments and their addresses. A script's
 * arguments are changed.
 */
__noinline int syscall_read_replaced(__u32 arg, __u64 stack, __u64 filename, __u64 arguments, __u64 variables)
{
	struct syscall_draft *draft = syscall_current_draft();
	const struct syscall_plan *plan;
	struct syscall_chunk *chunk;
	__u64 place = arg, address, first = 0;
	bool is_compat;
	__u8 read;

	asm volatile("" : "+r"(place));
	if (!draft || place >= SYSCALL_ARGS)
		return 0;
	plan = syscall_plan_of(draft);
	if (!plan)
		return 0;
	read = plan->enter[place].read;
	address = draft->event.call.args[place];
	if (read == SYSCALL_READ_STRING)
		return filename ? syscall_add_name(draft, address, filename, arg) : 0;
	if (read == SYSCALL_READ_NUMBER) {
		chunk = syscall_begin(draft, address, syscall_tag(arg, 0, SYSCALL_CHUNK_NUMBER), SYSCALL_LATE);
		if (!chunk)
			return 0;
		chunk->size = sizeof(__u64);
		*(__u64 *)(chunk + 1) = (__u32)variables;
		draft->size += sizeof(__u64);
		return 1;
	}
	if (read != SYSCALL_READ_STRINGS || variables & SYSCALL_SCRIPT)
		return 0;
	if (bpf_probe_read_user(&first, sizeof(first), (const void *)stack))
		return 0;
	is_compat = first != arguments; /* the first address is in the same word */
	return syscall_add_strings(stack + (is_compat ? 4 : 8), plan->enter[place].size_max, arg,
				   SYSCALL_LATE | (is_compat ? SYSCALL_COMPAT : 0));
}

/* Another program is in the place of the one that asked for it. */
static __always_inline void syscall_args_replaced(struct syscall_draft *draft, struct linux_binprm *program)
{
	const char *filename = BPF_CORE_READ(program, filename), *interpreter = BPF_CORE_READ(program, interp);
	__u64 stack = BPF_CORE_READ(program, p), variables = (__u32)BPF_CORE_READ(program, envc);
	__u64 arguments = (__u32)BPF_CORE_READ(program, argc);
	__u32 unread = draft->unread;

	if (interpreter != filename)
		variables |= SYSCALL_SCRIPT;
	if (bpf_core_field_exists(program->fdpath) && BPF_CORE_READ(program, fdpath)) /* since 5.9 */
		filename = NULL;
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (unread >> arg & 1)
			syscall_read_replaced(arg, stack, (__u64)filename, arguments, variables);
	}
	draft->unread = unread & SYSCALL_BEGAN_BEFORE;
}

/* A call that was not seen to begin: its input is read now. */
static __always_inline void syscall_args_unseen(struct syscall_draft *draft, const void *from)
{
	const struct syscall_plan *plan = syscall_plan_of(draft);

	draft->size = veil_origin_size;
	draft->unread = 0;
	if (!plan || !from)
		return;
	draft->unread = plan->enters | (plan->more & SYSCALL_NESTED_ENTER ? SYSCALL_UNREAD_NESTED : 0);
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (plan->descriptors >> arg & 1)
			syscall_add_descriptor(draft->event.call.args[arg], arg | SYSCALL_AT_EXIT);
	}
}

/* Takes over what the look found. */
static __always_inline void syscall_args_known(struct syscall_draft *draft, const struct syscall_known *known)
{
	draft->call = (struct syscall_call){.start_ns = known->start_ns, .syscall = known->syscall};
	draft->unread = known->unread | SYSCALL_BEGAN_BEFORE;
	draft->size = veil_origin_size + known->size;
	__builtin_memcpy(draft->event.call.args, known->args, sizeof(known->args));
	syscall_choose_plan(draft, false);
	bpf_probe_read_kernel(&draft->bytes[veil_origin_size], SYSCALL_BYTES - sizeof(struct veil_behind),
			      known->bytes);
}

/* What is known only now. */
static __always_inline void syscall_args_exit(struct syscall_draft *draft)
{
	const struct syscall_plan *plan = syscall_plan_of(draft);
	bool failed = (__u64)draft->event.call.ret >= (__u64)-4095 || draft->event.call.ret == VEIL_RET_NONE;

	if (!plan)
		return;
	/* At the old addresses there is now the new program. */
	if (!failed && veil_syscall_replaces_program(&draft->call.syscall))
		draft->unread &= SYSCALL_BEGAN_BEFORE;
	for (__u32 arg = 0; arg < SYSCALL_ARGS; arg++) {
		if (draft->unread >> arg & 1)
			syscall_read_arg(arg, SYSCALL_LATE);
		if ((!failed || plan->more & SYSCALL_END_ALWAYS) && plan->exits >> arg & 1)
			syscall_read_arg(arg, SYSCALL_OUTPUT);
	}
	if (draft->unread & SYSCALL_UNREAD_NESTED)
		syscall_read_all_nested(SYSCALL_LATE);
	if (!failed && plan->more & SYSCALL_NESTED_END)
		syscall_read_all_nested(SYSCALL_OUTPUT);
	if (!failed && plan->descriptors >> SYSCALL_FD_RETURNED)
		syscall_add_descriptor(draft->event.call.ret, SYSCALL_FD_RETURNED | SYSCALL_AT_EXIT);
}

/* Where what was read of an argument begins, and 1; 0: nothing was. */
__noinline int syscall_find_value(__u32 arg)
{
	struct syscall_draft *draft = syscall_current_draft();
	__u64 place = veil_origin_size;

	if (!draft)
		return 0;
	for (int number = 0; number < SYSCALL_CHUNKS_MAX; number++) {
		const struct syscall_chunk *chunk;

		asm volatile("" : "+r"(place));
		if (place >= draft->size || place > SYSCALL_BYTES - sizeof(*chunk))
			break;
		chunk = (void *)&draft->bytes[place];
		if (chunk->arg == arg && chunk->kind == SYSCALL_CHUNK_VALUE && !(chunk->flags & SYSCALL_UNREAD))
			return place + 1;
		place += sizeof(*chunk) + ((chunk->size + 7ULL) & ~7ULL);
	}
	return 0;
}

/*
 * --count-by args.NAME: where the argument is, to be counted by as a path is. A number, and an address that nothing was
 * read from, is put there with its call; it has the mark of a deleted path, as no argument has. False: the call has no
 * such argument.
 */
static __always_inline bool syscall_counted_argument(struct syscall_draft *draft, __u64 arg, struct veil_part *part,
						     struct syscall_number *number)
{
	const struct syscall_chunk *chunk;
	__u64 place = syscall_find_value(arg);

	asm volatile("" : "+r"(place), "+r"(arg));
	if (place && place <= SYSCALL_BYTES - sizeof(*chunk)) {
		chunk = (void *)&draft->bytes[place - 1];
		*part = (struct veil_part){
		    .offset = sizeof(draft->event) + place - 1 + sizeof(*chunk),
		    .size = chunk->size,
		    .truncated = chunk->flags & SYSCALL_TRUNCATED ? 1 : 0,
		};
		return true;
	}
	if (arg >= SYSCALL_ARGS)
		return false;
	number->syscall = draft->shown;
	number->value = draft->event.call.args[arg];
	*part =
	    (struct veil_part){.offset = (void *)number - (void *)&draft->event, .size = sizeof(*number), .deleted = 1};
	return true;
}

static __always_inline bool syscall_counted_arguments(struct syscall_draft *draft)
{
	const struct syscall_plan *plan = NULL;

	for (int field = 0; field < VEIL_COUNT_FIELDS; field++) {
		if (veil_count_fields[field].kind != VEIL_COUNT_KEY_ARGUMENT)
			continue;
		if (!plan)
			plan = syscall_plan_of(draft);
		if (!plan || !plan->counted[field] ||
		    !syscall_counted_argument(draft, plan->counted[field] - 1, &draft->counted[field],
					      &draft->numbers[field]))
			return false;
	}
	return true;
}
