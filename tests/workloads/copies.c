// SPDX-License-Identifier: GPL-3.0-only
/*
 * Copies from descriptor to descriptor by every system call that does it, and says of each what it returned and what
 * the two descriptors were. 32-bit calls too, where the kernel has them.
 */
#include "workload.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define MEMORY -2

static int copies;

static void say_path(const char *key, int fd)
{
	char link[64], path[PATH_MAX] = "";
	ssize_t length = 0;

	if (fd == MEMORY)
		return;
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, sizeof(path) - 1);
		require(length > 0, link);
	}
	path[length] = 0;
	printf("%d.%s=%s\n", copies, key, path);
}

static void said(long ret, int source, int target)
{
	ret = ret < 0 ? -errno : ret;
	printf("%d.ret=%ld\n", copies, ret);
	say_path("source", source);
	say_path("target", target);
	copies++;
}

#ifdef __x86_64__
/* sendfile, sendfile64, copy_file_range, splice, tee and vmsplice of arch/x86/entry/syscalls/syscall_32.tbl. */
static long int80(long nr, long first, long second, long third, long fourth, long fifth)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(nr), "b"(first), "c"(second), "d"(third), "S"(fourth), "D"(fifth)
		     : "r8", "r9", "r10", "r11", "memory");
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : ret;
}

static void finish(int signal_number)
{
	(void)signal_number;
	printf("copies=%d\n", copies);
	fflush(stdout);
	_exit(0);
}

static void calls_of_32_bits(int from, int to, const int pipe_ends[2])
{
	signal(SIGSEGV, finish);
	lseek(from, 0, SEEK_SET);
	said(int80(187, to, from, 0, 2, 0), from, to);
	said(int80(239, to, from, 0, 3, 0), from, to);
	said(int80(313, from, 0, pipe_ends[1], 0, 4), from, pipe_ends[1]);
	said(int80(377, 99, 0, to, 0, 4), -1, to);
	said(int80(315, pipe_ends[0], pipe_ends[0], 1, 0, 0), pipe_ends[0], pipe_ends[0]);
}
#endif

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	struct file_clone_range range = {.src_length = 4096};
	struct iovec out = {"memory", 6}, in = {(char[4]){0}, 4};
	int from, to, one[2], two[2];

	if (argc < 2)
		usage("FOLDER");
	buffer_stdout();
	require(chdir(argv[1]) == 0, argv[1]);
	from = open("from", O_RDWR | O_CREAT | O_TRUNC, 0600);
	to = open("to", O_RDWR | O_CREAT | O_TRUNC, 0600);
	require(from >= 0 && to >= 0 && pipe(one) == 0 && pipe(two) == 0, "files and pipes");
	require(write(from, "0123456789", 10) == 10 && lseek(from, 0, SEEK_SET) == 0, "the source");
	announce_streams();
	if (wait)
		wait_for_line();

	said(sendfile(to, from, NULL, 3), from, to);
	said(copy_file_range(from, NULL, to, NULL, 2, 0), from, to);
	said(splice(from, NULL, one[1], NULL, 5, 0), from, one[1]);
	said(tee(one[0], two[1], 4, 0), one[0], two[1]);
	said(vmsplice(two[1], &out, 1, 0), MEMORY, two[1]);
	said(vmsplice(one[0], &in, 1, 0), one[0], MEMORY);
	said(sendfile(to, from, NULL, 3), from, to); /* the end: 0 */
	said(sendfile(99, from, NULL, 3), from, -1);
	said(splice(from, NULL, to, NULL, 3, 0), from, to); /* no pipe: EINVAL */
	/* Files of different file systems cannot be one another's reflink: EXDEV; of most others neither: EOPNOTSUPP.
	 */
	said(ioctl(to, FICLONE, from), from, to);
	range.src_fd = from;
	said(ioctl(to, FICLONERANGE, &range), from, to);
	said(ioctl(to, FICLONERANGE, (void *)8), -1, to); /* EFAULT */
	ioctl(one[0], FIONREAD, in.iov_base);		  /* no copy */
#ifdef __x86_64__
	calls_of_32_bits(from, to, one);
	finish(0);
#else
	printf("copies=%d\n", copies);
#endif
	return 0;
}
