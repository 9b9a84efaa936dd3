// SPDX-License-Identifier: GPL-3.0-only
/*
 * Programs that know where their time goes, for SECONDS:
 *   mix      a cycle of sleeping, computing, and reading from a pipe whose writer, a child, computes before it writes
 *   fifo     the same with a FIFO in the folder given last; `socket` with a pair of Unix sockets, `tcp` with a
 * connection, `poll` with poll() before each read epoll    waits in epoll_wait() for the child lock     waits for a
 * mutex that another thread has while it sleeps rival    computes on a CPU that a child computes on, too idle computes
 * beside three threads that wait for a condition faults   has the kernel give it memory child    waits for a child that
 * computes Says at its end, by its own clocks, how long each part took, in nanoseconds.
 */
#include "workload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const long long compute_ns = 30 * NSEC_PER_MSEC, answer_ns = 40 * NSEC_PER_MSEC;

static volatile unsigned long sink;

static long long cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

__attribute__((noinline)) void why_compute(long long until_ns)
{
	while (now_ns() < until_ns)
		for (unsigned long i = 0; i < 20000; i++)
			sink += i * i;
}

static void name_me(const char *name)
{
	prctl(PR_SET_NAME, name);
}

/* What a child does: takes a byte, computes, and gives one. */
static void answer(int in, int out)
{
	char byte;

	name_me("why-writer");
	while (read(in, &byte, 1) == 1) {
		why_compute(now_ns() + answer_ns);
		if (write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void connect_pair(int pair[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	require(bind(listener, (struct sockaddr *)&at, size) == 0 && listen(listener, 1) == 0, "listen");
	require(getsockname(listener, (struct sockaddr *)&at, &size) == 0, "getsockname");
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	require(connect(pair[0], (struct sockaddr *)&at, size) == 0, "connect");
	pair[1] = accept(listener, NULL, NULL);
	require(pair[1] >= 0, "accept");
	close(listener);
}

/* Ends of a way to ask and of one to be answered, and who answers. */
static pid_t start_answering(const char *how, const char *folder, int *ask, int *heard)
{
	int question[2], reply[2];
	char path[4096];
	pid_t child;

	if (strcmp(how, "socket") == 0) {
		require(socketpair(AF_UNIX, SOCK_STREAM, 0, question) == 0, "socketpair");
		reply[0] = question[1];
		reply[1] = question[0];
	} else if (strcmp(how, "tcp") == 0) {
		connect_pair(question);
		reply[0] = question[1];
		reply[1] = question[0];
	} else {
		require(pipe(question) == 0 && pipe(reply) == 0, "pipe");
	}
	if (strcmp(how, "fifo") == 0) {
		snprintf(path, sizeof(path), "%s/fifo", folder);
		require(mkfifo(path, 0600) == 0, path);
	}
	child = fork();
	require(child >= 0, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (strcmp(how, "fifo") == 0)
			reply[1] = open(path, O_WRONLY);
		if (question[1] != reply[0])
			close(reply[0]);
		close(question[1]);
		answer(question[0], reply[1]);
	}
	if (strcmp(how, "fifo") == 0)
		reply[0] = open(path, O_RDONLY);
	close(question[0]);
	if (reply[1] != question[0])
		close(reply[1]);
	*ask = question[1];
	*heard = reply[0];
	return child;
}

static void mix(const char *how, long long end, const char *folder)
{
	static const struct timespec pause = {.tv_nsec = 30 * 1000 * 1000};
	long long slept = 0, computed = 0, cpu = 0, waited = 0, begin = now_ns();
	int ask, heard, set = -1;
	char byte = 'x';
	pid_t child = start_answering(how, folder, &ask, &heard);

	if (strcmp(how, "epoll") == 0) {
		struct epoll_event event = {.events = EPOLLIN};

		set = epoll_create1(0);
		require(epoll_ctl(set, EPOLL_CTL_ADD, heard, &event) == 0, "epoll_ctl");
	}
	while (now_ns() < end) {
		long long at = now_ns(), before = cpu_ns();

		why_compute(at + compute_ns);
		cpu += cpu_ns() - before;
		computed += now_ns() - at;
		at = now_ns();
		nanosleep(&pause, NULL);
		slept += now_ns() - at;
		at = now_ns();
		require(write(ask, &byte, 1) == 1, "write");
		if (set >= 0) {
			struct epoll_event event;

			require(epoll_wait(set, &event, 1, -1) == 1, "epoll_wait");
		} else if (strcmp(how, "poll") == 0) {
			struct pollfd entry = {.fd = heard, .events = POLLIN};

			require(poll(&entry, 1, -1) == 1, "poll");
		}
		require(read(heard, &byte, 1) == 1, "read");
		waited += now_ns() - at;
	}
	printf("peer=%d\nfd=%d\n", child, heard);
	printf("slept=%lld\ncomputed=%lld\ncpu=%lld\nwaited=%lld\nall=%lld\n", slept, computed, cpu, waited,
	       now_ns() - begin);
	close(ask);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static volatile pid_t holder_tid;
static volatile bool done;

static void *hold(void *unused)
{
	static const struct timespec hold = {.tv_nsec = 50 * 1000 * 1000}, gap = {.tv_nsec = 1000 * 1000};

	(void)unused;
	name_me("why-holder");
	holder_tid = (pid_t)syscall(SYS_gettid);
	while (!done) {
		pthread_mutex_lock(&mutex);
		nanosleep(&hold, NULL);
		pthread_mutex_unlock(&mutex);
		nanosleep(&gap, NULL);
	}
	return NULL;
}

static void lock(long long end)
{
	long long waited = 0, begin = now_ns();
	pthread_t thread;

	require((errno = pthread_create(&thread, NULL, hold, NULL)) == 0, "pthread_create");
	while (!holder_tid)
		usleep(1000);
	while (now_ns() < end) {
		long long at = now_ns();

		pthread_mutex_lock(&mutex);
		waited += now_ns() - at;
		pthread_mutex_unlock(&mutex);
		usleep(2000);
	}
	printf("holder=%d\nwaited=%lld\nall=%lld\n", holder_tid, waited, now_ns() - begin);
	done = true;
	pthread_join(thread, NULL);
}

static void *wait_for_work(void *unused)
{
	(void)unused;
	name_me("why-pool");
	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	return NULL;
}

static void idle(long long end)
{
	for (int i = 0; i < 3; i++) {
		pthread_t thread;

		require((errno = pthread_create(&thread, NULL, wait_for_work, NULL)) == 0, "pthread_create");
	}
	why_compute(end);
}

/* What the kernel itself says: on a CPU, and waiting for one. */
static void schedstat(long long *run, long long *waited)
{
	FILE *file = fopen("/proc/self/schedstat", "re");

	require(file != NULL && fscanf(file, "%lld %lld", run, waited) == 2, "/proc/self/schedstat");
	fclose(file);
}

static void rival(long long end)
{
	long long run, waited, run_before, waited_before;
	struct rusage usage;
	pid_t child;

	pin_to_cpu(0);
	schedstat(&run_before, &waited_before);
	child = fork();
	require(child >= 0, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		name_me("why-rival");
		why_compute(end);
		_exit(0);
	}
	why_compute(end);
	sched_yield(); /* brings the times up to date */
	schedstat(&run, &waited);
	require(wait4(child, NULL, 0, &usage) == child, "wait4");
	printf("peer=%d\nrun=%lld\nwaited=%lld\n", child, run - run_before, waited - waited_before);
	printf("other=%lld\n", usage.ru_utime.tv_sec * NSEC_PER_SEC + usage.ru_utime.tv_usec * 1000LL);
}

static void faults(long long end)
{
	const size_t size = 16 << 20;
	struct rusage usage;

	while (now_ns() < end) {
		char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		require(memory != MAP_FAILED, "mmap");
		madvise(memory, size, MADV_NOHUGEPAGE);
		for (size_t at = 0; at < size; at += 4096)
			memory[at] = 1;
		munmap(memory, size);
	}
	require(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
	printf("minor=%ld\n", usage.ru_minflt);
}

static void child(long long end)
{
	pid_t pid = fork();

	require(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		name_me("why-child");
		why_compute(end);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	printf("peer=%d\n", pid);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	long long end;
	const char *how;

	if (argc < 3)
		usage("mix|fifo|socket|tcp|poll|epoll|lock|rival|idle|faults|child SECONDS [FOLDER]");
	how = argv[1];
	buffer_stdout();
	wait_for_start(wait);
	end = now_ns() + parse_count(argv[2]) * NSEC_PER_SEC;
	if (strcmp(how, "lock") == 0)
		lock(end);
	else if (strcmp(how, "rival") == 0)
		rival(end);
	else if (strcmp(how, "idle") == 0)
		idle(end);
	else if (strcmp(how, "faults") == 0)
		faults(end);
	else if (strcmp(how, "child") == 0)
		child(end);
	else
		mix(how, end, argc > 3 ? argv[3] : ".");
	return 0;
}
