/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Processes that a parent knows all about, as wait4(2) gives it: child.PID=STATUS MAXRSS_KIB CPU_US, a line each.
 *   many N          N children that execute this program and end with their number modulo 5
 *   burn MS MIB     one that touches so much memory and computes so long
 *   threads N MS    one with N threads that compute so long together with the first one
 *   long BYTES      one with an argument of so many bytes
 *   hog MIB         itself touches so much memory
 *   script PATH     one that executes it with arguments which are constants, in pages that it has never touched
 *   end CODE, burned MS MIB, threaded N MS: what the children do
 */
#include "workload.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void compute(long ms)
{
	struct timespec now;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / NSEC_PER_MSEC < ms);
}

static void touch(long mib)
{
	char *memory = malloc(mib << 20);

	require(memory != NULL, "malloc");
	for (long at = 0; at < mib << 20; at += 4096)
		*(volatile char *)(memory + at) = 1;
}

static void *thread(void *argument)
{
	compute(*(long *)argument);
	return NULL;
}

static void reap(pid_t pid)
{
	struct rusage used;
	int status;

	require(wait4(pid, &status, 0, &used) == pid, "wait4");
	printf("child.%d=%d %ld %ld\n", pid, status, used.ru_maxrss,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec +
		   used.ru_stime.tv_usec);
}

static void run(const char *what, const char *first, const char *second)
{
	char *arguments[] = {"child", (char *)what, (char *)first, (char *)second, NULL};
	pid_t pid = fork();

	require(pid >= 0, "fork");
	if (pid == 0) {
		execv("/proc/self/exe", arguments);
		_exit(127);
	}
	reap(pid);
}

static void run_script(const char *path)
{
	static char *const arguments[] = {"constant", "first", NULL};
	pid_t pid = fork();

	require(pid >= 0, "fork");
	if (pid == 0) {
		execv(path, arguments);
		_exit(127);
	}
	reap(pid);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	char number[32], *text;
	pthread_t threads[64];
	long count, ms;

	if (argc < 3)
		usage("many N | burn MS MIB | threads N MS | long BYTES | end CODE | hog MIB | script PATH");
	if (strcmp(argv[1], "script") == 0) {
		wait_for_start(wait);
		buffer_stdout();
		run_script(argv[2]);
		return 0;
	}
	count = parse_count(argv[2]);
	if (strcmp(argv[1], "end") == 0)
		return count;
	if (strcmp(argv[1], "burned") == 0) {
		touch(parse_count(argv[3]));
		compute(count);
		return 0;
	}
	if (strcmp(argv[1], "threaded") == 0) {
		ms = parse_count(argv[3]);
		for (long i = 0; i < count; i++)
			require(pthread_create(&threads[i], NULL, thread, &ms) == 0, "pthread_create");
		compute(ms);
		for (long i = 0; i < count; i++)
			pthread_join(threads[i], NULL);
		return 0;
	}
	wait_for_start(wait);
	if (strcmp(argv[1], "hog") == 0) {
		touch(count);
		return 0;
	}
	buffer_stdout();
	if (strcmp(argv[1], "many") == 0) {
		for (long i = 0; i < count; i++) {
			snprintf(number, sizeof(number), "%ld", i % 5);
			run("end", number, NULL);
		}
	} else if (strcmp(argv[1], "burn") == 0) {
		run("burned", argv[2], argv[3]);
	} else if (strcmp(argv[1], "threads") == 0) {
		run("threaded", argv[2], argv[3]);
	} else {
		text = malloc(count + 1);
		require(text != NULL, "malloc");
		memset(text, 'x', count);
		text[count] = '\0';
		run("end", "0", text);
	}
	return 0;
}
