// SPDX-License-Identifier: GPL-3.0-only
// What has to happen before the .NET runtime starts. The runtime opens files, reads the environment and reserves
// address space before Main, and where one of these does not work it ends without a word. The linker puts these
// functions in front of the two that have their names (ld(1), --wrap).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"

#define KIB 1024ul
#define MIB (1024 * KIB)

#define STACK_BYTES_MIN	  (256 * KIB)
#define ADDRESS_BYTES_MIN (640 * MIB)
#define DESCRIPTORS_MIN	  16ul

int __real_main(int argc, char **argv);
int __real___managed__Main(int argc, char **argv);

static bool runtime_started;

// The number of a closed stream would go to the first file that is opened, and messages into that file. What stands in
// for it fails as a closed one does: nothing to read, nothing that takes writes. Without /dev/null that is the root
// folder, opened for no input or output.
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", O_RDONLY | O_NOFOLLOW) < 0)
			(void)open("/", O_PATH | O_DIRECTORY);
	}
}

// With file capabilities the environment is that of a user who may do less, and the runtime's variables make it write
// files. libc treats its own variables in this way: ld.so(8), secure-execution mode.
static void forget_runtime_variables(void)
{
	char **kept = environ;

	if (!getauxval(AT_SECURE))
		return;
	for (char **variable = environ; *variable; variable++) {
		if (strncasecmp(*variable, "DOTNET_", 7) != 0 && strncasecmp(*variable, "COMPlus_", 8) != 0)
			*kept++ = *variable;
	}
	*kept = NULL;
}

static volatile sig_atomic_t stop_asked;

static void take_stop(int number)
{
	if (!stop_asked)
		stop_asked = number;
}

// The runtime listens to signals by a thread, which must not be there before the privileges are dropped. Until then
// this takes them, and the code that prepares a trace looks between its steps. A signal that is ignored stays ignored.
void veil_take_stops(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction before, take = {.sa_handler = take_stop, .sa_flags = SA_RESTART};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &take, NULL);
	}
}

int veil_stop_asked(void)
{
	return stop_asked;
}

// Who waits for us learns that it was the signal: shells and systemd tell that from an exit code.
void veil_end_by(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	(void)signal(number, SIG_DFL);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(number);
}

static void refuse_less(int resource, unsigned long needed, unsigned long unit, const char *text)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		return;
	dprintf(STDERR_FILENO, text, (unsigned long)limit.rlim_cur / unit, needed / unit);
	_exit(EXIT_FAILURE);
}

int __wrap___managed__Main(int argc, char **argv)
{
	runtime_started = true;
	return __real___managed__Main(argc, argv);
}

int __wrap_main(int argc, char **argv)
{
	// First of all: the command gets what we were given.
	veil_command_fork(argc, argv);
	fill_standard_streams();
	if (argc == 0 || argv[0][0] == '\0') {
		dprintf(STDERR_FILENO,
			"veil: starting: there is no argument 0, a program's own name; execve(2) it with one\n");
		return EXIT_FAILURE;
	}
	refuse_less(
	    RLIMIT_STACK, STACK_BYTES_MIN, KIB,
	    "veil: starting: the stack may have %lu KiB only, and %lu are needed: raise the limit (ulimit -s)\n");
	refuse_less(RLIMIT_AS, ADDRESS_BYTES_MIN, MIB,
		    "veil: starting: the address space may have %lu MiB only, and %lu are needed, most of them "
		    "reserved and not used: raise the limit (ulimit -v)\n");
	refuse_less(
	    RLIMIT_NOFILE, DESCRIPTORS_MIN, 1,
	    "veil: starting: %lu files may be open only, and the runtime alone needs %lu: raise the limit (ulimit -n); "
	    "120 are enough to trace by one module\n");
	forget_runtime_variables();
	// A file at its largest size is then an error of write(2), with a reason, and not the end of the process.
	(void)signal(SIGXFSZ, SIG_IGN);

	int code = __real_main(argc, argv);

	if (runtime_started)
		return code;
	dprintf(STDERR_FILENO, "veil: starting: the .NET runtime could not start: memory, address space or threads are "
			       "short (ulimit -a, and the limits of the cgroup)\n");
	return EXIT_FAILURE;
}
