using Veil.Core.Events;
using Veil.Core.Modules;

namespace Veil.Modules.Files;

/// <summary><c>--file</c>: deny before allow, as in the kernel.</summary>
internal sealed class PathFilter(IReadOnlyList<PathPattern> patterns, EventValue filename) : EventFilter
{
    private readonly PathPattern[] _denied = [.. patterns.Where(static pattern => pattern.Deny)];
    private readonly PathPattern[] _allowed = [.. patterns.Where(static pattern => !pattern.Deny)];

    /// <inheritdoc/>
    public override bool Passes(ref EventView view)
    {
        var path = filename.PathOf(view.Record);
        foreach (var pattern in _denied)
        {
            if (pattern.Matches(path))
                return false;
        }

        foreach (var pattern in _allowed)
        {
            if (pattern.Matches(path))
                return true;
        }

        return _allowed.Length == 0;
    }
}
