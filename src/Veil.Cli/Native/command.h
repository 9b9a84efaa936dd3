// SPDX-License-Identifier: GPL-3.0-only
#pragma once

// Forks the command of `veil [flags] -- CMD ARG...`, if there is one. It waits for a word.
void veil_command_fork(int argc, char **argv);
