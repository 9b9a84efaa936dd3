// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>Which component of a path refused a call, as far as it can be seen right after.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Path">The component, from the root on.</param>
/// <param name="Other">The folder of the component, or what a link leads to.</param>
/// <param name="Mode">Permissions of the component; of <see cref="PathRefusalKind.Sticky"/> of the folder.</param>
/// <param name="Owner">The user who owns it.</param>
/// <param name="Caller">The user whose rights counted.</param>
/// <param name="Group">The group whose members may what the caller may not, or <see cref="NoGroup"/>.</param>
internal readonly record struct PathRefusal(
    PathRefusalKind Kind, string Path, string Other, uint Mode, uint Owner, uint Caller, uint Group = PathRefusal.NoGroup)
{
    /// <summary>No group would make a difference.</summary>
    public const uint NoGroup = uint.MaxValue;

    /// <summary>A sentence of it.</summary>
    /// <param name="ownerName">The owner's name, empty where there is none.</param>
    /// <param name="groupName">The group's.</param>
    public string Text(string ownerName, string groupName)
    {
        string owner = ownerName.Length > 0 ? ownerName : $"uid {Owner}";
        string group = Group == NoGroup ? "" : $", group {(groupName.Length > 0 ? groupName : Group)}";
        return Kind switch
        {
            PathRefusalKind.Missing => $"{Path} does not exist",
            PathRefusalKind.BrokenLink => $"{Path} is a symbolic link to {Other}, which does not exist",
            PathRefusalKind.NotFolder => $"{Path} is not a directory",
            PathRefusalKind.Mode => $"{Path} is {Octal(Mode)} {owner}{group}, caller is uid {Caller}",
            PathRefusalKind.Interpreter => $"{Path} is a script of {Other}, which does not exist",
            PathRefusalKind.ReadOnly => $"{Path} is mounted read-only",
            PathRefusalKind.LinkCircle => $"{Path} is a symbolic link in a circle",
            PathRefusalKind.Link => $"{Path} is a symbolic link",
            PathRefusalKind.Immutable => $"{Path} is immutable (chattr +i)",
            PathRefusalKind.AppendOnly => $"{Path} is append-only (chattr +a)",
            PathRefusalKind.Sticky => $"{Other} is {Octal(Mode)}, {Path} belongs to {owner}, caller is uid {Caller}",
            PathRefusalKind.Owner => $"{Path} belongs to {owner}, caller is uid {Caller}",
            _ => "",
        };
    }

    private static string Octal(uint mode) => "0" + Convert.ToString((int)mode, 8).PadLeft(3, '0');
}
