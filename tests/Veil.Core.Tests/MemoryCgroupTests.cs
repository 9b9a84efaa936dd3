using Veil.Core.Session;

namespace Veil.Core.Tests;

public sealed class MemoryCgroupTests
{
    private const long MiB = 1024 * 1024;

    [Theory]
    [InlineData(long.MaxValue, 16 * 1024)]
    [InlineData(1024 * MiB, 16 * 1024)]
    [InlineData(128 * MiB, 8 * 1024)]
    [InlineData(64 * MiB, 4 * 1024)]
    [InlineData(63 * MiB, 2 * 1024)]
    [InlineData(1, 64)]
    public void RingBytesFor_ALimit_IsAPowerOfTwoThatFits(long limitBytes, int kibibytes) =>
        MemoryCgroup.RingBytesFor(limitBytes).ShouldBe(kibibytes * 1024);

    [Theory]
    [InlineData(1024 * MiB, 65_536)]
    [InlineData(64 * MiB, 4_096)]
    [InlineData(1, 1_024)]
    public void TableEntriesFor_ALimit_IsInProportion(long limitBytes, int entries) => MemoryCgroup.TableEntriesFor(limitBytes).ShouldBe(entries);

    [Theory]
    [InlineData("0::/a/b", "/sys/fs/cgroup/a/memory.max=50", 50)]
    [InlineData("0::/a/b", "/sys/fs/cgroup/a/memory.max=50 /sys/fs/cgroup/a/b/memory.max=max", 50)]
    [InlineData("0::/a/b", "/sys/fs/cgroup/a/memory.max=50 /sys/fs/cgroup/a/b/memory.max=40", 40)]
    [InlineData("0::/", "/sys/fs/cgroup/memory.max=50", 50)]
    [InlineData("5:cpu:/x\n4:memory:/a\n0::/", "/sys/fs/cgroup/memory/a/memory.limit_in_bytes=50", 50)]
    [InlineData("4:cpu,memory:/docker/1", "/sys/fs/cgroup/memory/memory.limit_in_bytes=50", 50)]
    [InlineData("4:memory:/a", "/sys/fs/cgroup/memory/a/memory.limit_in_bytes=9223372036854771712", 9223372036854771712)]
    [InlineData("", "", long.MaxValue)]
    public void LowestOf_Groups_IsTheTightest(string membership, string files, long limitBytes)
    {
        var limits = files.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(static file => file.Split('=')[0], static file => file.Split('=')[1]);

        MemoryCgroup.LowestOf(membership, limits.GetValueOrDefault).ShouldBe(limitBytes);
    }
}
