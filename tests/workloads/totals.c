// SPDX-License-Identifier: GPL-3.0-only
/*
 * Calls whose results, added up, are known here: maps whose addresses are more than 64 bits together, reads of several
 * sizes, calls that fail, and sleeps, of which is said how long they were at least and at most.
 */
#include "workload.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

static const size_t sizes[] = {1, 100, 4096, 65536};
static char buffer[65536];

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
	const struct timespec nap = {.tv_nsec = 20000000};
	unsigned __int128 addresses = 0;
	int64_t slept = 0, longest = 0;
	uint64_t highest = 0;
	long rounds;
	int zero;

	begin(&argc, argv, 2, "N");
	rounds = parse_count(argv[1]);
	zero = open("/dev/zero", O_RDONLY);

	for (long i = 0; i < rounds; i++) {
		void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		addresses += (uintptr_t)map;
		if ((uintptr_t)map > highest)
			highest = (uintptr_t)map;
		munmap(map, 4096);
		syscall(SYS_pread64, zero, buffer, sizes[i % 4], 0);
		syscall(SYS_close, -1);
		syscall(SYS_openat, AT_FDCWD, i % 2 ? "/veil/none" : "/dev/null/none", i % 4 < 2 ? O_RDONLY : O_PATH,
			0);
	}
	for (int i = 0; i < 5; i++) {
		int64_t start = now(), took;

		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, NULL);
		took = now() - start;
		slept += took;
		if (took > longest)
			longest = took;
	}

	printf("addresses_high=%lu\naddresses_low=%lu\n", (uint64_t)(addresses >> 64), (uint64_t)addresses);
	printf("highest=%lu\nslept=%ld\nlongest=%ld\n", highest, slept, longest);
	return 0;
}
