// SPDX-License-Identifier: GPL-3.0-only
/* Sends signals of which it knows what becomes of them: `sent` by another process, `raised` by what the process does
 * itself, `timers` by the kernel in the middle of anything. Says the ids of all who take part. */
#include "workload.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define UNMAPPED 0x1230

static void on_signal(int number)
{
	(void)number;
}

static void handle(int number)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(number, &action, NULL);
}

static void block(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void *wait_in_thread(void *begun)
{
	pid_t tid = syscall(SYS_gettid);

	if (write(*(int *)begun, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
}

/* Handles SIGUSR1, ignores SIGUSR2, blocks SIGHUP, and has a thread. */
static void take(int ready)
{
	pthread_t thread;
	int begun[2];
	pid_t tid;

	handle(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	block(SIGHUP);
	/* Both threads have all blocked until pthread_create() is done. */
	if (pipe(begun) || pthread_create(&thread, NULL, wait_in_thread, &begun[1]) ||
	    read(begun[0], &tid, sizeof(tid)) != sizeof(tid) || write(ready, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
}

static void send_all(void)
{
	union sigval value = {.sival_int = 7};
	int ready[2];
	pid_t target, thread = 0;

	if (pipe(ready))
		_exit(1);
	target = fork();
	if (!target)
		take(ready[1]);
	if (read(ready[0], &thread, sizeof(thread)) != sizeof(thread))
		_exit(1);
	kill(target, SIGUSR1);
	kill(target, SIGUSR2);
	kill(target, SIGHUP);
	kill(target, SIGHUP);
	sigqueue(target, SIGUSR2, value);
	syscall(SYS_tgkill, target, thread, SIGUSR1);
	kill(target, SIGWINCH);
	kill(target, SIGSTOP);
	kill(target, SIGCONT);
	kill(target, 0); /* only asks */
	kill(target, SIGTERM);
	waitpid(target, NULL, 0);
	printf("sender=%d\ntarget=%d\nthread=%d\n", getpid(), target, thread);
}

static void raise_in_child(const char *key, void (*act)(void))
{
	pid_t child = fork();

	if (!child) {
		act();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	printf("%s=%d\n", key, child);
}

static void read_unmapped(void)
{
	(void)*(volatile char *)UNMAPPED;
}

static void write_read_only(void)
{
	char *page = mmap((void *)0x10000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	*(volatile char *)(page + 8) = 1;
}

static void give_up(void)
{
	abort();
}

static void write_to_nobody(void)
{
	int ends[2];

	handle(SIGPIPE);
	if (pipe(ends))
		_exit(1);
	close(ends[0]);
	if (write(ends[1], "x", 1) >= 0)
		_exit(1);
}

static void alarm_self(void)
{
	struct itimerval time = {.it_value.tv_usec = 1000};

	setitimer(ITIMER_REAL, &time, NULL);
	for (;;)
		pause();
}

static void timer_self(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec time = {.it_value.tv_nsec = 1000000};
	timer_t timer;

	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &time, NULL);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);

	if (argc < 2)
		usage("sent|raised|timers");
	buffer_stdout();
	wait_for_start(wait);
	if (!strcmp(argv[1], "sent")) {
		send_all();
	} else if (!strcmp(argv[1], "raised")) {
		raise_in_child("unmapped", read_unmapped);
		raise_in_child("read_only", write_read_only);
		raise_in_child("aborted", give_up);
		raise_in_child("pipe", write_to_nobody);
	} else if (!strcmp(argv[1], "timers")) {
		raise_in_child("alarm", alarm_self);
		raise_in_child("timer", timer_self);
	} else {
		usage("sent|raised|timers");
	}
	return 0;
}
