/* SPDX-License-Identifier: GPL-3.0-only */
/* Passes USDT probes, one of them only where its semaphore says that somebody looks. */
#include "workload.h"

#define ROUNDS 100

unsigned short seen_by_somebody __attribute__((section(".probes"), used));

/* A note of type 3 of "stapsdt": the probe's address, that of .stapsdt.base, the semaphore's; provider, name,
 * arguments. */
#define PROBE(name, semaphore)                                                                                         \
	__asm__ volatile("1: nop\n"                                                                                    \
			 ".pushsection .note.stapsdt, \"\", \"note\"\n"                                                \
			 ".balign 4\n"                                                                                 \
			 ".4byte 3f - 2f, 5f - 4f, 3\n"                                                                \
			 "2: .asciz \"stapsdt\"\n"                                                                     \
			 "3: .balign 4\n"                                                                              \
			 "4: .8byte 1b, 0, " semaphore "\n"                                                            \
			 ".asciz \"workload\"\n.asciz \"" name "\"\n.asciz \"\"\n"                                     \
			 "5: .balign 4\n"                                                                              \
			 ".popsection\n")

int main(int argc, char **argv)
{
	volatile unsigned short *seen = &seen_by_somebody;
	int looked = 0;

	begin(&argc, argv, 1, "");
	for (int i = 0; i < ROUNDS; i++) {
		PROBE("round", "0");
		if (*seen) {
			PROBE("looked", "seen_by_somebody");
			looked++;
		}
	}
	printf("rounds=%d\nlooked=%d\n", ROUNDS, looked);
	return 0;
}
