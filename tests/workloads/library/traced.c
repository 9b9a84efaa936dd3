/* SPDX-License-Identifier: GPL-3.0-only */
#include "../workload.h" /* first: it asks for the GNU names */

#include "traced.h"

int traced_variable = 1;
jmp_buf traced_landing;

__attribute__((noipa)) void traced_call(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) void traced_other(void)
{
	__asm__ volatile("" ::: "memory");
}

/* Returns how long it was at it by its own clock. */
__attribute__((noipa)) long traced_busy(long long ns)
{
	long long start = now_ns(), now;

	do
		now = now_ns();
	while (now - start < ns);
	return now - start;
}

__attribute__((noipa)) long traced_recurse(long depth)
{
	volatile long below = depth > 0 ? traced_recurse(depth - 1) : 0;

	return below + 1;
}

/* Each leaves by a jump to the other: any number of calls at one stack pointer, all of which return at once. */
__attribute__((noipa)) long traced_ping(long times)
{
	return times > 0 ? traced_pong(times) : 0;
}

__attribute__((noipa)) long traced_pong(long times)
{
	return traced_ping(times - 1);
}

__attribute__((noipa)) void traced_jump(int depth, int lands)
{
	if (lands && setjmp(traced_landing))
		return;
	if (depth == 0)
		longjmp(traced_landing, 1);
	traced_jump(depth - 1, 0);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) int traced_fork(void)
{
	return fork();
}

__attribute__((noipa)) void traced_never(void (*leave)(void))
{
	leave();
	__asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) struct traced_result traced_struct(long value)
{
	struct traced_result result = {{value}};

	return result;
}

static int chosen(void)
{
	return 1;
}

static int (*choose(void))(void)
{
	return chosen;
}

int traced_chosen(void) __attribute__((ifunc("choose")));

__attribute__((noipa)) static int traced_twin(void)
{
	return 1;
}

int traced_other_twin(void);

int traced_twins(void)
{
	return traced_twin() + traced_other_twin();
}
