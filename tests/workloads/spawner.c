// SPDX-License-Identifier: GPL-3.0-only
/*
 * N short-lived children, one after the other; each names itself, calls getppid once and exits. vfork, because copying
 * page tables is most of what a fork costs: 100,000 children take seconds.
 */
#include "workload.h"

#include <sys/prctl.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	const char *comm;
	long children;

	begin(&argc, argv, 2, "N [comm]");
	children = parse_count(argv[1]);
	comm = argc > 2 ? argv[2] : "spawned";

	for (long i = 0; i < children; i++) {
		pid_t child = vfork();

		if (child == 0) {
			prctl(PR_SET_NAME, comm);
			raw_getppid();
			_exit(0);
		}
		require(child > 0, "vfork");
		require(waitpid(child, NULL, 0) == child, "waitpid");
	}

	printf("comm=%.15s\n", comm);
	printf("children=%ld\n", children);
	printf("getppid=%ld\n", children);
	return 0;
}
