// SPDX-License-Identifier: GPL-3.0-only
/* Attaches an empty program: empty tp_btf|tp_btf_clock|raw_tp|tracepoint enter|exit|both|switch|state. Prints `ready`,
 * stays until SIGTERM. */
#include "program.h"

static bool is_chosen(const char *program, const char *hook, const char *end)
{
	size_t length = strlen(hook);

	return strncmp(program, hook, length) == 0 && program[length] == '_' &&
	       ((strcmp(end, "both") == 0 &&
		 (strcmp(program + length + 1, "enter") == 0 || strcmp(program + length + 1, "exit") == 0)) ||
		strcmp(program + length + 1, end) == 0);
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	sigset_t none;
	int chosen = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: empty tp_btf|tp_btf_clock|raw_tp|tracepoint enter|exit|both|switch|state\n");
		return 2;
	}
	object = program_open("empty.bpf.o");
	bpf_object__for_each_program(program, object)
	{
		bool load = is_chosen(bpf_program__name(program), argv[1], argv[2]);

		bpf_program__set_autoload(program, load);
		chosen += load;
	}
	if (chosen == 0) {
		fprintf(stderr, "empty: there is no hook '%s %s'\n", argv[1], argv[2]);
		return 2;
	}
	program_require(bpf_object__load(object) == 0, "loading the empty program");
	bpf_object__for_each_program(program, object)
	{
		if (bpf_program__autoload(program))
			program_require(bpf_program__attach(program) != NULL, "attaching the empty program");
	}
	program_ready();

	sigemptyset(&none);
	while (!program_stopping)
		sigsuspend(&none);
	return 0;
}
