// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;
using Veil.Core.Kernel;

namespace Veil.Modules.Signal;

/// <summary>The signal.</summary>
internal sealed class SignalDimension : FilterDimension
{
    public override string Name => "signal";

    public override string ValueName => "SIGNAL";

    public override string Description => "these signals, by name or number; SIGCHLD is shown only where it is named";

    public override string AcceptedForm => $"a signal's name, such as SIGTERM or RTMIN+1, or its number from 1 to {SignalNames.Last}";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (!SignalNames.TryParse(text, out int signal))
            return $"{Quoted(text)} is not {AcceptedForm}{Nearest(text.ToUpperInvariant(), KeyNames())}";
        keys.Add(new((UInt128)signal, text));
        return null;
    }

    public override IEnumerable<string> KeyNames() => SignalNames.All;
}
