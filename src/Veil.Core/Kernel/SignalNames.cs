// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Kernel;

/// <summary>Names of signals, and of the codes that say why one was sent.</summary>
public static class SignalNames
{
    /// <summary>The last signal.</summary>
    public const int Last = 64;

    private const string Prefix = "SIG";
    private const int FirstRealtime = 34; // glibc keeps 32 and 33 for itself
    private const int Ill = 4, Trap = 5, Bus = 7, Fpe = 8, Segv = 11, Chld = 17, Io = 29, Sys = 31; // the same on x86 and arm64

    /// <summary>The names, in the order of the numbers.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Enumerable.Range(1, Last).Select(static signal => Encoding.ASCII.GetString(FlagSets.Signals.NameOf((uint)signal)))];

    /// <summary>The name of a code, which depends on the signal; empty where it has none.</summary>
    public static ReadOnlySpan<byte> CodeUtf8(int signal, int code)
    {
        FlagSet? own = signal switch
        {
            Ill => FlagSets.SigillCodes,
            Trap => FlagSets.SigtrapCodes,
            Bus => FlagSets.SigbusCodes,
            Fpe => FlagSets.SigfpeCodes,
            Segv => FlagSets.SigsegvCodes,
            Chld => FlagSets.SigchldCodes,
            Io => FlagSets.SigpollCodes,
            _ => null,
        };
        var name = FlagSets.SiginfoCodes.NameOf((uint)code);
        if (name.IsEmpty && own is { } set)
            name = set.NameOf((uint)code);
        if (signal == Sys && code is 1 or 2)
            name = code == 1 ? "SYS_SECCOMP"u8 : "SYS_USER_DISPATCH"u8;
        return name;
    }

    /// <summary>The number of a signal, by its number or name: <c>15</c>, <c>SIGTERM</c>, <c>term</c>, and as shells count
    /// them <c>RTMIN+3</c> and <c>RTMAX-1</c>.</summary>
    public static bool TryParse(string text, out int signal)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out signal))
            return signal is > 0 and <= Last;
        string name = text.ToUpperInvariant();
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            name = Prefix + name;
        signal = Realtime(name, "SIGRTMIN", FirstRealtime, '+') ?? Realtime(name, "SIGRTMAX", Last, '-') ?? name switch
        {
            "SIGCLD" => Chld,
            "SIGPOLL" => Io,
            "SIGIOT" => 6,
            _ => All.ToList().IndexOf(name) + 1,
        };
        return signal > 0;
    }

    private static int? Realtime(string name, string from, int first, char sign)
    {
        if (!name.StartsWith(from, StringComparison.Ordinal))
            return null;
        string rest = name[from.Length..];
        if (rest.Length == 0)
            return first;
        return rest[0] == sign && int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int away)
            && away <= Last - FirstRealtime ? first + (sign == '+' ? away : -away) : 0;
    }
}
