/* SPDX-License-Identifier: GPL-3.0-only */
/* What the uprobe workload calls: in a unit of its own, so that no call is inlined, and a library of it can be made. */
#ifndef VEIL_TRACED_H
#define VEIL_TRACED_H

#include <setjmp.h>

struct traced_result {
	long values[8];
};

extern int traced_variable;
extern jmp_buf traced_landing;

void traced_call(void);
void traced_other(void);
long traced_busy(long long ns);
long traced_recurse(long depth);
long traced_ping(long times);
long traced_pong(long times);
void traced_jump(int depth, int lands);
int traced_fork(void);
void traced_never(void (*leave)(void));
struct traced_result traced_struct(long value);
int traced_chosen(void);
int traced_twins(void);

#endif
