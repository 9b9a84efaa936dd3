// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Cgroups;
using Veil.Core.Filters;

namespace Veil.Core.Tests.Filters;

public sealed class CgroupDimensionTests
{
    [Theory]
    [InlineData("/..")]
    [InlineData("/a/../../b")]
    [InlineData("../a")]
    public void ParseKeys_PathThatClimbsAboveItsRoot_IsRefused(string path) =>
        new CgroupDimension(CgroupTree.Own).ParseKeys(path, []).ShouldBe($"'{path}' leaves the hierarchy");

    [Fact]
    public void ParseKeys_VeryLongPath_IsShownByItsBeginning()
    {
        string said = new CgroupDimension(CgroupTree.Own).ParseKeys(new string('x', 5_000), [])!;

        said.ShouldStartWith($"there is no cgroup '{new string('x', 200)}'...");
        said.Length.ShouldBeLessThan(400);
    }
}
