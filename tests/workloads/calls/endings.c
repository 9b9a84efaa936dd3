/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Signals and ends of every kind, one child each: faults, timers, what is ignored, what ends a process, a thread that
 * is killed in a call, one that calls execve. `--output strace` is compared with strace on it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handle(int signal)
{
	(void)signal;
}

static void segv_unmapped(void)
{
	*(volatile int *)8 = 1;
}

static void segv_read_only(void)
{
	char *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*(volatile char *)page = 1;
}

static void bus(void)
{
	int fd = memfd_create("empty", 0);

	*(volatile char *)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) = 1;
}

static void illegal(void)
{
	__builtin_trap();
}

static void queued(void)
{
	union sigval value = {.sival_int = 42};

	signal(SIGRTMIN + 3, handle);
	sigqueue(getpid(), SIGRTMIN + 3, value);
	value.sival_ptr = (void *)0x123456789aULL;
	signal(SIGUSR1, handle);
	sigqueue(getpid(), SIGUSR1, value);
}

static void of_alarm(void)
{
	signal(SIGALRM, handle);
	alarm(1);
	pause();
}

static void of_timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 7};
	struct itimerspec once = {.it_value.tv_nsec = 20000000};
	timer_t timer;

	signal(SIGUSR2, handle);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &once, 0);
	pause();
}

static void ignored(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGWINCH);
	kill(getpid(), SIGURG);
}

static void of_pipe(void)
{
	int ends[2];

	if (pipe(ends))
		_exit(1);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	if (write(ends[1], "x", 1) == 0)
		_exit(1);
}

static void of_descriptor(void)
{
	int ends[2];

	if (pipe(ends))
		_exit(1);
	signal(SIGIO, handle);
	fcntl(ends[0], F_SETOWN, getpid());
	fcntl(ends[0], F_SETSIG, SIGIO);
	fcntl(ends[0], F_SETFL, O_ASYNC);
	if (write(ends[1], "x", 1) == 0)
		_exit(1);
}

static void to_thread(void)
{
	signal(SIGTERM, handle);
	syscall(SYS_tgkill, getpid(), gettid(), SIGTERM);
}

static void ends_by_term(void)
{
	kill(getpid(), SIGTERM);
}

static void ends_by_abort(void)
{
	abort();
}

/* By another process, in the middle of a call. */
static void ends_in_a_call(int signal)
{
	int ends[2];
	char byte;

	if (pipe(ends))
		_exit(1);
	if (!fork()) {
		usleep(100000);
		kill(getppid(), signal);
		_exit(0);
	}
	if (read(ends[0], &byte, 1) == 1)
		_exit(1);
}

static void term_in_a_call(void)
{
	ends_in_a_call(SIGTERM);
}

static void kill_in_a_call(void)
{
	ends_in_a_call(SIGKILL);
}

static void *wait_for_ever(void *unused)
{
	pause();
	return unused;
}

static void thread_ends_with_process(void)
{
	pthread_t thread;

	pthread_create(&thread, 0, wait_for_ever, 0);
	usleep(100000);
	_exit(5);
}

static void thread_is_killed(void)
{
	pthread_t thread;

	pthread_create(&thread, 0, wait_for_ever, 0);
	usleep(100000);
	kill(getpid(), SIGKILL);
}

static void *replace(void *unused)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	usleep(100000);
	if (length > 0) {
		self[length] = 0;
		execl(self, self, "nothing", (char *)0);
	}
	return unused;
}

static void thread_replaces_program(void)
{
	pthread_t waiting, replacing;

	pthread_create(&waiting, 0, wait_for_ever, 0);
	pthread_create(&replacing, 0, replace, 0);
	pause();
}

static void child_of_a_handler(void)
{
	signal(SIGCHLD, handle);
	if (!fork()) {
		usleep(50000);
		_exit(4);
	}
	pause();
}

static void stops(void)
{
	pid_t child = fork();

	if (!child) {
		raise(SIGSTOP);
		_exit(3);
	}
	waitpid(child, 0, WUNTRACED);
	kill(child, SIGCONT);
	waitpid(child, 0, 0);
}

int main(int argc, char **argv)
{
	static void (*const cases[])(void) = {
	    segv_unmapped,
	    segv_read_only,
	    bus,
	    illegal,
	    queued,
	    of_alarm,
	    of_timer,
	    ignored,
	    of_pipe,
	    of_descriptor,
	    to_thread,
	    ends_by_term,
	    ends_by_abort,
	    term_in_a_call,
	    kill_in_a_call,
	    stops,
	    thread_is_killed,
	    child_of_a_handler,
	    thread_ends_with_process,
	    thread_replaces_program,
	};
	struct rlimit none = {0, 0};

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!fork()) {
			cases[i]();
			_exit(0);
		}
		wait(0);
	}
	return 0;
}
