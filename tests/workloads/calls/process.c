/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes every system call on processes and threads with valid, invalid and unusual arguments. The decoders of --args
 * are compared with strace on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BAD	  ((void *)1)
#define call(...) syscall(__VA_ARGS__)

static int status;
static struct rusage usage;
static siginfo_t info;

/* A child that ends at once, made by clone(): it runs no library code. */
static long child(int code)
{
	long pid = call(SYS_clone, (unsigned long)SIGCHLD, 0L, 0L, 0L, 0L);

	if (pid == 0)
		call(SYS_exit_group, code);
	return pid;
}

static void children(void)
{
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	int pidfd = -1, tid = 0;
	pid_t set_tid[2] = {-1, 2};
	long pid = child(3);

	call(SYS_wait4, pid, &status, 0, NULL);
	call(SYS_wait4, child(0), &status, 0, &usage);
	call(SYS_wait4, child(255), NULL, __WALL, NULL);
	call(SYS_wait4, -1, &status, 0, NULL);
	call(SYS_wait4, -1, &status, WNOHANG | WUNTRACED | WCONTINUED, &usage);
	call(SYS_wait4, 0, BAD, WNOHANG | __WCLONE | __WNOTHREAD, BAD);
	call(SYS_wait4, -5, NULL, 0x100, NULL);
	pid = child(1);
	call(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
	call(SYS_waitid, P_PID, pid, &info, WEXITED, &usage);
	call(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, NULL);
	call(SYS_waitid, P_PGID, 0, NULL, WSTOPPED | WNOHANG, NULL);
	call(SYS_waitid, P_PIDFD, -1, &info, WEXITED, NULL);
	call(SYS_waitid, 7, -1, BAD, 0x1000, BAD);
	pid = call(SYS_fork);
	if (pid == 0)
		for (;;)
			pause();
	call(SYS_wait4, pid, &status, WNOHANG, &usage);
	call(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG, NULL);
	call(SYS_kill, pid, SIGSTOP);
	call(SYS_wait4, pid, &status, WUNTRACED, NULL);
	call(SYS_kill, pid, SIGCONT);
	call(SYS_wait4, pid, &status, WCONTINUED, NULL);
	call(SYS_kill, pid, SIGKILL);
	call(SYS_wait4, pid, &status, 0, NULL);
	pid = call(SYS_fork);
	if (pid == 0)
		for (;;)
			pause();
	call(SYS_kill, pid, SIGTERM);
	call(SYS_waitid, P_PID, pid, &info, WEXITED, NULL);
	call(SYS_clone, (unsigned long)(CLONE_THREAD | SIGCHLD), 0L, 0L, 0L, 0L);
	call(SYS_clone,
	     (unsigned long)(CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |
			     CLONE_SETTLS | CLONE_NEWUSER | CLONE_FS),
	     0x1234L, &tid, &tid, 0x5678L);
	call(SYS_clone, (unsigned long)(CLONE_PIDFD | CLONE_PARENT_SETTID), 0L, &tid, 0L, 0L);
	pid = call(SYS_clone, (unsigned long)(CLONE_PIDFD | SIGCHLD), 0L, &pidfd, 0L, 0L);
	if (pid == 0)
		call(SYS_exit_group, 7);
	call(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED, NULL);
	call(SYS_pidfd_send_signal, pidfd, 0, NULL, 0);
	call(SYS_pidfd_send_signal, -1, SIGUSR1, &info, 1);
	call(SYS_pidfd_send_signal, -1, SIGUSR1, BAD, 8);
	call(SYS_close, pidfd);
	pid = call(SYS_clone, (unsigned long)(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD), 0L, &tid, &tid, 0L);
	if (pid == 0)
		call(SYS_exit_group, 0);
	call(SYS_wait4, pid, &status, 0, NULL);
	call(SYS_clone, (unsigned long)(CLONE_NEWNS | CLONE_FS | 77), 0L, 0L, 0L, 0L);
	args.pidfd = (uintptr_t)&pidfd;
	pid = call(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		call(SYS_exit_group, 1);
	call(SYS_wait4, pid, &status, 0, NULL);
	args.flags = CLONE_PARENT_SETTID;
	args.parent_tid = (uintptr_t)&tid;
	args.stack = 0;
	pid = call(SYS_clone3, &args, 64L);
	if (pid == 0)
		call(SYS_exit_group, 1);
	call(SYS_wait4, pid, &status, 0, NULL);
	args.flags = CLONE_THREAD | CLONE_INTO_CGROUP | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS;
	args.child_tid = (uintptr_t)&tid;
	args.tls = 0x1234;
	args.cgroup = 77;
	args.set_tid = (uintptr_t)set_tid;
	args.set_tid_size = 2;
	args.stack = 0x1000;
	args.stack_size = 0x2000;
	call(SYS_clone3, &args, sizeof(args));
	args.exit_signal = 99;
	call(SYS_clone3, &args, 72L);
	call(SYS_clone3, &args, 8L);
	call(SYS_clone3, BAD, 88L);
	call(SYS_clone3, NULL, 64L);
	call(SYS_clone3, &args, 4096L);
	call(SYS_unshare, CLONE_FS);
	call(SYS_unshare, CLONE_NEWNS | CLONE_THREAD | 0x40);
	call(SYS_unshare, 0L);
	call(SYS_setns, -1, 0);
	call(SYS_setns, -1, CLONE_NEWNET | CLONE_NEWPID);
	call(SYS_setns, -1, 5);
	call(SYS_pidfd_getfd, -1, 0, 0);
	call(SYS_pidfd_getfd, -1, 3, 1);
	pidfd = call(SYS_pidfd_open, getpid(), 0);
	call(SYS_close, pidfd);
	call(SYS_pidfd_open, -1, O_NONBLOCK);
	call(SYS_pidfd_open, 0, 0x81);
	call(SYS_kcmp, getpid(), getpid(), 0, 0L, 0L);
	call(SYS_kcmp, getpid(), getpid(), 0, 77L, 0L);
	call(SYS_kcmp, -1, 0, 2, 0L, 0L);
	call(SYS_kcmp, 0, 0, 7, 0L, BAD);
	call(SYS_kcmp, 0, 0, 99, 5L, 6L);
}

static void execs(void)
{
	char *const arguments[] = {"one", "two \"quoted\"", "a string that is longer than thirty-two characters", NULL};
	char *const environment[] = {"A=1", "B=2", NULL};
	char *const none[] = {NULL};
	char *const broken[] = {"one", BAD, NULL};
	char *many[50];

	for (int i = 0; i < 49; i++)
		many[i] = "x";
	many[49] = NULL;
	call(SYS_execve, "/nonexistent", arguments, environment);
	call(SYS_execve, "/nonexistent", none, none);
	call(SYS_execve, "/nonexistent", NULL, NULL);
	call(SYS_execve, BAD, BAD, BAD);
	call(SYS_execve, NULL, broken, environment + 1);
	call(SYS_execve, "/nonexistent", many, many);
	call(SYS_execveat, AT_FDCWD, "nonexistent", arguments, environment, 0);
	call(SYS_execveat, -1, "", arguments, environment, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
	call(SYS_execveat, 5, "x", NULL, none, 0x30000);
}

static void futexes(void)
{
	static uint32_t word, other;
	struct timespec brief = {0, 1000}, wrong = {-1, 2000000000};
	struct {
		uint64_t value, address;
		uint32_t flags, reserved;
	} waiters[200] = {{7, (uintptr_t)&word, 2, 0}, {1, (uintptr_t)&other, 0x82, 5}};

	call(SYS_futex, &word, FUTEX_WAKE, 1, 0L, 0L, 0L);
	call(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0L, 0L, 0L);
	call(SYS_futex, &word, FUTEX_WAIT, 1, NULL, 0L, 0L);
	call(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &brief, 0L, 0L);
	call(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wrong, 0L, 0L);
	call(SYS_futex, &word, FUTEX_WAIT, 0, BAD, 0L, 0L);
	call(SYS_futex, BAD, FUTEX_WAIT, 0, NULL, 0L, 0L);
	call(SYS_futex, NULL, FUTEX_WAKE, -1, 0L, 0L, 0L);
	call(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &brief, NULL, ~0U);
	call(SYS_futex, &word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0x7f);
	call(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 0xffffU);
	call(SYS_futex, &word, FUTEX_REQUEUE, 1, 2L, &other, 0L);
	call(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 0x7fffffffL, &other, 5);
	call(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1L, &other, (1U << 28) | (2 << 24) | (5 << 12) | 6);
	call(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 0L, &other, 0x04000001U);
	call(SYS_futex, &word, FUTEX_WAKE_OP, 1, 0L, &other, 0xf9123456U);
	call(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
	call(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	call(SYS_futex, BAD, FUTEX_LOCK_PI, 0, &wrong, NULL, 0);
	call(SYS_futex, BAD, FUTEX_LOCK_PI2, 0, NULL, NULL, 0);
	call(SYS_futex, &word, FUTEX_WAIT_REQUEUE_PI, 1, &brief, &other, 0);
	call(SYS_futex, &word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 3L, &other, 1);
	call(SYS_futex, &word, FUTEX_FD, 1, 3L, &other, 1);
	call(SYS_futex, &word, 99, 1, 2L, 3L, 4);
	call(449 /* futex_waitv */, waiters, 2, 0, &brief, CLOCK_MONOTONIC);
	call(449, waiters, 1, 0, NULL, 0);
	call(449, BAD, 2, 1, BAD, 99);
	call(449, NULL, 0, 0, NULL, CLOCK_REALTIME);
	call(449, waiters, 200, 0, NULL, 0);
	call(454 /* futex_wake */, &word, 1L, 1, 2);
	call(454, BAD, -1L, 2, 0x82);
	call(455 /* futex_wait */, &word, 1L, ~0UL, 0x82, &brief, CLOCK_MONOTONIC);
	call(455, NULL, 0L, 0L, 0, BAD, 9L);
	call(456 /* futex_requeue */, waiters, 0, 1, 1);
	call(456, BAD, 1, 1, 1);
}

static void threads(void)
{
	void *head;
	size_t length;
	int ids[1];

	call(SYS_set_tid_address, ids);
	call(SYS_set_tid_address, NULL);
	call(SYS_set_robust_list, NULL, 24L);
	call(SYS_set_robust_list, BAD, 7L);
	call(SYS_get_robust_list, 0, &head, &length);
	call(SYS_get_robust_list, -1, &head, &length);
	call(SYS_get_robust_list, 0, BAD, NULL);
	call(SYS_rseq, BAD, 32, 0, 0x53053053);
	call(SYS_rseq, NULL, 16, 1, 5);
	call(SYS_rseq, 0x1000L, 32, 6, 0);
	call(SYS_arch_prctl, 0x1003L /* ARCH_GET_FS */, &head);
	call(SYS_arch_prctl, 0x1004L /* ARCH_GET_GS */, &head);
	call(SYS_arch_prctl, 0x1001L /* ARCH_SET_GS */, 0L);
	call(SYS_arch_prctl, 0x1011L /* ARCH_GET_CPUID */, 0L);
	call(SYS_arch_prctl, 0x1012L /* ARCH_SET_CPUID */, 1L);
	call(SYS_arch_prctl, 0x1022L /* ARCH_GET_XCOMP_PERM */, &head);
	call(SYS_arch_prctl, 0x1023L /* ARCH_REQ_XCOMP_PERM */, 99L);
	call(SYS_arch_prctl, 0x1003L, BAD);
	call(SYS_arch_prctl, 0x5001L /* ARCH_SHSTK_ENABLE */, 8L);
	call(SYS_arch_prctl, 0x5005L /* ARCH_SHSTK_STATUS */, &head);
	call(SYS_arch_prctl, 0x9999L, 3L);
	call(SYS_gettid);
	call(SYS_getpid);
	call(SYS_getppid);
	call(SYS_getpgrp);
	call(SYS_getpgid, 0);
	call(SYS_getpgid, -1);
	call(SYS_getsid, 0);
	call(SYS_getsid, 1);
	call(SYS_setpgid, 0, -1);
	call(SYS_setpgid, -1, 0);
	call(SYS_get_thread_area, BAD);
	call(SYS_set_thread_area, NULL);
	call(SYS_modify_ldt, 0, BAD, 16L);
	call(SYS_modify_ldt, 1, NULL, 16L);
	call(SYS_iopl, 5);
	call(SYS_ioperm, 0x10000L, 1L, 1);
	call(SYS_personality, 0xffffffffU);
	call(SYS_personality, 0x0040000U);
	call(SYS_personality, 0L);
	call(SYS_personality, 0x8000003U);
	call(SYS_personality, 0L);
}

static void traces(void)
{
	struct iovec vector = {NULL, 0};
	long data = 0;

	call(SYS_ptrace, PTRACE_ATTACH, -1L, 0L, 0L);
	call(SYS_ptrace, PTRACE_PEEKDATA, -1L, 0x1234L, &data);
	call(SYS_ptrace, PTRACE_POKEUSER, -1L, 8L, 5L);
	call(SYS_ptrace, PTRACE_PEEKUSER, -1L, 80L, &data);
	call(SYS_ptrace, PTRACE_CONT, -1L, 0L, (long)SIGUSR1);
	call(SYS_ptrace, PTRACE_SYSCALL, -1L, 1L, 0L);
	call(SYS_ptrace, PTRACE_DETACH, -1L, 0L, (long)SIGSTOP);
	call(SYS_ptrace, PTRACE_SETOPTIONS, -1L, 0L, 0x21L);
	call(SYS_ptrace, PTRACE_SEIZE, -1L, 0L, 0x1ffL);
	call(SYS_ptrace, PTRACE_GETEVENTMSG, -1L, 0L, &data);
	call(SYS_ptrace, PTRACE_GETREGS, -1L, 0L, &data);
	call(SYS_ptrace, PTRACE_GETREGSET, -1L, 1L, &vector);
	call(SYS_ptrace, PTRACE_SETREGSET, -1L, 0x202L, &vector);
	call(SYS_ptrace, PTRACE_GETSIGINFO, -1L, 0L, &info);
	call(SYS_ptrace, PTRACE_GETSIGMASK, -1L, 8L, &data);
	call(SYS_ptrace, PTRACE_SETSIGMASK, -1L, 8L, &data);
	call(SYS_ptrace, PTRACE_INTERRUPT, -1L, 0L, 0L);
	call(SYS_ptrace, PTRACE_LISTEN, -1L, 0L, 0L);
	call(SYS_ptrace, PTRACE_KILL, -1L, 0L, 0L);
	call(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, -1L, 88L, &data);
	call(SYS_ptrace, 0x9999L, -1L, 1L, 2L);
}

static void prctls(void)
{
	char name[16] = "name";
	int value = 0;
	long word = 0;
	uint64_t map[13] = {0};

	call(SYS_prctl, 16L /* PR_GET_NAME */, name, 0L, 0L, 0L);
	call(SYS_prctl, 15L /* PR_SET_NAME */, name, 0L, 0L, 0L);
	call(SYS_prctl, 15L, "a name that is too long", 0L, 0L, 0L);
	call(SYS_prctl, 15L, name, 0L, 0L, 0L);
	call(SYS_prctl, 15L, BAD, 0L, 0L, 0L);
	call(SYS_prctl, 16L, BAD, 0L, 0L, 0L);
	call(SYS_prctl, 1L /* PR_SET_PDEATHSIG */, (long)SIGTERM, 0L, 0L, 0L);
	call(SYS_prctl, 2L /* PR_GET_PDEATHSIG */, &value, 0L, 0L, 0L);
	call(SYS_prctl, 1L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 3L /* PR_GET_DUMPABLE */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 4L /* PR_SET_DUMPABLE */, 1L, 0L, 0L, 0L);
	call(SYS_prctl, 4L, 9L, 0L, 0L, 0L);
	call(SYS_prctl, 7L /* PR_GET_KEEPCAPS */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 8L, 1L, 0L, 0L, 0L);
	call(SYS_prctl, 13L /* PR_GET_TIMING */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 14L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 21L /* PR_GET_SECCOMP */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 22L /* PR_SET_SECCOMP */, 7L, 0L, 0L, 0L);
	call(SYS_prctl, 22L, 2L, BAD, 0L, 0L);
	call(SYS_prctl, 23L /* PR_CAPBSET_READ */, 1L, 0L, 0L, 0L);
	call(SYS_prctl, 23L, 99L, 0L, 0L, 0L);
	call(SYS_prctl, 24L, 99L, 0L, 0L, 0L);
	call(SYS_prctl, 25L /* PR_GET_TSC */, &value, 0L, 0L, 0L);
	call(SYS_prctl, 26L, 1L, 0L, 0L, 0L);
	call(SYS_prctl, 26L, 7L, 0L, 0L, 0L);
	call(SYS_prctl, 27L /* PR_GET_SECUREBITS */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 28L, 0x10L, 0L, 0L, 0L);
	call(SYS_prctl, 27L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 28L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 28L, 0x1000L, 0L, 0L, 0L);
	call(SYS_prctl, 29L /* PR_SET_TIMERSLACK */, 50000L, 0L, 0L, 0L);
	call(SYS_prctl, 30L /* PR_GET_TIMERSLACK */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 33L /* PR_MCE_KILL */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 33L, 1L, 2L, 0L, 0L);
	call(SYS_prctl, 34L /* PR_MCE_KILL_GET */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 35L /* PR_SET_MM */, 1L, BAD, 0L, 0L);
	call(SYS_prctl, 35L, 15L, &value, 0L, 0L);
	call(SYS_prctl, 35L, 14L, map, sizeof(map), 0L);
	call(SYS_prctl, 36L /* PR_SET_CHILD_SUBREAPER */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 37L, &value, 0L, 0L, 0L);
	call(SYS_prctl, 38L /* PR_SET_NO_NEW_PRIVS */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 39L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 40L /* PR_GET_TID_ADDRESS */, &word, 0L, 0L, 0L);
	call(SYS_prctl, 41L /* PR_SET_THP_DISABLE */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 42L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 47L /* PR_CAP_AMBIENT */, 1L, 5L, 0L, 0L);
	call(SYS_prctl, 47L, 4L, 0L, 0L, 0L);
	call(SYS_prctl, 47L, 9L, 1L, 2L, 3L);
	call(SYS_prctl, 52L /* PR_GET_SPECULATION_CTRL */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 52L, 1L, 0L, 0L, 0L);
	call(SYS_prctl, 53L, 0L, 99L, 0L, 0L);
	call(SYS_prctl, 53L, 5L, 2L, 0L, 0L);
	call(SYS_prctl, 54L /* PR_PAC_RESET_KEYS */, 1L, 0L, 0L, 0L);
	call(SYS_prctl, 57L /* PR_SET_IO_FLUSHER */, 7L, 0L, 0L, 0L);
	call(SYS_prctl, 58L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 59L /* PR_SET_SYSCALL_USER_DISPATCH */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 59L, 7L, 1L, 2L, 3L);
	call(SYS_prctl, 62L /* PR_SCHED_CORE */, 0L, 0L, 0L, &word);
	call(SYS_prctl, 62L, 1L, -1L, 1L, 0L);
	call(SYS_prctl, 65L /* PR_SET_MDWE */, 2L, 0L, 0L, 0L);
	call(SYS_prctl, 66L /* PR_GET_MDWE */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 0x53564d41L /* PR_SET_VMA */, 0L, 4096L, 4096L, "a name");
	call(SYS_prctl, 0x53564d41L, 5L, 4096L, 4096L, 0L);
	call(SYS_prctl, 0x59616d61L /* PR_SET_PTRACER */, -1L, 0L, 0L, 0L);
	call(SYS_prctl, 67L /* PR_SET_MEMORY_MERGE */, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 68L, 0L, 0L, 0L, 0L);
	call(SYS_prctl, 12345L, 1L, 2L, 3L, 4L);
	call(SYS_prctl, -1L, 1L, 2L, 3L, 4L);
}

int main(void)
{
	children();
	execs();
	futexes();
	threads();
	traces();
	prctls();
	call(SYS_exit_group, 0x1ff);
	return 0;
}
