// SPDX-License-Identifier: GPL-3.0-only
/*
 * What comes back from system calls, and what never does. Each argument names a case; they run in the order given and
 * print their truth as case.key=value. `ret` is the value at the sys_exit hook, so a negative errno, and where signals
 * are involved one of the kernel's internal ERESTART codes, which userspace never sees.
 */
#include "workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/* include/linux/errno.h: not exported to userspace. */
#define ERESTARTSYS	      512
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

#define SLEEP_NS   (20 * NSEC_PER_MSEC)
#define BLOCKED_NS (50 * NSEC_PER_MSEC)
#define MISSING	   "/veil/does/not/exist"

static const char *current_case;

static void truth(const char *key, long long value)
{
	printf("%s.%s=%lld\n", current_case, key, value);
}

static long long raw_errno(long ret)
{
	return ret < 0 ? -errno : ret;
}

static void sleep_ns(long long ns)
{
	struct timespec left = {.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* ---- calls that simply return ---- */

static void run_getppid(void)
{
	truth("ret", raw_getppid());
}

static void run_close(void)
{
	truth("ret", raw_errno(syscall(SYS_close, -1)));
}

static void run_openat(void)
{
	truth("ret", raw_errno(syscall(SYS_openat, AT_FDCWD, MISSING, O_RDONLY, 0)));
}

static void run_execve_fails(void)
{
	char *argv[] = {MISSING, NULL};

	truth("ret", raw_errno(syscall(SYS_execve, MISSING, argv, argv + 1)));
}

/* ---- calls with a known duration: at least `at_least_ns`, at most what the caller saw ---- */

static void run_nanosleep(void)
{
	struct timespec duration = {.tv_nsec = SLEEP_NS};
	long long started = now_ns();
	long ret = syscall(SYS_nanosleep, &duration, NULL);

	truth("at_most_ns", now_ns() - started);
	truth("at_least_ns", SLEEP_NS);
	truth("ret", raw_errno(ret));
}

static void *write_late(void *pipe_end)
{
	sleep_ns(BLOCKED_NS);
	require(write(*(int *)pipe_end, "x", 1) == 1, "writing to the pipe");
	return NULL;
}

static void run_read_blocked(void)
{
	pthread_t writer;
	long long started;
	int ends[2];
	char byte;
	long ret;

	require(pipe(ends) == 0, "pipe");
	require((errno = pthread_create(&writer, NULL, write_late, &ends[1])) == 0, "pthread_create");
	started = now_ns();
	ret = syscall(SYS_read, ends[0], &byte, 1);
	truth("at_most_ns", now_ns() - started);
	/* The writer's sleep begins before the read does, so the read is shorter by the start of a thread. */
	truth("at_least_ns", BLOCKED_NS / 2);
	truth("ret", raw_errno(ret));
	pthread_join(writer, NULL);
	close(ends[0]);
	close(ends[1]);
}

/* ---- calls that never return, or return as somebody else ---- */

static void *exit_in_the_middle(void *tid)
{
	*(long *)tid = syscall(SYS_gettid);
	raw_getppid();
	/* Not pthread_exit: nothing runs after this call. The kernel still wakes the joiner (clear_child_tid). */
	syscall(SYS_exit, 0);
	return NULL;
}

static void run_thread_exit(void)
{
	pthread_t thread;
	long tid = 0;

	require((errno = pthread_create(&thread, NULL, exit_in_the_middle, &tid)) == 0, "pthread_create");
	pthread_join(thread, NULL);
	raw_getppid();
	truth("exiting_tid", tid);
	truth("exit", 1);
	truth("getppid", 2);
}

static char *self_path;

static void *execute_self(void *unused)
{
	char case_and_tid[64];
	char *argv[] = {self_path, case_and_tid, NULL};

	snprintf(case_and_tid, sizeof(case_and_tid), "after-thread-exec=%ld", syscall(SYS_gettid));
	fflush(stdout);
	syscall(SYS_execve, self_path, argv, environ);
	require(false, "execve of itself");
	return unused;
}

/*
 * The thread that calls execve takes over the leader's tid on the way: the call is entered under `entered_tid` and
 * returns under the tid that is the PID.
 */
static void run_thread_exec(void)
{
	pthread_t thread;

	require((errno = pthread_create(&thread, NULL, execute_self, NULL)) == 0, "pthread_create");
	for (;;)
		pause();
}

static void after_thread_exec(const char *entered_tid)
{
	current_case = "thread-exec";
	raw_getppid();
	truth("entered_tid", parse_count(entered_tid));
	truth("returned_tid", syscall(SYS_gettid));
	truth("ret", 0);
	truth("getppid", 1);
}

static void run_exit_group(void)
{
	raw_getppid();
	truth("getppid", 1);
	truth("exit_group", 1);
	fflush(stdout);
	syscall(SYS_exit_group, 0);
}

/*
 * A child that dies by SIGKILL inside a read. It has to live before the test attaches, to be in the PID filter, so it
 * is made before the handshake and announced by it; its first read, of the signal to go, is in flight at that time.
 */
static struct {
	pid_t pid;
	int go[2];
	int ready[2];
} victim;

static void start_victim(void)
{
	char byte = 0;
	int never[2];

	require(pipe(victim.go) == 0 && pipe(victim.ready) == 0 && pipe(never) == 0, "pipe");
	victim.pid = fork();
	require(victim.pid >= 0, "fork");
	if (victim.pid > 0)
		return;
	/* Without its own copy of the writing end, the child also ends when the parent dies early. */
	close(victim.go[1]);
	if (read(victim.go[0], &byte, 1) != 1)
		_exit(1);
	raw_getppid();
	if (write(victim.ready[1], &byte, 1) != 1)
		_exit(1);
	_exit(read(never[0], &byte, 1) == 1);
}

static void run_killed(void)
{
	char byte = 0;
	int status;

	require(write(victim.go[1], &byte, 1) == 1, "letting the child go");
	require(read(victim.ready[0], &byte, 1) == 1, "waiting for the child");
	sleep_ns(BLOCKED_NS);
	require(kill(victim.pid, SIGKILL) == 0, "kill");
	require(waitpid(victim.pid, &status, 0) == victim.pid, "waitpid");
	truth("child_pid", victim.pid);
	truth("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	truth("getppid", 1);
	truth("in_flight_ret", 1);
	/* SIGKILL is acted on after the exit hook, which sees the interrupted read as it sees any other. */
	truth("ret", -ERESTARTSYS);
}

/* ---- calls cut short by a signal ---- */

static volatile sig_atomic_t interrupted;

static void note_interruption(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static void interrupt_soon(int flags)
{
	struct sigaction action = {.sa_handler = note_interruption, .sa_flags = flags};
	struct itimerval soon = {.it_value = {.tv_usec = SLEEP_NS / 1000}};

	interrupted = 0;
	require(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
	require(setitimer(ITIMER_REAL, &soon, NULL) == 0, "setitimer");
}

static void interrupted_truth(long user_ret, long long kernel_ret)
{
	require(interrupted, "the signal came");
	truth("user_ret", raw_errno(user_ret));
	truth("ret", kernel_ret);
}

static void run_interrupted_nanosleep(void)
{
	struct timespec duration = {.tv_sec = 10};

	interrupt_soon(0);
	interrupted_truth(syscall(SYS_nanosleep, &duration, NULL), -ERESTART_RESTARTBLOCK);
}

static void run_interrupted_pause(void)
{
#ifdef SYS_pause
	interrupt_soon(0);
	interrupted_truth(syscall(SYS_pause), -ERESTARTNOHAND);
#else
	/* arm64 has no pause. */
	truth("skipped", 1);
#endif
}

static void *write_after_the_signal(void *pipe_end)
{
	while (!interrupted)
		sleep_ns(NSEC_PER_MSEC);
	return write_late(pipe_end);
}

/* SA_RESTART: the kernel enters the call a second time, so one read of the program is two at the hooks. */
static void run_restarted_read(void)
{
	sigset_t alarm_only;
	pthread_t writer;
	int ends[2];
	char byte;
	long ret;

	require(pipe(ends) == 0, "pipe");
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	interrupted = 0;
	/* The writer inherits the blocked signal, so it is the reader that is interrupted. */
	pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
	require((errno = pthread_create(&writer, NULL, write_after_the_signal, &ends[1])) == 0, "pthread_create");
	pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	interrupt_soon(SA_RESTART);
	ret = syscall(SYS_read, ends[0], &byte, 1);
	truth("first_ret", -ERESTARTSYS);
	truth("second_ret", raw_errno(ret));
	truth("read", 2);
	pthread_join(writer, NULL);
	close(ends[0]);
	close(ends[1]);
}

/* Calls that seccomp decides about before they begin. The filter stays. */
static void run_refused(void)
{
#define WHERE(nr, decision) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, decision)
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    WHERE(SYS_unshare, SECCOMP_RET_ERRNO | EPERM),
	    WHERE(SYS_sethostname, SECCOMP_RET_TRAP),
	    WHERE(SYS_setdomainname, SECCOMP_RET_TRACE),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};

	require(signal(SIGSYS, note_interruption) != SIG_ERR, "signal");
	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
	require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "PR_SET_SECCOMP");
	truth("unshare", raw_errno(syscall(SYS_unshare, 0)));
	interrupted = 0;
	truth("sethostname", raw_errno(syscall(SYS_sethostname, "", 0)));
	require(interrupted, "SIGSYS came");
	truth("setdomainname", raw_errno(syscall(SYS_setdomainname, "", 0)));
}

/* A call that returns twice: in the child it never began. */
static void run_fork(void)
{
	int status;
	pid_t child = fork();

	require(child >= 0, "fork");
	if (child == 0) {
		raw_getppid();
		_exit(0);
	}
	require(waitpid(child, &status, 0) == child, "waitpid");
	truth("child_pid", child);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
    {"getppid", run_getppid},
    {"close", run_close},
    {"openat", run_openat},
    {"execve-fails", run_execve_fails},
    {"nanosleep", run_nanosleep},
    {"read-blocked", run_read_blocked},
    {"thread-exit", run_thread_exit},
    {"killed", run_killed},
    {"interrupted-nanosleep", run_interrupted_nanosleep},
    {"interrupted-pause", run_interrupted_pause},
    {"restarted-read", run_restarted_read},
    {"fork", run_fork},
    {"refused", run_refused},
    /* These two end the process or replace it, so they come last. */
    {"thread-exec", run_thread_exec},
    {"exit-group", run_exit_group},
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void run_case(const char *name)
{
	static const char after[] = "after-thread-exec=";

	if (strncmp(name, after, sizeof(after) - 1) == 0) {
		after_thread_exec(name + sizeof(after) - 1);
		return;
	}
	for (size_t i = 0; i < CASE_COUNT; i++) {
		if (strcmp(cases[i].name, name) != 0)
			continue;
		current_case = cases[i].name;
		cases[i].run();
		return;
	}
	fprintf(stderr, "%s: no case is named '%s'; there are:", program_invocation_short_name, name);
	for (size_t i = 0; i < CASE_COUNT; i++)
		fprintf(stderr, " %s", cases[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);

	if (argc < 2)
		usage("CASE...");
	/* A bare name was found through PATH, which execve does not search. */
	self_path = strchr(argv[0], '/') ? argv[0] : "/proc/self/exe";
	buffer_stdout();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "killed") == 0 && victim.pid == 0)
			start_victim();
	}
	if (wait) {
		announce();
		if (victim.pid)
			printf("child_pid=%d\n", victim.pid);
		wait_for_line();
	}
	for (int i = 1; i < argc; i++)
		run_case(argv[i]);
	return 0;
}
