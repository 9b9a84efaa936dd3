// SPDX-License-Identifier: GPL-3.0-only
/*
 * TCP connections over loopback, between two processes: this one connects, its child listens. Their PIDs and the port
 * are announced, and the child bound to it, before anything else happens.
 *
 * Of each end the truth is the payload that it sent and received, and what TCP_INFO said last.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define REQUEST_BYTES 70000 /* more than a segment on loopback */
#define REPLY_BYTES   1234

/* Below what the kernel chooses from (ip_local_port_range). */
#define FIRST_PORT	  10000
#define PORTS_PER_ADDRESS 20000

struct end {
	int port;
	long long sent, received;
	struct tcp_info info;
	unsigned long long cookie;
	long long established_ns, closing_ns;
};

/* Shared by the processes. */
static struct {
	struct end client, server;
	sem_t listening, connected, accepted, replied, closed, third;
	pid_t worker;
} * truth;

static union {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} address;
static socklen_t address_size;
static int listener;
static int protocol;
static pid_t server_pid, third_pid;
static int third_socket[2];
static long count = 1;

static void wait_for(sem_t *event)
{
	while (sem_wait(event) && errno == EINTR)
		;
}

static void choose_family(const char *name)
{
	memset(&address, 0, sizeof(address));
	if (strcmp(name, "mptcp") == 0)
		protocol = IPPROTO_MPTCP;
	if (strcmp(name, "ipv4") == 0 || protocol) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address_size = sizeof(address.v4);
		return;
	}
	address.v6.sin6_family = AF_INET6;
	address.v6.sin6_addr = in6addr_loopback;
	address_size = sizeof(address.v6);
	if (strcmp(name, "mapped") == 0)
		require(inet_pton(AF_INET6, "::ffff:127.0.0.1", &address.v6.sin6_addr) == 1, "inet_pton");
	else if (strcmp(name, "ipv6") != 0)
		usage("CASE ipv4|ipv6|mapped|mptcp [COUNT]");
}

static int port_of(int fd)
{
	struct sockaddr_in6 own = {};
	socklen_t size = sizeof(own);

	require(getsockname(fd, (struct sockaddr *)&own, &size) == 0, "getsockname");
	return ntohs(own.sin6_port); /* at the same place in both families */
}

static int new_socket(void)
{
	int fd = socket(address.any.sa_family, SOCK_STREAM, protocol);

	require(fd >= 0, "socket");
	return fd;
}

/* Binds only: that it listens is for the tracer to see. A mapped client meets a listener on every address. */
static void bind_listener(void)
{
	int no = 0;
	struct sockaddr_in6 everywhere = {.sin6_family = AF_INET6};
	bool mapped = address.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr);

	listener = new_socket();
	if (mapped)
		require(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == 0, "IPV6_V6ONLY");
	require(bind(listener, mapped ? (struct sockaddr *)&everywhere : &address.any, address_size) == 0, "bind");
	address.v4.sin_port = htons(port_of(listener));
}

static int connect_now(struct end *end)
{
	int fd = new_socket();

	require(connect(fd, &address.any, address_size) == 0, "connect");
	end->established_ns = now_ns();
	end->port = port_of(fd);
	return fd;
}

static int accept_now(void)
{
	int fd = accept(listener, NULL, NULL);

	require(fd >= 0, "accept");
	return fd;
}

static void send_all(int fd, long long bytes, struct end *end)
{
	static char zeros[REQUEST_BYTES];

	while (bytes > 0) {
		ssize_t sent = write(fd, zeros, bytes);
		require(sent > 0, "write");
		bytes -= sent;
		end->sent += sent;
	}
}

static void receive_all(int fd, long long bytes, struct end *end)
{
	static char room[REQUEST_BYTES];

	while (bytes > 0) {
		ssize_t got = read(fd, room, bytes);
		require(got > 0, "read");
		bytes -= got;
		end->received += got;
	}
}

/* The last look at it: all that was sent is acknowledged. */
static void look(int fd, struct end *end)
{
	socklen_t size = sizeof(end->info);

	do {
		require(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &end->info, &size) == 0, "TCP_INFO");
	} while (end->info.tcpi_unacked && usleep(1000) == 0);
	size = sizeof(end->cookie);
	require(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &end->cookie, &size) == 0, "SO_COOKIE");
	end->closing_ns = now_ns();
}

static void close_with_reset(int fd)
{
	struct linger now = {.l_onoff = 1};

	require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0, "SO_LINGER");
	close(fd);
}

static void wait_for_end_of_stream(int fd)
{
	char byte;

	require(read(fd, &byte, 1) == 0, "the end of the stream");
}

static void listen_now(int backlog)
{
	require(listen(listener, backlog) == 0, "listen");
	sem_post(&truth->listening);
}

/* ---- a request and a reply, then one end closes ---- */

static int serve_one(void)
{
	int fd;

	listen_now(1);
	fd = accept_now();
	sem_post(&truth->accepted);
	receive_all(fd, REQUEST_BYTES, &truth->server);
	send_all(fd, REPLY_BYTES, &truth->server);
	return fd;
}

static int ask_one(void)
{
	int fd;

	wait_for(&truth->listening);
	fd = connect_now(&truth->client);
	wait_for(&truth->accepted);
	send_all(fd, REQUEST_BYTES, &truth->client);
	receive_all(fd, REPLY_BYTES, &truth->client);
	return fd;
}

static void client_closes_server(void)
{
	int fd = serve_one();

	look(fd, &truth->server);
	sem_post(&truth->replied);
	wait_for_end_of_stream(fd);
	wait_for(&truth->closed);
	close(fd);
}

static void client_closes(void)
{
	int fd = ask_one();

	wait_for(&truth->replied);
	look(fd, &truth->client);
	close(fd);
	sem_post(&truth->closed);
}

static void server_closes_server(void)
{
	int fd = serve_one();

	look(fd, &truth->server);
	wait_for(&truth->replied);
	close(fd);
	sem_post(&truth->closed);
}

static void server_closes(void)
{
	int fd = ask_one();

	look(fd, &truth->client);
	sem_post(&truth->replied);
	wait_for_end_of_stream(fd);
	wait_for(&truth->closed);
	close(fd);
}

/* ---- the client resets ---- */

static void reset_server(void)
{
	int fd = serve_one();
	struct pollfd end = {.fd = fd};

	look(fd, &truth->server);
	sem_post(&truth->replied);
	poll(&end, 1, -1); /* POLLHUP */
	wait_for(&truth->closed);
	close(fd);
}

static void reset(void)
{
	int fd = ask_one();

	wait_for(&truth->replied);
	look(fd, &truth->client);
	close_with_reset(fd);
	sem_post(&truth->closed);
}

/* ---- segments get lost: the server's socket drops all of them for a while ---- */

static void lossy_server(void)
{
	struct sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {.len = 1, .filter = &drop_all};
	struct pollfd end = {};
	int unused = 0;

	listen_now(1);
	end.fd = accept_now();
	require(setsockopt(end.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0, "SO_ATTACH_FILTER");
	sem_post(&truth->accepted);
	wait_for(&truth->third);
	require(setsockopt(end.fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) == 0, "SO_DETACH_FILTER");
	receive_all(end.fd, REPLY_BYTES, &truth->server);
	look(end.fd, &truth->server);
	sem_post(&truth->replied);
	poll(&end, 1, -1);
	wait_for(&truth->closed);
	close(end.fd);
}

static void lossy(void)
{
	socklen_t size = sizeof(truth->client.info);
	int fd;

	wait_for(&truth->listening);
	fd = connect_now(&truth->client);
	wait_for(&truth->accepted);
	send_all(fd, REPLY_BYTES, &truth->client);
	do {
		usleep(1000);
		require(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &truth->client.info, &size) == 0, "TCP_INFO");
	} while (truth->client.info.tcpi_total_retrans < 2);
	sem_post(&truth->third);
	wait_for(&truth->replied);
	look(fd, &truth->client);
	close_with_reset(fd);
	sem_post(&truth->closed);
}

/* ---- no connection comes to be ---- */

static void server_stays_away(void)
{
	wait_for(&truth->closed);
}

static void refused(void)
{
	int fd = new_socket();

	require(connect(fd, &address.any, address_size) && errno == ECONNREFUSED, "a refusal");
	close(fd);
	sem_post(&truth->closed);
}

/* With nobody accepting, the queue of a listener is full with one connection, and it drops what else arrives. */
static void full_server(void)
{
	listen_now(0);
	wait_for(&truth->closed);
}

static void timed_out(void)
{
	unsigned int give_up_ms = 300;
	int first, second = new_socket();

	wait_for(&truth->listening);
	first = connect_now(&truth->client);
	require(setsockopt(second, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up_ms, sizeof(give_up_ms)) == 0,
		"TCP_USER_TIMEOUT");
	require(connect(second, &address.any, address_size) && errno == ETIMEDOUT, "a timeout");
	close(second);
	sem_post(&truth->closed);
	waitpid(server_pid, NULL, 0);
	close(first);
}

static void abandoned(void)
{
	int first, second = new_socket();

	wait_for(&truth->listening);
	first = connect_now(&truth->client);
	require(fcntl(second, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
	require(connect(second, &address.any, address_size) && errno == EINPROGRESS, "a connect under way");
	close(second);
	sem_post(&truth->closed);
	waitpid(server_pid, NULL, 0);
	close(first);
}

/* ---- a third process gets the accepted socket and closes it ---- */

static void pass(int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
	    .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	require(sendmsg(third_socket[1], &message, 0) == 1, "sendmsg");
}

static int take(void)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
	    .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int fd;

	close(listener);
	require(recvmsg(third_socket[0], &message, 0) == 1, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void take_and_close(void)
{
	int fd = take();

	wait_for(&truth->third);
	look(fd, &truth->server);
	close(fd);
	sem_post(&truth->closed);
}

static void passed_server(void)
{
	int fd = serve_one();

	pass(fd);
	close(fd);
	sem_post(&truth->third);
}

static void passed(void)
{
	int fd = ask_one();

	look(fd, &truth->client);
	wait_for_end_of_stream(fd);
	wait_for(&truth->closed);
	close(fd);
}

/* ---- a third process has the accepted socket when the client resets it, and nobody saw how it got there ---- */

static void take_and_wait(void)
{
	int fd = take();
	struct pollfd end = {.fd = fd};

	sem_post(&truth->replied);
	poll(&end, 1, -1);
	wait_for(&truth->closed);
	close(fd);
}

static void passed_reset_server(void)
{
	int fd;

	listen_now(1);
	fd = accept_now();
	pass(fd);
	close(fd);
	sem_post(&truth->third);
}

static void reset_when_passed(void)
{
	int fd;

	wait_for(&truth->listening);
	fd = connect_now(&truth->client);
	wait_for(&truth->replied);
	wait_for(&truth->third);
	close_with_reset(fd);
	sem_post(&truth->closed);
}

/* ---- a process for each connection, which the client resets ---- */

static void forking_server(void)
{
	struct pollfd end = {};
	pid_t worker;

	listen_now(1);
	end.fd = accept_now();
	worker = fork();
	require(worker >= 0, "fork");
	if (worker == 0) {
		close(listener);
		truth->worker = getpid();
		sem_post(&truth->replied);
		poll(&end, 1, -1);
		wait_for(&truth->closed);
		close(end.fd);
		_exit(0);
	}
	close(end.fd);
	sem_post(&truth->third);
	waitpid(worker, NULL, 0);
}

/* ---- a server that puts itself into the background once it listens ---- */

static void daemon_server(void)
{
	int gone[2];
	char byte;
	int fd;

	require(listen(listener, 1) == 0 && pipe(gone) == 0, "listen");
	truth->worker = fork();
	require(truth->worker >= 0, "fork");
	if (truth->worker > 0)
		_exit(0);
	close(gone[1]);
	require(read(gone[0], &byte, 1) == 0, "the parent's end");
	truth->worker = getpid();
	sem_post(&truth->listening);
	fd = accept_now();
	sem_post(&truth->accepted);
	wait_for_end_of_stream(fd);
	wait_for(&truth->closed);
	close(fd);
	close(listener);
	sem_post(&truth->replied);
}

static void daemon_client(void)
{
	int fd;

	wait_for(&truth->listening);
	fd = connect_now(&truth->client);
	wait_for(&truth->accepted);
	close(fd);
	sem_post(&truth->closed);
	wait_for(&truth->replied);
}

/* ---- a server whose two workers have its listener, while it has ended itself ---- */

static void prefork_server(void)
{
	int gone[2];
	pid_t other;
	char byte;
	int fd;

	require(listen(listener, 1) == 0 && pipe(gone) == 0, "listen");
	other = fork();
	require(other >= 0, "fork");
	if (other == 0) {
		close(gone[0]);
		close(gone[1]);
		wait_for(&truth->third);
		_exit(0);
	}
	truth->worker = fork();
	require(truth->worker >= 0, "fork");
	if (truth->worker > 0)
		_exit(0);
	close(gone[1]);
	require(read(gone[0], &byte, 1) == 0, "the parent's end");
	truth->worker = getpid();
	sem_post(&truth->listening);
	wait_for(&truth->closed);
	fd = accept_now();
	wait_for_end_of_stream(fd);
	close(fd);
	sem_post(&truth->third);
	close(listener);
	sem_post(&truth->replied);
}

static void prefork_client(void)
{
	int fd;

	wait_for(&truth->listening);
	fd = connect_now(&truth->client);
	close(fd);
	sem_post(&truth->closed);
	wait_for(&truth->replied);
}

/* ---- accept() by the 32-bit table, both ways that it has ---- */

#ifdef __x86_64__
#define I386_NR_SOCKETCALL 102
#define I386_NR_ACCEPT4	   364
#define I386_SYS_ACCEPT4   18

static long int80(long nr, long one, long two)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(nr), "b"(one), "c"(two), "d"(0L), "S"(0L)
		     : "r8", "r9", "r10", "r11", "memory");
	return ret;
}

static void accept32_server(void)
{
	int *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd;

	require(arguments != MAP_FAILED, "mmap");
	arguments[0] = listener;
	require(listen(listener, 2) == 0, "listen");
	for (int i = 0; i < 2; i++) {
		sem_post(&truth->listening);
		fd = i ? int80(I386_NR_ACCEPT4, listener, 0)
		       : int80(I386_NR_SOCKETCALL, I386_SYS_ACCEPT4, (long)arguments);
		require(fd >= 0, "32-bit accept4");
		wait_for_end_of_stream(fd);
		close(fd);
	}
	close(listener);
}

static void accept32(void)
{
	for (int i = 0; i < 2; i++) {
		wait_for(&truth->listening);
		close(connect_now(&truth->client));
	}
}
#endif

/* ---- a connection from before the trace ---- */

static int before_fd;

static void before_prepare_server(void)
{
	listen_now(1);
	before_fd = accept_now();
	sem_post(&truth->accepted);
}

static void before_prepare(void)
{
	wait_for(&truth->listening);
	before_fd = connect_now(&truth->client);
	wait_for(&truth->accepted);
}

static void before_server(void)
{
	receive_all(before_fd, REQUEST_BYTES, &truth->server);
	send_all(before_fd, REPLY_BYTES, &truth->server);
	look(before_fd, &truth->server);
	wait_for_end_of_stream(before_fd);
	wait_for(&truth->closed);
	close(before_fd);
}

static void before(void)
{
	send_all(before_fd, REQUEST_BYTES, &truth->client);
	receive_all(before_fd, REPLY_BYTES, &truth->client);
	look(before_fd, &truth->client);
	close(before_fd);
	sem_post(&truth->closed);
}

/* A listener from before, that accepts now. */

static void listening_prepare_server(void)
{
	listen_now(1);
}

static void listening_prepare(void)
{
	wait_for(&truth->listening);
}

static void listening_server(void)
{
	int fd = accept_now();

	wait_for_end_of_stream(fd);
	close(fd);
	close(listener);
}

static void listening(void)
{
	close(connect_now(&truth->client));
}

/* ---- many ---- */

static void cycles_server(void)
{
	listen_now(4096);
	for (long i = 0; i < count; i++) {
		int fd = accept_now();
		wait_for_end_of_stream(fd);
		close(fd);
	}
}

static void cycles(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	int yes = 1;

	wait_for(&truth->listening);
	for (long i = 0; i < count; i++) {
		int fd = new_socket();
		if (address.any.sa_family == AF_INET) {
			/* Never a pair of ends that is in TIME_WAIT. */
			own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i / PORTS_PER_ADDRESS);
			own.sin_port = htons(FIRST_PORT + i % PORTS_PER_ADDRESS);
			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
			require(bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0, "bind");
		}
		require(connect(fd, &address.any, address_size) == 0, "connect");
		close(fd);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
	void (*serve)(void);
	void (*prepare)(void); /* before the tracer attaches */
	void (*prepare_server)(void);
	void (*take)(void); /* what a third process does */
} cases[] = {
    {"client-closes", client_closes, client_closes_server, NULL, NULL, NULL},
    {"server-closes", server_closes, server_closes_server, NULL, NULL, NULL},
    {"reset", reset, reset_server, NULL, NULL, NULL},
    {"lossy", lossy, lossy_server, NULL, NULL, NULL},
    {"refused", refused, server_stays_away, NULL, NULL, NULL},
    {"timed-out", timed_out, full_server, NULL, NULL, NULL},
    {"abandoned", abandoned, full_server, NULL, NULL, NULL},
    {"passed", passed, passed_server, NULL, NULL, take_and_close},
    {"passed-reset", reset_when_passed, passed_reset_server, NULL, NULL, take_and_wait},
    {"forking", reset_when_passed, forking_server, NULL, NULL, NULL},
    {"daemon", daemon_client, daemon_server, NULL, NULL, NULL},
    {"prefork", prefork_client, prefork_server, NULL, NULL, NULL},
    {"before", before, before_server, before_prepare, before_prepare_server, NULL},
    {"listening", listening, listening_server, listening_prepare, listening_prepare_server, NULL},
    {"cycles", cycles, cycles_server, NULL, NULL, NULL},
#ifdef __x86_64__
    {"accept32", accept32, accept32_server, NULL, NULL, NULL},
#endif
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void print_end(const char *name, const struct end *end)
{
	printf("%s.port=%d\n", name, end->port);
	printf("%s.sent=%lld\n", name, end->sent);
	printf("%s.received=%lld\n", name, end->received);
	printf("%s.bytes_acked=%llu\n", name, (unsigned long long)end->info.tcpi_bytes_acked);
	printf("%s.bytes_received=%llu\n", name, (unsigned long long)end->info.tcpi_bytes_received);
	printf("%s.total_retrans=%u\n", name, end->info.tcpi_total_retrans);
	printf("%s.rtt=%u\n", name, end->info.tcpi_rtt);
	printf("%s.cookie=%llu\n", name, end->cookie);
	printf("%s.closing_after_ns=%lld\n", name, end->closing_ns - truth->client.established_ns);
}

/* Each process keeps only what is its own, so that a close() is the last one. */
static pid_t start(void (*run)(void), void (*prepare)(void), int begin_reading)
{
	pid_t pid = fork();
	char byte;

	require(pid >= 0, "fork");
	if (pid > 0)
		return pid;
	if (prepare)
		prepare();
	if (read(begin_reading, &byte, 1) != 1)
		_exit(1);
	run();
	_exit(0);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	int begin_pipe[2], status;
	size_t chosen = 0;

	if (argc < 3)
		usage("CASE ipv4|ipv6|mapped|mptcp [COUNT]");
	while (chosen < CASE_COUNT && strcmp(cases[chosen].name, argv[1]) != 0)
		chosen++;
	if (chosen == CASE_COUNT) {
		fprintf(stderr, "%s: no case is named '%s'\n", program_invocation_short_name, argv[1]);
		return 2;
	}
	choose_family(argv[2]);
	if (argc > 3)
		count = parse_count(argv[3]);
	buffer_stdout();

	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(truth != MAP_FAILED, "mmap");
	for (sem_t *event = &truth->listening; event <= &truth->third; event++)
		require(sem_init(event, 1, 0) == 0, "sem_init");
	bind_listener();
	truth->server.port = port_of(listener);
	require(pipe(begin_pipe) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, third_socket) == 0, "pipe");
	if (cases[chosen].take)
		third_pid = start(cases[chosen].take, NULL, begin_pipe[0]);
	server_pid = start(cases[chosen].serve, cases[chosen].prepare_server, begin_pipe[0]);
	close(listener);
	if (cases[chosen].prepare)
		cases[chosen].prepare();
	if (wait) {
		announce();
		printf("server_pid=%d\nport=%d\n", server_pid, truth->server.port);
		if (third_pid)
			printf("third_pid=%d\n", third_pid);
		printf("announced=1\n");
		wait_for_line();
	}
	require(write(begin_pipe[1], "gogo", 2) == 2, "letting the others go");
	cases[chosen].run();
	waitpid(server_pid, &status, 0);
	if (third_pid)
		waitpid(third_pid, NULL, 0);
	print_end("client", &truth->client);
	print_end("server", &truth->server);
	printf("worker_pid=%d\n", truth->worker);
	printf("count=%ld\n", count);
	return 0;
}
