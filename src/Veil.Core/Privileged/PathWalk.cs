// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Interop;

namespace Veil.Core.Privileged;

/// <summary>Walks a path as the kernel does (path_resolution(7)), and says which component would have refused a call.</summary>
internal static class PathWalk
{
    private const int LinksMax = 40; // MAXSYMLINKS in include/linux/namei.h
    private const uint Sticky = 0x200;
    private const uint ExecuteBit = 1, WriteBit = 2, ReadBit = 4;

    private const int Eperm = 1, Enoent = 2, Eacces = 13, Enotdir = 20, Erofs = 30, Eloop = 40;

    /// <summary>Is it an error that a path is the reason of?</summary>
    public static bool Explains(int error) => error is Eperm or Enoent or Eacces or Enotdir or Erofs or Eloop;

    /// <summary>The component that refused.</summary>
    public static PathRefusal Find(in PathQuestion question)
    {
        // A name alone is relative to where the process is, if it still is.
        if (!question.Path.StartsWith('/'))
            return LibC.LinkOf($"/proc/{question.Pid}/cwd") is { } folder && folder.StartsWith('/')
                ? Find(question with { Path = $"{folder}/{question.Path}" }) : default;
        int root = LibC.OpenPath(LibC.AtFdCwd, RootOf(question.Pid), follow: true);
        if (root < 0)
            return default;
        try
        {
            return new Walker(question, root).Run();
        }
        finally
        {
            _ = LibC.Close(root);
        }
    }

    // A path is shown from the root of its mount namespace on, which a process of our own namespace shares with us, wherever its chroot is.
    private static string RootOf(uint pid)
    {
        string process = pid.ToString(CultureInfo.InvariantCulture);
        string? theirs = LibC.LinkOf($"/proc/{process}/ns/mnt"), ours = LibC.LinkOf("/proc/self/ns/mnt");
        return theirs is null || theirs == ours ? "/" : $"/proc/{process}/root";
    }

    private ref struct Walker(PathQuestion question, int root)
    {
        private readonly Caller _caller = Caller.Of(question.Pid, question.User);
        private readonly Stack<string> _left = new(Names(question.Path));
        private readonly List<string> _names = [];
        private string _mount = "/";

        // The link that was followed last, where it leads to, and how many names were left behind it.
        private string _link = "";
        private string _target = "";
        private int _linkLeft;
        private int _links;

        private readonly string Here => _names.Count == 0 ? "/" : "/" + string.Join('/', _names);

        public PathRefusal Run()
        {
            int current = LibC.OpenPath(root, ".", follow: false);
            try
            {
                while (LibC.TryGetPathFacts(current, out var facts))
                {
                    if (!_left.TryPop(out string? name))
                        return AtEnd(facts, current);
                    if (!facts.IsFolder)
                        return question.Error == Enotdir ? Refusal(PathRefusalKind.NotFolder, Here, facts) : default;
                    if (question.Error == Eacces && !_caller.May(facts, ExecuteBit))
                        return Refusal(PathRefusalKind.Mode, Here, facts, bits: ExecuteBit);
                    if (name == "..")
                    {
                        if (_names.Count > 0)
                            _names.RemoveAt(_names.Count - 1);
                        Step(ref current, LibC.OpenPath(current, "..", follow: false));
                        continue;
                    }

                    int next = LibC.OpenPath(current, name, follow: false);
                    if (next < 0)
                        return Absent(facts, name);
                    if (!LibC.TryGetPathFacts(next, out var found))
                    {
                        _ = LibC.Close(next);
                        return default;
                    }

                    if (found.IsLink && (_left.Count > 0 || !question.Need.HasFlag(PathNeed.Name)))
                    {
                        string? target = LibC.LinkOf(next);
                        _ = LibC.Close(next);
                        string path = Below(name);
                        if (++_links > LinksMax)
                            return Refusal(PathRefusalKind.LinkCircle, path, found);
                        if (target is null)
                            return default;
                        (_link, _target, _linkLeft) = (path, target, _left.Count);
                        if (target.StartsWith('/'))
                        {
                            _names.Clear();
                            Step(ref current, LibC.OpenPath(root, ".", follow: false));
                        }

                        foreach (string part in Names(target))
                            _left.Push(part);
                        continue;
                    }

                    _names.Add(name);
                    if (found.IsMountRoot)
                        _mount = Here;
                    Step(ref current, next);
                }

                return default;
            }
            finally
            {
                _ = LibC.Close(current);
            }
        }

        private static void Step(ref int current, int next)
        {
            _ = LibC.Close(current);
            current = next;
        }

        private readonly string Below(string name) => _names.Count == 0 ? "/" + name : Here + "/" + name;

        // `bits` are those that the caller lacks.
        private readonly PathRefusal Refusal(PathRefusalKind kind, string path, in PathFacts facts, string other = "", uint bits = 0) =>
            new(kind, path, other, facts.Permissions, facts.Owner, _caller.User,
                bits != 0 && facts.Owner != _caller.User && (facts.Permissions >> 3 & bits) == bits ? facts.Group : PathRefusal.NoGroup);

        // The name is not there.
        private readonly PathRefusal Absent(in PathFacts folder, string name) => question.Error switch
        {
            Enoent when _link.Length > 0 && _left.Count >= _linkLeft => Refusal(PathRefusalKind.BrokenLink, _link, folder, _target),
            Enoent => Refusal(PathRefusalKind.Missing, Below(name), folder),
            Erofs => Refusal(PathRefusalKind.ReadOnly, _mount, folder),
            Eacces when _left.Count == 0 && !_caller.May(folder, WriteBit) =>
                Refusal(PathRefusalKind.Mode, Here, folder, bits: WriteBit),
            Eperm when folder.IsImmutable => Refusal(PathRefusalKind.Immutable, Here, folder),
            _ => default,
        };

        // The path leads to something.
        private readonly PathRefusal AtEnd(in PathFacts facts, int current)
        {
            switch (question.Error)
            {
                case Erofs:
                    return Refusal(PathRefusalKind.ReadOnly, _mount, facts);
                case Eloop when _link.Length > 0:
                    return Refusal(PathRefusalKind.Link, _link, facts);
                case Enotdir:
                    return facts.IsFolder ? default : Refusal(PathRefusalKind.NotFolder, Here, facts);
                case Eperm when facts.IsImmutable:
                    return Refusal(PathRefusalKind.Immutable, Here, facts);
                case Eperm when facts.IsAppendOnly:
                    return Refusal(PathRefusalKind.AppendOnly, Here, facts);
                case Eperm when question.Need.HasFlag(PathNeed.Own) && facts.Owner != _caller.User:
                    return Refusal(PathRefusalKind.Owner, Here, facts);
            }

            if (question.Error == Enoent)
                return OfInterpreter(facts, current);
            if (question.Error is not (Eperm or Eacces))
                return default;
            if (question.Need.HasFlag(PathNeed.Name) && _names.Count > 0)
            {
                int above = LibC.OpenPath(current, "..", follow: false);
                // Of a file ".." is no name: from the root again.
                if (above < 0)
                    above = LibC.OpenPath(root, string.Join('/', _names.SkipLast(1).DefaultIfEmpty(".")), follow: false);
                bool known = LibC.TryGetPathFacts(above, out var folder);
                _ = LibC.Close(above);
                string path = _names.Count == 1 ? "/" : "/" + string.Join('/', _names.SkipLast(1));
                if (!known)
                    return default;
                if (question.Error == Eacces)
                    return _caller.May(folder, WriteBit) ? default : Refusal(PathRefusalKind.Mode, path, folder, bits: WriteBit);
                if (folder.IsImmutable || folder.IsAppendOnly)
                    return Refusal(folder.IsImmutable ? PathRefusalKind.Immutable : PathRefusalKind.AppendOnly, path, folder);
                return (folder.Permissions & Sticky) != 0 && facts.Owner != _caller.User && folder.Owner != _caller.User
                    ? new(PathRefusalKind.Sticky, Here, path, folder.Permissions, facts.Owner, _caller.User)
                    : default;
            }

            uint needed = (uint)(question.Need & (PathNeed.Execute | PathNeed.Write | PathNeed.Read));
            if (question.Error == Eacces && needed != 0 && !_caller.May(facts, needed))
                return Refusal(PathRefusalKind.Mode, Here, facts, bits: needed);
            return OfInterpreter(facts, current);
        }

        // execve(2) tells nothing apart: of a script the refusal is its interpreter's.
        private readonly PathRefusal OfInterpreter(in PathFacts facts, int current)
        {
            if (!question.Need.HasFlag(PathNeed.Execute) || !facts.IsFile || question.IsOfInterpreter
                || LibC.LinesOf($"/proc/self/fd/{current}") is not [var first, ..] || !first.StartsWith("#!", StringComparison.Ordinal)
                || first[2..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is not [var interpreter, ..])
                return default;
            var refusal = Find(question with { Path = interpreter, IsOfInterpreter = true });
            return refusal.Kind == PathRefusalKind.Missing
                ? refusal with { Kind = PathRefusalKind.Interpreter, Path = Here, Other = interpreter } : refusal;
        }

        // The last first, as they are pushed.
        private static IEnumerable<string> Names(string path) => path.Split('/').Where(static name => name is not ("" or ".")).Reverse();
    }

    // Whose rights counted: those of the file system, where the process is still there to be asked.
    private sealed record Caller(uint User, HashSet<uint> Groups)
    {
        public static Caller Of(uint pid, uint user)
        {
            var groups = new HashSet<uint>();
            foreach (string line in LibC.LinesOf($"/proc/{pid}/status"))
            {
                string[] words = line.Split('\t', ' ');
                const int fileSystem = 4; // real, effective, saved, file system
                if (words[0] == "Uid:" && words.Length > fileSystem)
                    user = uint.Parse(words[fileSystem], CultureInfo.InvariantCulture);
                else if (words[0] == "Gid:" && words.Length > fileSystem)
                    groups.Add(uint.Parse(words[fileSystem], CultureInfo.InvariantCulture));
                else if (words[0] == "Groups:")
                    groups.UnionWith(
                        words.Skip(1).Where(static word => word.Length > 0)
                        .Select(static word => uint.Parse(word, CultureInfo.InvariantCulture)));
            }

            return new(user, groups);
        }

        public bool May(in PathFacts facts, uint bits)
        {
            int shift = facts.Owner == User ? 6 : Groups.Contains(facts.Group) ? 3 : 0;
            return (facts.Permissions >> shift & bits) == bits;
        }
    }
}
