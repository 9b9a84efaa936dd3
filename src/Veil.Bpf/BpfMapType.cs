namespace Veil.Bpf;

/// <summary>The kinds of maps (<c>enum bpf_map_type</c> of linux/bpf.h) that tracing uses.</summary>
public enum BpfMapType
{
    /// <summary>None.</summary>
    Unspecified = 0,

    /// <summary>A hash table. Linux 3.19.</summary>
    Hash = 1,

    /// <summary>An array. Linux 3.19.</summary>
    Array = 2,

    /// <summary>A hash table with a value for each CPU. Linux 4.6.</summary>
    PerCpuHash = 5,

    /// <summary>An array with a value for each CPU. Linux 4.6.</summary>
    PerCpuArray = 6,

    /// <summary>A hash table that forgets what was used least recently. Linux 4.10.</summary>
    LruHash = 9,

    /// <summary>The same with a value for each CPU. Linux 4.10.</summary>
    LruPerCpuHash = 10,

    /// <summary>A ring shared by all CPUs. Linux 5.8.</summary>
    RingBuffer = 27,

    /// <summary>Storage in the task itself. Linux 5.11.</summary>
    TaskStorage = 29,
}
