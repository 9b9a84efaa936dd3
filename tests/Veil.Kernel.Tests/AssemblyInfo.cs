// SPDX-License-Identifier: GPL-3.0-only
// The workloads are timed and the machine is small: one trace at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
