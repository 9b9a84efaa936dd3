/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Every system call by its number, with arguments that say nothing. Seccomp refuses them all before the kernel looks at
 * them, and a tracer by ptrace has seen them before that. `numbers 32` makes those of the 32-bit table.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NUMBERS 512

int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x7e57, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 1;
	for (long number = 0; number < NUMBERS; number++) {
		if (argc > 1 && !strcmp(argv[1], "32")) {
#if defined(__x86_64__)
			/* The sixth argument is in ebp. */
			__asm__ volatile("push %%rbp; mov $0x7e57, %%ebp; int $0x80; pop %%rbp"
					 :
					 : "a"(number), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
					 : "memory", "r8", "r9", "r10", "r11");
#endif
		} else if (number != 335 && number != 336) { /* uretprobe and uprobe, which end who is not in a probe */
			syscall(number, 0, 0, 0, 0, 0, 0x7e57);
		}
	}
	/* By itself it would leave the sixth argument of the last call in its register. */
	syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}
