// SPDX-License-Identifier: GPL-3.0-only
/*
 * Opens, writes, reads and copies by io_uring, one request at a time, some of them in a worker thread. It says of each
 * what it returned and the path as /proc/self/fd has it. Prints supported=0 where the kernel has no io_uring.
 */
#include "workload.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/uio.h>

static int operations;

static struct ring {
	int fd;
	struct io_uring_params params;
	char *submissions;
	char *completions;
	struct io_uring_sqe *entries;
} ring;

#define ring_word(area, offset) ((unsigned int *)(ring.area + ring.params.offset))

static bool ring_open(void)
{
	ring.fd = syscall(SYS_io_uring_setup, 4, &ring.params);
	if (ring.fd < 0)
		return false;
	ring.submissions = mmap(NULL, ring.params.sq_off.array + ring.params.sq_entries * sizeof(unsigned int),
				PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.completions = mmap(NULL, ring.params.cq_off.cqes + ring.params.cq_entries * sizeof(struct io_uring_cqe),
				PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.entries = mmap(NULL, ring.params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			    MAP_SHARED, ring.fd, IORING_OFF_SQES);
	require(ring.submissions != MAP_FAILED && ring.completions != MAP_FAILED && ring.entries != MAP_FAILED,
		"mapping the ring");
	return true;
}

/* Hands one request in and waits for its result. */
static int request(struct io_uring_sqe entry)
{
	unsigned int *tail = ring_word(submissions, sq_off.tail), *head = ring_word(completions, cq_off.head);
	unsigned int slot = *tail & *ring_word(submissions, sq_off.ring_mask);
	struct io_uring_cqe *results = (void *)(ring.completions + ring.params.cq_off.cqes);
	int result;

	ring.entries[slot] = entry;
	ring_word(submissions, sq_off.array)[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	require(syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1, "io_uring_enter");
	result = results[*head & *ring_word(completions, cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

static void say_path(const char *key, int fd)
{
	char link[64], path[PATH_MAX] = "";
	ssize_t length = 0;

	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, sizeof(path) - 1);
		require(length > 0, link);
	}
	path[length] = 0;
	printf("%d.%s=%s\n", operations, key, path);
}

static int said(const char *op, int ret, int fd, int target)
{
	printf("%d.op=%s\n%d.ret=%d\n", operations, op, operations, ret);
	say_path("path", fd);
	if (target >= 0)
		say_path("target", target);
	operations++;
	return ret;
}

static struct io_uring_sqe entry(int op, int fd, const void *address, unsigned int length, unsigned int flags)
{
	return (struct io_uring_sqe){
	    .opcode = op, .fd = fd, .addr = (unsigned long)address, .len = length, .flags = flags};
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	char buffer[8], other[2];
	struct iovec parts[] = {{buffer, 3}, {other, 2}};
	struct io_uring_sqe open_entry, splice_entry;
	int fd, ends[2];

	if (argc < 2)
		usage("FOLDER");
	buffer_stdout();
	require(chdir(argv[1]) == 0, argv[1]);
	if (!ring_open())
		printf("supported=0\n");
	require(pipe(ends) == 0, "pipe");
	announce_streams();
	if (wait)
		wait_for_line();
	if (ring.fd < 0)
		return 0;

	open_entry = entry(IORING_OP_OPENAT, AT_FDCWD, "by-ring", 0600, 0);
	open_entry.open_flags = O_RDWR | O_CREAT | O_TRUNC;
	fd = request(open_entry);
	said("open", fd, fd, -1);
	said("write", request(entry(IORING_OP_WRITE, fd, "0123456789", 10, 0)), fd, -1);
	said("read", request(entry(IORING_OP_READ, fd, buffer, 4, 0)), fd, -1);
	said("read", request(entry(IORING_OP_READV, fd, parts, 2, 0)), fd, -1);
	said("write", request(entry(IORING_OP_WRITEV, fd, parts, 2, IOSQE_ASYNC)), fd, -1);
	said("read", request(entry(IORING_OP_READ, fd, NULL, 4, 0)), fd, -1);		  /* EFAULT */
	said("read", request(entry(IORING_OP_READ, ends[1], buffer, 4, 0)), ends[1], -1); /* EBADF */
	splice_entry = entry(IORING_OP_SPLICE, ends[1], NULL, 5, 0);
	splice_entry.off = -1;
	splice_entry.splice_off_in = 0;
	splice_entry.splice_fd_in = fd;
	said("copy", request(splice_entry), fd, ends[1]);
	said("read", request(entry(IORING_OP_READ, ends[0], buffer, 5, IOSQE_ASYNC)), ends[0], -1);
	open_entry = entry(IORING_OP_OPENAT, AT_FDCWD, "missing", 0, 0);
	printf("failed_open=%d\n", operations);
	said("open", request(open_entry), -1, -1);
	printf("operations=%d\n", operations);
	return 0;
}
