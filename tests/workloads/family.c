// SPDX-License-Identifier: GPL-3.0-only
/*
 * N times every way to make a task: fork, vfork, a thread, a daemon (fork twice, with a session of its own), a program
 * (fork and execve). Each calls getppid once and ends.
 */
#include "workload.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define WAYS 5 /* those of main() */

static _Noreturn void call_and_end(void)
{
	raw_getppid();
	_exit(0);
}

static void *call(void *unused)
{
	(void)unused;
	raw_getppid();
	return NULL;
}

static void make_thread(void)
{
	pthread_t thread;

	require(pthread_create(&thread, NULL, call, NULL) == 0, "pthread_create");
	require(pthread_join(thread, NULL) == 0, "pthread_join");
}

static void make_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		call_and_end();
	require(child > 0 && waitpid(child, NULL, 0) == child, "fork");
}

static void make_vfork(void)
{
	pid_t child = vfork();

	if (child == 0)
		call_and_end();
	require(child > 0 && waitpid(child, NULL, 0) == child, "vfork");
}

/* We are the reaper of those whose parent is gone. */
static void make_daemon(void)
{
	pid_t child = fork();

	if (child == 0) {
		setsid();
		if (fork() == 0)
			call_and_end();
		_exit(0);
	}
	require(child > 0 && wait(NULL) > 0 && wait(NULL) > 0, "daemon");
}

static void make_program(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/proc/self/exe", "program", "--call", NULL);
		_exit(1);
	}
	require(child > 0 && waitpid(child, NULL, 0) == child, "program");
}

int main(int argc, char **argv)
{
	long times;

	if (argc == 2 && strcmp(argv[1], "--call") == 0)
		call_and_end();
	begin(&argc, argv, 2, "N");
	times = parse_count(argv[1]);
	require(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "prctl");
	for (long i = 0; i < times; i++) {
		make_fork();
		make_vfork();
		make_thread();
		make_daemon();
		make_program();
	}
	printf("getppid=%ld\n", WAYS * times);
	return 0;
}
