// SPDX-License-Identifier: GPL-3.0-only
/*
 * 32-bit system calls from a 64-bit process: the numbers mean other calls than in the 64-bit table (64 is semget there,
 * 20 is writev). Prints supported=0 where the kernel was built, or booted, without 32-bit emulation.
 */
#include "workload.h"

#include <signal.h>

#define I386_NR_GETPID	20
#define I386_NR_GETPPID 64

#ifdef __x86_64__
static long int80(long nr)
{
	long ret;

	/* Kernels before 4.17 did not keep r8 to r11. */
	asm volatile("int $0x80" : "=a"(ret) : "a"(nr) : "r8", "r9", "r10", "r11", "memory");
	return ret;
}
#endif

static void unsupported(int signal_number)
{
	static const char answer[] = "supported=0\ngetppid=0\ngetpid=0\n";

	(void)signal_number;
	_exit(write(STDOUT_FILENO, answer, sizeof(answer) - 1) < 0);
}

int main(int argc, char **argv)
{
	long calls;

	begin(&argc, argv, 2, "N");
	calls = parse_count(argv[1]);
#ifdef __x86_64__
	signal(SIGSEGV, unsupported);
	for (long i = 0; i < calls; i++) {
		require(int80(I386_NR_GETPPID) == getppid(), "32-bit getppid");
		require(int80(I386_NR_GETPID) == getpid(), "32-bit getpid");
	}
	printf("supported=1\n");
	printf("getppid=%ld\n", calls);
	printf("getpid=%ld\n", calls);
#else
	(void)calls;
	unsupported(0);
#endif
	return 0;
}
