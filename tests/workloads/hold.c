// SPDX-License-Identifier: GPL-3.0-only
/* A process that stays: getppid every 10 ms until N calls are made (0: no end), stdin closes or SIGTERM comes. */
#include "workload.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define PERIOD_MS 10

static volatile sig_atomic_t stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

static bool stdin_closed(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	struct stat facts;
	char ignored[256];

	/* /dev/null, as a container has it, is always at its end. */
	if (!fstat(STDIN_FILENO, &facts) && S_ISCHR(facts.st_mode))
		input.fd = -1;
	return poll(&input, 1, PERIOD_MS) > 0 && read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0;
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	struct sigaction action = {.sa_handler = stop};
	long calls = 0;
	long most;

	if (argc < 2)
		usage("N");
	most = parse_count(argv[1]);
	sigaction(SIGTERM, &action, NULL);
	buffer_stdout();
	announce();
	if (wait)
		wait_for_line();
	else
		fflush(stdout);

	while (!stopping && (most == 0 || calls < most)) {
		raw_getppid();
		calls++;
		if (stdin_closed())
			break;
	}

	printf("getppid=%ld\n", calls);
	return 0;
}
