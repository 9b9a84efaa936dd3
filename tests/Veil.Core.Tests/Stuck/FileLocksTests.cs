// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Stuck;

namespace Veil.Core.Tests.Stuck;

public sealed class FileLocksTests
{
    private static readonly string[] s_lines =
    [
        "1: FLOCK  ADVISORY  WRITE 100 08:01:77 0 EOF",
        "1: -> FLOCK  ADVISORY  WRITE 200 08:01:77 0 EOF",
        "1:  -> FLOCK  ADVISORY  WRITE 300 08:01:77 0 EOF",
        "2: POSIX  ADVISORY  READ 101 08:01:88 0 9",
        "2: -> POSIX  ADVISORY  WRITE 200 08:01:88 0 EOF",
        "3: OFDLCK ADVISORY  WRITE -1 08:01:99 0 EOF",
        "3: -> OFDLCK ADVISORY  WRITE -1 08:01:99 0 EOF",
        "4: POSIX  ADVISORY  WRITE 102 08:01:88 10 EOF",
        "",
        "nonsense",
    ];

    [Theory]
    [InlineData(200, 77, "100")]
    [InlineData(300, 77, "100")]
    [InlineData(200, 88, "101")]
    [InlineData(200, 99, "")]
    [InlineData(100, 77, "")]
    [InlineData(200, 7, "")]
    public void Parse_Waiter_FindsWhoHoldsItsLock(uint pid, ulong inode, string holders) =>
        string.Join(' ', FileLocks.Parse(s_lines, pid, inode)).ShouldBe(holders);
}
