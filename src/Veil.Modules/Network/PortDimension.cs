// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;

namespace Veil.Modules.Network;

/// <summary>The port of either end.</summary>
internal sealed class PortDimension : FilterDimension
{
    public override string Name => "port";

    public override string ValueName => "PORT";

    public override string Description => "connections with one of these ports at either end";

    public override string AcceptedForm => $"a port from 1 to {ushort.MaxValue}";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (ParseNumber(text, 1, ushort.MaxValue, out long port) is { } wrong)
            return wrong;
        keys.Add(new((UInt128)port, text));
        return null;
    }
}
