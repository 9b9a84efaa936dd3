/* SPDX-License-Identifier: GPL-3.0-only */
/* What the two programs share on the user side: opening the object beside the executable, errors, and stopping. */
#ifndef FLOOR_PROGRAM_H
#define FLOOR_PROGRAM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static volatile sig_atomic_t program_stopping;

static void program_stop(int signal_number)
{
	(void)signal_number;
	program_stopping = 1;
}

static inline void program_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static inline struct bpf_object *program_open(const char *object_name)
{
	struct sigaction action = {.sa_handler = program_stop};
	char path[PATH_MAX];
	struct bpf_object *object;
	ssize_t length;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	program_require(length > 0, "reading /proc/self/exe");
	path[length] = '\0';
	snprintf(strrchr(path, '/') + 1, sizeof(path) - (size_t)(strrchr(path, '/') + 1 - path), "%s", object_name);
	object = bpf_object__open_file(path, NULL);
	program_require(object != NULL, path);
	return object;
}

static inline void program_ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

#endif
