/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What two ends on this machine say to each other beside plain connections: datagrams by every call, questions of DNS
 * to a server of its own, connections that stay open, and a listener whose queue is full.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

static struct sockaddr_in loopback(const char *address, int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, address, &name.sin_addr);
	return name;
}

static int bound(int type, struct sockaddr_in *name)
{
	socklen_t size = sizeof(*name);
	int fd = socket(AF_INET, type, 0);

	require(fd >= 0 && bind(fd, (struct sockaddr *)name, size) == 0, "bind");
	require(getsockname(fd, (struct sockaddr *)name, &size) == 0, "getsockname");
	return fd;
}

static int port_of(int fd)
{
	struct sockaddr_in name;
	socklen_t size = sizeof(name);

	require(getsockname(fd, (struct sockaddr *)&name, &size) == 0, "getsockname");
	return ntohs(name.sin_port);
}

static int connected(int type, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type, 0);

	require(fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0, "connect");
	return fd;
}

/* ---- datagrams by every call: datagram n has 10 + n bytes ---- */

static void datagrams(void)
{
	struct sockaddr_in name = loopback("127.0.0.1", 0), peer;
	int receiver = bound(SOCK_DGRAM, &name), sender = connected(SOCK_DGRAM, &name);
	int loose = socket(AF_INET, SOCK_DGRAM, 0), closed;
	char bytes[64] = {}, room[3][64];
	struct iovec pieces[2] = {{bytes, 5}, {bytes, 9}};
	struct msghdr message = {.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = pieces, .msg_iovlen = 1};
	struct mmsghdr several[3] = {};
	struct iovec rooms[3];
	socklen_t size = sizeof(peer);

	require(send(sender, bytes, 10, 0) == 10, "send");
	require(recvfrom(receiver, room, 64, 0, (struct sockaddr *)&peer, &size) == 10, "recvfrom");
	require(write(sender, bytes, 11) == 11, "write");
	require(read(receiver, room, 64) == 11, "read");
	require(sendto(loose, bytes, 12, 0, (struct sockaddr *)&name, sizeof(name)) == 12, "sendto");
	require(recv(receiver, room, 64, MSG_PEEK) == 12, "a look"); /* it stays */
	require(recv(receiver, room, 64, 0) == 12, "recv");
	pieces[0].iov_len = 13;
	require(sendmsg(loose, &message, 0) == 13, "sendmsg");
	pieces[0].iov_len = 5;
	message = (struct msghdr){
	    .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &(struct iovec){room, 64}, .msg_iovlen = 1};
	require(recvmsg(receiver, &message, 0) == 13, "recvmsg");
	require(writev(sender, pieces, 2) == 14, "writev");
	require(readv(receiver, &(struct iovec){room, 64}, 1) == 14, "readv");
	for (int i = 0; i < 3; i++) {
		rooms[i] = (struct iovec){bytes, 15 + i};
		several[i].msg_hdr = (struct msghdr){.msg_iov = &rooms[i], .msg_iovlen = 1};
	}
	require(sendmmsg(sender, several, 3, 0) == 3, "sendmmsg");
	for (int i = 0; i < 3; i++)
		rooms[i] = (struct iovec){room[i], 64};
	require(recvmmsg(receiver, several, 3, 0, NULL) == 3, "recvmmsg");
	require(recv(receiver, room, 64, MSG_DONTWAIT) < 0 && errno == EAGAIN, "nothing more");

	/* Nobody has this port any more. */
	peer = loopback("127.0.0.1", 0);
	closed = bound(SOCK_DGRAM, &peer);
	close(closed);
	closed = connected(SOCK_DGRAM, &peer);
	require(send(closed, bytes, 20, 0) == 20, "send to nobody");
	require(recv(closed, room, 64, 0) < 0 && errno == ECONNREFUSED, "a refusal");
	printf("receiver.port=%d\nsender.port=%d\nloose.port=%d\nclosed.port=%d\n", ntohs(name.sin_port),
	       port_of(sender), port_of(loose), ntohs(peer.sin_port));
}

/* ---- DNS: the answer is in the first label: "nx.…" does not exist, "lost.…" is never answered ---- */

#define DELAY_MS 30

static struct sockaddr_in dns = {};

static size_t question(unsigned char *message, int number, const char *name, int type)
{
	unsigned char *at = message + 12;

	memset(message, 0, 12);
	message[0] = number >> 8;
	message[1] = number;
	message[2] = 1; /* recursion is wanted */
	message[5] = 1;
	while (*name) {
		size_t length = strcspn(name, ".");

		*at++ = length;
		memcpy(at, name, length);
		at += length;
		name += length + (name[length] == '.');
	}
	*at++ = 0;
	*at++ = type >> 8;
	*at++ = type;
	*at++ = 0;
	*at++ = 1;
	return at - message;
}

static void *serve(void *unused)
{
	int fd = *(int *)unused;
	unsigned char message[512];
	struct sockaddr_in from;

	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t bytes = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&from, &size);

		if (bytes <= 12)
			return NULL;
		if (memcmp(message + 12, "\4lost", 5) == 0)
			continue;
		if (memcmp(message + 12, "\4slow", 5) == 0)
			usleep(DELAY_MS * 1000);
		message[2] |= 0x80;
		message[3] = memcmp(message + 12, "\2nx", 3) == 0 ? 3 : memcmp(message + 12, "\4fail", 5) == 0 ? 2 : 0;
		message[7] = message[3] ? 0 : 2; /* as many answers as it says, which nobody reads */
		sendto(fd, message, bytes, 0, (struct sockaddr *)&from, size);
	}
}

static void ask_dns(void)
{
	dns = loopback("127.9.9.9", 53);
	int server = bound(SOCK_DGRAM, &dns), fd = connected(SOCK_DGRAM, &dns), loose = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned char message[2][512];
	struct iovec pieces[2] = {{message[0], 0}, {message[1], 0}};
	struct mmsghdr both[2] = {};
	struct msghdr one = {.msg_iov = pieces, .msg_iovlen = 1};
	size_t size;
	pthread_t thread;

	require(pthread_create(&thread, NULL, serve, &server) == 0, "pthread_create");
	size = question(message[0], 1, "www.veil.example", 1);
	require(send(fd, message, size, 0) == (ssize_t)size && recv(fd, message, 512, 0) > 0, "send and recv");
	size = question(message[0], 2, "nx.veil.example", 28);
	require(write(fd, message, size) == (ssize_t)size && read(fd, message, 512) > 0, "write and read");
	size = question(message[0], 3, "slow.veil.example", 15);
	require(sendto(loose, message, size, 0, (struct sockaddr *)&dns, sizeof(dns)) == (ssize_t)size &&
		    recvfrom(loose, message, 512, 0, NULL, NULL) > 0,
		"sendto and recvfrom");
	size = question(message[0], 4, "fail.veil.example", 16);
	pieces[0].iov_len = size;
	require(sendmsg(fd, &one, 0) == (ssize_t)size, "sendmsg");
	pieces[0].iov_len = 512;
	require(recvmsg(fd, &one, 0) > 0, "recvmsg");
	/* As glibc asks for both addresses at once. */
	for (int i = 0; i < 2; i++) {
		pieces[i].iov_len = question(message[i], 5 + i, "both.veil.example", i ? 28 : 1);
		both[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	}
	require(sendmmsg(fd, both, 2, 0) == 2, "sendmmsg");
	require(recv(fd, message, 512, 0) > 0 && recv(fd, message, 512, 0) > 0, "both answers");
	size = question(message[0], 7, "lost.veil.example", 65);
	require(send(fd, message, size, 0) == (ssize_t)size, "send");
	require(sendto(loose, message, 1, 0, (struct sockaddr *)&dns, sizeof(dns)) == 1, "the end");
	pthread_join(thread, NULL);
	printf("server.port=53\ndelay_ms=%d\n", DELAY_MS);
}

/* ---- connections that stay: in use, closed by the peer, and not accepted, that from before and a later one ---- */

static int listener, deaf, kept[4], accepted[2];

static void open_prepare(void)
{
	struct sockaddr_in name = loopback("127.0.0.1", 0), other = name;

	listener = bound(SOCK_STREAM, &name);
	deaf = bound(SOCK_STREAM, &other);
	require(listen(listener, 8) == 0 && listen(deaf, 8) == 0, "listen");
	kept[0] = connected(SOCK_STREAM, &name);
	accepted[0] = accept(listener, NULL, NULL);
	kept[2] = connected(SOCK_STREAM, &other);
}

static void stay_open(void)
{
	struct sockaddr_in name = loopback("127.0.0.1", port_of(listener)),
			   other = loopback("127.0.0.1", port_of(deaf));
	socklen_t size = sizeof(struct tcp_info);
	struct tcp_info info;
	char bytes[100] = {};

	kept[1] = connected(SOCK_STREAM, &name);
	accepted[1] = accept(listener, NULL, NULL);
	kept[3] = connected(SOCK_STREAM, &other);
	require(accepted[0] >= 0 && accepted[1] >= 0, "accept");
	require(write(kept[1], bytes, 70) == 70 && read(accepted[1], bytes, 100) == 70, "70 bytes");
	printf("old.port=%d\nhalf.port=%d\nwaited.port=%d\nwaiting.port=%d\n", port_of(kept[0]), port_of(kept[1]),
	       port_of(kept[2]), port_of(kept[3]));
	shutdown(kept[1], SHUT_WR);
	do {
		usleep(1000);
		require(getsockopt(kept[1], IPPROTO_TCP, TCP_INFO, &info, &size) == 0, "TCP_INFO");
	} while (info.tcpi_state != TCP_FIN_WAIT2);
	printf("ready=1\n");
	fflush(stdout);
	wait_for_line();
}

/* ---- a listener that nobody accepts from ---- */

static void overflow(void)
{
	struct sockaddr_in name = loopback("127.0.0.1", 0);
	int fd = bound(SOCK_STREAM, &name), more;

	require(listen(fd, 0) == 0, "listen");
	connected(SOCK_STREAM, &name);
	more = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	require(connect(more, (struct sockaddr *)&name, sizeof(name)) < 0 && errno == EINPROGRESS,
		"a connect under way");
	usleep(600 * 1000);
	printf("port=%d\nmore.port=%d\n", ntohs(name.sin_port), port_of(more));
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);

	if (argc < 2)
		usage("datagrams|dns|open|overflow");
	buffer_stdout();
	if (strcmp(argv[1], "open") == 0)
		open_prepare();
	wait_for_start(wait);
	if (strcmp(argv[1], "datagrams") == 0)
		datagrams();
	else if (strcmp(argv[1], "dns") == 0)
		ask_dns();
	else if (strcmp(argv[1], "open") == 0)
		stay_open();
	else if (strcmp(argv[1], "overflow") == 0)
		overflow();
	else
		usage("datagrams|dns|open|overflow");
	return 0;
}
