// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Modules;

namespace Veil.Modules.Files;

/// <summary><c>--file</c>: deny before allow, as in the kernel. Of a copy either path may match.</summary>
internal sealed class PathFilter(IReadOnlyList<PathPattern> patterns, IReadOnlyList<EventValue> paths) : EventFilter
{
    private readonly PathPattern[] _denied = [.. patterns.Where(static pattern => pattern.Deny)];
    private readonly PathPattern[] _allowed = [.. patterns.Where(static pattern => !pattern.Deny)];
    private readonly EventValue[] _paths = [.. paths];

    public override string Flag => "--file";

    public override bool Passes(ref EventView view) => !AnyMatches(_denied, view.Record) && (_allowed.Length == 0 || AnyMatches(_allowed, view.Record));

    private bool AnyMatches(PathPattern[] patterns, ReadOnlySpan<byte> record)
    {
        foreach (var value in _paths)
        {
            var part = value.PartOf(record);
            if (part.IsAbsent)
                continue;
            foreach (var pattern in patterns)
            {
                // A file whose name is gone is still the one that was meant.
                if (pattern.Matches(part.Of(record)) || (part.IsDeleted && pattern.Matches(part.NameOf(record))))
                    return true;
            }
        }

        return false;
    }
}
