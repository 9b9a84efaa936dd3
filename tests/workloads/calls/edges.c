/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes calls whose structures end where memory ends: what is read of them must not reach behind. The decoders of
 * --args are compared with strace on it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAGE	     4096
#define call(...)    syscall(__VA_ARGS__)
#define last_of(one) last_copy(&(one), sizeof(one))

/* The last `size` bytes before memory that is not there. */
static void *last(size_t size)
{
	size_t pages = (size + PAGE - 1) / PAGE + !size;
	char *memory =
	    mmap(NULL, (pages + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	mprotect(memory + pages * PAGE, PAGE, PROT_NONE);
	return memory + pages * PAGE - size;
}

static void *last_copy(const void *from, size_t size)
{
	return memcpy(last(size), from, size);
}

static void vectors(void)
{
	int fd = call(SYS_memfd_create, "edges", 0);
	char *bytes = last_copy("0123456789abcdefghijklmnopqrstuvwxyz", 36);
	struct iovec parts[3] = {{bytes, 3}, {bytes + 10, 0}, {last(0), 5}}, many[20];

	call(SYS_write, fd, bytes, 36L);
	call(SYS_write, fd, bytes + 30, 10L);
	call(SYS_writev, fd, last_copy(parts, 32), 2L);
	call(SYS_writev, fd, last_copy(parts, 48), 3L);
	call(SYS_writev, fd, last_copy(parts, 32), 7L);
	call(SYS_writev, fd, last(0), 2L);
	for (int i = 0; i < 20; i++)
		many[i] = (struct iovec){bytes + i, 1};
	call(SYS_writev, fd, last_copy(many, sizeof(many)), 20L);
	call(SYS_preadv, fd, last_copy(parts, 32), 2L, 0L, 0L);
}

static void waits(void)
{
	int pipes[2];
	unsigned long mask = 1UL << (SIGUSR1 - 1), set = 0;
	struct timespec none = {};
	struct pollfd polls[2];
	struct epoll_event event = {.events = EPOLLIN};
	struct {
		void *mask;
		unsigned long size;
	} masked = {last_of(mask), 8};

	if (pipe(pipes))
		return;
	polls[0] = (struct pollfd){.fd = pipes[1], .events = POLLOUT};
	polls[1] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	call(SYS_poll, last_of(polls), 2, 0);
	call(SYS_poll, last_of(polls), 3, 0);
	call(SYS_ppoll, last_copy(polls, 8), 1, last_of(none), last_of(mask), 8L);
	call(SYS_ppoll, last_copy(polls, 8), 1, last_of(none), last_of(mask), 7L);
	set = 1UL << pipes[1];
	call(SYS_select, pipes[1] + 1, NULL, last_of(set), NULL, NULL);
	call(SYS_pselect6, pipes[1] + 1, NULL, last_of(set), NULL, last_of(none), last_of(masked));
	call(SYS_epoll_ctl, -1, EPOLL_CTL_ADD, pipes[0], last_copy(&event, 12));
}

static void ipc(void)
{
	struct {
		long type;
		char text[8];
	} message = {5, "message"};
	struct sembuf operation = {.sem_op = 1};
	int id = call(SYS_msgget, IPC_PRIVATE, IPC_CREAT | 0600);

	call(SYS_msgsnd, id, last_of(message), 8L, 0);
	call(SYS_msgrcv, id, last(16), 8L, 5L, 0);
	call(SYS_msgctl, id, IPC_STAT, last(120));
	call(SYS_msgctl, id, IPC_RMID, NULL);
	id = call(SYS_semget, IPC_PRIVATE, 1, 0600);
	call(SYS_semop, id, last_of(operation), 1L);
	call(SYS_semop, id, last_of(operation), 2L);
	call(SYS_semctl, id, 0, IPC_STAT, last(104));
	call(SYS_semctl, id, 0, IPC_RMID, 0L);
	id = call(SYS_shmget, IPC_PRIVATE, 4096L, 0600);
	call(SYS_shmctl, id, IPC_STAT, last(112));
	call(SYS_shmctl, id, IPC_RMID, NULL);
}

static void sockets(void)
{
	struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/edge"};
	int udp = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	socklen_t length = 8;
	struct ifreq interface = {.ifr_name = "lo"};

	call(SYS_bind, -1, last_of(inet), 16);
	call(SYS_connect, -1, last_copy(&path, 20), 20);
	call(SYS_sendto, -1, "x", 1L, 0, last_of(inet), 16);
	call(SYS_getsockname, udp, last(8), last_of(length));
	call(SYS_setsockopt, udp, SOL_SOCKET, SO_REUSEADDR, last_of(one), 4);
	call(SYS_setsockopt, udp, SOL_SOCKET, SO_REUSEADDR, last_of(one), 5);
	call(SYS_ioctl, udp, SIOCGIFFLAGS, last_of(interface));
	call(SYS_ioctl, udp, SIOCGIFADDR, last_of(interface));
	call(SYS_ioctl, udp, FIONREAD, last(4));
}

static void others(void)
{
	union bpf_attr attributes = {};
	struct open_how {
		uint64_t flags, mode, resolve, more;
	} how = {.flags = O_RDONLY, .more = 0x55};
	struct {
		int size, type;
		char bytes[8];
	} handle = {8, 1, "abcdefg"};

	attributes.map_type = BPF_MAP_TYPE_HASH;
	attributes.key_size = 4;
	call(SYS_bpf, BPF_MAP_CREATE, last_copy(&attributes, 20), 20);
	memset(&attributes, 0, sizeof(attributes));
	attributes.pathname = (unsigned long)last_copy("/nonexistent", 13);
	call(SYS_bpf, BPF_OBJ_GET, last_copy(&attributes, 16), 16);
	call(SYS_openat2, AT_FDCWD, "/nonexistent", last_of(how), 32L);
	call(SYS_openat2, AT_FDCWD, "/nonexistent", last_copy(&how, 24), 24L);
	call(SYS_openat2, AT_FDCWD, "/nonexistent", last_copy(&how, 16), 24L);
	call(SYS_open_by_handle_at, -1, last_of(handle), O_RDONLY);
	call(SYS_open_by_handle_at, -1, last_copy(&handle, 12), O_RDONLY);
	call(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_THREAD_KEYRING, "user", "none", 0);
	call(SYS_keyctl, KEYCTL_SETPERM, 1, 0x3f010000);
	call(SYS_mincore, last(0), 4096L, last(1));
}

int main(void)
{
	vectors();
	waits();
	ipc();
	sockets();
	others();
	return 0;
}
