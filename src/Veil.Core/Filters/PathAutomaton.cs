// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Core.Filters;

/// <summary>
/// All patterns of a filter by path as one automaton, whose states are bits: a byte of a path takes some states to the next one, and lets
/// some stay. The kernel runs it over each path (<c>bpf/veil/filter_path.bpf.h</c>).
/// </summary>
public sealed class PathAutomaton
{
    /// <summary>The states that the kernel has room for.</summary>
    public const int KernelStatesMax = KernelWords * WordBits;

    /// <summary>Bytes of <c>struct veil_path_set</c>.</summary>
    internal const int KernelBytes =
        (2 * sizeof(uint)) + (3 * KernelWords * sizeof(ulong)) + (ByteValues * 2 * KernelWords * sizeof(ulong));

    private const int KernelWords = 8; // VEIL_PATH_WORDS
    private const int WordBits = 64;
    private const int ByteValues = 256;

    private readonly int _words;
    private readonly ulong[] _first;
    private readonly ulong[] _allow;
    private readonly ulong[] _deny;
    private readonly ulong[] _next; // by byte, then by word
    private readonly ulong[] _stay;
    private readonly FilterBits _mode;
    private int _states;

    private PathAutomaton(int states, FilterBits mode)
    {
        _words = Math.Max(1, (states + WordBits - 1) / WordBits);
        _mode = mode;
        (_first, _allow, _deny) = (new ulong[_words], new ulong[_words], new ulong[_words]);
        (_next, _stay) = (new ulong[ByteValues * _words], new ulong[ByteValues * _words]);
    }

    /// <summary>Makes the automaton of a filter's keys.</summary>
    public static PathAutomaton Of(IReadOnlyDictionary<FilterKey, FilterBits> keys)
    {
        var patterns = keys.Select(static key => (Pattern: PathPattern.Of(key.Key.Text), Bits: key.Value)).ToList();
        var automaton =
            new PathAutomaton(
            patterns.Sum(static pattern => StatesOf(pattern.Pattern)),
            patterns.Aggregate(FilterBits.None, static (all, pattern) => all | pattern.Bits));
        foreach (var (pattern, bits) in patterns)
            automaton.Add(pattern, bits);
        return automaton;
    }

    /// <summary>The states that values would take.</summary>
    public static int StatesOf(IEnumerable<string> values) => values.Sum(static value => StatesOf(PathPattern.Of(value)));

    /// <summary>Has the kernel room for it?</summary>
    public bool FitsKernel => _words <= KernelWords;

    /// <summary>What the patterns that match a path say together.</summary>
    public FilterBits Find(ReadOnlySpan<byte> path)
    {
        Span<ulong> states = stackalloc ulong[_words];
        _first.CopyTo(states);
        foreach (byte value in path)
        {
            ulong carry = 0, any = 0;
            for (int word = 0; word < _words; word++)
            {
                ulong next = states[word] & _next[(value * _words) + word];
                states[word] = (next << 1) | carry | (states[word] & _stay[(value * _words) + word]);
                carry = next >> (WordBits - 1);
                any |= states[word];
            }

            if (any == 0)
                return FilterBits.None;
        }

        var bits = FilterBits.None;
        for (int word = 0; word < _words; word++)
        {
            bits |= (states[word] & _allow[word]) != 0 ? FilterBits.Allow : FilterBits.None;
            bits |= (states[word] & _deny[word]) != 0 ? FilterBits.Deny : FilterBits.None;
        }

        return bits;
    }

    /// <summary>The rule: a denied path is dropped; if any path is allowed, all others are dropped too.</summary>
    public bool Passes(FilterBits bits) =>
        !bits.HasFlag(FilterBits.Deny) && (!_mode.HasFlag(FilterBits.Allow) || bits.HasFlag(FilterBits.Allow));

    /// <summary>Writes <c>struct veil_path_set</c>.</summary>
    internal void WriteTo(Span<byte> set)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(set, (uint)_words);
        BinaryPrimitives.WriteUInt32LittleEndian(set[sizeof(uint)..], (uint)_mode);
        var rest = set[(2 * sizeof(uint))..];
        rest = Write(rest, _first);
        rest = Write(rest, _allow);
        rest = Write(rest, _deny);
        for (int value = 0; value < ByteValues; value++)
        {
            rest = Write(rest, _next.AsSpan(value * _words, _words));
            rest = Write(rest, _stay.AsSpan(value * _words, _words));
        }

        static Span<byte> Write(Span<byte> to, ReadOnlySpan<ulong> words)
        {
            for (int word = 0; word < words.Length; word++)
                BinaryPrimitives.WriteUInt64LittleEndian(to[(word * sizeof(ulong))..], words[word]);
            return to[(KernelWords * sizeof(ulong))..];
        }
    }

    // One for each byte, the end, what is below, and the names before.
    private static int StatesOf(PathPattern pattern) => Encoding.UTF8.GetByteCount(pattern.Text) + 3;

    private void Add(PathPattern pattern, FilterBits bits)
    {
        var text = Encoding.UTF8.GetBytes(pattern.Text).AsSpan();
        if (pattern.IsPart)
        {
            Stay(static _ => true);
        }
        else if (text[0] != '/')
        {
            // Some folder before it, or none.
            Begin();
            Stay(static _ => true);
            Next(static value => value == '/');
        }

        Begin();
        for (int at = 0; at < text.Length; at++)
        {
            byte value = text[at];
            if (pattern.IsGlob && value == '*')
            {
                Stay(static some => some != '/');
                continue;
            }

            if (pattern.IsGlob && value == '?')
            {
                // A character: its first byte, then those that go on in UTF-8.
                Next(static some => some != '/' && !IsContinuation(some));
                Stay(IsContinuation);
                continue;
            }

            if (pattern.IsGlob && value == '\\' && at + 1 < text.Length)
                value = text[++at];
            Next(some => some == value);
        }

        End(bits);
        if (pattern.IsPart || text[^1] == '/')
        {
            Stay(static _ => true);
        }
        else if (!pattern.IsGlob)
        {
            // Nothing is below a file, so what is below a path that was given is in the folder that was meant.
            Next(static value => value == '/');
            End(bits);
            Stay(static _ => true);
        }

        _states++;

        static bool IsContinuation(byte value) => (value & 0xc0) == 0x80;
    }

    private ulong Bit => 1UL << (_states % WordBits);

    private void Begin() => _first[_states / WordBits] |= Bit;

    private void End(FilterBits bits)
    {
        if (bits.HasFlag(FilterBits.Allow))
            _allow[_states / WordBits] |= Bit;
        if (bits.HasFlag(FilterBits.Deny))
            _deny[_states / WordBits] |= Bit;
    }

    private void Stay(Predicate<byte> values) => Set(_stay, values);

    private void Next(Predicate<byte> values)
    {
        Set(_next, values);
        _states++;
    }

    private void Set(ulong[] rows, Predicate<byte> values)
    {
        for (int value = 0; value < ByteValues; value++)
        {
            if (values((byte)value))
                rows[(value * _words) + (_states / WordBits)] |= Bit;
        }
    }
}
