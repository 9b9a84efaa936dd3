// SPDX-License-Identifier: GPL-3.0-only
/* Clients of the control socket at PATH that send LINE as often as goes without waiting and never read. Says that they
 * are there, and leaves when its input ends. */
#include "workload.h"

#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char lines[4096];
	size_t length = 0;
	long count;

	begin(&argc, argv, 4, "PATH COUNT LINE");
	count = strtol(argv[2], NULL, 10);
	strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);
	while (*argv[3] && length + strlen(argv[3]) + 1 < sizeof(lines))
		length += sprintf(lines + length, "%s\n", argv[3]);
	for (long i = 0; i < count; i++) {
		int client = socket(AF_UNIX, SOCK_STREAM, 0);

		require(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof(address)) == 0,
			"connecting");
		while (length && send(client, lines, length, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
	}

	printf("clients=%ld\n", count);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
