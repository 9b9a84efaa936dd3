// SPDX-License-Identifier: GPL-3.0-only
/*
 * Tasks that each wait for another process, until stdin closes: a thread for each of
 *   pipe    read of a pipe that the other process can write to    socket  recv of a UNIX socket that it has the other
 * end of tcp     recv of a TCP connection that it accepted             lock    flock of FOLDER/lock, which it has
 * locked child   waitpid for it The other process is named `other`. With `leaderless` in place of FOLDER the main
 * thread ends at once, and another one sleeps until the process is killed.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int ends[2], pair[2], client, server, lock;
static char path[4096];
static pid_t other;
static volatile int started;

static void *wait_in_pipe(void *unused)
{
	char byte;

	(void)unused;
	return (void *)read(ends[0], &byte, 1);
}

static void *wait_in_socket(void *unused)
{
	char byte;

	(void)unused;
	return (void *)recv(pair[0], &byte, 1, 0);
}

static void *wait_in_tcp(void *unused)
{
	char byte;

	(void)unused;
	return (void *)recv(client, &byte, 1, 0);
}

static void *wait_in_lock(void *unused)
{
	(void)unused;
	return (void *)(long)flock(lock, LOCK_EX);
}

static void *wait_for_child(void *unused)
{
	(void)unused;
	return (void *)(long)waitpid(other, NULL, 0);
}

struct waiter {
	const char *name;
	void *(*run)(void *);
};

static void *start(void *waiter)
{
	const struct waiter *self = waiter;

	printf("%s=%d\n", self->name, gettid());
	started = 1;
	return self->run(NULL);
}

static void connect_both(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(address);

	require(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 5) == 0, "listening");
	getsockname(listener, (struct sockaddr *)&address, &size);
	client = socket(AF_INET, SOCK_STREAM, 0);
	require(connect(client, (struct sockaddr *)&address, size) == 0, "connecting");
	server = accept(listener, NULL, NULL);
	close(listener);
}

static void be_other(int ready)
{
	prctl(PR_SET_NAME, "other");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(ends[0]);
	close(pair[0]);
	close(client);
	lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	require(flock(lock, LOCK_EX) == 0, "flock");
	require(write(ready, "x", 1) == 1, "write");
	for (;;)
		pause();
}

static void *sleep_on(void *unused)
{
	struct timespec long_time = {.tv_sec = 4000, .tv_nsec = 400000000};

	(void)unused;
	printf("sleeper=%d\n", gettid());
	announce();
	fflush(stdout);
	nanosleep(&long_time, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct waiter waiters[] = {
	    {"pipe", wait_in_pipe}, {"socket", wait_in_socket}, {"tcp", wait_in_tcp},
	    {"lock", wait_in_lock}, {"child", wait_for_child},
	};
	pthread_t thread;
	char ignored[16];
	int ready[2];

	take_wait_flag(&argc, argv);
	if (argc < 2)
		usage("FOLDER|leaderless");
	buffer_stdout();
	if (strcmp(argv[1], "leaderless") == 0) {
		require(pthread_create(&thread, NULL, sleep_on, NULL) == 0, "making a thread");
		pthread_exit(NULL);
	}
	snprintf(path, sizeof(path), "%s/lock", argv[1]);
	require(pipe(ends) == 0 && pipe(ready) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0,
		"making the ends");
	connect_both();
	other = fork();
	require(other >= 0, "fork");
	if (!other)
		be_other(ready[1]);
	close(ends[1]);
	close(pair[1]);
	close(server);
	require(read(ready[0], ignored, 1) == 1, "reading");
	lock = open(path, O_RDWR | O_CLOEXEC);
	require(lock >= 0, path);
	printf("other=%d\n", other);
	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++) {
		started = 0;
		require(pthread_create(&thread, NULL, start, &waiters[i]) == 0, "making a thread");
		while (!started)
			sched_yield();
	}
	announce();
	fflush(stdout);
	while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
		;
	kill(other, SIGKILL);
	_exit(0);
}
