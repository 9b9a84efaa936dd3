/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes every system call on memory with valid, invalid and unusual arguments. The decoders of --args are compared with
 * strace on it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BAD	  ((void *)1)
#define call(...) syscall(__VA_ARGS__)

static void maps(void)
{
	char *page = (char *)call(SYS_mmap, NULL, 8192L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
	int fd = call(SYS_memfd_create, "name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned char present[4];

	call(SYS_ftruncate, fd, 65536L);
	call(SYS_mmap, NULL, 4096L, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1L, 0L);
	call(SYS_mmap, NULL, 4096L, PROT_READ | PROT_EXEC, MAP_SHARED, (long)fd, 4096L);
	call(SYS_mmap, NULL, 4096L, PROT_READ, MAP_SHARED_VALIDATE | MAP_POPULATE, (long)fd, 0L);
	call(SYS_mmap, page, 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1L, 0L);
	call(SYS_mmap, page, 4096L, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS, -1L, 0L);
	call(SYS_mmap, NULL, 0L, PROT_READ, MAP_PRIVATE, (long)fd, 0L);
	call(SYS_mmap, NULL, 4096L, PROT_READ | 0x100, MAP_PRIVATE, 99L, 0L);
	call(SYS_mmap, NULL, 4096L, PROT_READ, 0L, (long)fd, 0L);
	call(SYS_mmap, NULL, 2097152L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26,
	     -1L, 0L);
	call(SYS_mmap, NULL, 4096L, PROT_READ,
	     MAP_PRIVATE | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_LOCKED | MAP_ANONYMOUS, -1L, 0L);
	call(SYS_mmap, NULL, -1L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
	call(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE, (long)fd, 12345L);
	call(SYS_mmap, NULL, 4096L, PROT_GROWSDOWN | 8, 0x40000007L, -1L, 0x123000L);
	call(SYS_mprotect, page, 4096L, PROT_READ);
	call(SYS_mprotect, page, 4096L, PROT_READ | PROT_WRITE | PROT_EXEC);
	call(SYS_mprotect, page, 4096L, PROT_NONE);
	call(SYS_mprotect, page + 1, 4096L, 0xff000000L);
	call(SYS_mprotect, page, 8192L, PROT_READ | PROT_WRITE | PROT_GROWSUP);
	call(SYS_mprotect, page, 8192L, PROT_READ | PROT_WRITE);
	call(SYS_mprotect, NULL, 0L, PROT_READ);
	call(SYS_mremap, page, 4096L, 4096L, 0L, 0L);
	call(SYS_mremap, page, 8192L, 16384L, MREMAP_MAYMOVE, 0L);
	page = (char *)call(SYS_mmap, NULL, 8192L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
	call(SYS_mremap, page, 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_FIXED, 0x7f1200000000L);
	call(SYS_mremap, 0x7f1200000000L, 4096L, 4096L, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0L);
	call(SYS_mremap, BAD, 4096L, 4096L, 0x10L, 0L);
	page = (char *)call(SYS_mmap, NULL, 8192L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
	call(SYS_madvise, page, 4096L, MADV_DONTNEED);
	call(SYS_madvise, page, 4096L, MADV_WILLNEED);
	call(SYS_madvise, page, 4096L, MADV_HUGEPAGE);
	call(SYS_madvise, page, 4096L, MADV_FREE);
	call(SYS_madvise, page, 4096L, 77);
	call(SYS_madvise, page, 4096L, -1);
	call(SYS_madvise, page + 1, 4096L, MADV_NORMAL);
	call(SYS_msync, page, 4096L, MS_SYNC);
	call(SYS_msync, page, 4096L, MS_ASYNC | MS_INVALIDATE);
	call(SYS_msync, page, 4096L, 0x18);
	page[0] = 1;
	call(SYS_mincore, page, 8192L, present);
	call(SYS_mincore, page, 4096L, present);
	call(SYS_mincore, page, 0L, present);
	call(SYS_mincore, page, 4096L, BAD);
	call(SYS_mincore, page + 1, 4096L, present);
	call(SYS_mincore, 0L, 4096L, NULL);
	call(SYS_mlock, page, 4096L);
	call(SYS_mlock2, page, 4096L, 1);
	call(SYS_mlock2, page, 4096L, 6);
	call(SYS_munlock, page, 4096L);
	call(SYS_mlockall, 4);
	call(SYS_mlockall, 0);
	call(SYS_mlockall, 0x11);
	call(SYS_munlockall);
	call(SYS_munmap, page, 4096L);
	call(SYS_munmap, page + 1, 4096L);
	call(SYS_munmap, NULL, 0L);
	call(SYS_brk, 0L);
	call(SYS_brk, call(SYS_brk, 0L) + 4096);
	call(SYS_brk, 1L);
	call(SYS_remap_file_pages, page, 4096L, 0L, 0L, 0L);
	call(SYS_remap_file_pages, page, 4096L, PROT_READ, 1L, MAP_NONBLOCK);
	call(SYS_pkey_alloc, 0L, 1L);
	call(SYS_pkey_alloc, 1L, 3L);
	call(SYS_pkey_free, 12);
	call(SYS_pkey_mprotect, page, 4096L, PROT_READ, -1);
	call(SYS_pkey_mprotect, page, 4096L, PROT_READ | PROT_WRITE, 20);
	call(462 /* mseal */, 1L, 4096L, 0L);
	call(453 /* map_shadow_stack */, 0L, 4096L, 1L);
	call(453, 4096L, 4096L, 6L);
	call(SYS_close, fd);
}

static void policies(void)
{
	unsigned long nodes[2] = {1, 0};
	int mode = 0, status[2] = {0, 0}, targets[2] = {0, 1};
	void *pages[2] = {NULL, BAD};

	call(SYS_get_mempolicy, &mode, nodes, 64L, 0L, 0L);
	call(SYS_get_mempolicy, NULL, NULL, 0L, 0L, 0L);
	call(SYS_get_mempolicy, &mode, NULL, 0L, &mode, 3L);
	call(SYS_get_mempolicy, BAD, BAD, 64L, 0L, 4L);
	call(SYS_get_mempolicy, &mode, nodes, 64L, 0L, 0x18L);
	call(SYS_set_mempolicy, 0L, NULL, 0L);
	call(SYS_set_mempolicy, 2L, nodes, 64L);
	call(SYS_set_mempolicy, 3L | 0x8000, nodes, 0L);
	call(SYS_set_mempolicy, 77L, BAD, 64L);
	call(SYS_set_mempolicy, 0L, NULL, 0L);
	call(SYS_mbind, 0L, 4096L, 2L, nodes, 64L, 1L);
	call(SYS_mbind, BAD, 4096L, 1L | 0x4000, NULL, 0L, 6L);
	call(SYS_mbind, BAD, 4096L, 99L, BAD, 8L, 0x70L);
	call(SYS_migrate_pages, 0, 64L, nodes, nodes);
	call(SYS_migrate_pages, -1, 8L, BAD, NULL);
	call(SYS_move_pages, 0, 2L, pages, NULL, status, 2);
	call(SYS_move_pages, 0, 2L, pages, targets, status, 4);
	call(SYS_move_pages, 0, 0L, pages, targets, status, 0x10);
	call(SYS_move_pages, 0, 1L, BAD, BAD, BAD, 0);
	call(450 /* set_mempolicy_home_node */, 4096L, 4096L, 0L, 0L);
	call(450, 1L, 4096L, 5L, 1L);
}

static void others(void)
{
	static char to[64], from[] = "from";
	struct iovec local[2] = {{to, 4}, {NULL, 0}}, remote[2] = {{from, 2}, {from + 2, 3}}, bad = {BAD, 4};
	int fd;

	call(SYS_process_vm_readv, getpid(), local, 1L, remote, 1L, 0L);
	call(SYS_process_vm_readv, getpid(), local, 2L, remote, 2L, 0L);
	call(SYS_process_vm_readv, getpid(), &bad, 1L, remote, 1L, 0L);
	call(SYS_process_vm_readv, getpid(), local, 1L, BAD, 1L, 0L);
	call(SYS_process_vm_readv, -1, NULL, 0L, NULL, 0L, 5L);
	call(SYS_process_vm_writev, getpid(), remote, 2L, local, 1L, 0L);
	call(SYS_process_vm_writev, getpid(), &bad, 1L, local, 1L, 0L);
	call(SYS_process_vm_writev, 0, remote, 1L, NULL, 1L, 1L);
	fd = call(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	call(SYS_close, fd);
	fd = call(SYS_userfaultfd, 0xff0 | UFFD_USER_MODE_ONLY);
	call(448 /* process_mrelease */, -1, 0);
	call(448, -1, 1);
	call(SYS_process_madvise, -1, local, 1L, MADV_COLD, 0);
	call(SYS_process_madvise, -1, BAD, 1L, MADV_PAGEOUT, 3);
	call(447 /* memfd_secret */, O_CLOEXEC);
	call(447, 7);
	call(SYS_membarrier, 0, 0, 0);
	call(SYS_membarrier, 1 << 4, 0, 0);
	call(SYS_membarrier, 1 << 3, 0, 0);
	call(SYS_membarrier, 0x4000, 1, 5);
	call(SYS_membarrier, 1 << 7, 1, 2);
	call(SYS_memfd_create, NULL, 0x80);
	call(451 /* cachestat */, 0, BAD, to, 0);
	call(451, -1, NULL, NULL, 1);
}

int main(void)
{
	maps();
	policies();
	others();
	return 0;
}
