/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a system call is on each machine: which table it indexes, and where its arguments are. */
#pragma once

#include "task.bpf.h"

#if defined(__TARGET_ARCH_x86)

#define TS_COMPAT     0x0002 /* arch/x86/include/asm/thread_info.h: set by int 0x80 and the 32-bit entries alike */
#define X32_BIT	      0x40000000
#define X32_CALLS_MAX 1024

static __always_inline enum veil_arch veil_syscall_arch(struct veil_task task, __s32 nr)
{
	if (veil_task_read(task, thread_info.status) & TS_COMPAT)
		return VEIL_ARCH_I386;
	/* Not a test of the bit alone: -1 has it too. */
	return (__u32)nr - X32_BIT < X32_CALLS_MAX ? VEIL_ARCH_X32 : VEIL_ARCH_X86_64;
}

/* The registers keep the arguments until the call returns to userspace, so they can be read at its end too. */
#define veil_syscall_nr(regs)	  ((__s32)BPF_CORE_READ((struct pt_regs___x86 *)(regs), orig_ax))
#define veil_syscall_nr_btf(regs) ((__s32)((struct pt_regs___x86 *)(regs))->orig_ax)

static __always_inline __u64 veil_syscall_arg0(void *regs, enum veil_arch arch)
{
	if (arch == VEIL_ARCH_I386)
		return (__u32)BPF_CORE_READ((struct pt_regs___x86 *)regs, bx);
	return BPF_CORE_READ((struct pt_regs___x86 *)regs, di);
}

static __always_inline __u64 veil_syscall_arg1(void *regs, enum veil_arch arch)
{
	if (arch == VEIL_ARCH_I386)
		return (__u32)BPF_CORE_READ((struct pt_regs___x86 *)regs, cx);
	return BPF_CORE_READ((struct pt_regs___x86 *)regs, si);
}

static __always_inline __u64 veil_syscall_arg2(void *regs, enum veil_arch arch)
{
	__u64 value = BPF_CORE_READ((struct pt_regs___x86 *)regs, dx);

	return arch == VEIL_ARCH_I386 ? (__u32)value : value;
}

static __always_inline __u64 veil_syscall_arg3(void *regs, enum veil_arch arch)
{
	if (arch == VEIL_ARCH_I386)
		return (__u32)BPF_CORE_READ((struct pt_regs___x86 *)regs, si);
	return BPF_CORE_READ((struct pt_regs___x86 *)regs, r10);
}

/* All arguments; `read` is how a member of the registers is had. */
#define veil_syscall_args(read, regs, arch, args)                                                                      \
	({                                                                                                             \
		struct pt_regs___x86 *regs_ = (void *)(regs);                                                          \
		if ((arch) == VEIL_ARCH_I386) {                                                                        \
			(args)[0] = (__u32)read(regs_, bx);                                                            \
			(args)[1] = (__u32)read(regs_, cx);                                                            \
			(args)[2] = (__u32)read(regs_, dx);                                                            \
			(args)[3] = (__u32)read(regs_, si);                                                            \
			(args)[4] = (__u32)read(regs_, di);                                                            \
			(args)[5] = (__u32)read(regs_, bp);                                                            \
		} else {                                                                                               \
			(args)[0] = read(regs_, di);                                                                   \
			(args)[1] = read(regs_, si);                                                                   \
			(args)[2] = read(regs_, dx);                                                                   \
			(args)[3] = read(regs_, r10);                                                                  \
			(args)[4] = read(regs_, r8);                                                                   \
			(args)[5] = read(regs_, r9);                                                                   \
		}                                                                                                      \
	})

#elif defined(__TARGET_ARCH_arm64)

#define TIF_32BIT (1UL << 22) /* arch/arm64/include/asm/thread_info.h */

static __always_inline enum veil_arch veil_syscall_arch(struct veil_task task, __s32 nr)
{
	return veil_task_read(task, thread_info.flags) & TIF_32BIT ? VEIL_ARCH_ARM : VEIL_ARCH_ARM64;
}

#define veil_syscall_nr(regs)	  BPF_CORE_READ((struct pt_regs___veil_arm64 *)(regs), syscallno)
#define veil_syscall_nr_btf(regs) (((struct pt_regs___veil_arm64 *)(regs))->syscallno)

/* The first argument's register takes the result; the kernel keeps the argument beside. */
static __always_inline __u64 veil_syscall_arg0(void *regs, enum veil_arch arch)
{
	return BPF_CORE_READ((struct pt_regs___veil_arm64 *)regs, orig_x0);
}

static __always_inline __u64 veil_syscall_arg1(void *regs, enum veil_arch arch)
{
	return BPF_CORE_READ((struct pt_regs___veil_arm64 *)regs, regs[1]);
}

static __always_inline __u64 veil_syscall_arg2(void *regs, enum veil_arch arch)
{
	return BPF_CORE_READ((struct pt_regs___veil_arm64 *)regs, regs[2]);
}

static __always_inline __u64 veil_syscall_arg3(void *regs, enum veil_arch arch)
{
	return BPF_CORE_READ((struct pt_regs___veil_arm64 *)regs, regs[3]);
}

/* The member is called regs too, so no parameter is. */
#define veil_syscall_args(read, from, arch, args)                                                                      \
	({                                                                                                             \
		struct pt_regs___veil_arm64 *regs_ = (void *)(from);                                                   \
		(args)[0] = read(regs_, orig_x0);                                                                      \
		(args)[1] = read(regs_, regs[1]);                                                                      \
		(args)[2] = read(regs_, regs[2]);                                                                      \
		(args)[3] = read(regs_, regs[3]);                                                                      \
		(args)[4] = read(regs_, regs[4]);                                                                      \
		(args)[5] = read(regs_, regs[5]);                                                                      \
	})

#else
#error "system calls are known on x86 and arm64"
#endif

/* Before 5.15, where no helper says where the registers are: arch/x86/include/asm/page_64_types.h. */
#define THREAD_SIZE (4 * 4096)

/* With what a task that sleeps, or the running one, came into the kernel from its program. */
static __always_inline void *veil_task_registers(struct veil_task task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(task.address);
#if defined(__TARGET_ARCH_x86)
	return veil_task_read(task, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs___x86);
#else
	return veil_task_read(task, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs___veil_arm64);
#endif
}

/* A member as tp_btf may read it, and as all may. */
#define veil_regs_plain(regs, member) ((regs)->member)
#define veil_regs_core(regs, member)  BPF_CORE_READ(regs, member)

/* rt_sigreturn of x86-64, the only table whose mask is looked for. */
static __always_inline bool veil_syscall_returns_from_signal(const struct veil_syscall *syscall)
{
	return syscall->arch == VEIL_ARCH_X86_64 && syscall->nr == 15;
}

/* Where it finds the mask: uc_sigmask of the struct ucontext on the stack (arch/x86/include/asm/sigframe.h). */
static __always_inline __u64 veil_sigreturn_mask(void *regs)
{
	return BPF_CORE_READ((struct pt_regs___x86 *)regs, sp) + 296;
}

/* fork, vfork, clone and clone3: they return in the new task too. */
static __always_inline bool veil_syscall_makes_task(const struct veil_syscall *syscall)
{
	__s32 nr = syscall->nr;

	switch (syscall->arch) {
	case VEIL_ARCH_X86_64:
	case VEIL_ARCH_X32:
		nr &= ~0x40000000; /* of an x32 call */
		return nr == 56 || nr == 57 || nr == 58 || nr == 435;
	case VEIL_ARCH_ARM64:
		return nr == 220 || nr == 435;
	default: /* the 32-bit tables of both */
		return nr == 2 || nr == 120 || nr == 190 || nr == 435;
	}
}

/* execve and execveat: where they succeed, the caller's memory is gone. */
static __always_inline bool veil_syscall_replaces_program(const struct veil_syscall *syscall)
{
	__s32 nr = syscall->nr;

	switch (syscall->arch) {
	case VEIL_ARCH_X86_64:
		return nr == 59 || nr == 322;
	case VEIL_ARCH_X32:
		nr &= ~0x40000000;
		return nr == 520 || nr == 545;
	case VEIL_ARCH_ARM64:
		return nr == 221 || nr == 281;
	case VEIL_ARCH_I386:
		return nr == 11 || nr == 358;
	default:
		return nr == 11 || nr == 387;
	}
}
