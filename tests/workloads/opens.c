// SPDX-License-Identifier: GPL-3.0-only
/*
 * Opens whose names are hard to tell: bad pointers, names too long, roots that are not the system's, files without a
 * place, and calls that seccomp(2) refuses. It says of each what it returned and the path that it meant. Needs root.
 */
#include "workload.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int operations;

static void said(const char *op, long ret, const char *path, bool truncated, bool deleted)
{
	printf("%d.op=%s\n%d.ret=%ld\n%d.path=%s\n", operations, op, operations, ret, operations, path);
	printf("%d.truncated=%s\n%d.deleted=%s\n", operations, truncated ? "true" : "false", operations,
	       deleted ? "true" : "false");
	operations++;
}

static void failed(const char *op, long ret, int error, const char *path)
{
	require(ret == -1 && errno == error, path);
	said(op, -error, path, false, false);
}

/* The path as /proc/self/fd has it. */
static void done(const char *op, int fd, long ret, bool deleted)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	require(length > 0, link);
	path[length] = 0;
	said(op, ret < 0 ? -errno : ret, path, false, deleted);
}

static void bad_names(const char *folder)
{
	static char name[5001], path[PATH_MAX + 1];
	int length = snprintf(path, sizeof(path), "%s/", folder);

	failed("open", syscall(SYS_openat, AT_FDCWD, (char *)1, O_RDONLY), EFAULT, "");
	failed("open", open("", O_RDONLY), ENOENT, "");
	failed("open", openat(777, "relative", O_RDONLY), EBADF, "relative");

	memset(name, 'a', 5000);
	require(open(name, O_RDONLY) == -1 && errno == ENAMETOOLONG, "5000 bytes");
	memset(path + length, 'a', PATH_MAX - length);
	said("open", -ENAMETOOLONG, path, true, false);

	/* The longest name that there is. */
	for (int i = 0; i < PATH_MAX - 1; i++)
		name[i] = i % 2 ? 'a' : '/';
	name[PATH_MAX - 1] = 0;
	failed("open", open(name, O_RDONLY), ENOENT, name);
}

static void without_a_place(void)
{
	char byte;
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	done("open", fd, fd, false);
	fd = syscall(SYS_pidfd_open, getpid(), 0);
	require(fd >= 0, "pidfd");
	done("read", fd, read(fd, &byte, 1), false); /* EINVAL */
	fd = memfd_create("my memory", 0);
	done("write", fd, write(fd, "x", 1), true);
}

static void deleted(void)
{
	int fd = open("gone", O_RDWR | O_CREAT, 0600);

	done("open", fd, fd, false);
	unlink("gone");
	done("write", fd, write(fd, "x", 1), true);
	fd = open("gone (deleted)", O_RDWR | O_CREAT, 0600);
	done("open", fd, fd, false);
}

static void other_roots(const char *folder)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
	char path[PATH_MAX];
	int jail;

	require(mkdir("jail", 0700) == 0 || errno == EEXIST, "jail");
	jail = open("jail", O_PATH);
	done("open", jail, jail, false);
	snprintf(path, sizeof(path), "%s/jail/in-root", folder);
	failed("open", syscall(SYS_openat2, jail, "/in-root", &how, sizeof(how)), ENOENT, path);
	snprintf(path, sizeof(path), "%s/jail/up", folder);
	failed("open", syscall(SYS_openat2, jail, "../../up", &how, sizeof(how)), ENOENT, path);
	snprintf(path, sizeof(path), "%s/jail/in/../up", folder);
	failed("open", syscall(SYS_openat2, jail, "/../in/../up", &how, sizeof(how)), ENOENT, path);
	how.resolve = RESOLVE_BENEATH;
	snprintf(path, sizeof(path), "%s/jail/../beneath", folder);
	failed("open", syscall(SYS_openat2, jail, "../beneath", &how, sizeof(how)), EXDEV, path);
	failed("open", syscall(SYS_openat2, jail, "/beneath", &how, sizeof(how)), EXDEV, "/beneath");
	snprintf(path, sizeof(path), "%s/jail/below", folder);
	failed("open", syscall(SYS_openat2, jail, "below", &how, sizeof(how)), ENOENT, path);

	require(chroot("jail") == 0 && chdir("/") == 0, "chroot");
	snprintf(path, sizeof(path), "%s/jail/absolute", folder);
	failed("open", open("/absolute", O_RDONLY), ENOENT, path);
	snprintf(path, sizeof(path), "%s/jail/relative", folder);
	failed("open", open("relative", O_RDONLY), ENOENT, path);

	/* ".." at the root is the root, wherever the name comes to it. */
	snprintf(path, sizeof(path), "%s/jail/up", folder);
	failed("open", open("../up", O_RDONLY), ENOENT, path);
	failed("open", open("/.././/../up", O_RDONLY), ENOENT, path);
	require((mkdir("in", 0700) == 0 || errno == EEXIST) && chdir("in") == 0, "in");
	failed("open", open("../../up", O_RDONLY), ENOENT, path);
	failed("open", open("./../in/../../up", O_RDONLY), ENOENT, path);
	snprintf(path, sizeof(path), "%s/jail/in/.../../up", folder);
	failed("open", open(".../../up", O_RDONLY), ENOENT, path);
	snprintf(path, sizeof(path), "%s/jail/in/../up", folder);
	failed("open", open("../up", O_RDONLY), ENOENT, path);
	snprintf(path, sizeof(path), "%s/jail", folder);
	failed("open", open("../..", O_RDWR), EISDIR, path);
}

#define REFUSE(call, answer) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, answer)

static void ignore(int signal_number)
{
	(void)signal_number;
}

static void refused(const char *folder)
{
	static struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    REFUSE(openat2, SECCOMP_RET_ERRNO | EPERM),
	    REFUSE(preadv2, SECCOMP_RET_ERRNO | EACCES),
	    REFUSE(openat, SECCOMP_RET_ERRNO | 0),
	    REFUSE(sendfile, SECCOMP_RET_TRACE),
	    REFUSE(open_by_handle_at, SECCOMP_RET_TRAP),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	struct open_how how = {.flags = O_RDONLY};
	char path[PATH_MAX], name[] = "/refused", byte;
	struct iovec to = {&byte, 1};
	int fd = open("/file", O_RDWR | O_CREAT, 0600);

	require(fd >= 0, "file");
	snprintf(path, sizeof(path), "%s/jail/file", folder);
	said("open", fd, path, false, false);
	signal(SIGSYS, ignore);
	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
		"seccomp");
	snprintf(path, sizeof(path), "%s/jail/refused", folder);
	failed("open", syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how)), EPERM, path);
	/* Returns 0, and nothing was opened. */
	require(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY) == 0, "openat");
	said("open", 0, path, false, false);
	snprintf(path, sizeof(path), "%s/jail/file", folder);
	failed("read", preadv2(fd, &to, 1, 0, 0), EACCES, path);
	failed("copy", syscall(SYS_sendfile, fd, fd, NULL, 1), ENOSYS, path);
	syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0);
	printf("trapped=%d\n", operations);
	said("open", 0, "", false, false);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);

	if (argc < 2)
		usage("FOLDER");
	buffer_stdout();
	setvbuf(stdout, malloc(1 << 17), _IOFBF, 1 << 17);
	require(chdir(argv[1]) == 0, argv[1]);
	announce_streams();
	if (wait)
		wait_for_line();

	bad_names(argv[1]);
	deleted();
	without_a_place();
	other_roots(argv[1]);
	refused(argv[1]);
	printf("operations=%d\n", operations);
	return 0;
}
