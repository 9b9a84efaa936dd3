// SPDX-License-Identifier: GPL-3.0-only
// The command that is to be traced. It is forked before anything of this process is changed (descriptors, signals,
// niceness, limits, privileges), runs nothing but what is here, and waits on a pipe until everything is attached. If
// the pipe ends without a word, so does it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

#define WORD_FD	  3
#define FAILED_FD 4

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND	127

// The word. As many groups follow.
struct word {
	uint32_t as_user; // bool: become this one
	uint32_t uid, gid, groups;
};

// For C#, which has the same struct (StartedCommand.cs).
static struct {
	int32_t pid;	// 0: there is no command
	int32_t error;	// an errno: why there is no program of that name, or 0
	int32_t word;	// where the word goes
	int32_t failed; // where an errno comes from if the program could not be run
} command;

static char program[PATH_MAX];
static bool may_be_script;

static int check_program(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	return S_ISREG(status.st_mode) && status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? 0 : EACCES;
}

// As bash tells a script without a first line from a program that is none of this machine: no NUL in its first line.
static bool is_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char start[80];
	ssize_t length = read(fd, start, sizeof(start));
	const char *line = length > 0 ? memchr(start, '\n', length) : NULL;

	close(fd);
	return length >= 0 && !memchr(start, 0, line ? line - start : length);
}

// As a shell and strace do: what is not tried is no execve that failed. An errno, or 0 and `program`.
static int find_program(const char *name)
{
	const char *path = getenv("PATH"), *end;
	int error = ENOENT;

	if (!*name)
		return ENOENT;
	if (strchr(name, '/')) {
		if (strlen(name) >= sizeof(program))
			return ENAMETOOLONG;
		strcpy(program, name);
		return check_program(program);
	}
	if (!path)
		path = "/bin:/usr/bin"; // execvp(3)
	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		int length = snprintf(program, sizeof(program), "%.*s%s%s", (int)(end - path), path,
				      end == path ? "" : "/", name);
		if (length < (int)sizeof(program)) {
			int found = check_program(program);

			if (!found)
				return 0;
			if (found == EACCES)
				error = found;
		}
		if (!*end)
			return error;
	}
}

static bool read_fully(void *to, size_t size)
{
	for (char *at = to; size;) {
		ssize_t count = read(WORD_FD, at, size);

		if (count <= 0)
			return false;
		at += count;
		size -= count;
	}
	return true;
}

// Groups, group and user, as login does. What comes with the user is the environment's: nothing of it is changed.
static int become(const struct word *word)
{
	gid_t *groups = calloc(word->groups + 1, sizeof(*groups));

	if (!groups || !read_fully(groups, word->groups * sizeof(*groups)))
		return ENOMEM;
	if (setgroups(word->groups, groups) || setresgid(word->gid, word->gid, word->gid) ||
	    setresuid(word->uid, word->uid, word->uid))
		return errno;
	free(groups);
	return 0;
}

static int run(char **argv)
{
	static char shell[] = "/bin/sh";
	struct word word;
	int error = 0;

	if (!read_fully(&word, sizeof(word)))
		_exit(EXIT_FAILURE);
	if (word.as_user)
		error = become(&word);
	if (error)
		return error;
	execv(program, argv);
	error = errno;
	if (error != ENOEXEC || !may_be_script)
		return error;
	// As execvp(3) does. The place before its name was that of the two dashes.
	argv[0] = program;
	argv[-1] = shell;
	execv(shell, argv - 1);
	return errno;
}

static void close_others(void)
{
	if (close_range(FAILED_FD + 1, ~0U, 0) == 0)
		return;
	for (int fd = FAILED_FD + 1; fd < sysconf(_SC_OPEN_MAX); fd++)
		(void)close(fd);
}

static _Noreturn void wait_and_run(char **argv, int word, int failed)
{
	int error;

	// Both are above the two numbers that they get.
	if (dup3(word, WORD_FD, O_CLOEXEC) < 0 || dup3(failed, FAILED_FD, O_CLOEXEC) < 0)
		_exit(EXIT_FAILURE);
	close_others();
	error = run(argv);
	if (write(FAILED_FD, &error, sizeof(error)) != sizeof(error))
		_exit(EXIT_FAILURE);
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

// Both ends above the numbers that mean something to the command or to its start.
static bool make_pipe(int ends[2])
{
	int low[2];
	bool made;

	if (pipe2(low, O_CLOEXEC) != 0)
		return false;
	for (int end = 0; end < 2; end++)
		ends[end] = fcntl(low[end], F_DUPFD_CLOEXEC, FAILED_FD + 1);
	made = ends[0] >= 0 && ends[1] >= 0;
	close(low[0]);
	close(low[1]);
	return made;
}

void veil_command_fork(int argc, char **argv)
{
	int word[2], failed[2], at = 1;

	// Words of another command than tracing (help, control, completion) may have two dashes of their own.
	if (argc < 2 || argv[1][0] != '-')
		return;
	while (at < argc && strcmp(argv[at], "--") != 0)
		at++;
	if (at + 1 >= argc)
		return;
	argv += at + 1;
	command.error = find_program(argv[0]);
	if (command.error)
		return;
	may_be_script = is_text(program);
	if (!make_pipe(word) || !make_pipe(failed)) {
		command.error = errno;
		return;
	}
	command.pid = fork();
	if (command.pid == 0)
		wait_and_run(argv, word[0], failed[1]);
	if (command.pid < 0) {
		command.error = errno;
		command.pid = 0;
		return;
	}
	close(word[0]);
	close(failed[1]);
	command.word = word[1];
	command.failed = failed[0];
	// Who is ignored here leaves no status to his parent.
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
}

const void *veil_command(void)
{
	return &command;
}

static volatile sig_atomic_t sent[NSIG];

// A signal of the terminal (CTRL-C) has gone to the command too, which is in the same group. One that a process sent to
// us alone is passed on.
static void take_sent(int number, siginfo_t *info, void *context)
{
	(void)context;
	sent[number] = info->si_code <= 0 ? 2 : 1;
}

// From now on the command has the word. A signal that is ignored stays so.
void veil_command_take_signals(void)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
	struct sigaction before, take = {.sa_sigaction = take_sent, .sa_flags = SA_RESTART | SA_SIGINFO};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &take, NULL);
	}
}

// The next signal that came: its number if a process sent it, less than 0 if the terminal did, 0 if there is none.
int veil_command_signal(void)
{
	for (int number = 1; number < NSIG; number++) {
		int how = sent[number];

		if (how) {
			sent[number] = 0;
			return how == 2 ? number : -number;
		}
	}
	return 0;
}
