// SPDX-License-Identifier: GPL-3.0-only
/*
 * Does to files what can be done to them beside opening, reading, writing and copying, below a folder: by every call,
 * with names from all that they can be relative to, and failing. It says of each what Veil should. 32-bit calls too,
 * where the kernel has them.
 */
#include "workload.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* What an event says beside its operation and result. NULL and 0: it has none. */
struct said {
	const char *filename; /* below the folder; one that begins with a star as it is behind that */
	const char *target;
	const char *requested;
	const char *flags;
	long mode;
	long offset;
	long bytes;
};

static const char *folder;
static int operations;

static void say_path(const char *key, const char *path)
{
	if (path && *path == '*')
		printf("%d.%s=%s\n", operations, key, path + 1);
	else if (path)
		printf("%d.%s=%s%s%s\n", operations, key, folder, *path ? "/" : "", path);
}

static void say(const char *op, long ret, struct said said)
{
	printf("%d.op=%s\n%d.ret=%ld\n%d.bytes=%ld\n", operations, op, operations, ret < 0 ? -errno : ret, operations,
	       said.bytes);
	say_path("filename", said.filename);
	say_path("target", said.target);
	if (said.requested)
		printf("%d.requested=%s\n", operations, said.requested);
	if (said.flags)
		printf("%d.flags=%s\n", operations, said.flags);
	if (said.mode)
		printf("%d.mode=0%03lo\n", operations, said.mode);
	if (said.offset)
		printf("%d.offset=%ld\n", operations, said.offset);
	operations++;
}

#define SAY(op, ret, ...) say(op, ret, (struct said){__VA_ARGS__})

static void by_descriptor(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0640);
	void *map;
	struct stat info;
	char text[4];

	require(fd >= 0, "file");
	SAY("open", fd, .filename = "file", .requested = "file", .flags = "O_RDWR|O_CREAT|O_TRUNC", .mode = 0640);
	SAY("truncate", ftruncate(fd, 8192), .filename = "file", .bytes = 8192);
	SAY("write", pwrite(fd, "abcd", 4, 100), .filename = "file", .offset = 100, .bytes = 4);
	SAY("read", pread(fd, text, 4, 100), .filename = "file", .offset = 100, .bytes = 4);
	SAY("sync", fsync(fd), .filename = "file");
	SAY("sync", fdatasync(fd), .filename = "file");
	SAY("sync", sync_file_range(fd, 4096, 10, SYNC_FILE_RANGE_WRITE), .filename = "file", .offset = 4096,
	    .bytes = 10, .flags = "SYNC_FILE_RANGE_WRITE");
	SAY("stat", syscall(SYS_fstat, fd, &info), .filename = "file");
	SAY("stat", syscall(SYS_newfstatat, fd, "", &info, AT_EMPTY_PATH), .filename = "file", .requested = "",
	    .flags = "AT_EMPTY_PATH");
	SAY("chmod", fchmod(fd, 04711), .filename = "file", .mode = 04711);
	SAY("chown", fchown(fd, 0, 0), .filename = "file");
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);
	SAY("mmap", (long)map, .filename = "file", .offset = 4096, .bytes = 4096, .flags = "MAP_PRIVATE");
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* no file */
	require(map != MAP_FAILED, "memory");
	SAY("close", close(fd), .filename = "file");
	SAY("close", close(fd), .filename = "*");
	SAY("sync", fsync(fd), .filename = "*");
}

static void by_name(int at)
{
	char path[PATH_MAX];
	struct stat info;
	struct statx more;

	snprintf(path, sizeof(path), "%s/file", folder);
	SAY("stat", stat(path, &info), .filename = "file", .requested = path, .flags = "0");
	SAY("stat", fstatat(at, "./file", &info, AT_SYMLINK_NOFOLLOW), .filename = "file", .requested = "./file",
	    .flags = "AT_SYMLINK_NOFOLLOW");
	SAY("stat", syscall(SYS_statx, at, "file", 0, STATX_SIZE, &more), .filename = "file", .requested = "file",
	    .flags = "AT_STATX_SYNC_AS_STAT");
	SAY("truncate", truncate("file", 10), .filename = "file", .requested = "file", .bytes = 10);
	SAY("mkdir", syscall(SYS_mkdirat, at, "dir", 0750), .filename = "dir", .requested = "dir", .mode = 0750);
	SAY("mkdir", syscall(SYS_mkdirat, at, "dir//sub/", 0755), .filename = "dir/sub", .requested = "dir//sub/",
	    .mode = 0755);
	SAY("link", syscall(SYS_linkat, at, "file", AT_FDCWD, "dir/../dir/hard", 0), .filename = "file",
	    .target = "dir/hard", .requested = "file", .flags = "0");
	SAY("symlink", syscall(SYS_symlinkat, "../file", at, "dir/soft"), .filename = "*../file", .target = "dir/soft",
	    .requested = "../file");
	SAY("rename", syscall(SYS_renameat2, at, "dir/hard", at, "dir/moved", 0), .filename = "dir/hard",
	    .target = "dir/moved", .requested = "dir/hard", .flags = "0");
	SAY("rename", syscall(SYS_renameat2, at, "file", at, "dir/moved", 1), .filename = "file", .target = "dir/moved",
	    .requested = "file", .flags = "RENAME_NOREPLACE");
	SAY("chmod", syscall(SYS_fchmodat, at, "file", 0600), .filename = "file", .requested = "file", .mode = 0600);
	SAY("chmod", syscall(SYS_fchmodat2, at, "dir/soft", 0600, AT_SYMLINK_NOFOLLOW), .filename = "dir/soft",
	    .requested = "dir/soft", .mode = 0600, .flags = "AT_SYMLINK_NOFOLLOW");
	SAY("chown", fchownat(at, "file", 0, 0, 0), .filename = "file", .requested = "file", .flags = "0");
	SAY("unlink", unlinkat(at, "dir/soft", 0), .filename = "dir/soft", .requested = "dir/soft", .flags = "0");
	SAY("unlink", unlinkat(99, "file", 0), .filename = "*file", .requested = "file", .flags = "0");
	SAY("unlink", unlinkat(99, "", 0), .filename = "*", .requested = "", .flags = "0");
	SAY("unlink", unlinkat(at, (char *)8, 0), .filename = "*", .flags = "0");
	SAY("unlink", unlinkat(at, "missing", 0), .filename = "missing", .requested = "missing", .flags = "0");
	SAY("rmdir", unlinkat(at, "dir", AT_REMOVEDIR), .filename = "dir", .requested = "dir", .flags = "AT_REMOVEDIR");
	require(chdir("dir/sub") == 0, "dir/sub");
	SAY("unlink", unlinkat(AT_FDCWD, "../moved", 0), .filename = "dir/moved", .requested = "../moved",
	    .flags = "0");
	SAY("rmdir", unlinkat(AT_FDCWD, "../sub", AT_REMOVEDIR), .filename = "dir/sub", .requested = "../sub",
	    .flags = "AT_REMOVEDIR");
	require(chdir(folder) == 0, folder);
	SAY("rmdir", unlinkat(at, "dir/.", AT_REMOVEDIR), .filename = "dir", .requested = "dir/.",
	    .flags = "AT_REMOVEDIR");
	SAY("sync", (sync(), 0), .filename = NULL);
}

#ifdef __x86_64__
static void by_old_calls(void)
{
	struct stat info;

	SAY("stat", syscall(SYS_lstat, "file", &info), .filename = "file", .requested = "file");
	SAY("rename", syscall(SYS_rename, "file", "renamed"), .filename = "file", .target = "renamed",
	    .requested = "file");
	SAY("link", syscall(SYS_link, "renamed", "file"), .filename = "renamed", .target = "file",
	    .requested = "renamed");
	SAY("symlink", syscall(SYS_symlink, "file", "soft"), .filename = "*file", .target = "soft",
	    .requested = "file");
	SAY("chmod", syscall(SYS_chmod, "file", 0644), .filename = "file", .requested = "file", .mode = 0644);
	SAY("chown", syscall(SYS_lchown, "soft", 0, 0), .filename = "soft", .requested = "soft");
	SAY("chown", syscall(SYS_chown, "soft", 0, 0), .filename = "soft", .requested = "soft");
	SAY("mkdir", syscall(SYS_mkdir, "old", 0700), .filename = "old", .requested = "old", .mode = 0700);
	SAY("rmdir", syscall(SYS_rmdir, "old"), .filename = "old", .requested = "old");
	SAY("unlink", syscall(SYS_unlink, "soft"), .filename = "soft", .requested = "soft");
	SAY("unlink", syscall(SYS_unlink, "renamed"), .filename = "renamed", .requested = "renamed");
}

/* Of arch/x86/entry/syscalls/syscall_32.tbl. This program is not above 4 GiB. */
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
	printf("operations=%d\n", operations);
	fflush(stdout);
	_exit(0);
}

static void calls_of_32_bits(int at)
{
	static char name[] = "file", other[] = "other";
	int fd;

	signal(SIGSEGV, finish);
	SAY("truncate", int80(193, (long)name, 5, 1, 0, 0), .filename = "file", .requested = "file",
	    .bytes = 5 + (1L << 32));
	SAY("truncate", int80(92, (long)name, 5, 0, 0, 0), .filename = "file", .requested = "file", .bytes = 5);
	SAY("chmod", int80(306, at, (long)name, 0600, 0, 0), .filename = "file", .requested = "file", .mode = 0600);
	SAY("rename", int80(353, at, (long)name, at, (long)other, 0), .filename = "file", .target = "other",
	    .requested = "file", .flags = "0");
	fd = int80(5, (long)other, O_RDONLY, 0, 0, 0);
	SAY("open", fd, .filename = "other", .requested = "other", .flags = "O_RDONLY");
	SAY("close", int80(6, fd, 0, 0, 0, 0), .filename = "other");
	SAY("unlink", int80(301, at, (long)other, 0, 0, 0), .filename = "other", .requested = "other", .flags = "0");
}
#endif

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	int at;

	if (argc < 2)
		usage("FOLDER");
	buffer_stdout();
	setvbuf(stdout, malloc(1 << 20), _IOFBF, 1 << 20);
	folder = argv[1];
	at = open(folder, O_RDONLY | O_DIRECTORY);
	require(at >= 0 && chdir(folder) == 0, folder);
	umask(0);
	announce_streams();
	if (wait)
		wait_for_line();

	by_descriptor();
	by_name(at);
#ifdef __x86_64__
	by_old_calls();
	calls_of_32_bits(at);
	finish(0);
#else
	printf("operations=%d\n", operations);
#endif
	return 0;
}
