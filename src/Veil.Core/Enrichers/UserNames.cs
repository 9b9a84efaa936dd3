// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Enrichers;

/// <summary>Names of user ids, asked of the system's own name service once each and kept in a table of fixed size.</summary>
public sealed class UserNames
{
    private const int Slots = 1024;
    private readonly uint[] _ids = new uint[Slots];
    private readonly byte[]?[] _names = new byte[]?[Slots];

    /// <summary>The name's raw bytes; empty where the id has none.</summary>
    public ReadOnlySpan<byte> Find(uint uid)
    {
        uint slot = uid % Slots;
        if (_names[slot] is { } known && _ids[slot] == uid)
            return known;
        byte[] name = NameService.UserName(uid);
        _ids[slot] = uid;
        _names[slot] = name;
        return name;
    }
}
