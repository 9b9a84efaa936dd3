// SPDX-License-Identifier: GPL-3.0-only
/* Owns a folder and means harm: whenever a socket appears at PATH, puts a link to TARGET in its place. Says how often,
 * after its input ended. */
#include "workload.h"

#include <poll.h>
#include <sys/stat.h>

#define LOOKS 256

int main(int argc, char **argv)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	unsigned long swaps = 0;

	begin(&argc, argv, 3, "PATH TARGET");
	while (poll(&input, 1, 0) == 0) {
		for (int i = 0; i < LOOKS; i++) {
			struct stat there;

			if (lstat(argv[1], &there) == 0 && S_ISSOCK(there.st_mode) && unlink(argv[1]) == 0 &&
			    symlink(argv[2], argv[1]) == 0)
				swaps++;
		}
	}

	printf("swaps=%lu\n", swaps);
	return 0;
}
