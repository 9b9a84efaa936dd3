// The workloads are timed and the machine is small: one trace at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
