/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes every system call on files with valid, invalid and unusual arguments, raw, in an order that never changes, in a
 * folder of its own. The decoders of --args are compared with strace on it.
 */
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#define BAD	  ((void *)1)
#define GONE	  ((void *)0xfffffffffffff000)
#define call(...) syscall(__VA_ARGS__)

static char buffer[4096];
static const char long_text[] = "0123456789abcdefghijklmnopqrstuvwxyz\n\t\001\"\\\377end";

static void opens(void)
{
	struct open_how how = {.flags = O_RDWR | O_CREAT, .mode = 0600, .resolve = 8 /* RESOLVE_BENEATH */};
	char long_path[600];
	int fd;

	memset(long_path, 'p', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = 0;
	fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	call(SYS_write, fd, long_text, sizeof(long_text));
	call(SYS_close, fd);
	call(SYS_close, call(SYS_open, "a", O_RDONLY));
	call(SYS_close, call(SYS_open, "b", O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0640));
	call(SYS_close, call(SYS_creat, "c", 04755));
	call(SYS_open, "none", O_RDWR | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW);
	call(SYS_open, NULL, O_RDONLY);
	call(SYS_open, BAD, O_PATH);
	call(SYS_open, long_path, O_RDONLY);
	call(SYS_open, "a", 3 | 0x80000000);
	call(SYS_openat, -1, "x", O_WRONLY | O_SYNC | O_DSYNC, 0);
	call(SYS_openat, 1234, "x", O_TMPFILE | O_RDWR, 0600);
	call(SYS_close, call(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600));
	call(SYS_openat, AT_FDCWD, "", O_RDONLY);
	call(SYS_openat, AT_FDCWD, "\001\002\"\\", O_RDONLY);
	call(SYS_close, call(SYS_openat2, AT_FDCWD, "a", &how, sizeof(how)));
	how.flags = O_RDONLY;
	how.mode = 0;
	how.resolve = 0x80;
	call(SYS_openat2, AT_FDCWD, "a", &how, sizeof(how));
	call(SYS_openat2, AT_FDCWD, "a", NULL, sizeof(how));
	call(SYS_openat2, AT_FDCWD, "a", BAD, sizeof(how));
	call(SYS_openat2, AT_FDCWD, "a", &how, 8);
	call(SYS_close, -1);
	call(SYS_close, 1234);
	call(SYS_close_range, 100, 200, 0);
	call(SYS_close_range, 100, ~0U, 4);
	call(SYS_close_range, 200, 100, 0x12);
}

static void reads(void)
{
	struct iovec parts[3] = {{buffer, 4}, {buffer + 100, 60}, {NULL, 0}}, bad = {BAD, 5};
	int fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR);

	call(SYS_read, fd, buffer, 8);
	call(SYS_read, fd, buffer, sizeof(buffer));
	call(SYS_read, fd, buffer, sizeof(buffer));
	call(SYS_read, fd, buffer, 0);
	call(SYS_read, fd, NULL, 10);
	call(SYS_read, fd, BAD, 10);
	call(SYS_read, -1, buffer, 10);
	call(SYS_write, -1, "abc", 3);
	call(SYS_write, fd, NULL, 0);
	call(SYS_write, fd, "", 0);
	call(SYS_write, fd, BAD, 3);
	call(SYS_pread64, fd, buffer, 5, 3L);
	call(SYS_pread64, fd, buffer, 5, -3L);
	call(SYS_pread64, fd, buffer, 33, 0L);
	call(SYS_pwrite64, fd, "hello", 5, 100L);
	call(SYS_pwrite64, fd, "hello", 5, -1L);
	call(SYS_lseek, fd, 0L, SEEK_SET);
	call(SYS_lseek, fd, -4L, SEEK_END);
	call(SYS_lseek, fd, 4L, SEEK_DATA);
	call(SYS_lseek, fd, 4L, 77);
	call(SYS_lseek, fd, 0L, SEEK_SET);
	call(SYS_readv, fd, parts, 3L);
	call(SYS_readv, fd, parts, 0L);
	call(SYS_readv, fd, &bad, 1L);
	call(SYS_readv, fd, NULL, 1L);
	call(SYS_readv, fd, BAD, 2L);
	call(SYS_readv, fd, parts, -1L);
	call(SYS_writev, fd, parts, 3L);
	call(SYS_writev, fd, &bad, 1L);
	call(SYS_writev, -1, parts, 2L);
	call(SYS_writev, fd, NULL, 0L);
	call(SYS_preadv, fd, parts, 2L, 1L, 0L);
	call(SYS_pwritev, fd, parts, 2L, 1L, 0L);
	call(SYS_preadv2, fd, parts, 2L, -1L, -1L, 0x8);
	call(SYS_preadv2, fd, parts, 2L, 0L, 0L, 0x80000000);
	call(SYS_pwritev2, fd, parts, 2L, 5L, 0L, 0x12);
	call(SYS_close, fd);
}

static void stats(void)
{
	struct stat_buffer {
		char bytes[256];
	} stat;
	struct statx statx;
	int fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR);

	call(SYS_stat, "a", &stat);
	call(SYS_stat, "/dev/null", &stat);
	call(SYS_stat, "none", &stat);
	call(SYS_stat, "a", NULL);
	call(SYS_stat, "a", BAD);
	call(SYS_lstat, "link", &stat);
	call(SYS_lstat, "/proc/self/exe", &stat);
	call(SYS_fstat, fd, &stat);
	call(SYS_fstat, 0, &stat);
	call(SYS_fstat, -1, &stat);
	call(SYS_newfstatat, AT_FDCWD, "a", &stat, 0);
	call(SYS_newfstatat, AT_FDCWD, ".", &stat, AT_SYMLINK_NOFOLLOW);
	call(SYS_newfstatat, fd, "", &stat, AT_EMPTY_PATH);
	call(SYS_newfstatat, AT_FDCWD, "a", &stat, 0x40000001);
	call(SYS_statx, AT_FDCWD, "a", AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS, &statx);
	call(SYS_statx, AT_FDCWD, "a", AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_ALL | STATX_BTIME | STATX_MNT_ID,
	     &statx);
	call(SYS_statx, AT_FDCWD, "/dev/null", 0, STATX_MODE, &statx);
	call(SYS_statx, fd, "", AT_EMPTY_PATH, 0x80000000U, &statx);
	call(SYS_statx, fd, NULL, 0, 0, NULL);
	call(SYS_access, "a", F_OK);
	call(SYS_access, "a", R_OK | W_OK | X_OK);
	call(SYS_access, "none", 8);
	call(SYS_faccessat, AT_FDCWD, "a", R_OK);
	call(SYS_faccessat, -1, "a", R_OK);
	call(SYS_faccessat2, AT_FDCWD, "a", W_OK, AT_EACCESS);
	call(SYS_faccessat2, AT_FDCWD, "a", W_OK, 0x1);
	call(SYS_close, fd);
}

static void names(void)
{
	int fd;

	call(SYS_symlink, "a", "link");
	call(SYS_symlink, NULL, BAD);
	call(SYS_symlinkat, long_text, AT_FDCWD, "link2");
	call(SYS_readlink, "link", buffer, sizeof(buffer));
	call(SYS_readlink, "link2", buffer, sizeof(buffer));
	call(SYS_readlink, "link2", buffer, 3);
	call(SYS_readlink, "none", buffer, 3);
	call(SYS_readlink, "a", buffer, 100);
	call(SYS_readlinkat, AT_FDCWD, "link", buffer, 100);
	call(SYS_readlinkat, AT_FDCWD, "link", NULL, 100);
	call(SYS_rename, "b", "b2");
	call(SYS_renameat, AT_FDCWD, "b2", AT_FDCWD, "b");
	call(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "a", 1);
	call(SYS_renameat2, AT_FDCWD, "b", 99, "a", 0x10);
	call(SYS_rename, NULL, "b2");
	call(SYS_link, "a", "hard");
	call(SYS_linkat, AT_FDCWD, "a", AT_FDCWD, "hard2", 0);
	call(SYS_linkat, AT_FDCWD, "a", AT_FDCWD, "hard2", AT_SYMLINK_FOLLOW | AT_EMPTY_PATH);
	call(SYS_linkat, AT_FDCWD, "a", AT_FDCWD, "hard2", 0x8000);
	call(SYS_unlink, "hard");
	call(SYS_unlinkat, AT_FDCWD, "hard2", 0);
	call(SYS_unlinkat, AT_FDCWD, "none", AT_REMOVEDIR);
	call(SYS_unlinkat, AT_FDCWD, "none", 0x4);
	call(SYS_mkdir, "dir", 0755);
	call(SYS_mkdirat, AT_FDCWD, "dir/sub", 01777);
	call(SYS_mkdir, "dir", 0);
	call(SYS_rmdir, "dir/sub");
	call(SYS_rmdir, "none");
	call(SYS_mknod, "fifo", 0010644, 0);
	call(SYS_mknod, "fifo", 0644, 0);
	call(SYS_mknodat, AT_FDCWD, "char", 0020600, 0x103);
	call(SYS_mknodat, AT_FDCWD, "block", 0060600, 0x12345678);
	call(SYS_mknodat, AT_FDCWD, "odd", 0150600, 1);
	call(SYS_unlink, "char");
	call(SYS_unlink, "block");
	call(SYS_chmod, "a", 0600);
	call(SYS_chmod, "a", 07777);
	call(SYS_chmod, "a", 0100644);
	fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR);
	call(SYS_fchmod, fd, 0);
	call(SYS_fchmod, fd, 0644);
	call(SYS_fchmodat, AT_FDCWD, "a", 0640);
	call(452 /* fchmodat2 */, AT_FDCWD, "a", 0644, AT_SYMLINK_NOFOLLOW);
	call(452, AT_FDCWD, "a", 0644, 0x8);
	call(SYS_chown, "a", 0, 0);
	call(SYS_chown, "none", -1, -1);
	call(SYS_lchown, "a", 1000, -1);
	call(SYS_fchown, fd, 0, 0);
	call(SYS_fchownat, AT_FDCWD, "a", 0, 0, AT_SYMLINK_NOFOLLOW);
	call(SYS_fchownat, AT_FDCWD, "a", 0, 0, 0);
	call(SYS_truncate, "a", 100L);
	call(SYS_truncate, "a", -1L);
	call(SYS_ftruncate, fd, 200L);
	call(SYS_ftruncate, -1, 1L);
	call(SYS_fallocate, fd, 0, 0L, 300L);
	call(SYS_fallocate, fd, 1, 0L, 300L);
	call(SYS_fallocate, fd, 3, 0L, 3L);
	call(SYS_fallocate, fd, 0x10000, 0L, 3L);
	call(SYS_umask, 022);
	call(SYS_umask, 0);
	call(SYS_umask, 022);
	call(SYS_chdir, "dir");
	call(SYS_chdir, "..");
	call(SYS_chdir, "none");
	call(SYS_fchdir, fd);
	call(SYS_chroot, "none");
	call(SYS_getcwd, buffer, sizeof(buffer));
	call(SYS_getcwd, buffer, 1L);
	call(SYS_getcwd, NULL, 10L);
	call(SYS_close, fd);
}

static void times(void)
{
	struct utimbuf old = {1000000000, 1000000001};
	struct timeval micro[2] = {{1000000000, 5}, {1000000001, 999999}};
	struct timespec nano[2] = {{1000000000, 7}, {0, UTIME_OMIT}};
	struct timespec now[2] = {{0, UTIME_NOW}, {5, 1000000000}};

	call(SYS_utime, "a", &old);
	call(SYS_utime, "a", NULL);
	call(SYS_utime, "a", BAD);
	call(SYS_utimes, "a", micro);
	call(SYS_utimes, "a", NULL);
	call(SYS_futimesat, AT_FDCWD, "a", micro);
	micro[0].tv_usec = 1000000;
	call(SYS_futimesat, AT_FDCWD, "a", micro);
	call(SYS_utimensat, AT_FDCWD, "a", nano, 0);
	call(SYS_utimensat, AT_FDCWD, "a", now, AT_SYMLINK_NOFOLLOW);
	call(SYS_utimensat, AT_FDCWD, "a", NULL, 0);
	call(SYS_utimensat, 0, NULL, NULL, 0x2);
	call(SYS_utimensat, AT_FDCWD, "a", BAD, 0);
}

static void descriptors(void)
{
	struct flock lock = {F_WRLCK, SEEK_SET, 0, 10, 0};
	struct {
		int type;
		int pid;
	} owner = {1, 0};
	uint64_t hint = 2;
	int pipes[2], fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR | O_APPEND);

	call(SYS_dup, fd);
	call(SYS_dup, -1);
	call(SYS_dup2, fd, 20);
	call(SYS_dup2, fd, -1);
	call(SYS_dup3, fd, 21, O_CLOEXEC);
	call(SYS_dup3, fd, 21, 1);
	call(SYS_pipe, pipes);
	call(SYS_close, pipes[0]);
	call(SYS_close, pipes[1]);
	call(SYS_pipe2, pipes, O_CLOEXEC | O_NONBLOCK);
	call(SYS_pipe2, NULL, 0);
	call(SYS_pipe2, BAD, 0x1);
	call(SYS_fcntl, fd, F_GETFD);
	call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
	call(SYS_fcntl, fd, F_GETFD);
	call(SYS_fcntl, fd, F_SETFD, 0);
	call(SYS_fcntl, fd, F_SETFD, 6);
	call(SYS_fcntl, fd, F_GETFL);
	call(SYS_fcntl, pipes[0], F_GETFL);
	call(SYS_fcntl, fd, F_SETFL, O_RDONLY | O_NONBLOCK);
	call(SYS_fcntl, fd, F_DUPFD, 30);
	call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 31);
	call(SYS_fcntl, -1, F_GETFD);
	call(SYS_fcntl, fd, F_SETLK, &lock);
	call(SYS_fcntl, fd, F_GETLK, &lock);
	lock.l_type = F_UNLCK;
	lock.l_whence = SEEK_END;
	call(SYS_fcntl, fd, F_SETLKW, &lock);
	lock.l_type = F_RDLCK;
	lock.l_whence = 0;
	call(SYS_fcntl, fd, F_OFD_SETLK, &lock);
	call(SYS_fcntl, fd, F_OFD_GETLK, &lock);
	call(SYS_fcntl, fd, F_SETLK, NULL);
	call(SYS_fcntl, fd, F_GETLK, BAD);
	call(SYS_fcntl, fd, F_SETOWN, 0);
	call(SYS_fcntl, fd, F_GETOWN);
	call(SYS_fcntl, fd, F_SETSIG, SIGUSR1);
	call(SYS_fcntl, fd, F_GETSIG);
	call(SYS_fcntl, fd, F_SETSIG, 0);
	call(SYS_fcntl, fd, F_GETSIG);
	call(SYS_fcntl, fd, F_SETOWN_EX, &owner);
	call(SYS_fcntl, fd, F_GETOWN_EX, &owner);
	call(SYS_fcntl, fd, F_SETLEASE, F_UNLCK);
	call(SYS_fcntl, fd, F_GETLEASE);
	call(SYS_fcntl, fd, F_NOTIFY, 0x80000001);
	call(SYS_fcntl, pipes[0], F_GETPIPE_SZ);
	call(SYS_fcntl, pipes[0], F_SETPIPE_SZ, 4096);
	call(SYS_fcntl, fd, F_GET_RW_HINT, &hint);
	call(SYS_fcntl, fd, F_SET_RW_HINT, &hint);
	call(SYS_fcntl, fd, F_ADD_SEALS, 3);
	call(SYS_fcntl, fd, F_GET_SEALS);
	call(SYS_fcntl, fd, 0x7777, 5);
	call(SYS_flock, fd, 2);
	call(SYS_flock, fd, 8 | 4);
	call(SYS_flock, fd, 0x40);
	call(SYS_fsync, fd);
	call(SYS_fdatasync, fd);
	call(SYS_fsync, -1);
	call(SYS_syncfs, -1);
	call(SYS_sync_file_range, fd, 0L, 10L, 7);
	call(SYS_sync_file_range, fd, 0L, 10L, 0x18);
	call(SYS_fadvise64, fd, 0L, 10L, 3);
	call(SYS_fadvise64, fd, 0L, 10L, 33);
	call(SYS_readahead, fd, 0L, 10L);
	call(SYS_close, fd);
	call(SYS_close_range, 3, 40, 0);
}

static void copies(void)
{
	struct iovec part = {(void *)long_text, 5};
	loff_t at = 2, to = 3;
	int pipes[2], in = call(SYS_openat, AT_FDCWD, "a", O_RDONLY), out = call(SYS_openat, AT_FDCWD, "b", O_RDWR);

	call(SYS_sendfile, out, in, NULL, 5L);
	call(SYS_sendfile, out, in, &at, 5L);
	call(SYS_sendfile, out, -1, &at, 5L);
	call(SYS_sendfile, out, in, BAD, 5L);
	call(SYS_copy_file_range, in, &at, out, &to, 4L, 0);
	call(SYS_copy_file_range, in, NULL, out, NULL, 4L, 1);
	call(SYS_pipe, pipes);
	call(SYS_splice, in, &at, pipes[1], NULL, 4L, 3);
	call(SYS_splice, in, NULL, pipes[1], NULL, 4L, 0);
	call(SYS_splice, pipes[0], &at, pipes[1], BAD, 4L, 0x20);
	call(SYS_vmsplice, pipes[1], &part, 1L, 2);
	call(SYS_vmsplice, pipes[1], NULL, 0L, 0);
	call(SYS_vmsplice, -1, &part, 1L, 0);
	call(SYS_tee, pipes[0], pipes[0], 4L, 8);
	call(SYS_close_range, 3, 20, 0);
}

static void folders(void)
{
	int fd = call(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);

	call(SYS_getdents64, fd, buffer, 4096);
	call(SYS_getdents64, fd, buffer, 4096);
	call(SYS_lseek, fd, 0L, SEEK_SET);
	call(SYS_getdents, fd, buffer, 4096);
	call(SYS_getdents, fd, buffer, 4096);
	call(SYS_getdents64, fd, buffer, 1);
	call(SYS_getdents64, -1, buffer, 1);
	call(SYS_getdents64, fd, NULL, 4096);
	call(SYS_close, fd);
}

static void attributes(void)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args = {(uint64_t)buffer, 10, 0};
	int fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR);

	call(SYS_setxattr, "a", "trusted.x", "value", 5L, 0);
	call(SYS_setxattr, "a", "trusted.x", "value\1\2\3", 8L, XATTR_REPLACE);
	call(SYS_setxattr, "a", "trusted.x", NULL, 0L, XATTR_CREATE);
	call(SYS_setxattr, "a", "trusted.x", BAD, 8L, 0x10);
	call(SYS_lsetxattr, "a", "trusted.y", long_text, 40L, 0);
	call(SYS_fsetxattr, fd, "trusted.z", "value", 5L, 0);
	call(SYS_getxattr, "a", "trusted.x", buffer, 100L);
	call(SYS_getxattr, "a", "trusted.x", NULL, 0L);
	call(SYS_getxattr, "a", "trusted.x", buffer, 2L);
	call(SYS_getxattr, "a", "trusted.none", buffer, 100L);
	call(SYS_lgetxattr, "a", "trusted.y", buffer, 100L);
	call(SYS_fgetxattr, fd, "trusted.z", buffer, 100L);
	call(SYS_listxattr, "a", buffer, 100L);
	call(SYS_listxattr, "a", NULL, 0L);
	call(SYS_llistxattr, "a", buffer, 100L);
	call(SYS_flistxattr, fd, buffer, 100L);
	call(SYS_flistxattr, -1, buffer, 100L);
	call(SYS_removexattr, "a", "trusted.x");
	call(SYS_lremovexattr, "a", "trusted.y");
	call(SYS_fremovexattr, fd, "trusted.z");
	call(SYS_fremovexattr, fd, NULL);
	call(463 /* setxattrat */, AT_FDCWD, "a", 0, "trusted.w", &args, sizeof(args));
	call(464 /* getxattrat */, AT_FDCWD, "a", AT_SYMLINK_NOFOLLOW, "trusted.w", &args, sizeof(args));
	call(464, AT_FDCWD, "a", 0, "trusted.none", &args, sizeof(args));
	call(464, AT_FDCWD, "a", 0, "trusted.none", NULL, 4L);
	call(465 /* listxattrat */, AT_FDCWD, "a", 0, buffer, 100L);
	call(466 /* removexattrat */, AT_FDCWD, "a", 0, "trusted.w");
	call(SYS_close, fd);
}

static void mounts(void)
{
	struct {
		uint64_t set, clear, propagation, fd;
	} attr = {3, 4, 1 << 18, 0};
	struct {
		uint32_t size, spare;
		uint64_t id, param;
	} request = {24, 0, 1, 2};
	char statfs[256];
	int fd;

	call(SYS_statfs, "/proc", statfs);
	call(SYS_statfs, "none", statfs);
	call(SYS_statfs, "/proc", NULL);
	call(SYS_fstatfs, -1, statfs);
	call(SYS_mount, "none", "gone", "tmpfs", 0x1UL | 0x400, "size=1m");
	call(SYS_mount, NULL, "gone", NULL, 0x5000UL, NULL);
	call(SYS_mount, BAD, BAD, "x", 0xc0ed0001UL, BAD);
	call(SYS_umount2, "gone", 2);
	call(SYS_umount2, "gone", 0);
	call(SYS_umount2, "gone", 0x88);
	call(SYS_pivot_root, "gone", "gone2");
	fd = call(SYS_fsopen, "tmpfs", 1);
	call(SYS_fsconfig, fd, 1, "size", "1m", 0);
	call(SYS_fsconfig, fd, 0, "ro", NULL, 0);
	call(SYS_fsconfig, fd, 2, "blob", "abc", 3);
	call(SYS_fsconfig, fd, 3, "source", "a", AT_FDCWD);
	call(SYS_fsconfig, fd, 5, "fd", NULL, 0);
	call(SYS_fsconfig, fd, 99, "fd", "x", 1);
	call(SYS_fsconfig, fd, 6, NULL, NULL, 0);
	call(SYS_close, call(SYS_fsmount, fd, 1, 0xf));
	call(SYS_fsmount, -1, 0x10, 0x20);
	call(SYS_fsopen, "none", 0);
	call(SYS_fspick, AT_FDCWD, "gone", 1);
	call(SYS_fspick, -1, "gone", 0x20);
	call(SYS_move_mount, -1, "gone", AT_FDCWD, "x", 0x44);
	call(SYS_open_tree, AT_FDCWD, "gone", 0x80001);
	call(SYS_open_tree, AT_FDCWD, "gone", 0);
	call(SYS_mount_setattr, AT_FDCWD, "gone", AT_RECURSIVE, &attr, sizeof(attr));
	call(SYS_mount_setattr, AT_FDCWD, "gone", 0, NULL, sizeof(attr));
	call(SYS_mount_setattr, AT_FDCWD, "gone", 0, &attr, 8L);
	call(457 /* statmount */, &request, buffer, 512L, 0);
	call(457, NULL, buffer, 512L, 1);
	call(458 /* listmount */, &request, buffer, 2L, 0);
	call(458, NULL, NULL, 2L, 0);
	call(SYS_close, fd);
	call(SYS_quotactl, 0x80000700 /* Q_GETINFO, user */, "none", 0, buffer);
	call(SYS_quotactl, 0x80000201 /* Q_QUOTAON, group */, "none", 2, "path");
	call(SYS_quotactl, 0x80000100, NULL, 0, NULL);
	call(SYS_quotactl_fd, -1, 0x80000700, 0, buffer);
	call(SYS_quotactl_fd, -1, 0x80000800, 0, buffer);
}

static void watches(void)
{
	struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = 0x123456789}}, events[3];
	struct pollfd polls[2] = {{0, POLLIN | POLLPRI, 0}, {-1, POLLOUT, 0}};
	struct timespec none = {0, 0}, some = {0, 1000000};
	struct timeval none_tv = {0, 0}, some_tv = {0, 1000};
	uint64_t mask = 1 << (SIGUSR1 - 1), one = 1;
	struct {
		const void *mask;
		size_t size;
	} set = {&mask, 8};
	fd_set in, out;
	int fd, watch, pipes[2];

	fd = call(SYS_inotify_init1, IN_CLOEXEC | IN_NONBLOCK);
	watch = call(SYS_inotify_add_watch, fd, ".", IN_CREATE | IN_DELETE | IN_ONLYDIR);
	call(SYS_inotify_add_watch, fd, "none", IN_ALL_EVENTS);
	call(SYS_inotify_add_watch, fd, NULL, 0x40000000 | 0x100000);
	call(SYS_inotify_rm_watch, fd, watch);
	call(SYS_inotify_rm_watch, fd, 99);
	call(SYS_close, fd);
	call(SYS_close, call(SYS_inotify_init));
	fd = call(SYS_fanotify_init, 0x1 | 0x2, O_RDONLY);
	call(SYS_fanotify_init, 0x4, O_RDONLY | O_CLOEXEC);
	call(SYS_fanotify_mark, -1, 1, 0x20UL, AT_FDCWD, ".");
	call(SYS_fanotify_mark, -1, 0x102, 0x40000021UL, -1, NULL);
	call(SYS_close, fd);
	call(SYS_pipe, pipes);
	polls[0].fd = pipes[0];
	call(SYS_poll, polls, 2, 0);
	call(SYS_write, pipes[1], "x", 1);
	call(SYS_poll, polls, 2, -1);
	call(SYS_poll, polls, 0, 1);
	call(SYS_poll, NULL, 0, 0);
	call(SYS_poll, NULL, 2, 0);
	call(SYS_poll, BAD, 2, 0);
	call(SYS_ppoll, polls, 2, &none, NULL, 0L);
	call(SYS_ppoll, polls, 2, NULL, &mask, 8L);
	call(SYS_ppoll, polls, 0, &some, &mask, 8L);
	call(SYS_ppoll, polls, 2, BAD, NULL, 8L);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(pipes[0], &in);
	FD_SET(pipes[1], &out);
	call(SYS_select, 10, &in, &out, NULL, &none_tv);
	call(SYS_select, 10, &in, NULL, &out, NULL);
	FD_ZERO(&in);
	call(SYS_select, 10, &in, NULL, NULL, &some_tv);
	call(SYS_select, 0, NULL, NULL, NULL, &none_tv);
	call(SYS_select, -1, NULL, NULL, NULL, &none_tv);
	call(SYS_select, 4, BAD, NULL, NULL, &none_tv);
	FD_SET(pipes[0], &in);
	call(SYS_pselect6, 10, &in, NULL, NULL, &some, &set);
	call(SYS_pselect6, 0, NULL, NULL, NULL, &none, NULL);
	call(SYS_pselect6, 0, NULL, NULL, NULL, NULL, BAD);
	fd = call(SYS_epoll_create1, EPOLL_CLOEXEC);
	call(SYS_close, call(SYS_epoll_create, 10));
	call(SYS_epoll_create, 0);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, pipes[0], &event);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_MOD, pipes[0], &event);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, 99, &event);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, pipes[0], NULL);
	call(SYS_epoll_ctl, fd, 9, pipes[0], BAD);
	call(SYS_epoll_wait, fd, events, 3, 0);
	call(SYS_epoll_wait, fd, events, 3, 0);
	call(SYS_epoll_wait, fd, NULL, 0, 0);
	call(SYS_epoll_pwait, fd, events, 3, 0, &mask, 8L);
	call(SYS_epoll_pwait, fd, events, 3, 0, NULL, 8L);
	call(SYS_epoll_pwait2, fd, events, 3, &none, NULL, 8L);
	call(SYS_epoll_pwait2, fd, events, 3, BAD, &mask, 8L);
	call(SYS_epoll_ctl, fd, EPOLL_CTL_DEL, pipes[0], NULL);
	call(SYS_close, fd);
	call(SYS_close, call(SYS_eventfd, 5));
	fd = call(SYS_eventfd2, 5, 02000000 | 04000 | 1);
	call(SYS_write, fd, &one, 8);
	call(SYS_eventfd2, 5, 0x10);
	call(SYS_close, fd);
	fd = call(SYS_memfd_create, "memory", 3);
	call(SYS_fcntl, fd, F_ADD_SEALS, 7);
	call(SYS_fcntl, fd, F_GET_SEALS);
	call(SYS_memfd_create, NULL, 0);
	call(SYS_memfd_create, long_text, 0x100);
	call(SYS_close_range, 3, 40, 0);
}

static void requests(void)
{
	struct winsize size;
	struct termios termios;
	int number = 1, pipes[2], fd = call(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
	long flags = 0;

	call(SYS_ioctl, fd, TIOCGPTN, &number);
	number = 0;
	call(SYS_ioctl, fd, TIOCSPTLCK, &number);
	call(SYS_ioctl, fd, TCGETS, &termios);
	call(SYS_ioctl, fd, TCSETS, &termios);
	call(SYS_ioctl, fd, TCSETSW, &termios);
	call(SYS_ioctl, fd, TIOCGWINSZ, &size);
	call(SYS_ioctl, fd, TIOCSWINSZ, &size);
	call(SYS_ioctl, fd, TIOCGPGRP, &number);
	call(SYS_ioctl, fd, TIOCSPGRP, &number);
	call(SYS_ioctl, fd, TCSBRK, 0);
	call(SYS_ioctl, fd, TCFLSH, 2);
	call(SYS_ioctl, 0, TCGETS, &termios);
	call(SYS_ioctl, 0, TCGETS, NULL);
	call(SYS_ioctl, 0, TIOCGWINSZ, &size);
	call(SYS_close, fd);
	call(SYS_pipe, pipes);
	call(SYS_ioctl, pipes[0], FIONREAD, &number);
	call(SYS_ioctl, pipes[0], FIONREAD, BAD);
	call(SYS_ioctl, pipes[0], FIONBIO, &number);
	call(SYS_ioctl, pipes[0], FIOCLEX);
	call(SYS_ioctl, pipes[0], FIONCLEX);
	fd = call(SYS_openat, AT_FDCWD, "a", O_RDWR);
	call(SYS_ioctl, fd, FICLONE, pipes[0]);
	call(SYS_ioctl, fd, FS_IOC_GETFLAGS, &flags);
	call(SYS_ioctl, -1, FS_IOC_GETFLAGS, &flags);
	call(SYS_ioctl, fd, FIGETBSZ, &number);
	call(SYS_ioctl, fd, 0x12345678, 0x10);
	call(SYS_ioctl, -1, BLKGETSIZE64, &flags);
	call(SYS_close_range, 3, 40, 0);
}

static void handles(void)
{
	struct {
		uint32_t bytes;
		int type;
		unsigned char handle[128];
	} handle = {128, 0, {0}};
	int mount_id;

	call(SYS_name_to_handle_at, AT_FDCWD, "none", &handle, &mount_id, 0);
	handle.bytes = 0;
	call(SYS_name_to_handle_at, AT_FDCWD, "a", &handle, &mount_id, AT_SYMLINK_FOLLOW);
	handle.bytes = 128;
	call(SYS_name_to_handle_at, AT_FDCWD, "a", &handle, &mount_id, 0);
	call(SYS_open_by_handle_at, -1, &handle, O_RDONLY);
	call(SYS_open_by_handle_at, AT_FDCWD, NULL, O_RDONLY);
}

int main(void)
{
	static const char *const made[] = {"a", "b", "c", "link", "link2", "fifo", "odd"};
	static const char folder[] = "/tmp/calls-files";

	mkdir(folder, 0700);
	if (chdir(folder))
		return 1;
	opens();
	reads();
	stats();
	names();
	times();
	descriptors();
	copies();
	folders();
	attributes();
	mounts();
	watches();
	requests();
	handles();
	for (unsigned int name = 0; name < sizeof(made) / sizeof(*made); name++)
		unlink(made[name]);
	rmdir("dir");
	chdir("/");
	rmdir(folder);
	return 0;
}
