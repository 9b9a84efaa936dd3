/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes every system call on sockets and every call that waits, with valid, invalid and unusual arguments, raw, in an
 * order that never changes, in a network namespace of its own where that can be had. The decoders of --args are
 * compared with strace on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_alg.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BAD	  ((void *)1)
#define GONE	  ((void *)0xfffffffffffff000)
#define call(...) syscall(__VA_ARGS__)
#define of(x)	  (&(x)), sizeof(x)

static char buffer[4096];
static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz\n\t\001\"\\\377end";

static struct sockaddr_in inet(const unsigned char *host, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	memcpy(&address.sin_addr, host, 4);
	return address;
}

static const unsigned char localhost[] = {127, 0, 0, 1}, any[4];

static void sockets(void)
{
	int pair[2];

	call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	call(SYS_close, 3);
	call(SYS_socket, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
	call(SYS_close, 3);
	call(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	call(SYS_close, 3);
	call(SYS_socket, AF_INET6, SOCK_RAW, 58);
	call(SYS_close, 3);
	call(SYS_socket, AF_INET, SOCK_STREAM, 0);
	call(SYS_close, 3);
	call(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0);
	call(SYS_close, 3);
	call(SYS_socket, AF_UNIX, SOCK_STREAM, 5);
	call(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	call(SYS_close, 3);
	call(SYS_socket, AF_NETLINK, SOCK_DGRAM, 99);
	call(SYS_socket, AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	call(SYS_close, 3);
	call(SYS_socket, AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP) << 16);
	call(SYS_socket, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	call(SYS_close, 3);
	call(SYS_socket, AF_PACKET, SOCK_RAW, 0x1234);
	call(SYS_close, 3);
	call(SYS_socket, 31, 3, 1);
	call(SYS_socket, 12345, 0xf, 77);
	call(SYS_socket, AF_INET, 0x7f, 12345);
	call(SYS_socket, -1, -1, -1);
	call(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0);
	call(SYS_close, 3);
	call(SYS_socket, AF_VSOCK, SOCK_STREAM, 0);
	call(SYS_close, 3);
	call(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	call(SYS_close, 3);
	call(SYS_close, 4);
	call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, BAD);
	call(SYS_socketpair, AF_INET, SOCK_DGRAM, IPPROTO_UDP, pair);
	call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, NULL);
}

/* On no descriptor: what counts is how they are written. */
static void addresses(void)
{
	struct sockaddr_in in = inet(localhost, 80);
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/a \"socket\"\n"};
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_pid = 12, .nl_groups = 0x11};
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = 1,
				 .sll_hatype = 1,
				 .sll_pkttype = PACKET_OUTGOING,
				 .sll_halen = 6,
				 .sll_addr = {1, 2, 3, 0xab, 5, 6}};
	struct sockaddr_vm vm = {.svm_family = AF_VSOCK, .svm_port = 1024, .svm_cid = 3};
	struct sockaddr_alg alg = {.salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha256"};
	unsigned char other[40] = {AF_APPLETALK, 0, 1, 2, 3, 'x', 'y', '"', 0xff};

	call(SYS_bind, -1, of(in));
	call(SYS_connect, -1, of(in));
	call(SYS_connect, -1, &in, 8);
	call(SYS_connect, -1, &in, 7);
	call(SYS_connect, -1, &in, 2);
	call(SYS_connect, -1, &in, 1);
	call(SYS_connect, -1, &in, 0);
	call(SYS_connect, -1, &in, -1);
	call(SYS_connect, -1, &in, 1000);
	call(SYS_connect, -1, NULL, 16);
	call(SYS_connect, -1, BAD, 16);
	call(SYS_connect, -1, GONE, 16);
	in = inet(any, 0);
	call(SYS_bind, -1, of(in));
	memset(&in.sin_addr, 0xff, 4);
	call(SYS_bind, -1, of(in));
	call(SYS_bind, -1, of(in6));
	call(SYS_bind, -1, &in6, 24);
	call(SYS_bind, -1, &in6, 20);
	in6.sin6_flowinfo = htonl(0x12345);
	in6.sin6_scope_id = 1;
	in6.sin6_addr.s6_addr[0] = 0xfe;
	in6.sin6_addr.s6_addr[1] = 0x80;
	call(SYS_bind, -1, of(in6));
	in6.sin6_scope_id = 777;
	call(SYS_bind, -1, of(in6));
	in6.sin6_addr = (struct in6_addr){.s6_addr = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2}};
	call(SYS_bind, -1, of(in6));
	in6.sin6_addr =
	    (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1, [14] = 2, [15] = 3}};
	call(SYS_bind, -1, of(in6));
	in6.sin6_addr = (struct in6_addr){.s6_addr = {[12] = 10, [13] = 1, [14] = 2, [15] = 3}};
	call(SYS_bind, -1, of(in6));
	in6.sin6_addr = (struct in6_addr)IN6ADDR_ANY_INIT;
	call(SYS_bind, -1, of(in6));
	call(SYS_bind, -1, of(un));
	call(SYS_bind, -1, &un, offsetof(struct sockaddr_un, sun_path) + 4);
	call(SYS_bind, -1, &un, 2);
	memcpy(un.sun_path, "\0abstract\0name", 14);
	call(SYS_bind, -1, &un, 2 + 14);
	call(SYS_bind, -1, &un, 2 + 1);
	call(SYS_bind, -1, of(un));
	memset(un.sun_path, 'p', sizeof(un.sun_path));
	call(SYS_bind, -1, of(un));
	call(SYS_bind, -1, &un, 128);
	un.sun_path[0] = 0;
	call(SYS_bind, -1, of(un));
	call(SYS_bind, -1, of(nl));
	call(SYS_bind, -1, &nl, 8);
	call(SYS_bind, -1, of(ll));
	ll.sll_protocol = htons(0x1234);
	ll.sll_ifindex = 999;
	ll.sll_hatype = 772;
	ll.sll_pkttype = 99;
	ll.sll_halen = 200;
	call(SYS_bind, -1, of(ll));
	ll.sll_halen = 0;
	call(SYS_bind, -1, of(ll));
	call(SYS_bind, -1, of(vm));
	vm.svm_cid = VMADDR_CID_HOST;
	vm.svm_port = VMADDR_PORT_ANY;
	call(SYS_bind, -1, of(vm));
	vm.svm_cid = VMADDR_CID_ANY;
	call(SYS_bind, -1, of(vm));
	call(SYS_bind, -1, of(alg));
	call(SYS_bind, -1, of(other));
	call(SYS_bind, -1, other, 9);
	call(SYS_bind, -1, other, 2);
	other[0] = 200;
	call(SYS_bind, -1, other, 9);
	other[0] = 0;
	call(SYS_bind, -1, other, 16);
	call(SYS_connect, -1, other, 2);
	call(SYS_listen, -1, 5);
	call(SYS_listen, -1, -1);
	call(SYS_shutdown, -1, SHUT_RD);
	call(SYS_shutdown, -1, SHUT_WR);
	call(SYS_shutdown, -1, SHUT_RDWR);
	call(SYS_shutdown, -1, 9);
}

static void tcp(void)
{
	struct sockaddr_in address = inet(localhost, 45001), other = inet(localhost, 45002);
	struct sockaddr_storage peer;
	int one = 1, size = sizeof(peer), small = 6, server, client, accepted;

	server = call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_IP);
	call(SYS_setsockopt, server, SOL_SOCKET, SO_REUSEADDR, of(one));
	call(SYS_bind, server, of(address));
	call(SYS_listen, server, 8);
	call(SYS_accept, server, &peer, &size);
	call(SYS_accept4, server, NULL, NULL, 0);
	call(SYS_getsockname, server, &peer, &size);
	call(SYS_getpeername, server, &peer, &size);
	client = call(SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	call(SYS_setsockopt, client, SOL_SOCKET, SO_REUSEADDR, of(one));
	call(SYS_bind, client, of(other));
	call(SYS_connect, client, of(address));
	size = sizeof(peer);
	accepted = call(SYS_accept4, server, &peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	call(SYS_getsockname, client, &peer, &small);
	small = 0;
	call(SYS_getsockname, client, &peer, &small);
	small = -1;
	call(SYS_getsockname, client, &peer, &small);
	size = sizeof(peer);
	call(SYS_getpeername, client, &peer, &size);
	call(SYS_getpeername, client, BAD, &size);
	call(SYS_getpeername, client, &peer, BAD);
	call(SYS_getpeername, client, NULL, &size);
	call(SYS_getpeername, client, &peer, NULL);
	call(SYS_getpeername, -1, &peer, &size);
	call(SYS_accept4, -1, &peer, &size, 0x10001);
	call(SYS_accept, -1, BAD, NULL);
	call(SYS_sendto, client, "hello", 5, MSG_NOSIGNAL, NULL, 0);
	call(SYS_sendto, client, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_MORE, NULL, 0);
	call(SYS_sendto, client, "", 0, 0, NULL, 0);
	call(SYS_sendto, client, BAD, 9, MSG_OOB | 0x10000000, NULL, 0);
	call(SYS_recvfrom, accepted, buffer, 3, MSG_PEEK, NULL, NULL);
	call(SYS_recvfrom, accepted, buffer, 5, MSG_WAITALL, NULL, NULL);
	call(SYS_recvfrom, accepted, buffer, sizeof(buffer), MSG_DONTWAIT, &peer, &size);
	call(SYS_recvfrom, accepted, buffer, sizeof(buffer), MSG_DONTWAIT, &peer, &size);
	call(SYS_recvfrom, accepted, BAD, 10, MSG_DONTWAIT, BAD, BAD);
	call(SYS_recvfrom, accepted, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	call(SYS_recvfrom, -1, buffer, 10, -1, &peer, &size);
	call(SYS_shutdown, client, SHUT_WR);
	call(SYS_recvfrom, accepted, buffer, sizeof(buffer), 0, NULL, NULL);
	call(SYS_read, accepted, buffer, sizeof(buffer));
	call(SYS_setsockopt, accepted, SOL_SOCKET, SO_LINGER, of(((struct linger){.l_onoff = 1, .l_linger = 0})));
	call(SYS_close, accepted);
	call(SYS_close, client);
	call(SYS_close, server);
}

static void udp(void)
{
	struct sockaddr_in first = inet(localhost, 45003), second = inet(localhost, 45004), from;
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(45005), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int one = 1, size = sizeof(from), a, b;

	a = call(SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_IP);
	b = call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
	call(SYS_bind, a, of(first));
	call(SYS_bind, b, of(second));
	call(SYS_sendto, a, "datagram", 8, MSG_CONFIRM, of(second));
	call(SYS_recvfrom, b, buffer, 4, MSG_TRUNC, &from, &size);
	call(SYS_sendto, a, text, sizeof(text) - 1, 0, &second, 16);
	call(SYS_recvfrom, b, buffer, sizeof(buffer), 0, &from, &size);
	call(SYS_recvfrom, b, buffer, sizeof(buffer), 0, &from, &size);
	call(SYS_sendto, a, "", 0, 0, of(second));
	size = 4;
	call(SYS_recvfrom, b, buffer, sizeof(buffer), 0, &from, &size);
	call(SYS_sendto, a, "x", 1, 0, &second, 3);
	call(SYS_sendto, a, "x", 1, 0, BAD, 16);
	call(SYS_sendto, a, "x", 1, 0, &v6, sizeof(v6));
	call(SYS_sendto, -1, "x", 1L << 40, 0, &v6, sizeof(v6));
	call(SYS_setsockopt, b, IPPROTO_IP, IP_PKTINFO, of(one));
	call(SYS_setsockopt, b, IPPROTO_IP, IP_RECVTTL, of(one));
	call(SYS_setsockopt, b, IPPROTO_IP, IP_RECVTOS, of(one));
	{
		char control[256] = {0};
		struct iovec parts[] = {{buffer, 4}, {buffer + 100, 100}, {BAD, 0}};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = parts,
					 .msg_iovlen = 3,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};

		call(SYS_sendto, a, "0123456789", 10, 0, of(second));
		call(SYS_recvmsg, b, &message, MSG_DONTWAIT);
		call(SYS_recvmsg, b, &message, MSG_DONTWAIT);
		call(SYS_sendto, a, "0123456789", 10, 0, of(second));
		message.msg_controllen = 40;
		message.msg_namelen = sizeof(from);
		call(SYS_recvmsg, b, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		call(SYS_sendto, a, "0123456789", 10, 0, of(second));
		message = (struct msghdr){.msg_iov = parts, .msg_iovlen = 1};
		call(SYS_recvmsg, b, &message, 0);
		message = (struct msghdr){.msg_name = &from, .msg_namelen = 128};
		call(SYS_sendto, a, "0123456789", 10, 0, of(second));
		call(SYS_recvmsg, b, &message, MSG_TRUNC);
	}
	call(SYS_close, a);
	call(SYS_close, b);
}

static void send_control(int level, int type, const void *data, size_t size)
{
	_Alignas(8) char control[256] = {0};
	struct cmsghdr *header = (void *)control;
	struct iovec part = {"m", 1};
	struct msghdr message = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(size)};

	header->cmsg_len = CMSG_LEN(size);
	header->cmsg_level = level;
	header->cmsg_type = type;
	memcpy(CMSG_DATA(header), data, size);
	call(SYS_sendmsg, -1, &message, 0);
}

static void messages(void)
{
	struct sockaddr_un from;
	_Alignas(8) char control[256] = {0};
	struct cmsghdr *header = (void *)control, *second;
	struct iovec parts[40] = {{(void *)text, sizeof(text) - 1}, {"abc", 3}, {BAD, 4}, {NULL, 0}}, in = {buffer, 64};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2}, received = {.msg_iov = &in, .msg_iovlen = 1};
	int pair[2], one = 1, fds[] = {0, 1, 2}, ttl = 64;
	struct ucred creds = {.pid = 1, .uid = 1000, .gid = 1001};
	struct in_pktinfo info = {
	    .ipi_ifindex = 1, .ipi_addr.s_addr = htonl(0x7f000001), .ipi_spec_dst.s_addr = htonl(0x0a000001)};
	struct in6_pktinfo info6 = {.ipi6_ifindex = 1, .ipi6_addr = IN6ADDR_LOOPBACK_INIT};
	struct timeval when = {1700000000, 250000};
	struct timespec when_ns = {1700000000, 250000000}, stamps[3] = {{1, 2}, {3, 4}, {5, 6}};

	call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
	call(SYS_sendmsg, pair[0], &message, MSG_NOSIGNAL | MSG_EOR);
	call(SYS_recvmsg, pair[1], &received, 0);
	call(SYS_recvmsg, pair[1], &received, MSG_DONTWAIT);
	message.msg_iovlen = 4;
	call(SYS_sendmsg, pair[0], &message, 0);
	message.msg_iovlen = 0;
	call(SYS_sendmsg, pair[0], &message, 0);
	call(SYS_recvmsg, pair[1], &received, MSG_DONTWAIT);
	message.msg_iov = NULL;
	message.msg_iovlen = 1;
	call(SYS_sendmsg, pair[0], &message, 0);
	message.msg_iov = BAD;
	call(SYS_sendmsg, pair[0], &message, 0);
	message.msg_iov = parts;
	for (int i = 0; i < 40; i++)
		parts[i] = (struct iovec){"xy", 2};
	message.msg_iovlen = 40;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_iovlen = 1;
	message.msg_name = BAD;
	message.msg_namelen = 10;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_name = &from;
	from.sun_family = AF_UNIX;
	strcpy(from.sun_path, "/nowhere");
	message.msg_namelen = sizeof(from);
	message.msg_flags = MSG_OOB;
	call(SYS_sendmsg, pair[0], &message, 0);
	message.msg_namelen = 0;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_namelen = -1;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_name = NULL;
	message.msg_namelen = 0;
	call(SYS_sendmsg, -1, NULL, 0);
	call(SYS_sendmsg, -1, BAD, 0);
	call(SYS_recvmsg, -1, NULL, 0);
	call(SYS_recvmsg, -1, BAD, MSG_PEEK);
	call(SYS_recvmsg, -1, &received, MSG_PEEK | MSG_ERRQUEUE);
	/* control messages that pass */
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	message.msg_control = control;
	message.msg_controllen = CMSG_SPACE(sizeof(fds));
	call(SYS_sendmsg, pair[0], &message, 0);
	received.msg_control = buffer + 1024;
	received.msg_controllen = 128;
	call(SYS_recvmsg, pair[1], &received, MSG_CMSG_CLOEXEC);
	call(SYS_sendmsg, pair[0], &message, 0);
	received.msg_controllen = 4;
	call(SYS_recvmsg, pair[1], &received, 0);
	call(SYS_sendmsg, pair[0], &message, 0);
	received.msg_controllen = 20;
	call(SYS_recvmsg, pair[1], &received, 0);
	call(SYS_setsockopt, pair[1], SOL_SOCKET, SO_PASSCRED, of(one));
	message.msg_control = NULL;
	message.msg_controllen = 0;
	call(SYS_sendmsg, pair[0], &message, 0);
	received.msg_controllen = 128;
	call(SYS_recvmsg, pair[1], &received, 0);
	message.msg_control = control;
	message.msg_controllen = CMSG_SPACE(sizeof(fds));
	second = (void *)(control + CMSG_SPACE(sizeof(fds)));
	second->cmsg_len = CMSG_LEN(sizeof(creds));
	second->cmsg_level = SOL_SOCKET;
	second->cmsg_type = SCM_CREDENTIALS;
	memcpy(CMSG_DATA(second), &creds, sizeof(creds));
	message.msg_controllen += CMSG_SPACE(sizeof(creds));
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_controllen--;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_controllen -= 8;
	call(SYS_sendmsg, -1, &message, 0);
	second->cmsg_len = 5;
	call(SYS_sendmsg, -1, &message, 0);
	header->cmsg_len = 0;
	call(SYS_sendmsg, -1, &message, 0);
	header->cmsg_len = CMSG_LEN(0);
	message.msg_controllen = CMSG_SPACE(0);
	call(SYS_sendmsg, -1, &message, 0);
	header->cmsg_len = 1000;
	message.msg_controllen = 32;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_controllen = 3;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_control = BAD;
	message.msg_controllen = 32;
	call(SYS_sendmsg, -1, &message, 0);
	message.msg_control = NULL;
	call(SYS_sendmsg, -1, &message, 0);
	send_control(SOL_SOCKET, SCM_CREDENTIALS, of(creds));
	send_control(SOL_SOCKET, SCM_CREDENTIALS, &creds, 8);
	send_control(SOL_SOCKET, SCM_RIGHTS, fds, 4);
	send_control(SOL_SOCKET, SCM_RIGHTS, fds, 7);
	send_control(SOL_SOCKET, 3 /* SCM_SECURITY */, "label_t", 8);
	send_control(SOL_SOCKET, 4 /* SCM_PIDFD */, fds, 4);
	send_control(SOL_SOCKET, 29 /* SCM_TIMESTAMP */, of(when));
	send_control(SOL_SOCKET, 35 /* SCM_TIMESTAMPNS */, of(when_ns));
	send_control(SOL_SOCKET, 37 /* SCM_TIMESTAMPING */, of(stamps));
	send_control(SOL_SOCKET, 63 /* SO_TIMESTAMP_NEW */, of(when));
	send_control(SOL_SOCKET, 64 /* SO_TIMESTAMPNS_NEW */, of(when_ns));
	send_control(SOL_SOCKET, 65 /* SO_TIMESTAMPING_NEW */, of(stamps));
	send_control(SOL_SOCKET, 40 /* SO_RXQ_OVFL */, fds, 4);
	send_control(SOL_SOCKET, 61 /* SCM_TXTIME */, &when, 8);
	send_control(SOL_SOCKET, 99, fds, 4);
	send_control(SOL_SOCKET, 99, fds, 0);
	send_control(SOL_IP, IP_PKTINFO, of(info));
	send_control(SOL_IP, IP_TTL, of(ttl));
	send_control(SOL_IP, IP_TOS, "\020", 1);
	send_control(SOL_IP, IP_RECVOPTS, "\001\002\003", 3);
	send_control(SOL_IP, IP_RETOPTS, "\001\002\003", 3);
	send_control(SOL_IP, IP_CHECKSUM, of(ttl));
	send_control(SOL_IP, IP_RECVERR, buffer + 2048, 16);
	send_control(SOL_IP, IP_RECVERR, buffer + 2048, 32);
	send_control(SOL_IP, IP_ORIGDSTADDR, &(struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(5)}, 16);
	send_control(SOL_IP, 99, of(ttl));
	send_control(SOL_IPV6, IPV6_PKTINFO, of(info6));
	send_control(SOL_IPV6, IPV6_HOPLIMIT, of(ttl));
	send_control(SOL_IPV6, IPV6_TCLASS, of(ttl));
	send_control(SOL_IPV6, 200, of(ttl));
	send_control(SOL_UDP, UDP_GRO, of(ttl));
	send_control(SOL_UDP, UDP_SEGMENT, &ttl, 2);
	send_control(SOL_TCP, 1, of(ttl));
	send_control(SOL_NETLINK, NETLINK_PKTINFO, of(ttl));
	send_control(SOL_PACKET, PACKET_AUXDATA, buffer + 2048, 20);
	send_control(12345, 1, text, 40);
	call(SYS_close, pair[0]);
	call(SYS_close, pair[1]);
	for (int fd = 3; fd < 20; fd++)
		close(fd);
}

static void several(void)
{
	struct iovec out[] = {{"one", 3}, {"two", 3}, {(void *)text, sizeof(text) - 1}},
		     in[] = {{buffer, 10}, {buffer + 10, 100}, {buffer + 200, 100}};
	struct mmsghdr sent[12] = {0}, got[12] = {0};
	struct timespec second = {1, 0}, past = {0, -1};
	int pair[2];

	call(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
	for (int i = 0; i < 12; i++) {
		sent[i].msg_hdr = (struct msghdr){.msg_iov = &out[i % 3], .msg_iovlen = 1};
		got[i].msg_hdr = (struct msghdr){.msg_iov = &in[i % 3], .msg_iovlen = 1};
	}
	call(SYS_sendmmsg, pair[0], sent, 2, MSG_NOSIGNAL);
	call(SYS_recvmmsg, pair[1], got, 3, MSG_DONTWAIT, NULL);
	call(SYS_recvmmsg, pair[1], got, 3, MSG_DONTWAIT, NULL);
	call(SYS_sendmmsg, pair[0], sent, 3, 0);
	call(SYS_recvmmsg, pair[1], got, 2, MSG_WAITFORONE, &second);
	call(SYS_recvmmsg, pair[1], got, 1, MSG_WAITFORONE, &past);
	call(SYS_recvmmsg, pair[1], got, 1, 0, BAD);
	call(SYS_recvmmsg, pair[1], got, 1, 0, &second);
	call(SYS_sendmmsg, pair[0], sent, 0, 0);
	call(SYS_recvmmsg, pair[1], got, 0, 0, NULL);
	call(SYS_sendmmsg, -1, sent, 1, 0);
	call(SYS_recvmmsg, -1, got, 1, 0, NULL);
	call(SYS_sendmmsg, pair[0], BAD, 2, 0);
	call(SYS_sendmmsg, pair[0], NULL, 2, 0);
	call(SYS_recvmmsg, pair[1], BAD, 2, 0, NULL);
	sent[1].msg_hdr.msg_iov = BAD;
	call(SYS_sendmmsg, pair[0], sent, 2, 0);
	call(SYS_recvmmsg, pair[1], got, 2, 0, NULL);
	call(SYS_sendmmsg, -1, sent, 10, 0);
	call(SYS_close, pair[0]);
	call(SYS_close, pair[1]);
}

static void option(int fd, int level, int name, int size)
{
	int length = size;

	memset(buffer, 0, 256);
	call(SYS_getsockopt, fd, level, name, buffer, &length);
}

static void options(void)
{
	struct sock_filter code[] = {{BPF_RET | BPF_K, 0, 0, 0xffff}, {BPF_LD | BPF_W | BPF_ABS, 1, 2, 12}};
	struct sock_fprog program = {1, code};
	struct ip_mreq member = {.imr_multiaddr.s_addr = htonl(0xe0000001), .imr_interface.s_addr = htonl(0x7f000001)};
	struct ip_mreqn member_n = {.imr_multiaddr.s_addr = htonl(0xe0000001), .imr_ifindex = 1};
	struct ipv6_mreq member6 = {.ipv6mr_multiaddr = {.s6_addr = {0xff, 2, [15] = 1}}, .ipv6mr_interface = 1};
	struct group_req group = {.gr_interface = 1, .gr_group.ss_family = AF_INET};
	struct timeval when = {1, 500000};
	struct linger linger = {1, 5};
	struct packet_mreq packet = {
	    .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC, .mr_alen = 6, .mr_address = {1, 2, 3, 4, 5, 6}};
	static const int levels[] = {SOL_SOCKET, SOL_IP,      SOL_IPV6,	 SOL_TCP, SOL_UDP, SOL_RAW,
				     SOL_PACKET, SOL_NETLINK, SOL_VSOCK, SOL_ALG, SOL_XDP, 12345};
	int tcp = call(SYS_socket, AF_INET, SOCK_STREAM, 0), unix_ = call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	int tcp6 = call(SYS_socket, AF_INET6, SOCK_STREAM, 0), one = 1, length = 4;

	/* every name, without its value and with an int */
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		for (int name = 0; name < 90; name++) {
			call(SYS_setsockopt, -1, levels[i], name, of(one));
			length = 4;
			call(SYS_getsockopt, -1, levels[i], name, &one, &length);
			one = 1;
		}
	for (int name = 0; name < 84; name++)
		option(tcp, SOL_SOCKET, name, 4);
	for (int name = 0; name < 84; name++)
		option(unix_, SOL_SOCKET, name, 64);
	for (int name = 0; name < 60; name++)
		option(tcp, SOL_IP, name, 4);
	for (int name = 0; name < 84; name++)
		option(tcp6, SOL_IPV6, name, 4);
	for (int name = 0; name < 45; name++)
		if (name != TCP_INFO)
			option(tcp, SOL_TCP, name, 4);
	option(tcp, SOL_TCP, TCP_CONGESTION, 16);
	option(tcp, SOL_TCP, TCP_ULP, 16);
	option(tcp, SOL_TCP, TCP_INFO, 4);
	option(tcp, SOL_TCP, TCP_INFO, 104);
	option(tcp, SOL_SOCKET, SO_LINGER, 8);
	option(tcp, SOL_SOCKET, SO_LINGER, 20);
	option(tcp, SOL_SOCKET, SO_LINGER, 0);
	option(tcp, SOL_SOCKET, SO_RCVTIMEO, 16);
	option(tcp, SOL_SOCKET, SO_RCVTIMEO, 7);
	option(tcp, SOL_SOCKET, SO_PEERCRED, 12);
	option(tcp, SOL_SOCKET, SO_ERROR, 2);
	option(tcp, SOL_SOCKET, SO_ERROR, 1);
	option(tcp, SOL_SOCKET, SO_ERROR, 0);
	option(tcp, SOL_SOCKET, SO_ERROR, -1);
	length = 4;
	call(SYS_getsockopt, tcp, SOL_SOCKET, SO_ERROR, NULL, &length);
	call(SYS_getsockopt, tcp, SOL_SOCKET, SO_ERROR, BAD, &length);
	call(SYS_getsockopt, tcp, SOL_SOCKET, SO_ERROR, &one, NULL);
	call(SYS_getsockopt, tcp, SOL_SOCKET, SO_ERROR, &one, BAD);
	call(SYS_getsockopt, tcp, -1, -1, &one, &length);
	one = 1;
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_KEEPALIVE, of(one));
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_RCVBUF, of(one));
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_LINGER, of(linger));
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_LINGER, &linger, 7);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_LINGER, BAD, 8);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_RCVTIMEO, of(when));
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_SNDTIMEO, of(when));
	call(SYS_setsockopt, tcp, SOL_SOCKET, 66, of(when));
	option(tcp, SOL_SOCKET, SO_RCVTIMEO, 16);
	option(tcp, SOL_SOCKET, SO_LINGER, 8);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_ATTACH_FILTER, of(program));
	option(tcp, SOL_SOCKET, SO_ATTACH_FILTER, 1);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_ATTACH_FILTER, &program, 3);
	program.len = 2;
	call(SYS_setsockopt, -1, SOL_SOCKET, SO_ATTACH_FILTER, of(program));
	program.filter = NULL;
	call(SYS_setsockopt, -1, SOL_SOCKET, SO_ATTACH_FILTER, of(program));
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
	option(tcp, SOL_SOCKET, SO_BINDTODEVICE, 16);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_TIMESTAMPING, &(int){3}, 4);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, &one, 3);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, &one, 5);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, &one, 0);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, &one, -1);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, NULL, 4);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, BAD, 4);
	call(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEPORT, text, 40);
	call(SYS_setsockopt, tcp, 12345, 7, text, 40);
	call(SYS_setsockopt, tcp, 12345, 7, text, 3);
	call(SYS_setsockopt, tcp, SOL_TCP, TCP_NODELAY, of(one));
	call(SYS_setsockopt, tcp, SOL_TCP, TCP_CONGESTION, "cubic", 5);
	call(SYS_setsockopt, tcp, SOL_TCP, TCP_CONGESTION, "cubic", 6);
	call(SYS_setsockopt, tcp, SOL_TCP, TCP_KEEPIDLE, &(int){60}, 4);
	call(SYS_setsockopt, tcp, SOL_IP, IP_TOS, &(int){16}, 4);
	call(SYS_setsockopt, tcp, SOL_IP, IP_MTU_DISCOVER, &(int){2}, 4);
	call(SYS_setsockopt, -1, SOL_IP, IP_ADD_MEMBERSHIP, of(member));
	call(SYS_setsockopt, -1, SOL_IP, IP_DROP_MEMBERSHIP, of(member_n));
	call(SYS_setsockopt, -1, SOL_IP, IP_ADD_MEMBERSHIP, of(one));
	call(SYS_setsockopt, -1, SOL_IP, MCAST_JOIN_GROUP, of(group));
	call(SYS_setsockopt, -1, SOL_IP, 51 /* IP_LOCAL_PORT_RANGE */, &(int){0x20001000}, 4);
	call(SYS_setsockopt, -1, SOL_RAW, 1 /* ICMP_FILTER */, &(int){~0x21}, 4);
	call(SYS_setsockopt, -1, SOL_IP, IP_MULTICAST_TTL, "\001", 1);
	call(SYS_setsockopt, -1, SOL_IP, IP_MULTICAST_IF, of(member.imr_interface));
	call(SYS_setsockopt, -1, SOL_IPV6, IPV6_V6ONLY, of(one));
	call(SYS_setsockopt, -1, SOL_IPV6, IPV6_ADD_MEMBERSHIP, of(member6));
	call(SYS_setsockopt, -1, SOL_IPV6, IPV6_ADD_MEMBERSHIP, of(one));
	call(SYS_setsockopt, -1, SOL_PACKET, PACKET_ADD_MEMBERSHIP, of(packet));
	call(SYS_setsockopt, -1, SOL_PACKET, PACKET_DROP_MEMBERSHIP, of(one));
	call(SYS_setsockopt, -1, SOL_PACKET, PACKET_RX_RING, of(((struct tpacket_req){4096, 2, 2048, 4})));
	call(SYS_setsockopt, -1, SOL_PACKET, PACKET_FANOUT, of(one));
	call(SYS_setsockopt, -1, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, of(one));
	option(unix_, SOL_SOCKET, 59 /* SO_PEERGROUPS */, 64);
	call(SYS_close, tcp);
	call(SYS_close, unix_);
	call(SYS_close, tcp6);
}

static void netlink(void)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg body;
	} request = {{sizeof(request), RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1700000000, 0},
		     {.ifa_family = AF_UNSPEC}};
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	struct iovec part = {buffer, sizeof(buffer)};
	struct msghdr message = {
	    .msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &part, .msg_iovlen = 1};
	struct nlmsghdr odd = {16, 77, 0x8000, 1, 2}, done = {20, NLMSG_DONE, NLM_F_MULTI, 1, 2};
	int fd = call(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), size = sizeof(address);

	address.nl_pid = 4711;
	call(SYS_bind, fd, of(address));
	call(SYS_getsockname, fd, &address, &size);
	address.nl_pid = 0;
	call(SYS_sendto, fd, of(request), 0, of(address));
	call(SYS_recvmsg, fd, &message, 0);
	call(SYS_recvmsg, fd, &message, MSG_DONTWAIT);
	call(SYS_recvmsg, fd, &message, MSG_DONTWAIT);
	call(SYS_recvmsg, fd, &message, MSG_DONTWAIT);
	request.header.nlmsg_type = RTM_GETLINK;
	call(SYS_sendto, fd, &request, 20, 0, of(address));
	call(SYS_recvfrom, fd, buffer, sizeof(buffer), MSG_DONTWAIT, &address, &size);
	call(SYS_sendto, fd, &odd, 16, 0, of(address));
	call(SYS_sendto, fd, &odd, 15, 0, of(address));
	call(SYS_sendto, fd, &done, 16, 0, of(address));
	odd.nlmsg_len = 8;
	call(SYS_sendto, fd, &odd, 16, 0, of(address));
	part = (struct iovec){&request, 20};
	message.msg_namelen = sizeof(address);
	call(SYS_sendmsg, fd, &message, 0);
	call(SYS_close, fd);
}

static void waits(void)
{
	struct pollfd polls[40] = {
	    {0, POLLIN, 0}, {-1, POLLOUT, 0}, {1234, POLLIN | POLLPRI | POLLRDHUP, 0}, {1, POLLOUT | POLLERR, 0}};
	struct timespec short_time = {0, 1000}, bad_time = {-1, 2000000000}, none = {0, 0};
	struct timeval micro = {0, 1000};
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 0x1122334455667788}, events[4];
	sigset_t mask;
	fd_set in, out;
	struct {
		const void *mask;
		size_t size;
	} wide;
	int pair[2], fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGCHLD);
	call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
	polls[0].fd = pair[0];
	polls[3].fd = pair[1];
	call(SYS_poll, polls, 4, 10);
	call(SYS_poll, polls, 1, 1);
	call(SYS_poll, polls, 0, 0);
	call(SYS_poll, NULL, 0, 0);
	call(SYS_poll, NULL, 1, 0);
	call(SYS_poll, BAD, 2, -1);
	for (int i = 4; i < 40; i++)
		polls[i] = (struct pollfd){1000 + i, POLLIN, 0};
	call(SYS_poll, polls, 40, 0);
	call(SYS_ppoll, polls, 1, &short_time, &mask, 8);
	call(SYS_ppoll, polls, 4, &short_time, NULL, 8);
	call(SYS_ppoll, polls, 1, &bad_time, &mask, 8);
	call(SYS_ppoll, polls, 1, &none, &mask, 16);
	call(SYS_ppoll, polls, 1, BAD, BAD, 8);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(pair[0], &in);
	FD_SET(pair[1], &out);
	call(SYS_select, 8, &in, &out, NULL, &micro);
	FD_ZERO(&out);
	FD_SET(pair[0], &in);
	micro.tv_usec = 1000;
	call(SYS_select, 8, &in, &out, NULL, &micro);
	call(SYS_select, 0, NULL, NULL, NULL, &micro);
	call(SYS_select, -1, &in, NULL, NULL, &micro);
	call(SYS_select, 8, BAD, NULL, NULL, NULL);
	FD_SET(60, &in);
	micro.tv_usec = 0;
	call(SYS_select, 61, &in, NULL, NULL, &micro);
	FD_ZERO(&in);
	FD_SET(pair[0], &in);
	wide.mask = &mask;
	wide.size = 8;
	call(SYS_pselect6, 8, &in, NULL, NULL, &short_time, &wide);
	short_time.tv_nsec = 1000;
	FD_SET(pair[1], &out);
	call(SYS_pselect6, 8, NULL, &out, NULL, &short_time, NULL);
	wide.mask = NULL;
	call(SYS_pselect6, 8, &in, NULL, NULL, &none, &wide);
	call(SYS_pselect6, 8, &in, NULL, NULL, &none, BAD);
	fd = call(SYS_epoll_create1, EPOLL_CLOEXEC);
	call(SYS_epoll_create1, 0x77);
	call(SYS_epoll_create, 0);
	call(SYS_close, call(SYS_epoll_create, 10));
	call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, pair[0], &event);
	event.events = EPOLLOUT | EPOLLONESHOT | EPOLLRDHUP;
	call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, pair[1], &event);
	call(SYS_epoll_wait, fd, events, 4, 100);
	call(SYS_epoll_wait, fd, events, 4, 1);
	call(SYS_epoll_wait, fd, events, 0, 1);
	call(SYS_epoll_wait, fd, BAD, 4, 0);
	call(SYS_epoll_wait, -1, events, 4, 0);
	call(SYS_write, pair[1], "x", 1);
	call(SYS_epoll_pwait, fd, events, 4, 1, &mask, 8);
	call(SYS_epoll_pwait, fd, events, 4, 0, NULL, 8);
	call(SYS_epoll_pwait, fd, events, 4, 0, BAD, 8);
	call(SYS_epoll_pwait2, fd, events, 4, &short_time, &mask, 8);
	call(SYS_epoll_pwait2, fd, events, 4, &bad_time, NULL, 0);
	call(SYS_epoll_pwait2, fd, events, 4, NULL, BAD, 8);
	event.events = 0;
	call(SYS_epoll_ctl, fd, EPOLL_CTL_MOD, pair[0], &event);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_DEL, pair[0], &event);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_DEL, pair[0], NULL);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, 1234, BAD);
	call(SYS_epoll_ctl, fd, 9, pair[0], &event);
	call(SYS_close, fd);
	call(SYS_close, pair[0]);
	call(SYS_close, pair[1]);
}

static void rings(void)
{
	struct io_uring_params params = {.flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE, .cq_entries = 16};
	struct iovec part = {buffer, 4096};
	sigset_t mask;
	int fd, files[] = {0, 1, -1};

	sigemptyset(&mask);
	fd = call(SYS_io_uring_setup, 4, &params);
	call(SYS_io_uring_setup, 0, &params);
	params.flags = 0x80000000 | IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF;
	params.sq_thread_cpu = 1;
	params.sq_thread_idle = 50;
	call(SYS_io_uring_setup, 4, &params);
	call(SYS_io_uring_setup, 4, NULL);
	call(SYS_io_uring_setup, 4, BAD);
	call(SYS_io_uring_enter, fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 8);
	call(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0);
	call(SYS_io_uring_enter, -1, 1, 1, 0x8000, &mask, 8);
	call(SYS_io_uring_enter, -1, 1, 1, IORING_ENTER_GETEVENTS, BAD, 8);
	call(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &part, 1);
	call(SYS_io_uring_register, fd, IORING_UNREGISTER_BUFFERS, NULL, 0);
	call(SYS_io_uring_register, fd, IORING_REGISTER_FILES, files, 3);
	call(SYS_io_uring_register, fd, IORING_UNREGISTER_FILES, NULL, 0);
	call(SYS_io_uring_register, fd, IORING_REGISTER_EVENTFD, files, 1);
	call(SYS_io_uring_register, fd, IORING_REGISTER_FILES, BAD, 1);
	call(SYS_io_uring_register, -1, IORING_REGISTER_PROBE, BAD, 1);
	call(SYS_io_uring_register, -1, 99, &part, 1);
	if (fd >= 0)
		call(SYS_close, fd);
}

int main(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	for (fd = 3; fd < 20; fd++)
		close(fd);
	if (!unshare(CLONE_NEWNET)) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		ioctl(fd, SIOCSIFFLAGS, &request);
		close(fd);
	}
	sockets();
	addresses();
	tcp();
	udp();
	messages();
	several();
	options();
	netlink();
	waits();
	rings();
	return 0;
}
