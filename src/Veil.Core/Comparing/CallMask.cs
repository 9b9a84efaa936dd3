// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using Veil.Core.Text;

namespace Veil.Core.Comparing;

/// <summary>
/// Takes out of a call's text what differs from run to run without meaning: addresses, ids, numbers of descriptors, sizes and times, names
/// of temporary files, inode numbers, chosen ports, binary data. What is left says what was asked of which path, with which flags.
/// </summary>
/// <remarks>Numbers stay where they are the matter: exit statuses, users and groups, limits, ports and addresses of peers, modes.</remarks>
internal sealed class CallMask
{
    private const int AddressDigitsMin = 7;
    private const int ChosenPortMin = 32_768; // ip_local_port_range
    private const int PidDigitsMin = 3;
    private const int TokenMin = 8;
    private const int NumberKept = 2;
    private const int MkstempX = 6;
    private static readonly SearchValues<byte> s_digits = SearchValues.Create("0123456789"u8);
    private static readonly string[] s_countingCalls =
    [
        "exit", "exit_group", "chown", "fchown", "lchown", "fchownat", "setuid", "setgid", "setreuid", "setregid", "setresuid",
        "setresgid", "setfsuid", "setfsgid", "setgroups", "prlimit64", "setrlimit", "getrlimit",
    ];

    private static readonly string[] s_transfers =
    [
        "read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2", "recvfrom", "sendto",
        "recvmsg", "sendmsg", "recvmmsg", "sendmmsg", "getrandom",
    ];

    private static readonly byte[][] s_temporary = ["/tmp/"u8.ToArray(), "/var/tmp/"u8.ToArray(), "/dev/shm/"u8.ToArray()];

    private readonly HashSet<uint> _pids = [];
    private readonly HashSet<string> _temporary = [];
    private readonly HashSet<string> _madeUp = [];

    /// <summary>Is it known that the number is a process's or a thread's?</summary>
    public void AddPid(uint pid) => _pids.Add(pid);

    /// <summary>Takes note of a file or a folder that a call makes for its process alone, under a name that was made up for it: that name means nothing,
    /// wherever it stands later.</summary>
    /// <param name="text">As <see cref="Calls.CallText"/> has it.</param>
    /// <param name="call">The call's name.</param>
    public void Learn(scoped ReadOnlySpan<byte> text, string call)
    {
        const int namesMax = 1_024;
        // As mkstemp(3) and mkdtemp(3) make them.
        bool isPrivate = call is "mkdir" or "mkdirat" ? text.IndexOf(", 0700"u8) >= 0 : text.IndexOf("O_EXCL"u8) >= 0 && text.IndexOf(", 0600"u8) >= 0;
        int from = text.IndexOf((byte)'"');
        if (!isPrivate || from < 0 || _temporary.Count >= namesMax)
            return;
        var path = text[from..EndOfQuoted(text, from)].Trim((byte)'"');
        var name = path[(path.LastIndexOf((byte)'/') + 1)..];
        if (MadeUpPart(name) is (var begin, var end) && end > begin)
        {
            _temporary.Add(System.Text.Encoding.Latin1.GetString(name));
            _madeUp.Add(System.Text.Encoding.Latin1.GetString(name[begin..end]));
        }
    }

    /// <summary>Writes a call's arguments, or what it returned, without what means nothing.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="text">As <see cref="Calls.CallText"/> has it.</param>
    /// <param name="call">The call's name.</param>
    public void Append(ref LineWriter line, scoped ReadOnlySpan<byte> text, string call)
    {
        bool keeps = s_countingCalls.Contains(call), isTransfer = s_transfers.Contains(call), isExclusive = text.IndexOf("O_EXCL"u8) >= 0;
        bool namesPeer = call is "connect" or "bind";
        for (int at = 0; at < text.Length;)
        {
            byte one = text[at];
            if (one == '"')
            {
                int end = EndOfQuoted(text, at);
                if (isTransfer && !EndsWith(text[..at], "inet_addr("u8))
                    AppendData(ref line, text[at..end]);
                else
                    AppendPath(ref line, text[at..end], isExclusive);
                at = end;
            }
            else if (one == '<' && EndOfBracket(text, at) is var close && close > at)
            {
                AppendDescriptor(ref line, text[at..close]);
                at = close;
            }
            else if (IsAlphanumeric(one))
            {
                int end = at;
                while (end < text.Length && (IsAlphanumeric(text[end]) || text[end] == '_'))
                    end++;
                AppendWord(ref line, text, at, end, keeps, namesPeer);
                at = end;
            }
            else
            {
                line.Append(one);
                at++;
            }
        }
    }

    /// <summary>Writes a path without what means nothing: names of temporary files, ids of processes.</summary>
    public void AppendPath(ref LineWriter line, scoped ReadOnlySpan<byte> path, bool isExclusive = false)
    {
        bool isTemporary = false;
        foreach (byte[] folder in s_temporary)
            isTemporary |= path.IndexOf(folder) is 0 or 1;
        int at = 0;
        while (at < path.Length)
        {
            int slash = path[at..].IndexOf((byte)'/'), end = slash < 0 ? path.Length : at + slash;
            AppendComponent(ref line, path[at..end], isTemporary || (isExclusive && slash < 0), isExclusive && slash < 0);
            if (slash >= 0)
                line.Append((byte)'/');
            at = slash < 0 ? path.Length : end + 1;
        }
    }

    /// <summary>A port that the kernel chose is no difference.</summary>
    public static bool IsChosenPort(ulong port) => port >= ChosenPortMin;

    private static bool EndsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> end) => text.EndsWith(end);

    private static int EndOfQuoted(ReadOnlySpan<byte> text, int at)
    {
        for (int end = at + 1; end < text.Length; end++)
        {
            if (text[end] == '\\')
                end++;
            else if (text[end] == '"')
                return end + 1;
        }

        return text.Length;
    }

    // Of <TCP:[127.0.0.1:1->127.0.0.1:2]>, </dev/null<char 1:3>>; where it is no bracket (a << b) the place itself.
    private static int EndOfBracket(ReadOnlySpan<byte> text, int at)
    {
        int depth = 0;
        for (int end = at; end < text.Length; end++)
        {
            if (text[end] == '<')
                depth++;
            else if (text[end] == '>' && text[end - 1] != '-' && --depth == 0)
                return end + 1;
        }

        return at;
    }

    private void AppendDescriptor(ref LineWriter line, scoped ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("</"u8))
        {
            AppendPath(ref line, text);
            return;
        }

        // pipe:[12345], TCP:[127.0.0.1:40000->127.0.0.1:80], pid:12, {eventfd-count=0x1, eventfd-id=7}
        bool isInternet = text.IndexOf("TCP"u8) >= 0 || text.IndexOf("UDP"u8) >= 0 || text.IndexOf("SCTP"u8) >= 0;
        for (int at = 0; at < text.Length;)
        {
            int end = at;
            while (end < text.Length && char.IsAsciiDigit((char)text[end]))
                end++;
            if (end == at)
            {
                line.Append(text[at++]);
                continue;
            }

            bool isPort = text[at - 1] == ':' && isInternet;
            if (isInternet && !(isPort && NumberOf(text[at..end]) >= ChosenPortMin) && !(text[at - 1] == '[' && text[end] == ']'))
                line.Append(text[at..end]);
            else
                line.Append((byte)'N');
            at = end;
        }
    }

    private static void AppendWord(ref LineWriter line, scoped ReadOnlySpan<byte> text, int at, int end, bool keeps, bool namesPeer)
    {
        var word = text[at..end];
        if (!char.IsAsciiDigit((char)word[0]))
        {
            line.Append(word);
            return;
        }

        if (word.StartsWith("0x"u8))
        {
            line.Append(word.Length - 2 >= AddressDigitsMin ? "0xN"u8 : word);
            return;
        }

        bool isPort = EndsWith(text[..at], "htons("u8);
        ulong number = NumberOf(word);
        byte before = at > 0 ? text[at - 1] : (byte)0;
        bool stays = keeps || (word[0] == '0' && word.Length > 1) || (number <= NumberKept && before != '=') || before == '|'
            || EndsWith(text[..at], "STATUS(s) == "u8) || (isPort && (namesPeer || number < ChosenPortMin));
        line.Append(stays ? word : "N"u8);
    }

    private void AppendComponent(ref LineWriter line, scoped ReadOnlySpan<byte> name, bool isTemporary, bool isNew)
    {
        if (_temporary.Count > 0 && _temporary.Contains(System.Text.Encoding.Latin1.GetString(name.Trim("\"<>"u8))))
        {
            var (from, to) = MadeUpPart(name);
            line.Append(name[..from]);
            line.Append("XXXXXX"u8);
            line.Append(name[to..]);
            return;
        }

        if (isTemporary && TemporaryPart(name) is (var first, var last) && last > first)
        {
            if (isNew && _temporary.Count < 1024)
                _temporary.Add(System.Text.Encoding.Latin1.GetString(name.Trim("\"<>"u8)));
            line.Append(name[..first]);
            line.Append("XXXXXX"u8);
            line.Append(name[last..]);
            return;
        }

        for (int at = 0; at < name.Length;)
        {
            int end = at;
            while (end < name.Length && char.IsAsciiDigit((char)name[end]))
                end++;
            if (end == at)
            {
                line.Append(name[at++]);
                continue;
            }

            bool isPid = end - at >= PidDigitsMin && (at == 0 || !IsAlphanumeric(name[at - 1]))
                && _pids.Contains((uint)NumberOf(name[at..end]));
            line.Append(isPid ? "PID"u8 : name[at..end]);
            at = end;
        }
    }

    // Where a name has what mkstemp(3), mktemp(1) or Python's tempfile made up.
    private static (int From, int To) TemporaryPart(ReadOnlySpan<byte> name)
    {
        const int pythonX = 8, commandX = 10;
        int begin = name.Length > 0 && name[0] == '"' ? 1 : 0;
        var plain = name[begin..];
        int run = plain.StartsWith("tmp."u8) ? RunAt(plain, 4) : 0;
        // Arguments of programs are cut where a call shows no more of them.
        if (run >= commandX || (run >= MkstempX && IsMadeUp(plain.Slice(4 + run - MkstempX, MkstempX))))
            return (begin + 4, begin + 4 + run);
        if (plain.StartsWith("tmp"u8) && RunAt(plain, 3) is pythonX)
            return (begin + 3, begin + 3 + pythonX);
        for (int end = name.Length; end >= MkstempX; end--)
        {
            int from = end - MkstempX;
            if ((end == name.Length || !IsAlphanumeric(name[end])) && IsMadeUp(name[from..end]))
                return (from, end);
        }

        return (0, 0);
    }

    // The same of a name that is known to be made up: then its last letters need not look so.
    private static (int From, int To) MadeUpPart(ReadOnlySpan<byte> name)
    {
        int end = name.TrimEnd("\"<>"u8).Length, begin = end;
        while (begin > 0 && (IsAlphanumeric(name[begin - 1]) || name[begin - 1] == '_'))
            begin--;
        return end - begin >= MkstempX ? (begin, end) : TemporaryPart(name);
    }

    private static int EndOfName(ReadOnlySpan<byte> text, int from) => from + RunAt(text, from);

    private static int RunAt(ReadOnlySpan<byte> name, int from)
    {
        int end = from;
        while (end < name.Length && (IsAlphanumeric(name[end]) || name[end] == '_'))
            end++;
        return end - from;
    }

    // Letters of both cases, or a letter behind a digit: words and versions seldom have these.
    private static bool IsMadeUp(ReadOnlySpan<byte> part)
    {
        bool hasLower = false, hasUpper = false, hasDigit = false, isMixed = false;
        foreach (byte one in part)
        {
            if (!IsAlphanumeric(one))
                return false;
            isMixed |= hasDigit && char.IsAsciiLetter((char)one);
            hasLower |= char.IsAsciiLetterLower((char)one);
            hasUpper |= char.IsAsciiLetterUpper((char)one);
            hasDigit |= char.IsAsciiDigit((char)one);
        }

        return isMixed || (hasLower && hasUpper);
    }

    // Text without its numbers and its made up words; of what is no text nothing.
    private void AppendData(ref LineWriter line, scoped ReadOnlySpan<byte> quoted)
    {
        for (int at = 0; at + 1 < quoted.Length; at++)
        {
            if (quoted[at] != '\\')
                continue;
            at++;
            if (char.IsAsciiDigit((char)quoted[at]) || quoted[at] == 'x')
            {
                line.Append("\"...\""u8);
                return;
            }
        }

        for (int at = 0; at < quoted.Length;)
        {
            int end = at;
            while (end < quoted.Length && IsAlphanumeric(quoted[end]))
                end++;
            if (end == at)
            {
                line.Append(quoted[at++]);
                continue;
            }

            var word = quoted[at..end];
            if (_madeUp.Count > 0 && EndOfName(quoted, at) is var last && _madeUp.Contains(System.Text.Encoding.Latin1.GetString(quoted[at..last])))
            {
                line.Append("XXXXXX"u8);
                end = last;
            }
            else if (word.IndexOfAny(s_digits) < 0)
                line.Append(word);
            else if (word.Length >= TokenMin)
                line.Append((byte)'N');
            else
                AppendWithoutNumbers(ref line, word);
            at = end;
        }
    }

    private static void AppendWithoutNumbers(ref LineWriter line, scoped ReadOnlySpan<byte> word)
    {
        bool inNumber = false;
        foreach (byte one in word)
        {
            bool isDigit = char.IsAsciiDigit((char)one);
            if (!isDigit)
                line.Append(one);
            else if (!inNumber)
                line.Append((byte)'N');
            inNumber = isDigit;
        }
    }

    private static bool IsAlphanumeric(byte one) => char.IsAsciiLetterOrDigit((char)one);

    private static ulong NumberOf(ReadOnlySpan<byte> digits)
    {
        const int most = 18;
        ulong number = 0;
        foreach (byte digit in digits[..Math.Min(digits.Length, most)])
        {
            if (!char.IsAsciiDigit((char)digit))
                break;
            number = (number * 10) + (uint)(digit - '0');
        }

        return number;
    }
}
