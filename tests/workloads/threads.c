// SPDX-License-Identifier: GPL-3.0-only
/* T threads at once, each making N getppid calls. They are there before the handshake, to be filtered by. */
#include "workload.h"

#include <pthread.h>

static pthread_barrier_t all_started;
static pthread_barrier_t go;
static long calls_per_thread;
static long first_tid;

static void *run(void *number)
{
	if (!number)
		first_tid = syscall(SYS_gettid);
	pthread_barrier_wait(&all_started);
	pthread_barrier_wait(&go);
	for (long i = 0; i < calls_per_thread; i++)
		raw_getppid();
	return number;
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	pthread_t *threads;
	long count;

	if (argc < 3)
		usage("T N");
	buffer_stdout();
	count = parse_count(argv[1]);
	calls_per_thread = parse_count(argv[2]);
	threads = calloc((size_t)count + 1, sizeof(*threads));
	require(threads != NULL, "allocating the threads");
	require(count > 0 && pthread_barrier_init(&all_started, NULL, (unsigned int)count + 1) == 0 &&
		    pthread_barrier_init(&go, NULL, (unsigned int)count + 1) == 0,
		"making the barriers");

	for (long i = 0; i < count; i++)
		require((errno = pthread_create(&threads[i], NULL, run, (void *)i)) == 0, "pthread_create");
	pthread_barrier_wait(&all_started);
	if (wait) {
		announce();
		printf("first_tid=%ld\n", first_tid);
		wait_for_line();
	}
	pthread_barrier_wait(&go);
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);

	printf("threads=%ld\n", count);
	printf("calls_per_thread=%ld\n", calls_per_thread);
	printf("getppid=%ld\n", count * calls_per_thread);
	return 0;
}
