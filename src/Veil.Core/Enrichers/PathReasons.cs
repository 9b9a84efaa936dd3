// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Interop;
using Veil.Core.Privileged;

namespace Veil.Core.Enrichers;

/// <summary>
/// Why a call on a path was refused: the component, its mode and its owner, looked for right after. It may have changed since. The same
/// question is asked again after a second, and the table has a fixed size.
/// </summary>
/// <param name="root">Looks where we may not; or nothing.</param>
public sealed class PathReasons(RootClient? root)
{
    private const int Enoent = 2;
    private const int Slots = 1024;
    private const ulong FreshNs = 1_000_000_000;
    private readonly Dictionary<EventSchema, Source> _sources = [];
    private readonly (PathQuestion Question, ulong AskedNs, byte[] Text)[] _known = new (PathQuestion, ulong, byte[])[Slots];
    private readonly UserNames _users = new();

    /// <summary>The reason, raw bytes; empty where there is none to be seen.</summary>
    /// <param name="view">The event.</param>
    /// <param name="pid">Its process.</param>
    /// <param name="uid">Its user.</param>
    /// <param name="timestamp">Its time since boot.</param>
    public ReadOnlySpan<byte> Find(scoped ref EventView view, uint pid, uint uid, ulong timestamp)
    {
        if (!_sources.TryGetValue(view.Schema, out var source))
            _sources.Add(view.Schema, source = new Source(view.Schema));
        int error = source.ErrorOf(view.Record);
        if (!PathWalk.Explains(error))
            return [];
        for (int index = 0; source.TryGetCall(view.Record, index, out string path, out var need); index++)
        {
            if (path.Length == 0)
            {
                if (error == Enoent)
                    return "an empty path is no file's"u8;
                continue;
            }

            if (need != PathNeed.Nothing && Ask(new(pid, uid, error, need, path), timestamp) is { Length: > 0 } reason)
                return reason;
        }

        if (source.TryGetExecuted(view.Record, out string program))
            return Ask(new(pid, uid, error, PathNeed.Execute, program), timestamp);
        foreach (var path in source.Paths)
        {
            if (path.PartOf(view.Record) is { IsTruncated: false, Length: > 0 } part && part.Of(view.Record) is [(byte)'/', ..] bytes
                && Ask(new(pid, uid, error, source.NeedOf(view.Record, path), Encoding.Latin1.GetString(part.NameOf(view.Record))),
                    timestamp) is { Length: > 0 } reason)
                return reason;
        }

        return [];
    }

    private byte[] Ask(in PathQuestion question, ulong nowNs)
    {
        ref var known = ref _known[(uint)question.GetHashCode() % Slots];
        if (known.Text is not null && known.Question == question && nowNs - known.AskedNs < FreshNs)
            return known.Text;
        var refusal = root is null ? PathWalk.Find(question) : root.Explain(question);
        string owner = refusal.Kind == PathRefusalKind.None ? "" : Encoding.Latin1.GetString(_users.Find(refusal.Owner));
        string group = refusal.Kind == PathRefusalKind.None || refusal.Group == PathRefusal.NoGroup ? ""
            : Encoding.Latin1.GetString(NameService.GroupName(refusal.Group));
        known = (question, nowNs, Encoding.Latin1.GetBytes(refusal.Text(owner, group)));
        return known.Text;
    }

    // Where a kind of event has what is asked.
    private sealed class Source(EventSchema schema)
    {
        private readonly EventValue? _ret = Value(schema, "ret");
        private readonly EventValue? _op = Value(schema, "op");
        private readonly EventValue? _flags = Value(schema, "flags");
        private readonly EventValue? _argv = Value(schema, "argv");
        private readonly EventValue? _filename = Value(schema, "filename");
        private readonly EventValue? _cwd = Value(schema, "cwd");
        private readonly EventValue? _call = schema.Fields.FirstOrDefault(static field => field.Value.Is<CallKind>()).Value;

        public EventValue[] Paths { get; } =
            Value(schema, "target") is not { } target ? []
                : [.. new[] { Value(schema, "filename"), target }.OfType<EventValue>().Where(static value => value.Is<PathKind>())];

        public int ErrorOf(ReadOnlySpan<byte> record) =>
            _ret?.Is<ReturnKind>() == true && (Paths.Length > 0 || _argv is not null || _call is not null)
                ? (int)ErrnoKind.Of(_ret.Signed(record)) : 0;

        /// <summary>One of the paths of a system call, with the folder that it is relative to where that is known.</summary>
        public bool TryGetCall(ReadOnlySpan<byte> record, int index, out string path, out PathNeed need)
        {
            (path, need) = ("", PathNeed.None);
            if (_call is null)
                return false;
            var call = new CallView(record, _call.Offset);
            var spec = CallTable.Of(call).Spec;
            int folder = -1, found = 0;
            for (int position = 0; position < spec.Arguments.Count; position++)
            {
                if (spec.Arguments[position].IsDescriptor)
                    folder = position;
                if (!spec.Arguments[position].IsPath || found++ < index)
                    continue;
                var chunk = call.Find(position);
                if (!chunk.IsRead || chunk.IsTruncated)
                    return false;
                path = Encoding.Latin1.GetString(chunk.Bytes);
                if (path.Length == 0)
                    return true;
                if (path[0] != '/' && call.Find(folder >= 0 ? folder : CallView.FolderArg, CallChunkKind.Path) is { IsRead: true } at)
                    path = $"{Encoding.Latin1.GetString(at.Bytes)}/{path}";
                need = NeedOf(spec.Name, index, (int)(position + 1 < CallView.ArgsMax ? call[position + 1] : 0));
                return true;
            }

            return false;
        }

        /// <summary>Of a process, the program that it could not execute.</summary>
        public bool TryGetExecuted(ReadOnlySpan<byte> record, out string path)
        {
            path = "";
            if (_argv is null || _filename?.PartOf(record) is not { IsAbsent: false, IsTruncated: false, Length: > 0 } name)
                return false;
            path = Encoding.Latin1.GetString(name.Of(record));
            if (path[0] != '/' && _cwd?.PartOf(record) is { IsAbsent: false, IsTruncated: false } folder)
                path = $"{Encoding.Latin1.GetString(folder.NameOf(record))}/{path}";
            return path[0] == '/';
        }

        private static PathNeed NeedOf(string name, int index, int next)
        {
            if (name.StartsWith("open", StringComparison.Ordinal))
                return name == "openat2" ? PathNeed.Read | PathNeed.Write : AccessOf(next);
            if (name.Contains("chmod", StringComparison.Ordinal) || name.Contains("chown", StringComparison.Ordinal)
                || name.Contains("utime", StringComparison.Ordinal))
                return PathNeed.Own;
            if (name.Contains("link", StringComparison.Ordinal))
            {
                // What a symbolic link is to lead to need not exist.
                return name.StartsWith("symlink", StringComparison.Ordinal) && index == 0 ? PathNeed.Nothing
                    : name.StartsWith("readlink", StringComparison.Ordinal) || (name is "link" or "linkat" && index == 0) ? PathNeed.None
                    : PathNeed.Name;
            }

            if (name.StartsWith("mk", StringComparison.Ordinal) || name.StartsWith("rename", StringComparison.Ordinal) || name == "rmdir")
                return PathNeed.Name;
            return name switch
            {
                "creat" or "truncate" or "truncate64" => PathNeed.Write,
                "execve" or "execveat" or "chdir" or "chroot" => PathNeed.Execute,
                _ => PathNeed.None,
            };
        }

        // The access mode of open(2).
        private static PathNeed AccessOf(int flags) => (flags & 3) switch
        {
            0 => PathNeed.Read,
            1 => PathNeed.Write,
            _ => PathNeed.Read | PathNeed.Write,
        };

        public PathNeed NeedOf(ReadOnlySpan<byte> record, EventValue path)
        {
            if (_op is null || !_op.Is<EnumKind>() || _op.Unsigned(record) is var number && number >= (ulong)_op.Names.Length)
                return PathNeed.None;
            return Encoding.ASCII.GetString(_op.Names[number] ?? []) switch
            {
                "open" => OpenNeed(record),
                "truncate" or "write" => PathNeed.Write,
                "read" => PathNeed.Read,
                "chmod" or "chown" => PathNeed.Own,
                "unlink" or "rename" or "mkdir" or "rmdir" or "symlink" => PathNeed.Name,
                "link" when path != Paths[0] => PathNeed.Name,
                _ => PathNeed.None,
            };
        }

        // Without its flags, whatever the caller lacks.
        private PathNeed OpenNeed(ReadOnlySpan<byte> record) =>
            _flags is null || !_flags.Is<FileFlagsKind>() ? PathNeed.Read | PathNeed.Write
                : AccessOf((int)BinaryPrimitives.ReadUInt32LittleEndian(_flags.Of(record)[sizeof(uint)..]));

        private static EventValue? Value(EventSchema schema, string name) =>
            schema.Fields.FirstOrDefault(field => field.Name == name).Value;
    }
}
