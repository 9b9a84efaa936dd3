// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bpf;

namespace Veil.Core.Kernel;

/// <summary>The system calls of one architecture: names by number, as the newest kernel headers have them.</summary>
/// <remarks>The tables themselves are written by <c>eng/make-syscalls</c>. Instances are shared and immutable.</remarks>
public sealed partial class SyscallTable
{
    /// <summary>
    /// The bit that marks a number as an x32 call, <c>__X32_SYSCALL_BIT</c>. The kernel's <c>sys_enter</c> hooks report
    /// the number with the bit set.
    /// </summary>
    public const int X32Bit = 0x4000_0000;

    private static readonly SyscallTable s_x64 = new(SyscallArch.X64, "x86_64", X64Count);
    private static readonly SyscallTable s_i386 = new(SyscallArch.I386, "i386", I386Count);
    private static readonly SyscallTable s_x32 = new(SyscallArch.X32, "x32", X32Count);
    private static readonly SyscallTable s_arm64 = new(SyscallArch.Arm64, "arm64", Arm64Count);
    private static readonly SyscallTable s_arm = new(SyscallArch.Arm, "arm", 0);

    private SyscallTable(SyscallArch arch, string archName, int count)
    {
        Arch = arch;
        ArchName = archName;
        Count = count;
    }

    /// <summary>The architecture of this table.</summary>
    public SyscallArch Arch { get; }

    /// <summary>The name that events show: <c>x86_64</c>, <c>i386</c>, <c>x32</c>, <c>arm64</c> or <c>arm</c>.</summary>
    public string ArchName { get; }

    /// <summary>How many numbers have a name; 0 for <see cref="SyscallArch.Arm"/>.</summary>
    public int Count { get; }

    /// <summary>All names in the order of their numbers.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            for (int number = 0; number < Table.Limit; number++)
            {
                string name = Encoding.UTF8.GetString(Table[number]);
                if (name.Length > 0)
                    yield return name;
            }
        }
    }

    private NameTable Table => Arch switch
    {
        SyscallArch.X64 => new NameTable(X64Names, X64Offsets),
        SyscallArch.I386 => new NameTable(I386Names, I386Offsets),
        SyscallArch.X32 => new NameTable(X32Names, X32Offsets),
        SyscallArch.Arm64 => new NameTable(Arm64Names, Arm64Offsets),
        _ => default,
    };

    /// <summary>The table of an architecture.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="arch"/> is no member of the enumeration.</exception>
    public static SyscallTable For(SyscallArch arch) => arch switch
    {
        SyscallArch.X64 => s_x64,
        SyscallArch.I386 => s_i386,
        SyscallArch.X32 => s_x32,
        SyscallArch.Arm64 => s_arm64,
        SyscallArch.Arm => s_arm,
        _ => throw new ArgumentOutOfRangeException(nameof(arch), arch, "no such system call architecture"),
    };

    /// <summary>The name of a call as UTF-8, empty when the number has none. Does not allocate.</summary>
    /// <param name="number">
    /// The kernel's number. An x32 number may carry <see cref="X32Bit"/> or not: the table already says which ABI it is.
    /// </param>
    public ReadOnlySpan<byte> NameUtf8(int number) =>
        Arch == SyscallArch.I386 && SocketcallTable.NameUtf8(number) is { IsEmpty: false } name ? name
            : Table[Arch == SyscallArch.X32 ? number & ~X32Bit : number];

    /// <summary>The number of a call by its exact name.</summary>
    /// <param name="name">The name as in the kernel's headers, without <c>__NR_</c> or <c>sys_</c>; case counts.</param>
    /// <param name="number">The number as the kernel reports it, so with <see cref="X32Bit"/> for x32; -1 when there is none.</param>
    /// <returns>Whether this architecture has the call.</returns>
    public bool TryGetNumber(string name, out int number)
    {
        ArgumentNullException.ThrowIfNull(name);
        number = Table.IndexOf(name);
        if (number < 0)
            return false;
        if (Arch == SyscallArch.X32)
            number |= X32Bit;
        return true;
    }
}
