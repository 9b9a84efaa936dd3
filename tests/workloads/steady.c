// SPDX-License-Identifier: GPL-3.0-only
/* N getppid calls, RATE of them a second: a known number of events, and a load that stays what it is. */
#include "workload.h"

#include <time.h>

#define SLICES 1000 /* a second */

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	long long started, due;
	long calls, rate, done = 0;
	struct timespec pause = {};

	if (argc < 3)
		usage("N RATE");
	calls = parse_count(argv[1]);
	rate = parse_count(argv[2]);
	buffer_stdout();
	wait_for_start(wait);

	started = now_ns();
	while (done < calls) {
		for (long i = 0; i < rate / SLICES && done < calls; i++, done++)
			raw_getppid();
		due = started + (long long)((double)done / (double)rate * 1e9);
		pause.tv_nsec = due - now_ns();
		if (pause.tv_nsec > 0 && pause.tv_nsec < 1000000000)
			nanosleep(&pause, NULL);
	}
	printf("calls=%ld\n", calls);
	printf("elapsed_ns=%lld\n", now_ns() - started);
	return 0;
}
