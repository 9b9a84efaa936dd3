/* SPDX-License-Identifier: GPL-3.0-only */
/* One kind of work at full speed, for the benchmarks: nanoseconds a round, from first to last. */
#include "workload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void report(long rounds, long long start)
{
	printf("ns_per_call=%.1f\n", rounds ? (double)(now_ns() - start) / rounds : 0);
}

/* Two processes on one CPU: two switches a round. */
static void ping_pong(long rounds)
{
	int there[2], back[2];
	char byte = 0;
	pid_t child;

	require(pipe(there) == 0 && pipe(back) == 0, "pipes");
	child = fork();
	if (child == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	long long start = now_ns();
	for (long i = 0; i < rounds; i++)
		require(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "ping-pong");
	report(rounds, start);
	close(there[1]);
	waitpid(child, NULL, 0);
}

/* What dd bs=1 does: a read and a write a round. */
static void bytes(long rounds)
{
	int in = open("/dev/shm/veil-loads-in", O_CREAT | O_TRUNC | O_RDWR, 0600);
	int out = open("/dev/shm/veil-loads-out", O_CREAT | O_TRUNC | O_RDWR, 0600);
	char byte;

	require(in >= 0 && out >= 0 && ftruncate(in, rounds) == 0, "the files");
	long long start = now_ns();
	for (long i = 0; i < rounds; i++)
		require(read(in, &byte, 1) == 1 && write(out, &byte, 1) == 1, "copying");
	report(rounds, start);
	unlink("/dev/shm/veil-loads-in");
	unlink("/dev/shm/veil-loads-out");
}

/* What a program does with a small file: three calls a round, one of them with a path. */
static void open_read_close(long rounds)
{
	const char *path = "/dev/shm/veil-loads-file";
	int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	char text[64];

	require(file >= 0 && write(file, "127.0.0.1 localhost\n", 20) == 20 && close(file) == 0, path);
	long long start = now_ns();
	for (long i = 0; i < rounds; i++) {
		file = open(path, O_RDONLY | O_CLOEXEC);
		require(read(file, text, sizeof(text)) == 20 && close(file) == 0, "reading");
	}
	report(rounds, start);
	unlink(path);
}

/* A page fault a round. */
static void touch(long rounds)
{
	size_t size = rounds * 4096;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require(memory != MAP_FAILED && madvise(memory, size, MADV_NOHUGEPAGE) == 0, "mmap");
	long long start = now_ns();
	for (size_t at = 0; at < size; at += 4096)
		*(volatile char *)(memory + at) = 1;
	report(rounds, start);
}

static long connections;

static void *serve(void *listener)
{
	for (long i = 0; i < connections; i++) {
		int fd = accept(*(int *)listener, NULL, NULL);
		char byte;

		require(fd >= 0, "accept");
		while (read(fd, &byte, 1) > 0)
			;
		close(fd);
	}
	return NULL;
}

/* A connection from connect to close a round. */
static void connect_and_close(long rounds)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t server;

	require(bind(listener, (void *)&address, length) == 0 && listen(listener, 128) == 0 &&
		    getsockname(listener, (void *)&address, &length) == 0,
		"listening");
	connections = rounds;
	pthread_create(&server, NULL, serve, &listener);
	long long start = now_ns();
	for (long i = 0; i < rounds; i++) {
		/* The next address of loopback: one pair of addresses has fewer ports than this makes connections. */
		struct sockaddr_in from = {.sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (i >> 14))};
		int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
		char byte;

		require(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0, "setsockopt");
		require(bind(fd, (void *)&from, sizeof(from)) == 0 && connect(fd, (void *)&address, length) == 0,
			"connect");
		/* Until the server has closed too: it would fall behind, its backlog overflow, and a SYN wait a second.
		 */
		require(shutdown(fd, SHUT_WR) == 0 && read(fd, &byte, 1) == 0, "closing");
		close(fd);
	}
	report(rounds, start);
	pthread_join(server, NULL);
}

__attribute__((noinline)) void loads_target(void)
{
	asm volatile("");
}

static void call(long rounds)
{
	long long start = now_ns();

	for (long i = 0; i < rounds; i++)
		loads_target();
	report(rounds, start);
}

/* A process a round, that executes this program and ends. */
static void spawn(long rounds)
{
	char *arguments[] = {"loads", "end", "0", NULL};
	long long start = now_ns();

	for (long i = 0; i < rounds; i++) {
		pid_t child = fork();

		if (child == 0) {
			execv("/proc/self/exe", arguments);
			_exit(127);
		}
		require(waitpid(child, NULL, 0) == child, "fork");
	}
	report(rounds, start);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	long rounds;

	if (argc < 3)
		usage("ping-pong|bytes|open|touch|connect|call|spawn ROUNDS [CPU]");
	rounds = parse_count(argv[2]);
	buffer_stdout();
	if (argc > 3)
		pin_to_cpu(parse_count(argv[3]));
	wait_for_start(wait);
	if (strcmp(argv[1], "ping-pong") == 0)
		ping_pong(rounds);
	else if (strcmp(argv[1], "bytes") == 0)
		bytes(rounds);
	else if (strcmp(argv[1], "open") == 0)
		open_read_close(rounds);
	else if (strcmp(argv[1], "touch") == 0)
		touch(rounds);
	else if (strcmp(argv[1], "connect") == 0)
		connect_and_close(rounds);
	else if (strcmp(argv[1], "call") == 0)
		call(rounds);
	else if (strcmp(argv[1], "spawn") == 0)
		spawn(rounds);
	else if (strcmp(argv[1], "end") != 0)
		usage("ping-pong|bytes|open|touch|connect|call|spawn ROUNDS [CPU]");
	return 0;
}
