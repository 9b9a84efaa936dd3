// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.RegularExpressions;

namespace Veil.Core.Tests.Kernel;

/// <summary>
/// The definitions in this machine's kernel headers: an oracle that did not go through the generator. They are older than
/// the tables, so everything in them must be in the tables and not the other way round.
/// </summary>
internal static partial class MachineHeaders
{
    /// <summary>The path of a header below the include folder, null where there is none.</summary>
    /// <param name="name">With the multiarch folder, which says whose numbers they are on any machine.</param>
    public static string? Find(string name)
    {
        string path = Path.Combine("/usr/include", name);
        return File.Exists(path) ? path : null;
    }

    public static IReadOnlyList<(string Name, int Number)> Read(string header, string prefix)
    {
        string path = Find(header) ?? throw new FileNotFoundException("no such kernel header on this machine", header);
        return
        [
            .. File.ReadLines(path)
                .Select(line => Definition().Match(line))
                .Where(match => match.Success && match.Groups["name"].Value.StartsWith(prefix, StringComparison.Ordinal))
                .Select(match => (Name: match.Groups["name"].Value[prefix.Length..], Number: NumberOf(match))),
        ];
    }

    private static int NumberOf(Match match) =>
        int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture) + (match.Groups["x32"].Success ? SyscallTable.X32Bit : 0);

    [GeneratedRegex(@"^#define\s+(?<name>\w+)\s+(?<x32>\(__X32_SYSCALL_BIT \+ )?(?<number>\d+)\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Definition();
}
