// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Sources;

namespace Veil.Core.Tests.Sources;

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
    public void TableEntriesFor_ALimit_IsInProportion(long limitBytes, int entries) =>
        MemoryCgroup.TableEntriesFor(limitBytes).ShouldBe(entries);

    private const string V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory";
    private const string V2 = "28 20 0:25 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    private const string Unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";

    /// <summary>Version 2, version 1, both; nested groups; containers, which see a part of the tree under another name.</summary>
    [Theory]
    [InlineData("0::/a/b", V2, "/sys/fs/cgroup/a/memory.max=50", 50)]
    [InlineData("0::/a/b", V2, "/sys/fs/cgroup/a/memory.max=50 /sys/fs/cgroup/a/b/memory.max=max", 50)]
    [InlineData("0::/a/b", V2, "/sys/fs/cgroup/a/memory.max=50 /sys/fs/cgroup/a/b/memory.max=40", 40)]
    [InlineData("0::/", V2, "/sys/fs/cgroup/memory.max=50", 50)]
    [InlineData("5:cpu:/x\n4:memory:/a\n0::/", V1 + "\n" + Unified, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes=50", 50)]
    [InlineData(
        "4:memory:/a/b\n0::/c", V1 + "\n" + Unified,
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes=50 /sys/fs/cgroup/memory/a/b/memory.limit_in_bytes=9223372036854771712", 50)]
    [InlineData(
        "5:cpu:/x\n0::/a", "35 31 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" + Unified,
        "/sys/fs/cgroup/unified/a/memory.max=50", 50)]
    [InlineData(
        "4:cpu,memory:/docker/1", "35 31 0:32 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,cpu,memory",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes=50", 50)]
    [InlineData(
        "4:memory:/docker/1/a", "35 31 0:32 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes=50", 50)]
    [InlineData(
        "4:memory:/docker/1", "35 31 0:32 /docker/2 /other rw - cgroup cgroup rw,memory\n" + V1,
        "/other/memory.limit_in_bytes=40 /sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes=50", 50)]
    [InlineData("4:memory:/docker/1", V1, "/sys/fs/cgroup/memory/memory.limit_in_bytes=50", 50)]
    [InlineData("4:memory:/a", V1, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes=9223372036854771712", 9223372036854771712)]
    [InlineData("0::/../a", V2, "/sys/fs/cgroup/memory.max=50 /sys/fs/cgroup/../a/memory.max=40", 50)]
    [InlineData("0::/a", "28 20 0:25 / /mnt/c\\040g rw - cgroup2 none rw", "/mnt/c_g/a/memory.max=50", 50)]
    [InlineData("", V2, "", long.MaxValue)]
    [InlineData("0::/a", "", "", long.MaxValue)]
    public void LowestOf_Groups_IsTheTightest(string membership, string mounts, string files, long limitBytes)
    {
        var limits = files.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(
            static file => file.Split('=')[0].Replace('_', ' ').Replace("limit in bytes", "limit_in_bytes", StringComparison.Ordinal),
            static file => file.Split('=')[1]);

        MemoryCgroup.LowestOf(membership, mounts, limits.GetValueOrDefault).ShouldBe(limitBytes);
    }

    /// <summary>Of version 1 the groups above are told where the mount does not show them.</summary>
    [Fact]
    public void LowestOf_LimitAboveTheMount_IsTold() =>
        MemoryCgroup.LowestOf(
            "4:memory:/docker/1", "35 31 0:32 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory", static path => path switch
        {
            "/sys/fs/cgroup/memory/memory.limit_in_bytes" => "9223372036854771712",
            "/sys/fs/cgroup/memory/memory.stat" => "cache 0\nhierarchical_memory_limit 50\nhierarchical_memsw_limit 60",
            _ => null,
        }).ShouldBe(50);

    /// <summary>The kernel's own numbers (memlock in fdinfo, Linux 6.18, two CPUs).</summary>
    [Theory]
    [InlineData(BpfMapType.Hash, 8, 104, 65_536, 0, 11_535_568)]
    [InlineData(BpfMapType.Hash, 16, 24, 8_192, 0, 853_056)]
    [InlineData(BpfMapType.Hash, 4, 1, 10_240, 1, 263_040)]
    [InlineData(BpfMapType.LruHash, 16, 8, 4_096, 0, 361_344)]
    [InlineData(BpfMapType.LruHash, 4, 24, 16_384, 0, 1_573_760)]
    [InlineData(BpfMapType.PerCpuHash, 24, 8, 100_000, 0, 11_698_048)]
    [InlineData(BpfMapType.PerCpuHash, 24, 512, 100_000, 0, 112_498_048)]
    [InlineData(BpfMapType.PerCpuArray, 4, 264, 1, 0, 848)]
    [InlineData(BpfMapType.RingBuffer, 0, 0, 16_777_216, 0, 0)]
    public void MapMemory_OfAMap_IsWhatTheKernelTakes(BpfMapType type, int keyBytes, int valueBytes, int entries, uint flags, long bytes) =>
        MapMemory.Of(type, keyBytes, valueBytes, entries, flags, cpus: 2).ShouldBeInRange(bytes - (bytes / 50) - 512, bytes + (bytes / 50));
}
