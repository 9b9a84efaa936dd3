/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes every system call on signals and time with valid, invalid and unusual arguments. The decoders of --args are
 * compared with strace on it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#define BAD	  ((void *)1)
#define call(...) syscall(__VA_ARGS__)

struct action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void signals(void)
{
	struct action ignore = {SIG_IGN, 0, NULL, 0}, usual = {SIG_DFL, SA_RESTART | 0x04000000, (void *)0x1234, 0x5},
		      old;
	struct action handler = {(void *)0x4321, SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESETHAND | 0x400, NULL,
				 ~0ULL};
	uint64_t mask = 1ULL << (SIGUSR1 - 1), many = ~0ULL, set = 0;
	stack_t stack = {.ss_sp = (void *)0x1000, .ss_flags = 0, .ss_size = 65536}, off = {.ss_flags = SS_DISABLE},
		old_stack;
	struct timespec none = {0, 0}, brief = {0, 1000000};
	siginfo_t info;
	int fd;

	call(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8L);
	call(SYS_rt_sigaction, SIGUSR1, &ignore, NULL, 8L);
	call(SYS_rt_sigaction, SIGUSR1, &usual, &old, 8L);
	call(SYS_rt_sigaction, SIGUSR2, &handler, &old, 8L);
	call(SYS_rt_sigaction, SIGUSR2, &ignore, &old, 8L);
	call(SYS_rt_sigaction, SIGKILL, &ignore, &old, 8L);
	call(SYS_rt_sigaction, 34, &ignore, NULL, 8L);
	call(SYS_rt_sigaction, 64, NULL, NULL, 8L);
	call(SYS_rt_sigaction, 99, BAD, NULL, 8L);
	call(SYS_rt_sigaction, SIGUSR1, BAD, BAD, 8L);
	call(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4L);
	call(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &set, 8L);
	call(SYS_rt_sigprocmask, SIG_SETMASK, &many, NULL, 8L);
	call(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, &set, 8L);
	call(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 8L);
	call(SYS_rt_sigprocmask, 77, &mask, &set, 8L);
	call(SYS_rt_sigprocmask, SIG_BLOCK, BAD, BAD, 8L);
	call(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &set, 16L);
	call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8L);
	call(SYS_kill, getpid(), 0);
	call(SYS_kill, getpid(), SIGUSR1);
	call(SYS_rt_sigpending, &set, 8L);
	call(SYS_rt_sigpending, BAD, 8L);
	call(SYS_rt_sigpending, &set, 99L);
	call(SYS_rt_sigtimedwait, &mask, &info, &none, 8L);
	call(SYS_rt_sigtimedwait, &mask, &info, &none, 8L);
	call(SYS_rt_sigtimedwait, &mask, NULL, &brief, 8L);
	call(SYS_rt_sigtimedwait, BAD, BAD, BAD, 8L);
	call(SYS_rt_sigtimedwait, &mask, NULL, NULL, 4L);
	call(SYS_tkill, (int)call(SYS_gettid), SIGUSR1);
	call(SYS_rt_sigtimedwait, &mask, &info, NULL, 8L);
	call(SYS_tgkill, getpid(), (int)call(SYS_gettid), SIGUSR1);
	call(SYS_rt_sigtimedwait, &mask, &info, NULL, 8L);
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGUSR1;
	info.si_code = SI_QUEUE;
	info.si_pid = 5;
	info.si_uid = 6;
	info.si_value.sival_int = 77;
	call(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info);
	call(SYS_rt_sigtimedwait, &mask, &info, NULL, 8L);
	call(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info);
	call(SYS_rt_sigtimedwait, &mask, &info, NULL, 8L);
	call(SYS_rt_sigqueueinfo, -1, SIGUSR1, BAD);
	info.si_code = SI_TIMER;
	call(SYS_rt_sigqueueinfo, 0, 0, &info);
	info.si_signo = SIGSEGV;
	info.si_code = 1;
	info.si_addr = (void *)0x1234;
	call(SYS_rt_sigqueueinfo, 1, SIGSEGV, &info);
	info.si_code = SI_TKILL;
	call(SYS_rt_sigqueueinfo, 999999999, SIGSEGV, &info);
	info.si_signo = SIGIO;
	info.si_code = 2;
	call(SYS_rt_sigqueueinfo, -1, SIGSEGV, &info);
	info.si_signo = 99;
	info.si_code = 0x1234;
	call(SYS_rt_sigqueueinfo, -1, SIGSEGV, &info);
	info.si_signo = SIGSYS;
	info.si_code = 1;
	info.si_syscall = 59;
	info.si_arch = 0xc000003e;
	call(SYS_rt_sigqueueinfo, -1, SIGSEGV, &info);
	call(SYS_kill, -99999, SIGTERM);
	call(SYS_kill, getpid(), 99);
	call(SYS_tkill, -1, SIGHUP);
	call(SYS_tgkill, -1, -1, 35);
	call(SYS_sigaltstack, &stack, &old_stack);
	call(SYS_sigaltstack, NULL, &old_stack);
	call(SYS_sigaltstack, &off, NULL);
	call(SYS_sigaltstack, NULL, NULL);
	stack.ss_flags = 0x80000000 | 7;
	call(SYS_sigaltstack, &stack, &old_stack);
	call(SYS_sigaltstack, BAD, BAD);
	call(SYS_rt_sigsuspend, BAD, 8L);
	call(SYS_rt_sigsuspend, &mask, 4L);
	fd = call(SYS_signalfd4, -1, &mask, 8L, 02004000);
	call(SYS_signalfd4, fd, &many, 8L, 0);
	call(SYS_signalfd, fd, &mask, 8L);
	call(SYS_signalfd, 99, BAD, 8L);
	call(SYS_signalfd4, -1, NULL, 16L, 1);
	call(SYS_close, fd);
}

static void times_of_day(void)
{
	struct timeval tv = {5, 6}, negative = {-1, 1000000};
	struct timezone zone;
	struct timespec ts, brief = {0, 1000}, wrong = {0, 1000000000}, moment = {1000000000, 5};
	struct timex timex = {.modes = 0};
	struct tms tms;
	long seconds;

	call(SYS_gettimeofday, &tv, NULL);
	call(SYS_gettimeofday, NULL, &zone);
	call(SYS_gettimeofday, BAD, BAD);
	call(SYS_settimeofday, &negative, NULL);
	call(SYS_settimeofday, BAD, NULL);
	call(SYS_time, &seconds);
	call(SYS_time, NULL);
	call(SYS_time, BAD);
	call(SYS_times, &tms);
	call(SYS_times, NULL);
	call(SYS_times, BAD);
	call(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	call(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &ts);
	call(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, BAD);
	call(SYS_clock_gettime, 77, &ts);
	call(SYS_clock_gettime, -2, &ts);
	call(SYS_clock_gettime, -46, &ts);
	call(SYS_clock_gettime, -42, &ts);
	call(SYS_clock_gettime, -29, &ts);
	call(SYS_clock_getres, CLOCK_MONOTONIC, &ts);
	call(SYS_clock_getres, CLOCK_TAI, NULL);
	call(SYS_clock_getres, 99, &ts);
	call(SYS_clock_settime, CLOCK_MONOTONIC, &moment);
	call(SYS_clock_settime, CLOCK_REALTIME, &wrong);
	call(SYS_clock_settime, CLOCK_REALTIME, BAD);
	call(SYS_nanosleep, &brief, NULL);
	call(SYS_nanosleep, &brief, &ts);
	call(SYS_nanosleep, &wrong, &ts);
	call(SYS_nanosleep, BAD, &ts);
	call(SYS_nanosleep, NULL, NULL);
	call(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &brief, NULL);
	call(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &moment, NULL);
	call(SYS_clock_nanosleep, CLOCK_BOOTTIME, 2, &wrong, &ts);
	call(SYS_clock_nanosleep, 55, 0, BAD, BAD);
	call(SYS_adjtimex, &timex);
	call(SYS_adjtimex, BAD);
	call(SYS_clock_adjtime, CLOCK_REALTIME, &timex);
	timex.modes = 0x8000;
	call(SYS_clock_adjtime, CLOCK_MONOTONIC, &timex);
	call(SYS_clock_adjtime, CLOCK_MONOTONIC, BAD);
}

static void timers(void)
{
	struct itimerval timer = {{0, 0}, {1000, 5}}, old, stop = {{0, 0}, {0, 0}};
	struct itimerspec spec = {{1, 2}, {3000, 4}}, was;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value = {.sival_int = 5}};
	int id = -1, fd;

	call(SYS_alarm, 1000);
	call(SYS_alarm, 0);
	call(SYS_setitimer, ITIMER_REAL, &timer, NULL);
	call(SYS_getitimer, ITIMER_VIRTUAL, &old);
	call(SYS_setitimer, ITIMER_REAL, &stop, NULL);
	call(SYS_setitimer, ITIMER_PROF, &timer, &old);
	call(SYS_setitimer, ITIMER_PROF, &stop, NULL);
	call(SYS_setitimer, 9, &timer, &old);
	call(SYS_setitimer, ITIMER_VIRTUAL, BAD, &old);
	call(SYS_setitimer, ITIMER_VIRTUAL, NULL, &old);
	call(SYS_getitimer, 5, BAD);
	call(SYS_getitimer, ITIMER_REAL, BAD);
	call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
	call(SYS_timer_settime, id, 0, &spec, &was);
	call(SYS_timer_settime, id, TIMER_ABSTIME, &spec, NULL);
	call(SYS_timer_getoverrun, id);
	call(SYS_timer_settime, id, 8, BAD, &was);
	call(SYS_timer_delete, id);
	call(SYS_timer_create, CLOCK_REALTIME, NULL, &id);
	call(SYS_timer_delete, id);
	event.sigev_notify = SIGEV_NONE;
	event.sigev_value.sival_ptr = (void *)0x123456789;
	call(SYS_timer_create, CLOCK_BOOTTIME, &event, &id);
	call(SYS_timer_gettime, id, &was);
	call(SYS_timer_delete, id);
	event.sigev_notify = 4; /* SIGEV_THREAD_ID */
	((int *)&event)[4] = 1234;
	call(SYS_timer_create, CLOCK_BOOTTIME, &event, &id);
	event.sigev_notify = 2;
	call(SYS_timer_create, CLOCK_BOOTTIME, &event, BAD);
	event.sigev_notify = 77;
	call(SYS_timer_create, 33, &event, &id);
	call(SYS_timer_create, 33, BAD, NULL);
	call(SYS_timer_delete, 1234);
	call(SYS_timer_gettime, 1234, &was);
	call(SYS_timer_getoverrun, -1);
	fd = call(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	call(SYS_timerfd_settime, fd, 0, &spec, &was);
	call(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL);
	call(SYS_timerfd_gettime, 0, &was);
	call(SYS_timerfd_gettime, fd, BAD);
	call(SYS_timerfd_settime, fd, 0, BAD, NULL);
	call(SYS_timerfd_settime, fd, 0x10, NULL, BAD);
	call(SYS_timerfd_create, 99, 3);
	call(SYS_close, fd);
}

int main(void)
{
	signals();
	times_of_day();
	timers();
	return 0;
}
