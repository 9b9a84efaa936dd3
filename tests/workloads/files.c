/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Opens, reads and writes files of every kind that has a path worth asking for, below a folder of its own. It says of
 * each operation what it was, what it returned, and the path as /proc/self/fd has it. Needs root: it mounts.
 */
#include "workload.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

static int operations;

static void path_of(int fd, char *path)
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, PATH_MAX - 1);
	require(length > 0, link);
	path[length] = 0;
}

static void said(const char *op, long ret, const char *path)
{
	printf("%d.op=%s\n%d.ret=%ld\n%d.path=%s\n", operations, op, operations, ret, operations, path);
	operations++;
}

static long done(const char *op, int fd, long ret)
{
	char path[PATH_MAX];

	require(ret >= 0, op);
	path_of(fd, path);
	said(op, ret, path);
	return ret;
}

static int opened(int fd)
{
	return (int)done("open", fd, fd);
}

static void failed(long ret, int error, const char *path)
{
	require(ret == -1 && errno == error, path);
	said("open", -error, path);
}

static void put(int fd, const char *text)
{
	done("write", fd, write(fd, text, strlen(text)));
}

static void take(int fd, size_t size)
{
	char buffer[256];

	done("read", fd, read(fd, buffer, size));
}

static void make(const char *folder)
{
	require(mkdir(folder, 0755) == 0, folder);
}

static void every_call(const char *folder)
{
	struct open_how how = {.flags = O_RDWR};
	char one[4], two[4];
	struct iovec to[] = {{one, 2}, {two, 3}}, from[] = {{"ab", 2}, {"cde", 3}};
	int at = opened(open(folder, O_RDONLY | O_DIRECTORY));
	int fd = opened(syscall(SYS_openat, at, "plain", O_CREAT | O_RDWR, 0644));

	put(fd, "0123456789");
	done("write", fd, pwrite(fd, "xyz", 3, 2));
	done("write", fd, writev(fd, from, 2));
	done("write", fd, pwritev(fd, from, 2, 0));
	done("write", fd, pwritev2(fd, from, 2, 0, 0));
	done("read", fd, pread(fd, one, 4, 0));
	done("read", fd, preadv(fd, to, 2, 0));
	done("read", fd, preadv2(fd, to, 2, 0, 0));
	lseek(fd, 0, SEEK_SET);
	take(fd, 4);
	done("read", fd, readv(fd, to, 2));
	lseek(fd, 0, SEEK_END);
	take(fd, 4); /* the end: 0 */
	close(fd);
#ifdef SYS_open
	close(opened(syscall(SYS_open, "plain", O_RDONLY)));
	close(opened(syscall(SYS_creat, "created", 0600)));
#endif
	fd = syscall(SYS_openat2, at, "plain", &how, sizeof(how));
	close(opened(fd));
	close(at);
}

static void failures(const char *folder)
{
	char path[PATH_MAX];
	int at = opened(open(folder, O_RDONLY | O_DIRECTORY));

	snprintf(path, sizeof(path), "%s/missing", folder);
	failed(open(path, O_RDONLY), ENOENT, path);
	failed(open("missing", O_RDONLY), ENOENT, path);
	failed(openat(at, "missing", O_RDONLY), ENOENT, path);
	failed(open("/", O_WRONLY), EISDIR, "/");
	close(at);
}

static void without_a_place(void)
{
	int ends[2], fd;

	require(pipe(ends) == 0, "pipe");
	put(ends[1], "pipe");
	take(ends[0], 9);
	require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
	put(ends[0], "sock");
	take(ends[1], 9);
	fd = memfd_create("memory", 0);
	put(fd, "in memory");
	fd = eventfd(1, 0);
	take(fd, 8);
	fd = opened(open("gone", O_CREAT | O_RDWR, 0600));
	unlink("gone");
	put(fd, "still here");
	close(fd);
}

static void mounts(void)
{
	make("real");
	make("bound");
	make("layers");
	make("merged");
	require(mount("real", "bound", NULL, MS_BIND, NULL) == 0, "bind mount");
	close(opened(open("bound/file", O_CREAT | O_RDWR, 0600)));

	require(mount("tmpfs", "layers", "tmpfs", 0, NULL) == 0, "tmpfs");
	make("layers/lower");
	make("layers/upper");
	make("layers/work");
	if (mount("overlay", "merged", "overlay", 0,
		  "lowerdir=layers/lower,upperdir=layers/upper,workdir=layers/work") == 0) {
		int fd = opened(open("merged/file", O_CREAT | O_RDWR, 0600));

		put(fd, "overlay");
		lseek(fd, 0, SEEK_SET);
		take(fd, 9);
		close(fd);
		printf("overlay=1\n");
	}
}

static void long_names(void)
{
	char name[256], path[PATH_MAX];
	int fd;

	memset(name, 'n', 255);
	name[255] = 0;
	fd = opened(open(name, O_CREAT | O_RDWR, 0600));
	put(fd, "long");
	close(fd);

	/* Folders of two bytes with their slash: as many components as a path can have, and then one that is over. */
	require(getcwd(path, sizeof(path)) != NULL, "getcwd");
	for (size_t length = strlen(path); length < 4000; length += 2) {
		make("d");
		require(chdir("d") == 0, "chdir");
	}
	fd = opened(open("leaf", O_CREAT | O_RDWR, 0600));
	put(fd, "deep");
	close(fd);
	for (int i = 0; i < 60; i++) {
		make("e");
		require(chdir("e") == 0, "chdir");
	}
	fd = open("too-deep", O_CREAT | O_RDWR, 0600);
	require(fd >= 0 && write(fd, "x", 1) == 1, "too-deep");
	close(fd);
}

static void in_chroot(const char *folder)
{
	char path[PATH_MAX];
	int fd;

	require(chdir(folder) == 0, "chdir");
	make("jail");
	require(chroot("jail") == 0 && chdir("/") == 0, "chroot");
	fd = open("/inside", O_CREAT | O_RDWR, 0600);
	require(fd >= 0, "inside");
	snprintf(path, sizeof(path), "%s/jail/inside", folder);
	said("open", fd, path);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);

	if (argc < 2)
		usage("FOLDER");
	buffer_stdout();
	setvbuf(stdout, malloc(1 << 20), _IOFBF, 1 << 20);
	/* What is mounted from here on nobody else sees, and it goes away with the process, and all the files with it.
	 */
	require(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
		"a mount namespace");
	require(mount("tmpfs", argv[1], "tmpfs", 0, NULL) == 0 && chdir(argv[1]) == 0, argv[1]);
	announce_streams();
	if (wait)
		wait_for_line();

	every_call(argv[1]);
	failures(argv[1]);
	without_a_place();
	mounts();
	long_names();
	in_chroot(argv[1]);
	printf("operations=%d\n", operations);
	return 0;
}
