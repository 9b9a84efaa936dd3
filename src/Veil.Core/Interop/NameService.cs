// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>Users as the system knows them (<c>nsswitch.conf</c>: files, LDAP, systemd…), not as <c>/etc/passwd</c> alone has
/// them.</summary>
internal static unsafe class NameService
{
    private const int BufferBytes = 16 * 1024;

    // With a directory service behind it the list of users can be endless; suggestions need no more than this.
    private const int SuggestionsFrom = 1_000;

    /// <summary>The name of a user id, raw bytes; empty where it has none.</summary>
    public static byte[] UserName(uint uid)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        LibC.Passwd entry;
        LibC.Passwd* found;
        if (LibC.GetPwUid(uid, &entry, buffer, BufferBytes, &found) != 0 || found is null)
            return [];
        var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(found->Name);
        return name[..Math.Min(name.Length, Events.EventView.NameBytesMax)].ToArray();
    }

    /// <summary>The home folder of a user; null where it has none.</summary>
    public static string? HomeOf(uint uid)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        LibC.Passwd entry;
        LibC.Passwd* found;
        return LibC.GetPwUid(uid, &entry, buffer, BufferBytes, &found) == 0 && found is not null
            ? Marshal.PtrToStringUTF8((nint)found->Directory) : null;
    }

    /// <summary>The id of a user.</summary>
    public static bool TryGetUserId(string name, out uint uid) => TryGetUser(name, out uid, out _);

    /// <summary>The ids of a user, and of the user's group.</summary>
    public static bool TryGetUser(string name, out uint uid, out uint gid)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        LibC.Passwd entry;
        LibC.Passwd* found;
        bool known = LibC.GetPwNam(name, &entry, buffer, BufferBytes, &found) == 0 && found is not null;
        (uid, gid) = known ? (found->Uid, found->Gid) : (0, 0);
        return known;
    }

    /// <summary>All groups of a user.</summary>
    public static uint[] GroupsOf(string name, uint gid)
    {
        const int most = 65_536; // NGROUPS_MAX
        var groups = new uint[most];
        int count = most;
        fixed (uint* first = groups)
            _ = LibC.GetGroupList(name, gid, first, &count);
        return groups[..Math.Min(count, most)];
    }

    /// <summary>The name of a group id, raw bytes; empty where it has none.</summary>
    public static byte[] GroupName(uint gid)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        LibC.GroupEntry entry;
        LibC.GroupEntry* found;
        if (LibC.GetGrGid(gid, &entry, buffer, BufferBytes, &found) != 0 || found is null)
            return [];
        var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(found->Name);
        return name[..Math.Min(name.Length, Events.EventView.NameBytesMax)].ToArray();
    }

    /// <summary>The id of a group.</summary>
    public static bool TryGetGroupId(string name, out uint gid)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        LibC.GroupEntry entry;
        LibC.GroupEntry* found;
        bool known = LibC.GetGrNam(name, &entry, buffer, BufferBytes, &found) == 0 && found is not null;
        gid = known ? found->Gid : 0;
        return known;
    }

    /// <summary>Names of users, for suggestions.</summary>
    public static List<string> UserNames()
    {
        var names = new List<string>();
        LibC.SetPwEnt();
        for (var entry = LibC.GetPwEnt(); entry is not null && names.Count < SuggestionsFrom; entry = LibC.GetPwEnt())
        {
            if (Marshal.PtrToStringUTF8((nint)entry->Name) is { } name)
                names.Add(name);
        }

        LibC.EndPwEnt();
        return names;
    }
}
