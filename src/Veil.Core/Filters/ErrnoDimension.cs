// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf;

namespace Veil.Core.Filters;

/// <summary>The error that a call failed with. A result that is no error has no key: to allow an error leaves it out, to deny one does
/// not.</summary>
internal sealed class ErrnoDimension : FilterDimension
{
    /// <summary>The name of the flag.</summary>
    public const string FlagName = "errno";

    internal const int ErrnoMax = 4095; // VEIL_ERRNO_MAX

    public override string Name => FlagName;

    public override FlagRole Role => FlagRole.Threshold;

    public override string ValueName => "NAME";

    public override string Description => "what failed with one of these errors, such as ENOENT; syscall then shows calls as they end";

    public override string AcceptedForm => $"an error's name, such as ENOENT, or its number from 1 to {ErrnoMax}";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (!Errno.TryGetNumber(text, out int number)
            && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number is > 0 and <= ErrnoMax))
            return $"unknown error {Quoted(text)}{Nearest(text.ToUpperInvariant(), KeyNames())}";
        keys.Add(new((UInt128)number, text));
        return null;
    }

    public override IEnumerable<string> KeyNames() => Errno.Names;
}
