/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Says where its own functions are, and when: local, global, a place in one that a call returns to, code that it has
 * written itself, and a function of the vDSO where it is linked dynamically.
 */
#include "workload.h"

#include <stdint.h>
#include <sys/mman.h>
#ifdef DYNAMIC
#include <dlfcn.h>
#endif

#define NOIPA __attribute__((noipa))

static NOIPA void *names_local(void)
{
	return __builtin_return_address(0);
}

NOIPA void *names_global(void)
{
	void *place = names_local();

	__asm__ volatile("" ::"r"(place));
	return place;
}

int main(int argc, char **argv)
{
	bool wait = take_wait_flag(&argc, argv);
	void *written = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require(written != MAP_FAILED, "mapping code");
	buffer_stdout();
	announce();
	printf("local=%ju\n", (uintmax_t)(uintptr_t)names_local);
	printf("global=%ju\n", (uintmax_t)(uintptr_t)names_global);
	printf("return=%ju\n", (uintmax_t)(uintptr_t)names_global());
	printf("written=%ju\n", (uintmax_t)(uintptr_t)written);
#ifdef DYNAMIC
	void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);

	require(vdso != NULL, "finding the vDSO");
	printf("vdso=%ju\n", (uintmax_t)(uintptr_t)dlsym(vdso, "__vdso_getcpu"));
	printf("libc=%ju\n", (uintmax_t)(uintptr_t)dlsym(RTLD_DEFAULT, "getenv"));
#endif
	printf("time=%lld\n", now_ns());
	if (wait)
		wait_for_line();
	return 0;
}
