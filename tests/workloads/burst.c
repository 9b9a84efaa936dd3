// SPDX-License-Identifier: GPL-3.0-only
/* N getppid calls at full speed: what a call costs, and a known number of events as fast as a thread can make them. */
#include "workload.h"

/* On a CPU of its own it is measured: in parts of which the fastest counts, as the others also have what else the
 * machine did meanwhile. Looking at the clock can be a system call, so that else there is only one. */
#define PARTS 25

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	double ns_per_call = 0, fastest = 0;
	long long started, from, to;
	long calls, parts, count;

	if (argc < 2)
		usage("N [cpu]");
	calls = parse_count(argv[1]);
	if (argc > 2)
		pin_to_cpu(parse_count(argv[2]));
	parts = argc > 2 && calls >= PARTS ? PARTS : 1;
	buffer_stdout();
	wait_for_start(wait);

	started = from = now_ns();
	for (long part = 0; part < parts; part++) {
		count = calls * (part + 1) / parts - calls * part / parts;
		for (long i = 0; i < count; i++)
			raw_getppid();
		to = now_ns();
		ns_per_call = count ? (double)(to - from) / (double)count : 0;
		if (!part || ns_per_call < fastest)
			fastest = ns_per_call;
		from = to;
	}

	printf("calls=%ld\n", calls);
	printf("elapsed_ns=%lld\n", from - started);
	printf("ns_per_call=%.2f\n", fastest);
	return 0;
}
