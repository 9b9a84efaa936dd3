// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Running;

/// <summary>Who a command runs as.</summary>
/// <param name="Uid">The user.</param>
/// <param name="Gid">The user's group.</param>
/// <param name="Groups">All groups.</param>
public sealed record CommandUser(uint Uid, uint Gid, uint[] Groups)
{
    /// <summary>Reads the name of a user.</summary>
    /// <exception cref="UsageException">There is none of that name, or we may not become one.</exception>
    public static CommandUser Parse(string name)
    {
        if (!NameService.TryGetUser(name, out uint uid, out uint gid))
        {
            throw new UsageException(
                $"--user: unknown user '{Escaping.ForMessage(name)}'{NearestName.Hint(name, NameService.UserNames())}");
        }

        return LibC.EffectiveUser() == 0 ? new(uid, gid, NameService.GroupsOf(name, gid))
            : throw new UsageException("--user: only root can run a command as another user");
    }
}
