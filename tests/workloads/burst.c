// SPDX-License-Identifier: GPL-3.0-only
/* N getppid calls at full speed: what a call costs, and a known number of events as fast as a thread can make them. */
#include "workload.h"

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	long long started, elapsed;
	long calls;

	if (argc < 2)
		usage("N [cpu]");
	calls = parse_count(argv[1]);
	if (argc > 2)
		pin_to_cpu(parse_count(argv[2]));
	buffer_stdout();
	wait_for_start(wait);

	started = now_ns();
	for (long i = 0; i < calls; i++)
		raw_getppid();
	elapsed = now_ns() - started;

	printf("calls=%ld\n", calls);
	printf("elapsed_ns=%lld\n", elapsed);
	printf("ns_per_call=%.2f\n", calls ? (double)elapsed / (double)calls : 0.0);
	return 0;
}
