using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Core.Kernel;

/// <summary>
/// Names of system calls. The tables come from the newest kernel headers (<c>make syscalls</c>) and lie in the binary as they are
/// used: nothing is built at the start, and a look-up allocates nothing.
/// </summary>
public sealed partial class SyscallTable
{
    /// <summary>What marks a call of x32 in its number (<c>__X32_SYSCALL_BIT</c>).</summary>
    public const int X32Bit = 0x40000000;

    private static readonly SyscallTable[] s_tables =
    [
        new(SyscallArch.X64, "x86_64"), new(SyscallArch.I386, "i386"), new(SyscallArch.X32, "x32"), new(SyscallArch.Arm64, "arm64"), new(SyscallArch.Arm, "arm"),
    ];

    private SyscallTable(SyscallArch arch, string archName)
    {
        Arch = arch;
        ArchName = archName;
        ArchNameUtf8 = Encoding.UTF8.GetBytes(archName);
    }

    /// <summary>The table of this machine's own calls.</summary>
    public static SyscallArch Native { get; } = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? SyscallArch.Arm64 : SyscallArch.X64;

    /// <summary>Every table that calls on this machine can index, its own first.</summary>
    public static IReadOnlyList<SyscallArch> OfThisMachine { get; } =
        Native == SyscallArch.Arm64 ? [SyscallArch.Arm64, SyscallArch.Arm] : [SyscallArch.X64, SyscallArch.I386, SyscallArch.X32];

    /// <summary>Which table it is.</summary>
    public SyscallArch Arch { get; }

    /// <summary>How events name it.</summary>
    public string ArchName { get; }

    /// <summary>The same in UTF-8.</summary>
    public byte[] ArchNameUtf8 { get; }

    /// <summary>Every name of the table.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            for (int number = 0; number < Offsets.Length - 1; number++)
            {
                if (NameAt(number) is { Length: > 0 } name)
                    yield return Encoding.ASCII.GetString(name);
            }
        }
    }

    private ReadOnlySpan<ushort> Offsets => Arch switch
    {
        SyscallArch.X64 => X64Offsets,
        SyscallArch.I386 => I386Offsets,
        SyscallArch.X32 => X32Offsets,
        SyscallArch.Arm64 => Arm64Offsets,
        _ => [0],
    };

    private ReadOnlySpan<byte> NameBlob => Arch switch
    {
        SyscallArch.X64 => X64Names,
        SyscallArch.I386 => I386Names,
        SyscallArch.X32 => X32Names,
        SyscallArch.Arm64 => Arm64Names,
        _ => [],
    };

    /// <summary>The table of an architecture; that of x86-64 for a number that is none.</summary>
    public static SyscallTable For(SyscallArch arch) => s_tables[(int)arch < s_tables.Length ? (int)arch : 0];

    /// <summary>The name of a call, empty where the table has none.</summary>
    /// <param name="number">As the kernel has it; of x32 with its bit.</param>
    public ReadOnlySpan<byte> NameUtf8(int number) => NameAt(Arch == SyscallArch.X32 ? number & ~X32Bit : number);

    /// <summary>Finds the number of a call by its exact name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="number">As the kernel has it; of x32 with its bit.</param>
    public bool TryGetNumber(string name, out int number)
    {
        for (number = 0; number < Offsets.Length - 1; number++)
        {
            if (name.Length > 0 && Ascii.Equals(NameAt(number), name))
            {
                if (Arch == SyscallArch.X32)
                    number |= X32Bit;
                return true;
            }
        }

        number = -1;
        return false;
    }

    private ReadOnlySpan<byte> NameAt(int number)
    {
        var offsets = Offsets;
        return (uint)number < (uint)(offsets.Length - 1) ? NameBlob[offsets[number]..offsets[number + 1]] : default;
    }
}
