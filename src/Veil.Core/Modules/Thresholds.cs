using System.Globalization;
using Veil.Bpf;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Modules;

/// <summary>The flags that let only results pass that took long or failed, in the kernel: <c>bpf/veil/threshold.bpf.h</c>.</summary>
public static class Thresholds
{
    private const int ErrnoWords = 64;

    /// <summary><c>--slower DURATION</c>.</summary>
    public static ModuleFlag Slower { get; } = new("slower", "DURATION", "only what took so long or longer, such as 10ms (ns, us, ms, s)", TakesOne: true);

    /// <summary><c>--failed</c>.</summary>
    public static ModuleFlag Failed { get; } = new("failed", null, "only what failed");

    /// <summary><c>--errno NAME,…</c>.</summary>
    public static ModuleFlag Errnos { get; } = new("errno", "NAME", "only what failed with one of these errors, such as ENOENT");

    /// <summary>Is a result asked for, and so the end of what is traced?</summary>
    public static bool AreGiven(ModuleArguments arguments) =>
        arguments.Has(Failed.Name) || arguments.Of(Slower.Name).Count > 0 || arguments.Of(Errnos.Name).Count > 0;

    /// <summary>Is the time from begin to end asked for?</summary>
    public static bool NeedTime(ModuleArguments arguments) => arguments.Of(Slower.Name).Count > 0;

    /// <summary>Checks the values.</summary>
    /// <exception cref="UsageException">One is wrong.</exception>
    public static void Validate(ModuleArguments arguments)
    {
        _ = SlowerNs(arguments);
        _ = ErrnoBits(arguments);
    }

    /// <summary>Sets the constants of an object that is not loaded yet.</summary>
    public static void Configure(BpfObject bpfObject, ModuleArguments arguments)
    {
        bpfObject.TrySetGlobal("veil_slower_ns", SlowerNs(arguments));
        bpfObject.TrySetGlobal("veil_only_failed", arguments.Has(Failed.Name));
        if (ErrnoBits(arguments) is not { } bits)
            return;
        bpfObject.SetGlobal("veil_only_errnos", true);
        bpfObject.SetGlobalBytes("veil_errnos", System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits.AsSpan()));
    }

    private static ulong SlowerNs(ModuleArguments arguments)
    {
        var values = arguments.Of(Slower.Name);
        if (values.Count == 0)
            return 0;
        if (values.Count > 1)
            throw new UsageException("--slower: given more than once, but it takes one value");
        string value = values[0];
        int unitAt = value.AsSpan().IndexOfAnyInRange('a', 'z');
        double unit = unitAt < 0 ? 0 : value[unitAt..] switch { "ns" => 1, "us" => 1e3, "ms" => 1e6, "s" => 1e9, _ => 0 };
        const double most = 86_400e9;
        if (unit == 0 || !double.TryParse(value.AsSpan(0, unitAt), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) || number * unit is < 1 or > most)
            throw new UsageException($"--slower: '{Escaping.ForMessage(value)}' is not a duration from 1ns to 86400s with its unit, such as 10ms");
        return (ulong)(number * unit);
    }

    private static ulong[]? ErrnoBits(ModuleArguments arguments)
    {
        if (arguments.Of(Errnos.Name) is not { Count: > 0 } names)
            return null;
        var bits = new ulong[ErrnoWords];
        foreach (string name in names)
        {
            if (!Errno.TryGetNumber(name, out int number) && !(int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number is > 0 and < ErrnoWords * 64))
            {
                string hint = NearestName.Find(name.ToUpperInvariant(), [.. Errno.Names]) is [var nearest, ..] ? $"; did you mean '{nearest}'?" : "";
                throw new UsageException($"--errno: '{Escaping.ForMessage(name)}' is no error, by name or number{hint}");
            }

            bits[number / 64] |= 1UL << (number % 64);
        }

        return bits;
    }
}
