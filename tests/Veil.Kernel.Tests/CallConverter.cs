// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>
/// Makes lines of strace of calls in JSON. What JSON has no place for is taken away of both: quotes, remarks, the dots of what is left out,
/// and the functions around ports and addresses.
/// </summary>
internal static partial class CallConverter
{
    private const int PatienceMs = 10_000;
    private const long AddressesFrom = 1 << 24;

    /// <summary>A line of strace of an event in JSON.</summary>
    public static string ToStrace(string json)
    {
        using var document = JsonDocument.Parse(json);
        var call = document.RootElement;
        var args = call.GetProperty("args").EnumerateObject().ToList();
        var text = new StringBuilder($"{call.GetProperty("tid").GetRawText()} {call.GetProperty("syscall").GetString()}(");
        bool isFirst = true;
        foreach (var arg in args.Where(static arg => !arg.Name.EndsWith("_hex", StringComparison.Ordinal)))
        {
            text.Append(isFirst ? "" : ", ");
            isFirst = false;
            var exact = args.Find(other => other.Name == arg.Name + "_hex");
            // The first line is known by its program.
            bool isProgram = call.GetProperty("syscall").GetString() == "execve" && arg.Name == "filename";
            text.Append(isProgram ? $"\"{arg.Value.GetString()}\""
                : exact.Value.ValueKind == JsonValueKind.String ? Encoding.Latin1.GetString(Convert.FromHexString(exact.Value.GetString()!))
                : Text(arg.Value));
        }

        text.Append(") = ");
        var ret = call.GetProperty("ret");
        if (call.GetProperty("errno").ValueKind == JsonValueKind.String)
            text.Append("-1 ").Append(call.GetProperty("errno").GetString());
        else if (ret.ValueKind == JsonValueKind.Null)
            text.Append('?');
        else
            text.Append(ret.GetInt64() is >= AddressesFrom and var address ? $"0x{address:x}" : ret.GetRawText());
        return text.ToString().Replace('\n', ' ');
    }

    /// <summary>What is compared of a line of strace; nothing of one that is no call.</summary>
    public static string? Plain(string line)
    {
        if (line.StartsWith("---", StringComparison.Ordinal) || line.StartsWith("+++", StringComparison.Ordinal))
            return null;
        line = Quoted().Replace(line, static text => Encoding.Latin1.GetString(Unescaped(text.Groups["text"].Value)).Replace('\n', ' '));
        line = Remark().Replace(line, "");
        line = Function().Replace(line, "${value}");
        line = Left().Replace(line, "");
        line = Random().Replace(line, "getrandom(");
        return Message().Replace(line, "").Trim();
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "NULL",
        JsonValueKind.String => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value.GetString()!)),
        JsonValueKind.Array => $"[{string.Join(", ", value.EnumerateArray().Select(Text))}]",
        JsonValueKind.Object =>
            $"{{{string.Join(", ", value.EnumerateObject().Select(static field => $"{field.Name}={Text(field.Value)}"))}}}",
        _ => value.GetRawText(),
    };

    private static byte[] Unescaped(string text)
    {
        var bytes = new List<byte>();
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] != '\\')
            {
                bytes.Add((byte)text[at]);
                continue;
            }

            int digits = 0, value = 0;
            while (digits < 3 && at + 1 + digits < text.Length && text[at + 1 + digits] is >= '0' and <= '7' and var digit)
                (value, digits) = ((value * 8) + (digit - '0'), digits + 1);
            at += digits;
            if (digits == 0)
                value = text[++at] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'v' => '\v', 'f' => '\f', var other => other };
            bytes.Add((byte)value);
        }

        return [.. bytes];
    }

    [GeneratedRegex("\"(?<text>(?:[^\"\\\\]|\\\\.)*)\"(?:\\.\\.\\.)?", RegexOptions.None, PatienceMs)]
    private static partial Regex Quoted();

    [GeneratedRegex(@" /\* .*? \*/", RegexOptions.None, PatienceMs)]
    private static partial Regex Remark();

    [GeneratedRegex(@"\b(?:htons|htonl|inet_addr|makedev)\((?<value>[^()]*)\)", RegexOptions.None, PatienceMs)]
    private static partial Regex Function();

    [GeneratedRegex(@"(?:, )?\.\.\.(?=[]}])", RegexOptions.None, PatienceMs)]
    private static partial Regex Left();

    // Other bytes each time: to the last two arguments.
    [GeneratedRegex(@"^getrandom\(.*?(?=, \d+, )", RegexOptions.None, PatienceMs)]
    private static partial Regex Random();

    // What stands in parentheses behind a result.
    [GeneratedRegex(@"(?<=\) = [^()]*) \([^()]*\)$", RegexOptions.None, PatienceMs)]
    private static partial Regex Message();
}
