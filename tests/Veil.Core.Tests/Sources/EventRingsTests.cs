// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Sources;

namespace Veil.Core.Tests.Sources;

public sealed class EventRingsTests
{
    private const int MiB = 1024 * 1024;

    [Theory]
    [InlineData(16 * MiB, null, 2, 1)]
    [InlineData(16 * MiB, null, 7, 1)]
    [InlineData(16 * MiB, null, 8, 8)]
    [InlineData(16 * MiB, null, 12, 8)]
    [InlineData(16 * MiB, null, 192, 16)]
    [InlineData(64 * MiB, null, 64, 64)]
    [InlineData(4 * MiB, null, 64, 4)]
    [InlineData(64 * 1024, null, 64, 1)]
    [InlineData(16 * MiB, 3, 4, 3)]
    [InlineData(16 * MiB, 1, 64, 1)]
    [InlineData(64 * 1024, 4, 8, 1)]
    public void CountFor_SuitsTheCpusAndTheMemory(int bytes, int? wanted, int cpus, int count) =>
        EventRings.CountFor(bytes, wanted, cpus).ShouldBe(count);
}
