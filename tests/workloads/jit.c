/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A compiler at run time that tells perf of it by a jitdump (jit-PID.dump in the folder that is given): one function is
 * compiled, called N times, and gives its place to another one, which is called M times. Each makes getppid(2) calls.
 */
#include "workload.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

struct jit_header {
	uint32_t magic, version, size, machine, padding, pid;
	uint64_t time, flags;
};

struct jit_head {
	uint32_t kind, size;
	uint64_t time;
};

struct jit_load {
	struct jit_head head;
	uint32_t pid, tid;
	uint64_t place, code, bytes, index;
};

struct jit_lines {
	struct jit_head head;
	uint64_t code, count;
};

struct jit_line {
	uint64_t code;
	uint32_t line, discriminator;
};

static int dump;

/* A frame, the call, and back. */
#if defined(__aarch64__)
#define CALL_AT 12
static const unsigned char code[] = {0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0xa8, 0x15, 0x80, 0xd2,
				     0x01, 0x00, 0x00, 0xd4, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6};
#else
#define CALL_AT 9
static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xb8, 0x6e, 0, 0, 0, 0x0f, 0x05, 0x5d, 0xc3};
#endif

static void put(const void *from, size_t bytes)
{
	require(write(dump, from, bytes) == (ssize_t)bytes, "writing the dump");
}

/* Its lines come before it: of the beginning, and from the call on. */
static void tell(const char *name, const char *file, unsigned int line, void *place, uint64_t index)
{
	size_t file_bytes = strlen(file) + 1, name_bytes = strlen(name) + 1;
	struct jit_line first = {(uintptr_t)place, line, 0}, second = {(uintptr_t)place + CALL_AT, line + 1, 0};
	struct jit_lines lines = {
	    {2, sizeof(lines) + 2 * sizeof(first) + file_bytes + 2, now_ns()}, (uintptr_t)place, 2};
	struct jit_load load = {.head = {0, sizeof(load) + name_bytes + sizeof(code), now_ns()},
				.pid = getpid(),
				.tid = getpid(),
				.place = (uintptr_t)place,
				.code = (uintptr_t)place,
				.bytes = sizeof(code),
				.index = index};

	put(&lines, sizeof(lines));
	put(&first, sizeof(first));
	put(file, file_bytes);
	put(&second, sizeof(second));
	put("\xff", 2); /* the same file */
	put(&load, sizeof(load));
	put(name, name_bytes);
	put(code, sizeof(code));
}

/* Two, as a stack of the same addresses is the same stack. */
static __attribute__((noipa)) void call_first(void *place, long count)
{
	for (long i = 0; i < count; i++)
		((void (*)(void))place)();
}

static __attribute__((noipa)) void call_second(void *place, long count)
{
	for (long i = 0; i < count; i++)
		((void (*)(void))place)();
	__asm__ volatile("nop");
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct jit_header header = {0x4a695444, 1, sizeof(header), 62, 0, getpid(), now_ns(), 0};
	char path[4096];

	if (argc < 4)
		usage("FOLDER N M");
	require(place != MAP_FAILED, "mapping code");
	buffer_stdout();
	snprintf(path, sizeof(path), "%s/jit-%d.dump", argv[1], getpid());
	wait_for_start(wait);
	dump = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	require(dump >= 0, path);
	put(&header, sizeof(header));
	/* By this perf finds it. */
	require(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, dump, 0) != MAP_FAILED, "mapping the dump");
	memcpy(place, code, sizeof(code));
	__builtin___clear_cache(place, (char *)place + sizeof(code));
	tell("first", "/src/first.js", 10, place, 1);
	call_first(place, strtol(argv[2], NULL, 10));
	tell("second", "/src/second.js", 20, place, 2);
	call_second(place, strtol(argv[3], NULL, 10));
	printf("place=%ju\n", (uintmax_t)(uintptr_t)place);
	/* Whoever shows its stacks looks at it while it is there. */
	usleep(500000);
	return 0;
}
