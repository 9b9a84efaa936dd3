// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Kernel;

/// <summary>
/// Error numbers of Linux on x86 and arm64, with the kernel-internal ones (512 and up) that <c>sys_exit</c> reports
/// before the signal code turns them into a restart or <c>EINTR</c>.
/// </summary>
/// <remarks>The tables are written by <c>eng/make-syscalls</c>.</remarks>
public static partial class Errno
{
    /// <summary>All names in the order of their numbers, without the aliases.</summary>
    public static IEnumerable<string> Names
    {
        get
        {
            for (int errno = 0; errno < Table.Limit; errno++)
            {
                string name = Encoding.UTF8.GetString(Table[errno]);
                if (name.Length > 0)
                    yield return name;
            }
        }
    }

    private static NameTable Table => new(ErrnoNames, ErrnoOffsets);

    /// <summary>The name of an error as UTF-8, empty when the number has none. Does not allocate.</summary>
    /// <param name="errno">The positive number, so the negated result of the call.</param>
    public static ReadOnlySpan<byte> NameUtf8(int errno) => Table[errno];

    /// <summary>
    /// Is it no error, but the kernel's note that the call is to be made again or to end with <c>EINTR</c>? The process gets to see neither
    /// (<c>ERESTARTSYS</c>, <c>ERESTARTNOINTR</c>, <c>ERESTARTNOHAND</c>, <c>ERESTART_RESTARTBLOCK</c>: include/linux/errno.h).
    /// </summary>
    /// <param name="errno">The positive number.</param>
    public static bool IsRestart(long errno) => errno is 512 or 513 or 514 or 516;

    /// <summary>The number of an error by its exact name.</summary>
    /// <param name="name">The name in capitals; an alias such as <c>EWOULDBLOCK</c> is understood too.</param>
    /// <param name="errno">The positive number; -1 when there is none.</param>
    /// <returns>Whether there is such an error.</returns>
    public static bool TryGetNumber(string name, out int errno)
    {
        ArgumentNullException.ThrowIfNull(name);
        errno = Table.IndexOf(name);
        if (errno >= 0)
            return true;
        int alias = new NameTable(AliasNames, AliasOffsets).IndexOf(name);
        if (alias < 0)
            return false;
        errno = AliasNumbers[alias];
        return true;
    }
}
