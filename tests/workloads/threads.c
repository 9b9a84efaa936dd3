// SPDX-License-Identifier: GPL-3.0-only
/* T threads at once, each making N getppid calls. */
#include "workload.h"

#include <pthread.h>

static pthread_barrier_t all_started;
static long calls_per_thread;

static void *run(void *unused)
{
	pthread_barrier_wait(&all_started);
	for (long i = 0; i < calls_per_thread; i++)
		raw_getppid();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t *threads;
	long count;

	begin(&argc, argv, 3, "T N");
	count = parse_count(argv[1]);
	calls_per_thread = parse_count(argv[2]);
	threads = calloc((size_t)count + 1, sizeof(*threads));
	require(threads != NULL, "allocating the threads");
	require(count > 0 && pthread_barrier_init(&all_started, NULL, (unsigned int)count) == 0, "making the barrier");

	for (long i = 0; i < count; i++)
		require((errno = pthread_create(&threads[i], NULL, run, NULL)) == 0, "pthread_create");
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);

	printf("threads=%ld\n", count);
	printf("calls_per_thread=%ld\n", calls_per_thread);
	printf("getppid=%ld\n", count * calls_per_thread);
	return 0;
}
