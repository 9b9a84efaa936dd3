// SPDX-License-Identifier: GPL-3.0-only
/* A process with a hostile name: sets its comm to any bytes but NUL (15 of them are kept) and makes three calls. */
#include "workload.h"

#include <sys/prctl.h>

#define COMM_SIZE 16
#define CALLS	  3

int main(int argc, char **argv)
{
	char comm[COMM_SIZE] = {0};
	size_t digits;

	begin(&argc, argv, 2, "HEX");
	digits = strlen(argv[1]);
	if (digits % 2 || digits > 2 * (COMM_SIZE - 1))
		usage("HEX (up to 15 bytes)");
	for (size_t i = 0; i < digits / 2; i++) {
		unsigned int byte;

		if (sscanf(argv[1] + 2 * i, "%2x", &byte) != 1)
			usage("HEX (up to 15 bytes)");
		comm[i] = (char)byte;
	}

	require(prctl(PR_SET_NAME, comm) == 0, "setting the name");
	for (int i = 0; i < CALLS; i++)
		raw_getppid();

	printf("comm_hex=%s\n", argv[1]);
	printf("getppid=%d\n", CALLS);
	return 0;
}
