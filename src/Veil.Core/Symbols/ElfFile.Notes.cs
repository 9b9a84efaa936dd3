// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>What notes say: the id of the build, and where USDT probes are.</summary>
internal sealed partial class ElfFile
{
    private const int NotesMax = 1 << 16;
    private const int NoteBytesMax = 4096;
    private const uint NoteBuildId = 3; // NT_GNU_BUILD_ID
    private const uint NoteUsdt = 3; // NT_STAPSDT
    private const int ProbeNamesMax = 1024;

    private delegate bool NoteAction(ReadOnlySpan<byte> content);

    /// <summary>The id of the build in hexadecimal, which its file of symbols has too; empty where there is none.</summary>
    public string BuildId
    {
        get
        {
            const int bytesMin = 2, bytesMax = 64;
            string id = "";
            ScanNotes("GNU\0"u8.ToArray(), NoteBuildId, content =>
            {
                if (content.Length is >= bytesMin and <= bytesMax)
                    id = Convert.ToHexStringLower(content);
                return id.Length == 0;
            });
            return id;
        }
    }

    /// <summary>Where the places of a USDT probe are in the file, each with its semaphore: 0 where it has none.</summary>
    /// <param name="provider">Who offers it.</param>
    /// <param name="probe">Its name.</param>
    /// <exception cref="ElfException">There is none; the message says which there are.</exception>
    public IReadOnlyList<(ulong Offset, ulong Counter)> FindUsdt(string provider, string probe)
    {
        var found = new List<(ulong, ulong)>();
        var others = new SortedSet<string>(StringComparer.Ordinal);
        ScanNotes("stapsdt\0"u8.ToArray(), NoteUsdt, content =>
        {
            if (ReadProbe(content) is not { } note)
                return true;
            if (note.Provider == provider && note.Name == probe)
                found.Add(
                    (OffsetOf(note.Address), note.Counter == 0 ? 0
                    : OffsetOfAny(note.Counter) ?? throw new ElfException("is damaged: the semaphore of a probe is in no part of it")));
            else if (others.Count < ProbeNamesMax)
                others.Add($"{note.Provider}:{note.Name}");
            return found.Count <= OffsetsMax;
        });
        if (found.Count > OffsetsMax)
            throw new ElfException($"has more than {OffsetsMax} places of the probe {provider}:{probe}");
        if (found.Count > 0)
            return [.. found.Distinct()];
        if (others.Count == 0)
            throw new ElfException("has no USDT probes");
        var nearest = Veil.Core.Text.NearestName.Find($"{provider}:{probe}", [.. others]);
        throw new ElfException($"has no USDT probe {provider}:{probe}; " + (nearest.Count > 0
            ? $"did you mean {Choice(nearest)}?"
            : $"there is {string.Join(", ", others.Take(ChoicesMax).Select(Veil.Core.Text.Escaping.ForMessage))}{(others.Count > ChoicesMax ? $" and {others.Count - ChoicesMax} more" : "")}"));
    }

    // Three addresses: the probe's, that of .stapsdt.base when it was linked, the semaphore's; then provider, name and arguments.
    private (string Provider, string Name, ulong Address, ulong Counter)? ReadProbe(ReadOnlySpan<byte> content)
    {
        int word = _is64 ? 8 : 4;
        if (content.Length < 3 * word)
            return null;
        ulong address = Word(content), linked = Word(content[word..]), counter = Word(content[(2 * word)..]);
        var names = content[(3 * word)..];
        int first = names.IndexOf((byte)0);
        int second = first < 0 ? -1 : names[(first + 1)..].IndexOf((byte)0);
        if (second < 0)
            return null;
        ulong moved = _usdtBase != 0 && linked != 0 ? _usdtBase - linked : 0;
        return (Encoding.UTF8.GetString(names[..first]), Encoding.UTF8.GetString(names.Slice(first + 1, second)), address + moved,
            counter == 0 ? 0 : counter + moved);
    }

    private void ScanNotes(byte[] owner, uint type, NoteAction take)
    {
        const int headerBytes = 12;
        int seen = 0;
        foreach (var section in _notes)
        {
            if (section.Offset > _length || _length - section.Offset < section.Bytes)
                continue;
            for (ulong at = 0; at + headerBytes <= section.Bytes && seen < NotesMax; seen++)
            {
                var header = ReadEntry(section.Offset + at, headerBytes);
                uint nameBytes = U32(header), contentBytes = U32(header[4..]), noteType = U32(header[8..]);
                ulong contentAt = at + headerBytes + Padded(nameBytes);
                ulong end = contentAt + Padded(contentBytes);
                if (end > section.Bytes && contentAt + contentBytes > section.Bytes)
                    break;
                if (noteType == type && nameBytes == (uint)owner.Length && contentBytes <= NoteBytesMax
                    && ReadEntry(section.Offset + at + headerBytes, owner.Length).SequenceEqual(owner)
                    && !take(ReadEntry(section.Offset + contentAt, (int)contentBytes)))
                {
                    return;
                }

                at = end;
            }
        }
    }

    private static ulong Padded(uint bytes) => ((ulong)bytes + 3) & ~3UL;
}
