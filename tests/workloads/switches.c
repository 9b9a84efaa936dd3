/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Leaves the CPU for one of the reasons that there are, on one CPU, and says what the kernel counted of it between two
 * points in time.
 */
#include "workload.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct counters {
	long voluntary, involuntary;
	long long run_delay, turns;
	long long boot_ns;
};

static void read_counters(const char *who, struct counters *counters)
{
	struct rusage usage;
	long long ran;
	char path[64];
	FILE *file;

	getrusage(RUSAGE_SELF, &usage);
	counters->voluntary = usage.ru_nvcsw;
	counters->involuntary = usage.ru_nivcsw;
	snprintf(path, sizeof(path), "/proc/%s/schedstat", who);
	file = fopen(path, "r");
	require(file && fscanf(file, "%lld %lld %lld", &ran, &counters->run_delay, &counters->turns) == 3, path);
	fclose(file);
}

/* The counters at a point in time: again, until nothing has changed while they were read. */
static struct counters counters_of(const char *who)
{
	struct counters before = {0}, after = {0};
	struct timespec now;

	do {
		read_counters(who, &before);
		clock_gettime(CLOCK_BOOTTIME, &now);
		read_counters(who, &after);
	} while (memcmp(&before, &after, sizeof(before)) != 0);
	after.boot_ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	return after;
}

/* Two processes hand a byte to and fro: each sleeps until the other one has written. */
static void ping_pong(long rounds)
{
	int there[2], back[2];
	char byte = 0;
	pid_t child;

	require(pipe(there) == 0 && pipe(back) == 0, "pipes");
	child = fork();
	if (child == 0) {
		while (read(there[0], &byte, 1) == 1 && byte == 0)
			if (write(back[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	printf("partner=%d\n", child);
	for (long i = 0; i < rounds; i++)
		require(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "ping");
	byte = 1;
	require(write(there[1], &byte, 1) == 1, "end");
	waitpid(child, NULL, 0);
}

/* Two that both want the CPU take it from one another. */
static void compete(long ms)
{
	long long end = now_ns() + ms * NSEC_PER_MSEC;
	pid_t child = fork();

	if (child == 0) {
		while (now_ns() < end)
			;
		_exit(0);
	}
	while (now_ns() < end)
		;
	waitpid(child, NULL, 0);
}

/* More that want a CPU than there are: who waits in one queue is taken to another that runs dry. */
static void crowd(long ms)
{
	long long end = now_ns() + ms * NSEC_PER_MSEC;
	long children = 3 * sysconf(_SC_NPROCESSORS_ONLN);

	unpin();
	for (long i = 0; i < children; i++) {
		if (fork() == 0) {
			for (long round = 1; now_ns() < end; round++) {
				struct timespec pause = {.tv_nsec = 100000 * (i + 1)};
				long long until = now_ns() + (1 + (i * 7 + round * 13) % 5) * NSEC_PER_MSEC;
				while (now_ns() < until)
					;
				nanosleep(&pause, NULL);
			}
			_exit(0);
		}
	}
	while (now_ns() < end)
		;
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void stop_and_trace(void)
{
	pid_t child = fork();

	if (child == 0) {
		raise(SIGSTOP);
		require(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "traceme");
		raise(SIGUSR2);
		_exit(0);
	}
	printf("stopped=%d\n", child);
	waitpid(child, NULL, WUNTRACED);
	kill(child, SIGCONT);
	waitpid(child, NULL, 0); /* stopped by the tracer's signal */
	ptrace(PTRACE_CONT, child, NULL, NULL);
	waitpid(child, NULL, 0);
}

static void disk_sleep(void)
{
	/* A parent of vfork waits without being interruptible until the child is done. */
	pid_t child = vfork();

	if (child == 0) {
		struct timespec pause = {.tv_nsec = 5 * NSEC_PER_MSEC};
		nanosleep(&pause, NULL);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	struct timespec pause = {.tv_nsec = 2 * NSEC_PER_MSEC};
	struct counters before, after;
	char self[16];

	if (argc < 2)
		usage("sleep|ping-pong|apart|compete|crowd|stop|disk|exit [COUNT]");
	long count = argc > 2 ? parse_count(argv[2]) : 100;
	buffer_stdout();
	pin_to_cpu(0);
	wait_for_start(wait);
	printf("cpu=0\n");
	snprintf(self, sizeof(self), "%d", getpid());
	before = counters_of(self);
	if (strcmp(argv[1], "sleep") == 0) {
		for (long i = 0; i < count; i++)
			nanosleep(&pause, NULL);
	} else if (strcmp(argv[1], "ping-pong") == 0) {
		ping_pong(count);
	} else if (strcmp(argv[1], "apart") == 0) {
		unpin();
		ping_pong(count);
	} else if (strcmp(argv[1], "compete") == 0) {
		compete(count);
	} else if (strcmp(argv[1], "crowd") == 0) {
		crowd(count);
	} else if (strcmp(argv[1], "stop") == 0) {
		stop_and_trace();
	} else if (strcmp(argv[1], "disk") == 0) {
		disk_sleep();
	} else if (strcmp(argv[1], "exit") == 0) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		printf("exited=%d\n", child);
		nanosleep(&pause, NULL);
		waitpid(child, NULL, 0);
	}
	after = counters_of(self);
	printf("voluntary=%ld\n", after.voluntary - before.voluntary);
	printf("involuntary=%ld\n", after.involuntary - before.involuntary);
	printf("run_delay=%lld\n", after.run_delay - before.run_delay);
	printf("turns=%lld\n", after.turns - before.turns);
	printf("from_ns=%lld\n", before.boot_ns);
	printf("to_ns=%lld\n", after.boot_ns);
	return 0;
}
