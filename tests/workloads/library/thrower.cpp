// SPDX-License-Identifier: GPL-3.0-only
// Exceptions pass through a function that a test watches.
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <unistd.h>

namespace
{
const int calls = 9;
}

struct Thrower {
	__attribute__((noipa)) int some(int x);
	__attribute__((noipa)) int some(double x);
	__attribute__((noipa)) int passed_on(int x);
};

int Thrower::some(int x)
{
	if (x % 3 == 2)
		throw std::runtime_error("every third");
	return x;
}

int Thrower::some(double x)
{
	return x > 0;
}

// Leaves by a jump.
int Thrower::passed_on(int x)
{
	return some(x + 1);
}

int main(int argc, char **argv)
{
	Thrower thrower;
	int caught = 0;

	if (argc > 1 && !strcmp(argv[1], "--wait")) {
		printf("pid=%d\n", getpid());
		fflush(stdout);
		getchar();
	}
	for (int i = 0; i < calls; i++) {
		try {
			thrower.some(i);
			thrower.some(1.0);
		} catch (const std::exception &) {
			caught++;
		}
	}
	printf("calls=%d\ncaught=%d\n", calls, caught);
	return thrower.passed_on(-1);
}
