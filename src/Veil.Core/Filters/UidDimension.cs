// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>The real user id of the running task.</summary>
internal sealed class UidDimension : FilterDimension
{
    public override string Name => "uid";

    public override char? Alias => 'u';

    public override string ValueName => "USER";

    public override string Description => "processes of these users, by number or name";

    public override string AcceptedForm => $"a user name or an id from 0 to {uint.MaxValue - 1}";

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

    public override IEnumerable<string> KeyNames() => NameService.UserNames();
}
