// SPDX-License-Identifier: GPL-3.0-only
/*
 * The floor's user side: floor PID. Prints `ready`, counts events until SIGTERM, drains, and prints what it counted.
 * The reader is not libbpf's: walking the mapped ring and giving the space back once a batch costs less than a call and
 * a store that the producer's core has to fetch for every record.
 */
#include "program.h"
#include "floor.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define POLL_MS		  20
#define RELEASE_EVERY	  (256 << 10)
#define ROUND_UP_8(bytes) (((bytes) + 7) & ~7UL)

/* Documentation/bpf/ringbuf.rst: a page with the consumer's position, one with the producer's, the data mapped twice.
 */
struct ring {
	unsigned long *consumed;
	const unsigned long *produced;
	const char *data;
};

static struct ring map_ring(int map_fd)
{
	long page = sysconf(_SC_PAGESIZE);
	struct ring ring;
	void *producer;

	ring.consumed = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	program_require(ring.consumed != MAP_FAILED, "mapping the consumer's page");
	producer = mmap(NULL, (size_t)page + 2UL * FLOOR_RING_SIZE, PROT_READ, MAP_SHARED, map_fd, page);
	program_require(producer != MAP_FAILED, "mapping the ring");
	ring.produced = producer;
	ring.data = (const char *)producer + page;
	return ring;
}

static unsigned long count_available(struct ring *ring)
{
	unsigned long position = *ring->consumed;
	unsigned long released = position;
	unsigned long count = 0;

	for (;;) {
		unsigned long end = __atomic_load_n(ring->produced, __ATOMIC_ACQUIRE);

		if (position == end)
			break;
		while (position < end) {
			const __u32 *header = (const __u32 *)(ring->data + (position & (FLOOR_RING_SIZE - 1)));
			__u32 length = __atomic_load_n(header, __ATOMIC_ACQUIRE);

			if (length & BPF_RINGBUF_BUSY_BIT)
				goto out;
			if (!(length & BPF_RINGBUF_DISCARD_BIT))
				count++;
			length &= ~BPF_RINGBUF_DISCARD_BIT;
			position += ROUND_UP_8(length + BPF_RINGBUF_HDR_SZ);
			if (position - released >= RELEASE_EVERY) {
				__atomic_store_n(ring->consumed, position, __ATOMIC_RELEASE);
				released = position;
			}
		}
	}
out:
	__atomic_store_n(ring->consumed, position, __ATOMIC_RELEASE);
	return count;
}

static long long cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

static __u64 read_lost(struct bpf_object *object)
{
	struct bpf_map *bss = bpf_object__find_map_by_name(object, ".bss");
	__u32 zero = 0;
	__u64 lost = 0;

	program_require(bpf_map__lookup_elem(bss, &zero, sizeof(zero), &lost, sizeof(lost), 0) == 0,
			"reading the loss counter");
	return lost;
}

int main(int argc, char **argv)
{
	/* Edge triggered: a level would report any unread event at once, and the wait would be a busy loop. */
	struct epoll_event readable = {.events = EPOLLIN | EPOLLET};
	unsigned long delivered = 0;
	struct bpf_object *object;
	struct bpf_link *link;
	struct bpf_map *pids, *ring_map;
	struct ring ring;
	__u32 pid, one = 1;
	long long started;
	int epoll;

	if (argc != 2) {
		fprintf(stderr, "usage: floor PID\n");
		return 2;
	}
	pid = (__u32)strtoul(argv[1], NULL, 10);

	object = program_open("floor.bpf.o");
	program_require(bpf_object__load(object) == 0, "loading the floor");
	pids = bpf_object__find_map_by_name(object, "floor_pids");
	ring_map = bpf_object__find_map_by_name(object, "floor_ring");
	program_require(bpf_map__update_elem(pids, &pid, sizeof(pid), &one, sizeof(one), BPF_ANY) == 0,
			"setting the PID");
	ring = map_ring(bpf_map__fd(ring_map));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	program_require(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, bpf_map__fd(ring_map), &readable) == 0,
			"watching the ring");
	link = bpf_program__attach(bpf_object__find_program_by_name(object, "floor_sys_enter"));
	program_require(link != NULL, "attaching the floor");
	started = cpu_ns();
	program_ready();

	while (!program_stopping) {
		epoll_wait(epoll, &readable, 1, POLL_MS);
		delivered += count_available(&ring);
	}
	bpf_link__destroy(link);
	delivered += count_available(&ring);

	printf("delivered=%lu\n", delivered);
	printf("lost=%llu\n", read_lost(object));
	printf("cpu_ns=%lld\n", cpu_ns() - started);
	return 0;
}
