/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What every workload shares: the handshake with a test that wants to attach first, pinning, time, and printing the
 * truth. The truth is key=value, a line each, on stdout, written by one write(2) when the workload is done.
 */
#ifndef VEIL_WORKLOAD_H
#define VEIL_WORKLOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC  1000000000LL
#define NSEC_PER_MSEC 1000000LL

/* A setup that does not hold makes the truth a lie, so it ends the workload. */
static inline void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static inline void usage(const char *arguments)
{
	fprintf(stderr, "usage: %s [--wait] %s\n", program_invocation_short_name, arguments);
	exit(2);
}

/* Takes --wait out of the arguments, so that the positions of the others do not depend on it; and --uid=N, as which
 * user it works. */
static inline bool take_wait_flag(int *argc, char **argv)
{
	bool found = false;
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--wait") == 0)
			found = true;
		else if (strncmp(argv[i], "--uid=", 6) == 0)
			require(setuid((uid_t)strtoul(argv[i] + 6, NULL, 10)) == 0, argv[i]);
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	*argc = kept;
	return found;
}

/*
 * A buffer of our own spares the fstat that stdio makes before its first write: the calls after the handshake are then
 * exactly those that the workload means to make.
 */
static inline void buffer_stdout(void)
{
	static char buffer[1 << 16];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

/* The first line of every workload that waits; what else a test needs to know beforehand may follow before the wait. */
static inline void announce(void)
{
	printf("pid=%d\n", getpid());
}

/* The same, and what the standard streams are: their reads and writes are none of what the workload means. */
static inline void announce_streams(void)
{
	announce();
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		char link[64], path[4096];
		ssize_t length;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, sizeof(path) - 1);
		require(length > 0, link);
		path[length] = 0;
		printf("%s=%s\n", fd == STDIN_FILENO ? "stdin" : "stdout", path);
	}
}

/* Blocks in one read(2) until the test has attached: that call is in flight while it attaches. */
static inline void wait_for_line(void)
{
	char line[256];

	fflush(stdout);
	require(read(STDIN_FILENO, line, sizeof(line)) > 0, "reading the line that starts the workload");
}

static inline void wait_for_start(bool wait)
{
	if (!wait)
		return;
	announce();
	wait_for_line();
}

/* Each main starts with this; the workloads that prepare something before they announce themselves call the parts. */
static inline void begin(int *argc, char **argv, int fewest, const char *arguments)
{
	bool wait = take_wait_flag(argc, argv);

	if (*argc < fewest)
		usage(arguments);
	buffer_stdout();
	wait_for_start(wait);
}

static inline long parse_count(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 0) {
		fprintf(stderr, "%s: '%s' is not a count\n", program_invocation_short_name, text);
		exit(2);
	}
	return value;
}

static inline void pin_to_cpu(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	require(sched_setaffinity(0, sizeof(set), &set) == 0, "pinning to the cpu");
}

static inline void unpin(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	require(sched_setaffinity(0, sizeof(set), &set) == 0, "unpinning");
}

static inline long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* libc may answer getpid and its like from a cache one day: the raw call cannot. */
static inline long raw_getppid(void)
{
	return syscall(SYS_getppid);
}

#endif
