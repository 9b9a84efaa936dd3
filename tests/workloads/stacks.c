/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Knows its own stack. With frame pointers in all of its own functions, it says by which return addresses a call was
 * reached, up to and with main's, and makes it by two ways: a known number of times each.
 *   calls N M   getppid(2), N times by way_one and M times by way_two
 *   deep N      once below N calls of one function
 *   spin S      computes: three parts of S milliseconds of CPU time in spin_long, one in spin_short
 *   sleep N     nanosleep(2) of a millisecond, N times
 *   pipe N      waits for its child to write, N times
 *   touch N     N fresh pages, touched by way_one
 */
#include "workload.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define FRAMES_MAX 16

static unsigned long frames[FRAMES_MAX];
static int frame_count;
static void *main_frame;

#define NOINLINE __attribute__((noinline, noclone))

/* Follows the chain of frame pointers that the compiler was told to keep: the program's own word on where it is. */
static inline __attribute__((always_inline)) void note_stack(void)
{
	unsigned long *frame = __builtin_frame_address(0);

	for (frame_count = 0; frame_count < FRAMES_MAX && (void *)frame != main_frame;
	     frame = (unsigned long *)frame[0])
		frames[frame_count++] = frame[1];
}

static void print_stack(const char *name)
{
	printf("%s=", name);
	for (int i = 0; i < frame_count; i++)
		printf("%s0x%lx", i ? "," : "", frames[i]);
	printf("\n");
}

static NOINLINE long leaf(long calls)
{
	long sum = 0;

	note_stack();
	for (long i = 0; i < calls; i++) {
		long result;
#if defined(__x86_64__)
		asm volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
#else
		result = syscall(SYS_getppid);
#endif
		sum += result;
	}
	return sum;
}

static NOINLINE long way_one(long calls)
{
	long result = leaf(calls);

	asm volatile("" : "+r"(result));
	return result;
}

static NOINLINE long way_two(long calls)
{
	long result = leaf(calls);

	asm volatile("" : "+r"(result));
	return result + 1; /* or the compiler takes the two for one */
}

static NOINLINE long deep(long levels)
{
	long result = levels ? deep(levels - 1) : leaf(1);

	asm volatile("" : "+r"(result));
	return result;
}

static volatile unsigned long work;

static long long cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static NOINLINE void spin_long(long long until)
{
	while (cpu_ns() < until)
		for (int i = 0; i < 200000; i++)
			work++;
	asm volatile("");
}

static NOINLINE void spin_short(long long until)
{
	while (cpu_ns() < until)
		for (int i = 0; i < 200000; i++)
			work += 2;
	asm volatile("");
}

/* How often it has gone to sleep, by the kernel's own count. */
static long voluntary(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

static NOINLINE void touch(char *pages, long count)
{
	note_stack();
	for (long i = 0; i < count; i++)
		pages[i * 4096] = 1;
	asm volatile("");
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	long count, other;

	if (argc < 3)
		usage("calls N M | deep N | spin MS | sleep N | pipe N | touch N");
	main_frame = __builtin_frame_address(0);
	count = strtol(argv[2], NULL, 10);
	other = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
	buffer_stdout();
	if (!strcmp(argv[1], "calls")) {
		wait_for_start(wait);
		way_one(count);
		print_stack("one");
		way_two(other);
		print_stack("two");
	} else if (!strcmp(argv[1], "deep")) {
		wait_for_start(wait);
		deep(count);
	} else if (!strcmp(argv[1], "spin")) {
		long long start;

		wait_for_start(wait);
		start = cpu_ns();
		spin_long(start + count * NSEC_PER_MSEC * 3 / 4);
		spin_short(start + count * NSEC_PER_MSEC);
		printf("long=0x%lx\nshort=0x%lx\nnext=0x%lx\n", (unsigned long)spin_long, (unsigned long)spin_short,
		       (unsigned long)touch);
	} else if (!strcmp(argv[1], "sleep")) {
		long before;

		wait_for_start(wait);
		before = voluntary();
		for (long i = 0; i < count; i++) {
			struct timespec time = {.tv_nsec = NSEC_PER_MSEC};

			require(nanosleep(&time, NULL) == 0, "nanosleep");
		}
		printf("voluntary=%ld\n", voluntary() - before);
	} else if (!strcmp(argv[1], "pipe")) {
		int ends[2];
		pid_t child;
		long before;
		char byte;

		require(pipe(ends) == 0, "pipe");
		wait_for_start(wait);
		before = voluntary();
		child = fork();
		require(child >= 0, "fork");
		if (!child) {
			for (long i = 0; i < count; i++) {
				/* Until the reader surely waits. */
				struct timespec time = {.tv_nsec = 5 * NSEC_PER_MSEC};

				nanosleep(&time, NULL);
				if (write(ends[1], "x", 1) != 1)
					_exit(1);
			}
			_exit(0);
		}
		for (long i = 0; i < count; i++)
			require(read(ends[0], &byte, 1) == 1, "read");
		waitpid(child, NULL, 0);
		printf("child=%d\nvoluntary=%ld\n", child, voluntary() - before);
	} else if (!strcmp(argv[1], "touch")) {
		char *pages = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		require(pages != MAP_FAILED, "mmap");
		madvise(pages, count * 4096, MADV_NOHUGEPAGE);
		wait_for_start(wait);
		touch(pages, count);
		print_stack("one");
	}
	return 0;
}
