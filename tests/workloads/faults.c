// SPDX-License-Identifier: GPL-3.0-only
/*
 * Page faults of one kind, and what the kernel counted of them between two points in time. The first fault of whatever
 * the counting itself needs is taken before.
 */
#include "workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define THREADS 4

static long page, pages;

struct counters {
	long minor, major;
	long long boot_ns;
};

static void count(struct counters *counters)
{
	struct rusage usage;
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	counters->boot_ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
	getrusage(RUSAGE_THREAD, &usage);
	counters->minor = usage.ru_minflt;
	counters->major = usage.ru_majflt;
}

static char *map(int protection, int flags, int fd)
{
	char *region = mmap(NULL, (size_t)(pages * page), protection, flags, fd, 0);

	require(region != MAP_FAILED, "mmap");
	madvise(region, (size_t)(pages * page), MADV_NOHUGEPAGE);
	return region;
}

static char *map_fresh(void)
{
	return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void touch_read(char *region)
{
	for (long i = 0; i < pages; i++)
		(void)*(volatile char *)(region + i * page);
}

static void touch_write(char *region)
{
	for (long i = 0; i < pages; i++)
		*(volatile char *)(region + i * page) = 1;
}

static void touch_exec(char *region)
{
	for (long i = 0; i < pages; i++)
		((void (*)(void))(region + i * page))();
}

/* The kernel itself writes to the pages. */
static void touch_by_kernel(char *region)
{
	int zero = open("/dev/zero", O_RDONLY);

	require(read(zero, region, (size_t)(pages * page)) == pages * page, "reading /dev/zero");
}

/* The kernel takes the pages without an exception. */
static void touch_by_lock(char *region)
{
	require(mlock(region, (size_t)(pages * page)) == 0, "mlock");
}

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
	siglongjmp(after_fault, signal);
}

/* A mapping beyond the end of its file: the fault is tried, and fails. */
static void touch_failing(char *region)
{
	for (volatile long i = 0; i < pages; i++)
		if (!sigsetjmp(after_fault, 1))
			(void)*(volatile char *)(region + i * page);
}

/* Until somebody ends it. */
static void touch_endlessly(char *region)
{
	for (;;) {
		touch_write(region);
		require(madvise(region, (size_t)(pages * page), MADV_DONTNEED) == 0, "madvise");
		usleep(1000);
	}
}

/* A function that only returns, at the start of each page of a file in memory. */
static char *map_code(void)
{
#if defined(__x86_64__)
	const unsigned char code[] = {0xc3};
#elif defined(__aarch64__)
	const unsigned char code[] = {0xc0, 0x03, 0x5f, 0xd6};
#endif
	int fd = memfd_create("code", 0);

	require(fd >= 0 && ftruncate(fd, pages * page) == 0, "memfd");
	for (long i = 0; i < pages; i++)
		require(pwrite(fd, code, sizeof(code), i * page) == sizeof(code), "writing code");
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
}

/* A file on the disk that is not in memory any more. Random access: no page is read before it is asked for. */
static char *map_cold(const char *path)
{
	char *content = calloc(1, (size_t)page), *region;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	require(fd >= 0 && content, path);
	for (long i = 0; i < pages; i++)
		require(write(fd, content, (size_t)page) == page, path);
	free(content);
	require(fsync(fd) == 0, "fsync");
	require((errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)) == 0, "fadvise");
	region = map(PROT_READ, MAP_SHARED, fd);
	require(madvise(region, (size_t)(pages * page), MADV_RANDOM) == 0, "madvise");
	return region;
}

static void say(const char *prefix, const char *region, const struct counters *before, const struct counters *after)
{
	printf("%sstart=%lu\n", prefix, (unsigned long)region);
	printf("%send=%lu\n", prefix, (unsigned long)region + (unsigned long)(pages * page));
	printf("%sminor=%ld\n", prefix, after->minor - before->minor);
	printf("%smajor=%ld\n", prefix, after->major - before->major);
	printf("%sfrom_ns=%lld\n", prefix, before->boot_ns);
	printf("%sto_ns=%lld\n", prefix, after->boot_ns);
}

static void measure(const char *prefix, char *region, void (*touch)(char *))
{
	struct counters before, after = {0};

	/* Takes the faults of the counting. */
	count(&before);
	count(&after);
	count(&before);
	touch(region);
	count(&after);
	say(prefix, region, &before, &after);
}

static void *measure_thread(void *number)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "%ld.", (long)number);
	measure(prefix, map_fresh(), touch_write);
	printf("%stid=%ld\n", prefix, syscall(SYS_gettid));
	return NULL;
}

static void measure_threads(void)
{
	pthread_t threads[THREADS];

	for (long i = 0; i < THREADS; i++)
		require((errno = pthread_create(&threads[i], NULL, measure_thread, (void *)i)) == 0, "pthread_create");
	for (long i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("threads=%d\n", THREADS);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	const char *kind;

	if (argc < 3)
		usage("read|write|exec|kernel|lock|failing|endless|threads|cold N [FILE]");
	kind = argv[1];
	page = sysconf(_SC_PAGESIZE);
	pages = parse_count(argv[2]);
	buffer_stdout();
	wait_for_start(wait);
	if (strcmp(kind, "read") == 0) {
		measure("", map_fresh(), touch_read);
	} else if (strcmp(kind, "write") == 0) {
		measure("", map_fresh(), touch_write);
	} else if (strcmp(kind, "exec") == 0) {
		measure("", map_code(), touch_exec);
	} else if (strcmp(kind, "kernel") == 0) {
		measure("", map_fresh(), touch_by_kernel);
	} else if (strcmp(kind, "lock") == 0) {
		measure("", map_fresh(), touch_by_lock);
	} else if (strcmp(kind, "failing") == 0) {
		signal(SIGBUS, on_fault);
		measure("", map(PROT_READ, MAP_PRIVATE, memfd_create("empty", 0)), touch_failing);
	} else if (strcmp(kind, "endless") == 0) {
		touch_endlessly(map_fresh());
	} else if (strcmp(kind, "threads") == 0) {
		measure_threads();
	} else if (strcmp(kind, "cold") == 0 && argc > 3) {
		measure("", map_cold(argv[3]), touch_read);
	} else {
		usage("read|write|exec|kernel|lock|failing|endless|threads|cold N [FILE]");
	}
	return 0;
}
