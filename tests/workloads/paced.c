// SPDX-License-Identifier: GPL-3.0-only
/* N getppid calls, each some time after the other: a known number of events over some seconds. */
#include "workload.h"

#include <time.h>

int main(int argc, char **argv)
{
	static const struct timespec pause = {.tv_nsec = 150000};
	bool wait = take_wait_flag(&argc, argv);
	long calls;

	if (argc < 2)
		usage("N");
	calls = parse_count(argv[1]);
	buffer_stdout();
	wait_for_start(wait);
	for (long i = 0; i < calls; i++) {
		raw_getppid();
		nanosleep(&pause, NULL);
	}
	printf("calls=%ld\n", calls);
	return 0;
}
