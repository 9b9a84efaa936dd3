namespace Veil.Core.Kernel;

/// <summary>The table that a system call's number indexes: <c>enum veil_arch</c> of <c>types.bpf.h</c>, in its order.</summary>
public enum SyscallArch : byte
{
    /// <summary>64-bit calls of x86-64.</summary>
    X64 = 0,

    /// <summary>32-bit calls of x86, also of 32-bit programs and <c>int 0x80</c> on x86-64.</summary>
    I386 = 1,

    /// <summary>x86-64 with 32-bit pointers; its calls carry bit 30.</summary>
    X32 = 2,

    /// <summary>64-bit calls of arm64.</summary>
    Arm64 = 3,

    /// <summary>32-bit calls on arm64: numbers only, this build has no table of them.</summary>
    Arm = 4,
}
