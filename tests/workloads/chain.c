/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Calls by a chain of ten functions that keep no frame pointer. At its end it says its stack as the compiler's own
 * unwinder has it (libgcc's _Unwind_Backtrace()): the addresses that each frame returns to, the innermost first,
 * without that of the last function.
 *   calls N   getppid(2) there, N times
 *   sort N    the same in a comparison that the C library's qsort(3) calls
 *   signal N  the same in the handler of a signal
 *   thread N  the same in another thread
 *   tail N    the same behind a call that is the last thing that its caller does
 *   spin MS   computes there so long
 *   deep N    getppid(2) once below N frames of a kilobyte
 */
#include "workload.h"

#include <pthread.h>
#include <signal.h>
#include <unwind.h>

#define FRAMES_MAX 600
#define NOINLINE   __attribute__((noinline, noclone))

static unsigned long frames[FRAMES_MAX];
static int frame_count;
static volatile long work;
static long count;
static bool spins;
static volatile char *volatile kept;

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *unused)
{
	(void)unused;
	/* Beyond the outermost it may say 0. */
	if (frame_count < FRAMES_MAX && _Unwind_GetIP(context))
		frames[frame_count++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

static NOINLINE void leaf(void)
{
	struct timespec now;
	long long until;

	frame_count = 0;
	_Unwind_Backtrace(note_frame, NULL);
	for (long i = 0; i < count && !spins; i++) {
		long result;
#if defined(__x86_64__)
		asm volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
#else
		result = syscall(SYS_getppid);
#endif
		work += result;
	}
	if (!spins)
		return;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	until = now.tv_sec * NSEC_PER_SEC + now.tv_nsec + count * NSEC_PER_MSEC;
	do {
		for (int i = 0; i < 200000; i++)
			work++;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	} while (now.tv_sec * NSEC_PER_SEC + now.tv_nsec < until);
}

static int compare(const void *one, const void *other)
{
	static bool done;

	if (!done) {
		done = true;
		leaf();
	}
	return *(const int *)one - *(const int *)other;
}

static void handle(int number)
{
	(void)number;
	leaf();
	work++;
}

/* Nothing is left of it when the next function runs. */
static NOINLINE void tail(void (*next)(void))
{
	work++;
	next();
}

static void sort(void)
{
	int numbers[] = {3, 1, 2};

	qsort(numbers, 3, sizeof(int), compare);
	work += numbers[0];
}

static void interrupt(void)
{
	require(signal(SIGUSR1, handle) != SIG_ERR, "signal");
	require(raise(SIGUSR1) == 0, "raise");
	work++;
}

static void end_by_tail(void)
{
	tail(leaf);
	work++;
}

#define LINK(name, next)                                                                                               \
	static NOINLINE void name(void (*last)(void), long a, long b, long c)                                          \
	{                                                                                                              \
		work += a + b;                                                                                         \
		next(last, b + 1, c + work, a * 3);                                                                    \
		work += b * c;                                                                                         \
	}

static NOINLINE void f10(void (*last)(void), long a, long b, long c)
{
	work += a + b + c;
	last();
	work += b;
}
LINK(f9, f10)
LINK(f8, f9)
LINK(f7, f8)
LINK(f6, f7)
LINK(f5, f6)
LINK(f4, f5)
LINK(f3, f4)
LINK(f2, f3)
LINK(f1, f2)

static NOINLINE void deep(long levels)
{
	char room[1024];

	kept = room;
	if (levels)
		deep(levels - 1);
	else
		leaf();
	work += room[0];
}

static void go_deep(void)
{
	long levels = count;

	count = 1;
	deep(levels);
	work++;
}

static void *run_thread(void *last)
{
	f1((void (*)(void))last, 1, 2, 3);
	work++;
	return NULL;
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	void (*last)(void) = leaf;

	if (argc < 3)
		usage("calls N | sort N | signal N | thread N | tail N | spin MS | deep N");
	count = strtol(argv[2], NULL, 10);
	spins = !strcmp(argv[1], "spin");
	if (!strcmp(argv[1], "sort"))
		last = sort;
	else if (!strcmp(argv[1], "signal"))
		last = interrupt;
	else if (!strcmp(argv[1], "tail"))
		last = end_by_tail;
	else if (!strcmp(argv[1], "deep"))
		last = go_deep;
	buffer_stdout();
	wait_for_start(wait);
	if (!strcmp(argv[1], "thread")) {
		pthread_t thread;

		require(pthread_create(&thread, NULL, run_thread, (void *)last) == 0, "pthread_create");
		pthread_join(thread, NULL);
	} else {
		f1(last, 1, 2, 3);
	}
	printf("stack=");
	for (int i = 1; i < frame_count; i++)
		printf("%s0x%lx", i > 1 ? "," : "", frames[i]);
	printf("\nleaf=0x%lx\n", (unsigned long)leaf);
	return 0;
}
