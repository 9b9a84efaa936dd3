// SPDX-License-Identifier: GPL-3.0-only
/*
 * Waits for a lock of each kind: the main thread has it, another thread waits for it, and it is let go once the other
 * one is seen to wait in the kernel. Says for each kind who had it, who waited, and where the lock is and ends.
 * With `deadlock N` N threads wait for each other in a circle; the program then waits for a line and ends.
 * With `joined` the main thread has an rwlock and waits for the end of a thread that waits for it; with `abandoned` a
 * thread has ended with a mutex locked, for which another one waits. Both until they are killed.
 */
#include "workload.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

static pid_t tid_of(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* Until it sleeps in a futex call, as the kernel has it. */
static void await_wait(const volatile pid_t *tid)
{
	char path[64], number[8], expected[8];

	snprintf(expected, sizeof(expected), "%d ", SYS_futex);
	for (;;) {
		FILE *file;
		size_t read;

		if (!*tid)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/syscall", *tid);
		file = fopen(path, "re");
		require(file != NULL, path);
		read = fread(number, 1, sizeof(number) - 1, file);
		fclose(file);
		number[read] = 0;
		if (strncmp(number, expected, strlen(expected)) == 0)
			return;
		usleep(200);
	}
}

struct place {
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
	pthread_cond_t condition;
	sem_t semaphore;
	volatile pid_t waiter;
	bool told;
};

static void say(const char *kind, pid_t holder, pid_t waiter, const void *lock, size_t size)
{
	printf("%s=%d %d 0x%lx 0x%lx\n", kind, holder, waiter, (unsigned long)lock, (unsigned long)lock + size);
}

typedef void *(*waiting)(void *place);

static void *lock_mutex(void *at)
{
	struct place *place = at;

	place->waiter = tid_of();
	require((errno = pthread_mutex_lock(&place->mutex)) == 0, "pthread_mutex_lock");
	pthread_mutex_unlock(&place->mutex);
	return NULL;
}

static void *lock_timed(void *at)
{
	struct place *place = at;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20 * NSEC_PER_MSEC;
	until.tv_sec += until.tv_nsec / NSEC_PER_SEC;
	until.tv_nsec %= NSEC_PER_SEC;
	place->waiter = tid_of();
	require(pthread_mutex_timedlock(&place->mutex, &until) == ETIMEDOUT, "pthread_mutex_timedlock");
	return NULL;
}

static void *lock_read(void *at)
{
	struct place *place = at;

	place->waiter = tid_of();
	require((errno = pthread_rwlock_rdlock(&place->rwlock)) == 0, "pthread_rwlock_rdlock");
	pthread_rwlock_unlock(&place->rwlock);
	return NULL;
}

static void *lock_write(void *at)
{
	struct place *place = at;

	place->waiter = tid_of();
	require((errno = pthread_rwlock_wrlock(&place->rwlock)) == 0, "pthread_rwlock_wrlock");
	pthread_rwlock_unlock(&place->rwlock);
	return NULL;
}

static void *wait_condition(void *at)
{
	struct place *place = at;

	pthread_mutex_lock(&place->mutex);
	place->waiter = tid_of();
	while (!place->told)
		pthread_cond_wait(&place->condition, &place->mutex);
	pthread_mutex_unlock(&place->mutex);
	return NULL;
}

static void *wait_semaphore(void *at)
{
	struct place *place = at;

	place->waiter = tid_of();
	require(sem_wait(&place->semaphore) == 0, "sem_wait");
	return NULL;
}

static struct place *place_of(int type, int protocol, bool is_robust, bool is_shared)
{
	struct place *place = mmap(NULL, sizeof(*place), PROT_READ | PROT_WRITE,
				   (is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	require(place != MAP_FAILED, "mmap");
	pthread_mutexattr_init(&attributes);
	require((errno = pthread_mutexattr_settype(&attributes, type)) == 0, "type");
	require((errno = pthread_mutexattr_setprotocol(&attributes, protocol)) == 0, "protocol");
	if (is_robust)
		require((errno = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST)) == 0, "robust");
	if (is_shared)
		pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	require((errno = pthread_mutex_init(&place->mutex, &attributes)) == 0, "pthread_mutex_init");
	pthread_rwlock_init(&place->rwlock, NULL);
	pthread_cond_init(&place->condition, NULL);
	sem_init(&place->semaphore, 0, 0);
	return place;
}

static void mutex(const char *kind, int type, int protocol, bool is_robust)
{
	struct place *place = place_of(type, protocol, is_robust, false);
	pthread_t thread;

	pthread_mutex_lock(&place->mutex);
	require((errno = pthread_create(&thread, NULL, lock_mutex, place)) == 0, "pthread_create");
	await_wait(&place->waiter);
	pthread_mutex_unlock(&place->mutex);
	pthread_join(thread, NULL);
	say(kind, tid_of(), place->waiter, &place->mutex, sizeof(place->mutex));
}

static void shared(const char *kind, bool is_robust)
{
	struct place *place = place_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, is_robust, true);
	pid_t child;

	pthread_mutex_lock(&place->mutex);
	child = fork();
	require(child >= 0, "fork");
	if (!child) {
		lock_mutex(place);
		_exit(0);
	}
	await_wait(&place->waiter);
	pthread_mutex_unlock(&place->mutex);
	waitpid(child, NULL, 0);
	say(kind, tid_of(), child, &place->mutex, sizeof(place->mutex));
}

static void timed(void)
{
	struct place *place = place_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, false, false);
	pthread_t thread;

	pthread_mutex_lock(&place->mutex);
	pthread_create(&thread, NULL, lock_timed, place);
	pthread_join(thread, NULL);
	pthread_mutex_unlock(&place->mutex);
	say("timed", tid_of(), place->waiter, &place->mutex, sizeof(place->mutex));
}

static void rwlock(const char *kind, waiting wait, bool is_read)
{
	struct place *place = place_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, false, false);
	pthread_t thread;

	if (is_read)
		pthread_rwlock_rdlock(&place->rwlock);
	else
		pthread_rwlock_wrlock(&place->rwlock);
	pthread_create(&thread, NULL, wait, place);
	await_wait(&place->waiter);
	pthread_rwlock_unlock(&place->rwlock);
	pthread_join(thread, NULL);
	say(kind, is_read ? 0 : tid_of(), place->waiter, &place->rwlock, sizeof(place->rwlock));
}

static void condition(void)
{
	struct place *place = place_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, false, false);
	pthread_t thread;

	pthread_create(&thread, NULL, wait_condition, place);
	await_wait(&place->waiter);
	pthread_mutex_lock(&place->mutex);
	place->told = true;
	pthread_mutex_unlock(&place->mutex);
	pthread_cond_signal(&place->condition);
	pthread_join(thread, NULL);
	say("condition", 0, place->waiter, &place->condition, sizeof(place->condition));
}

static void semaphore(void)
{
	struct place *place = place_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, false, false);
	pthread_t thread;

	pthread_create(&thread, NULL, wait_semaphore, place);
	await_wait(&place->waiter);
	sem_post(&place->semaphore);
	pthread_join(thread, NULL);
	say("semaphore", 0, place->waiter, &place->semaphore, sizeof(place->semaphore));
}

static volatile pid_t joiner, joined;

static void *be_joined(void *nothing)
{
	joined = tid_of();
	await_wait(&joiner);
	return nothing;
}

static void *join(void *thread)
{
	joiner = tid_of();
	pthread_join(*(pthread_t *)thread, NULL);
	return NULL;
}

static void joining(void)
{
	pthread_t first, second;

	pthread_create(&first, NULL, be_joined, NULL);
	pthread_create(&second, NULL, join, &first);
	pthread_join(second, NULL);
	printf("join=%d %d 0x0 0xffffffffffffffff\n", joined, joiner);
}

#define CIRCLE_MAX 16
static pthread_mutex_t circle[CIRCLE_MAX];
static volatile pid_t circle_tids[CIRCLE_MAX];
static pthread_barrier_t all_have;
static long circle_size;

static void *wait_in_circle(void *number)
{
	long own = (long)(intptr_t)number;
	char name[16];

	snprintf(name, sizeof(name), "worker-%ld", own);
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&circle[own]);
	pthread_barrier_wait(&all_have);
	circle_tids[own] = tid_of();
	pthread_mutex_lock(&circle[(own + 1) % circle_size]);
	return NULL;
}

static void deadlock(long count)
{
	pthread_t thread;
	char line[8];

	require(count >= 2 && count <= CIRCLE_MAX, "2 to 16 threads");
	circle_size = count;
	pthread_barrier_init(&all_have, NULL, (unsigned int)count);
	for (long i = 0; i < count; i++)
		pthread_mutex_init(&circle[i], NULL);
	for (long i = 0; i < count; i++)
		pthread_create(&thread, NULL, wait_in_circle, (void *)(intptr_t)i);
	for (long i = 0; i < count; i++)
		await_wait(&circle_tids[i]);
	announce();
	for (long i = 0; i < count; i++)
		printf("worker%ld=%d 0x%lx\n", i, circle_tids[i], (unsigned long)&circle[i]);
	fflush(stdout);
	require(read(STDIN_FILENO, line, sizeof(line)) >= 0, "read");
	_exit(0);
}

static pthread_rwlock_t joined_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t abandoned_lock = PTHREAD_MUTEX_INITIALIZER;

static void *read_joined(void *nothing)
{
	pthread_setname_np(pthread_self(), "reader");
	printf("reader=%d\n", tid_of());
	announce();
	fflush(stdout);
	pthread_rwlock_rdlock(&joined_lock);
	return nothing;
}

static void *abandon(void *nothing)
{
	printf("gone=%d\n", tid_of());
	pthread_mutex_lock(&abandoned_lock);
	return nothing;
}

static void wait_for_ever(bool is_joined)
{
	pthread_t thread;

	if (is_joined) {
		pthread_rwlock_wrlock(&joined_lock);
		pthread_create(&thread, NULL, read_joined, NULL);
		pthread_join(thread, NULL);
	}
	pthread_create(&thread, NULL, abandon, NULL);
	pthread_join(thread, NULL);
	announce();
	fflush(stdout);
	pthread_mutex_lock(&abandoned_lock);
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);

	if (argc > 1 && (strcmp(argv[1], "joined") == 0 || strcmp(argv[1], "abandoned") == 0))
		wait_for_ever(argv[1][0] == 'j');
	if (argc > 2 && strcmp(argv[1], "deadlock") == 0)
		deadlock(parse_count(argv[2]));
	buffer_stdout();
	wait_for_start(wait);
	mutex("normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, false);
	mutex("recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, false);
	mutex("errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, false);
	mutex("adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE, false);
	mutex("robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, true);
	mutex("inheriting", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, false);
	shared("shared", false);
	shared("shared_robust", true);
	rwlock("read_written", lock_read, false);
	rwlock("write_written", lock_write, false);
	rwlock("write_read", lock_write, true);
	timed();
	condition();
	semaphore();
	joining();
	return 0;
}
