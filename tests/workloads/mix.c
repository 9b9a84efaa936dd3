// SPDX-License-Identifier: GPL-3.0-only
/*
 * N rounds of a few different calls, in unequal numbers so that two of them cannot be mistaken for each other. What is
 * printed is every call that the process makes between the end of the handshake's read and its death.
 */
#include "workload.h"

#include <fcntl.h>

int main(int argc, char **argv)
{
	long rounds;

	begin(&argc, argv, 2, "N");
	rounds = parse_count(argv[1]);

	for (long i = 0; i < rounds; i++) {
		raw_getppid();
		raw_getppid();
		raw_getppid();
		raw_getppid();
		syscall(SYS_getuid);
		syscall(SYS_getuid);
		syscall(SYS_getuid);
		syscall(SYS_close, -1);
		syscall(SYS_close, -1);
		syscall(SYS_openat, AT_FDCWD, "/veil/does/not/exist", O_RDONLY, 0);
	}

	printf("getppid=%ld\n", 4 * rounds);
	printf("getuid=%ld\n", 3 * rounds);
	printf("close=%ld\n", 2 * rounds);
	printf("openat=%ld\n", rounds);
	printf("write=1\n");
	printf("exit_group=1\n");
	printf("total=%ld\n", 10 * rounds + 2);
	fflush(stdout);
	_exit(0);
}
