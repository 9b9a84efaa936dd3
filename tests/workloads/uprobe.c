/* SPDX-License-Identifier: GPL-3.0-only */
/* Calls functions that a test watches, and leaves them in every way there is: library/traced.c. */
#include "workload.h"

#include <pthread.h>
#include <sys/wait.h>

#include "library/traced.h"

#define CALLS	     1000
#define THREADS	     8
#define BUSY_NS	     (5 * NSEC_PER_MSEC)
#define DEPTH	     20
#define DEPTH_BEYOND 100 /* the kernel watches 64 returns */
#define TAIL_CALLS   5
#define JUMPS	     5

static const char *self_path;

static void truth(const char *key, long long value)
{
	printf("%s=%lld\n", key, value);
}

static void run_calls(void)
{
	for (int i = 0; i < CALLS; i++)
		traced_call();
	truth("calls", CALLS);
}

static void run_endless(void)
{
	for (;;) {
		traced_call();
		usleep(1000);
	}
}

static void run_two(void)
{
	for (int i = 0; i < CALLS; i++) {
		traced_call();
		if (i % 2)
			traced_other();
	}
	truth("calls", CALLS);
	truth("others", CALLS / 2);
}

/* The truth lies between what the function measures inside and what its caller measures around it. */
static void run_busy(void)
{
	long long before = now_ns();
	long inside = traced_busy(BUSY_NS);

	truth("at_most_ns", now_ns() - before);
	truth("at_least_ns", inside);
}

static void run_recursion(void)
{
	truth("calls", traced_recurse(DEPTH - 1));
}

static void run_deep_recursion(void)
{
	truth("calls", traced_recurse(DEPTH_BEYOND - 1));
}

static void run_tail_calls(void)
{
	traced_ping(TAIL_CALLS);
	truth("ping", TAIL_CALLS + 1);
	truth("pong", TAIL_CALLS);
}

/* Out of nested calls to their caller, again and again from the same place; then a call like any other. */
static void run_longjmp(void)
{
	volatile int i;

	for (i = 0; i < JUMPS; i++) {
		if (!setjmp(traced_landing))
			traced_jump(2, 0);
	}
	traced_jump(3, 1); /* and from three calls down into the first, which returns */
	truth("abandoned", JUMPS * 3 + 3);
	truth("returned", 1);
}

static void run_fork(void)
{
	int child = traced_fork();

	require(child >= 0, "fork");
	if (child == 0)
		_exit(0);
	require(waitpid(child, NULL, 0) == child, "waitpid");
	truth("child", child);
}

static void *call_often(void *unused)
{
	for (int i = 0; i < CALLS; i++)
		traced_recurse(2);
	return unused;
}

static void run_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		require((errno = pthread_create(&threads[i], NULL, call_often, NULL)) == 0, "pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	truth("calls", THREADS * CALLS * 3);
}

static void end_thread(void)
{
	/* Not pthread_exit, which unwinds: this is what the kernel sees of any end. */
	syscall(SYS_exit, 0);
}

static long ending_tid;

static void *never_return(void *unused)
{
	ending_tid = syscall(SYS_gettid);
	traced_never(end_thread);
	return unused;
}

static void run_thread_exit(void)
{
	pthread_t thread;

	require((errno = pthread_create(&thread, NULL, never_return, NULL)) == 0, "pthread_create");
	pthread_join(thread, NULL);
	truth("tid", ending_tid);
}

static void become_another(void)
{
	fflush(stdout);
	execl(self_path, "uprobe", "calls", (char *)NULL);
	require(false, "execl");
}

static void run_exec(void)
{
	truth("tid", syscall(SYS_gettid));
	traced_never(become_another);
}

static void *exec_from_thread(void *unused)
{
	truth("entered_tid", syscall(SYS_gettid));
	traced_never(become_another);
	return unused;
}

static void run_thread_exec(void)
{
	pthread_t thread;

	require((errno = pthread_create(&thread, NULL, exec_from_thread, NULL)) == 0, "pthread_create");
	pthread_join(thread, NULL);
}

static void run_struct(void)
{
	for (int i = 0; i < CALLS; i++)
		require(traced_struct(i).values[0] == i, "traced_struct");
	truth("calls", CALLS);
}

static void run_twins(void)
{
	require(traced_twins() == 3, "traced_twins");
	truth("calls", 2);
}

static void run_copies(void)
{
	static char from[CALLS], to[CALLS];

	for (volatile size_t i = 1; i <= CALLS; i++)
		memcpy(to, from, i);
	truth("copies", CALLS);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
    {"calls", run_calls},
    {"endless", run_endless},
    {"two", run_two},
    {"busy", run_busy},
    {"recursion", run_recursion},
    {"deep-recursion", run_deep_recursion},
    {"tail-calls", run_tail_calls},
    {"longjmp", run_longjmp},
    {"fork", run_fork},
    {"threads", run_threads},
    {"thread-exit", run_thread_exit},
    {"exec", run_exec},
    {"thread-exec", run_thread_exec},
    {"struct", run_struct},
    {"twins", run_twins},
    {"copies", run_copies},
};

int main(int argc, char **argv)
{
	begin(&argc, argv, 2, "CASE");
	self_path = "/proc/self/exe";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, argv[1]) == 0) {
			cases[i].run();
			return traced_chosen() - traced_variable;
		}
	}
	usage("CASE");
}
