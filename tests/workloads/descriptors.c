// SPDX-License-Identifier: GPL-3.0-only
/*
 * One fcntl(F_GETFD) of descriptors of every kind, and says of each the whole call as strace -yy writes it; and calls
 * whose strings are in memory that nothing has touched. `exec` ends in an execve whose arguments are such memory.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

static const char *folder;
static int cases;

/* Makes the call, and says how it looks. */
static void __attribute__((format(printf, 2, 3))) look(int fd, const char *format, ...)
{
	int flags = fcntl(fd, F_GETFD);
	va_list arguments;

	printf("call.%d=fcntl(%d<", cases++, fd);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf(", F_GETFD) = %s\n", flags & FD_CLOEXEC ? "0x1 (flags FD_CLOEXEC)" : "0");
}

static unsigned long inode(int fd)
{
	struct stat stat;

	require(fstat(fd, &stat) == 0, "fstat");
	return stat.st_ino;
}

/* What the kernel calls its protocol. */
static const char *protocol(int fd)
{
	static char names[4][64];
	static int next;
	char *name = names[next++ % 4], link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = getxattr(link, "system.sockprotoname", name, sizeof(names[0]) - 1);
	require(length > 0, "system.sockprotoname");
	name[length] = 0;
	return name;
}

static char *in_folder(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* Both ends of an internet socket, as text. */
static const char *ends(int fd)
{
	static char texts[4][256];
	static int next;
	char *text = texts[next++ % 4], host[INET6_ADDRSTRLEN];
	size_t used = 0;

	for (int end = 0; end < 2; end++) {
		struct sockaddr_in6 address = {};
		struct sockaddr_in *old = (void *)&address;
		socklen_t size = sizeof(address);
		bool is_old;

		if (end == 0)
			require(getsockname(fd, (void *)&address, &size) == 0, "getsockname");
		else if (getpeername(fd, (void *)&address, &size))
			break;
		is_old = address.sin6_family == AF_INET;
		inet_ntop(address.sin6_family, is_old ? (void *)&old->sin_addr : (void *)&address.sin6_addr, host,
			  sizeof(host));
		used += snprintf(text + used, 256 - used, is_old ? "%s%s:%d" : "%s[%s]:%d", end ? "->" : "", host,
				 ntohs(is_old ? old->sin_port : address.sin6_port));
	}
	return text;
}

static void internet(int family, int type)
{
	struct sockaddr_in6 address = {.sin6_family = family};
	struct sockaddr_in *old = (void *)&address;
	socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(address);
	int server = socket(family, type, 0), client, accepted;

	if (server < 0)
		return; /* no IPv6 here */
	if (family == AF_INET)
		old->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address.sin6_addr = in6addr_loopback;
	look(server, "%s:[%lu]>", protocol(server), inode(server));
	if (bind(server, (void *)&address, size)) {
		close(server);
		return; /* no IPv6 address here */
	}
	look(server, "%s:[%s]>", protocol(server), ends(server));
	getsockname(server, (void *)&address, &size);
	client = socket(family, type, 0);
	if (type == SOCK_STREAM)
		require(listen(server, 1) == 0, "listen");
	require(connect(client, (void *)&address, size) == 0, "connect");
	look(client, "%s:[%s]>", protocol(client), ends(client));
	if (type == SOCK_STREAM) {
		accepted = accept(server, NULL, NULL);
		look(accepted, "%s:[%s]>", protocol(accepted), ends(accepted));
		close(accepted);
	}
	close(client);
	close(server);
}

static void local(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0),
	    named = socket(AF_UNIX, SOCK_DGRAM, 0), accepted, pair[2];

	look(server, "%s:[%lu]>", protocol(server), inode(server));
	require(snprintf(address.sun_path, sizeof(address.sun_path), "%s/a \"socket\"", folder) <
		    (int)sizeof(address.sun_path),
		folder);
	require(bind(server, (void *)&address, sizeof(address)) == 0 && listen(server, 1) == 0, "binding");
	look(server, "%s:[%lu,\"%s/a \\\"socket\\\"\"]>", protocol(server), inode(server), folder);
	require(connect(client, (void *)&address, sizeof(address)) == 0, "connecting");
	accepted = accept(server, NULL, NULL);
	look(client, "%s:[%lu->%lu]>", protocol(client), inode(client), inode(accepted));
	look(accepted, "%s:[%lu->%lu,\"%s/a \\\"socket\\\"\"]>", protocol(accepted), inode(accepted), inode(client),
	     folder);
	memcpy(address.sun_path, "\0veil\1", 6);
	/* A digit of an octal number behind the byte, whatever the id begins with: it is escaped with all three then.
	 */
	snprintf(address.sun_path + 6, sizeof(address.sun_path) - 6, "7%d", getpid());
	require(bind(named, (void *)&address, 2 + 6 + strlen(address.sun_path + 6)) == 0, "binding a name");
	look(named, "%s:[%lu,@\"veil\\0%s%d\"]>", protocol(named), inode(named), "017", getpid());
	require(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
	look(pair[0], "%s:[%lu->%lu]>", protocol(pair[0]), inode(pair[0]), inode(pair[1]));
	close(pair[0]);
	close(pair[1]);
	close(named);
	close(accepted);
	close(client);
	close(server);
}

static void netlink(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	socklen_t size = sizeof(address);

	look(fd, "NETLINK:[%lu]>", inode(fd));
	require(bind(fd, (void *)&address, size) == 0 && getsockname(fd, (void *)&address, &size) == 0, "netlink");
	look(fd, "NETLINK:[ROUTE:%u]>", address.nl_pid);
	close(fd);
}

static int eventfd_id(int fd)
{
	char path[64], line[256];
	int id = -1;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	require(info, path);
	while (fgets(line, sizeof(line), info))
		sscanf(line, "eventfd-id: %d", &id);
	fclose(info);
	return id;
}

static void files(void)
{
	struct timespec none = {};
	sigset_t signals;
	int fds[2], fd;
	fd_set set;

	fd = open("/dev/null", O_RDWR);
	look(fd, "/dev/null<char 1:3>>");
	close(fd);
	fd = open(in_folder("a <file>\n"), O_RDWR | O_CREAT, 0600);
	look(fd, "%s/a \\74file\\76\\n>", folder);
	unlink(in_folder("a <file>\n"));
	look(fd, "%s/a \\74file\\76\\n>(deleted)", folder);
	close(fd);
	fd = memfd_create("memory", 0);
	look(fd, "/memfd:memory>(deleted)");
	close(fd);
	require(pipe(fds) == 0, "pipe");
	look(fds[1], "pipe:[%lu]>", inode(fds[1]));
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	FD_SET(fds[1], &set);
	require(syscall(SYS_pselect6, fds[1] + 1, &set, NULL, NULL, &none, NULL) == 0, "pselect6");
	printf("select=pselect6(%d, [%d<pipe:[%lu]> %d<pipe:[%lu]>], NULL, NULL, {tv_sec=0, tv_nsec=0}, NULL) = 0 "
	       "(Timeout)\n",
	       fds[1] + 1, fds[0], inode(fds[0]), fds[1], inode(fds[1]));
	close(fds[0]);
	close(fds[1]);
	fd = epoll_create1(0);
	look(fd, "anon_inode:[eventpoll]>");
	close(fd);
	fd = eventfd(3, EFD_SEMAPHORE);
	look(fd, "{eventfd-count=0x3, eventfd-id=%d, eventfd-semaphore=1}>", eventfd_id(fd));
	close(fd);
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGCHLD);
	fd = signalfd(-1, &signals, 0);
	look(fd, "signalfd:[USR1 CHLD]>");
	close(fd);
	fd = syscall(SYS_pidfd_open, getpid(), 0);
	look(fd, "pid:%d>", getpid());
	close(fd);
}

/* Bytes in a file that is mapped at a place and was never looked at there. */
static char *untouched(const char *name, void *place, const void *bytes, size_t size)
{
	int fd = open(in_folder(name), O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *mapped;

	require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, name);
	mapped = mmap(place, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0);
	require(mapped == place, "mmap");
	close(fd);
	unlink(in_folder(name));
	return mapped;
}

#define PLACE 0x10000000UL

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	char *missing;

	if (argc < 2)
		usage("FOLDER [exec]");
	folder = argv[1];
	buffer_stdout();
	if (argc > 2) {
		unsigned long strings[] = {PLACE + 0x2000, PLACE + 0x2010, PLACE + 0x2010, 0},
			      variables[] = {PLACE + 0x2020, PLACE + 0x2020, PLACE + 0x2020, 0};
		char text[64] = "descriptors", *name;

		if (strcmp(argv[2], "exec"))
			return 0;
		strcpy(text + 0x10, "--done");
		strcpy(text + 0x20, "A=B");
		name = untouched("name", (void *)PLACE, argv[0], strlen(argv[0]) + 1);
		untouched("strings", (void *)(PLACE + 0x1000), strings, sizeof(strings));
		untouched("text", (void *)(PLACE + 0x2000), text, sizeof(text));
		untouched("variables", (void *)(PLACE + 0x3000), variables, sizeof(variables));
		wait_for_start(wait);
		execve(name, (char **)(PLACE + 0x1000), (char **)(PLACE + 0x3000));
		require(false, "execve");
	}
	missing = untouched("missing", (void *)PLACE, "/no/such/file", 14);
	wait_for_start(wait);
	require(open(missing, O_RDONLY) < 0 && open((void *)1, O_RDONLY) < 0, "opening what is not there");
	files();
	internet(AF_INET, SOCK_STREAM);
	internet(AF_INET, SOCK_DGRAM);
	internet(AF_INET6, SOCK_STREAM);
	internet(AF_INET6, SOCK_DGRAM);
	local();
	netlink();
	printf("calls=%d\n", cases);
	return 0;
}
