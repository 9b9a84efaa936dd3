// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>The real user id of the running task.</summary>
public sealed class UidDimension : FilterDimension
{
    /// <inheritdoc/>
    public override string Name => "uid";

    /// <inheritdoc/>
    public override char? Alias => 'u';

    /// <inheritdoc/>
    public override string ValueName => "USER";

    /// <inheritdoc/>
    public override string Description => "processes of these users, by number or name";

    /// <inheritdoc/>
    public override string AcceptedForm => $"a user name or an id from 0 to {uint.MaxValue - 1}";

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        uint uid;
        if (char.IsAsciiDigit(text[0]) || text[0] == '-')
        {
            // The last id is (uid_t)-1: no user.
            if (ParseNumber(text, 0, uint.MaxValue - 1, out long number) is { } wrong)
                return wrong;
            uid = (uint)number;
        }
        else if (!NameService.TryGetUserId(text, out uid))
        {
            return Unknown("user", text, KeyNames());
        }

        keys.Add(new(uid, text));
        return null;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() => NameService.UserNames();
}
