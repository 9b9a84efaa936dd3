// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Bpf;

/// <summary>
/// Error numbers of Linux on x86 and arm64, with the kernel-internal ones (512 and up) that <c>sys_exit</c> reports
/// before the signal code turns them into a restart or <c>EINTR</c>.
/// </summary>
/// <remarks>The tables are written by <c>eng/make-syscalls</c>.</remarks>
public static partial class Errno
{
    internal const int EPERM = 1;
    internal const int ENOENT = 2;
    internal const int ESRCH = 3;
    internal const int EINTR = 4;
    internal const int E2BIG = 7;
    internal const int EAGAIN = 11;
    internal const int ENOMEM = 12;
    internal const int EACCES = 13;
    internal const int EBUSY = 16;
    internal const int EEXIST = 17;
    internal const int ENODEV = 19;
    internal const int ENOTDIR = 20;
    internal const int EISDIR = 21;
    internal const int EINVAL = 22;
    internal const int ENFILE = 23;
    internal const int EMFILE = 24;
    internal const int EFBIG = 27;
    internal const int ENOSPC = 28;
    internal const int EPIPE = 32;
    internal const int ENOSYS = 38;
    internal const int EPROTOTYPE = 91;
    internal const int EOPNOTSUPP = 95;
    internal const int ECONNREFUSED = 111;
    internal const int EINPROGRESS = 115;
    internal const int EDQUOT = 122;

    /// <summary>Internal to the kernel (include/linux/errno.h), yet bpf(2) lets it through; the C library has no text for it.</summary>
    internal const int ENOTSUPP = 524;

    private const int FirstLibbpf = 4000;

    /// <summary>libbpf's own numbers, from LIBBPF_ERRNO__LIBELF = 4000 on (enum libbpf_errno).</summary>
    private static readonly string[] s_libbpfNames =
    [
        "LIBELF", "FORMAT", "KVERSION", "ENDIAN", "INTERNAL", "RELOC", "LOAD", "VERIFY", "PROG2BIG", "KVER", "PROGTYPE", "WRNGPID",
        "INVSEQ", "NLPARSE",
    ];

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

    /// <summary>The symbol, or "errno N" for a number without one; empty for 0.</summary>
    internal static string Of(int errno)
    {
        if (errno == 0)
            return "";
        if (IsLibbpf(errno))
            return "LIBBPF_ERRNO__" + s_libbpfNames[errno - FirstLibbpf];
        var name = NameUtf8(errno);
        return name.IsEmpty ? $"errno {errno}" : Encoding.UTF8.GetString(name);
    }

    /// <summary>The C library's words in lower case, as they stand inside a sentence.</summary>
    internal static string Describe(int errno)
    {
        if (errno == ENOTSUPP)
            return "operation not supported by the kernel";
        // The C library would say "Unknown error 4000".
        if (IsLibbpf(errno))
            return "libbpf cannot use this object file";
        string text = Marshal.GetPInvokeErrorMessage(errno);
        // "Is a directory" becomes lower case, "RPC version wrong" must not.
        return text.Length > 1 && char.IsUpper(text[0]) && !char.IsUpper(text[1]) ? char.ToLowerInvariant(text[0]) + text[1..] : text;
    }

    private static bool IsLibbpf(int errno) => errno >= FirstLibbpf && errno < FirstLibbpf + s_libbpfNames.Length;
}
