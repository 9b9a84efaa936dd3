/* SPDX-License-Identifier: GPL-3.0-only */
/* A second function of a name that is local to its unit. */
__attribute__((noipa)) static int traced_twin(void)
{
	return 2;
}

int traced_other_twin(void)
{
	return traced_twin();
}
