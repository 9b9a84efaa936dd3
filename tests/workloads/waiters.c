// SPDX-License-Identifier: GPL-3.0-only
/*
 * Tasks that wait in known system calls, until stdin closes: a thread for each of
 *   pipe     read of an empty pipe           connection  recv of a TCP connection that nobody writes to
 *   fifo     open of FOLDER/fifo             vector      writev into a full pipe
 *   listener accept of a listening socket    poll        poll of that connection
 * and one that waits uninterruptibly, for a child that was made by vfork() and pauses. N more threads pause.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

static int empty[2], full[2], client, server, listener;
static char fifo[4096], big[1 << 16];

static void say_tid(const char *what)
{
	printf("%s=%d\n", what, gettid());
}

static void *wait_in_pipe(void *unused)
{
	char byte;

	(void)unused;
	return (void *)read(empty[0], &byte, 1);
}

static void *wait_in_connection(void *unused)
{
	char byte;

	(void)unused;
	return (void *)recv(client, &byte, 1, 0);
}

static void *wait_in_listener(void *unused)
{
	(void)unused;
	return (void *)(long)accept(listener, NULL, NULL);
}

static void *wait_in_fifo(void *unused)
{
	(void)unused;
	return (void *)(long)open(fifo, O_RDONLY);
}

static void *wait_in_vector(void *unused)
{
	struct iovec parts[] = {{"hello ", 6}, {big, sizeof(big)}};

	(void)unused;
	return (void *)writev(full[1], parts, 2);
}

static void *wait_in_poll(void *unused)
{
	struct pollfd set = {.fd = client, .events = POLLIN};

	(void)unused;
	return (void *)(long)poll(&set, 1, -1);
}

static void *wait_for_child(void *unused)
{
	(void)unused;
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return NULL;
}

static void *wait_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

struct waiter {
	const char *name;
	void *(*run)(void *);
};

static volatile int started;

static void *start(void *waiter)
{
	const struct waiter *self = waiter;

	say_tid(self->name);
	started = 1;
	return self->run(NULL);
}

static void start_thread(struct waiter *waiter)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 1 << 16);
	started = 0;
	require(pthread_create(&thread, &attributes, start, waiter) == 0, "making a thread");
	while (!started)
		sched_yield();
}

static void connect_both(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM, 0);
	require(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 5) == 0, "listening");
	getsockname(listener, (struct sockaddr *)&address, &size);
	printf("port=%d\n", ntohs(address.sin_port));
	client = socket(AF_INET, SOCK_STREAM, 0);
	require(connect(client, (struct sockaddr *)&address, size) == 0, "connecting");
	server = accept(listener, NULL, NULL);
	getsockname(client, (struct sockaddr *)&address, &size);
	printf("client_port=%d\nclient_fd=%d\nlistener_fd=%d\n", ntohs(address.sin_port), client, listener);
	require(write(server, "unread", 6) == 6 && recv(client, big, 6, 0) == 6, "talking");
}

int main(int argc, char **argv)
{
	static struct waiter waiters[] = {
	    {"pipe", wait_in_pipe},    {"connection", wait_in_connection}, {"listener", wait_in_listener},
	    {"fifo", wait_in_fifo},    {"vector", wait_in_vector},	   {"poll", wait_in_poll},
	    {"vfork", wait_for_child},
	};
	static struct waiter pauses = {"paused", wait_for_ever};
	long extra;
	char ignored[16];

	(void)take_wait_flag(&argc, argv);
	if (argc < 3)
		usage("FOLDER N");
	extra = parse_count(argv[2]);
	buffer_stdout();
	require(pipe(empty) == 0 && pipe(full) == 0, "making pipes");
	fcntl(full[1], F_SETFL, O_NONBLOCK);
	while (write(full[1], big, sizeof(big)) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	snprintf(fifo, sizeof(fifo), "%s/fifo", argv[1]);
	require(mkfifo(fifo, 0600) == 0, fifo);
	connect_both();
	printf("pipe_fd=%d\nfull_fd=%d\n", empty[0], full[1]);
	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++)
		start_thread(&waiters[i]);
	for (long i = 0; i < extra; i++)
		start_thread(&pauses);
	announce();
	fflush(stdout);
	while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
		;
	_exit(0);
}
