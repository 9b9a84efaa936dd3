// SPDX-License-Identifier: GPL-3.0-only
/* N getppid calls at full speed: what a call costs, and a known number of events as fast as a thread can make them. */
#include "workload.h"

/* Timed in parts, of which the median counts: a machine that stands still for a while spoils some of them only. */
#define PARTS 25

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	double ns_per_call[PARTS];
	long long started, from;
	long calls, parts;

	if (argc < 2)
		usage("N [cpu]");
	calls = parse_count(argv[1]);
	if (argc > 2)
		pin_to_cpu(parse_count(argv[2]));
	parts = calls < PARTS ? 1 : PARTS;
	buffer_stdout();
	wait_for_start(wait);

	started = from = now_ns();
	for (long part = 0; part < parts; part++) {
		long count = calls * (part + 1) / parts - calls * part / parts;
		long long to;

		for (long i = 0; i < count; i++)
			raw_getppid();
		to = now_ns();
		ns_per_call[part] = count ? (double)(to - from) / (double)count : 0.0;
		from = to;
	}

	qsort(ns_per_call, parts, sizeof(ns_per_call[0]), compare);
	printf("calls=%ld\n", calls);
	printf("elapsed_ns=%lld\n", from - started);
	printf("ns_per_call=%.2f\n", ns_per_call[parts / 2]);
	return 0;
}
