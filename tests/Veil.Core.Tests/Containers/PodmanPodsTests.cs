// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Containers;

namespace Veil.Core.Tests.Containers;

public sealed class PodmanPodsTests
{
    private const string Id = "b5941e6377bec71562f06d03be3e9b672b508d51b06c1876074af23e54cf17ce";
    private const string Other = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    [Theory]
    // As bbolt has it, and as SQLite has a row: its columns one behind the other.
    [InlineData($"\0\u0001config{{\"id\":\"{Id}\",\"name\":\"shop\",\"labels\":{{}}", "shop")]
    [InlineData($"\0{Id}shop{{\"id\":\"{Id}\",\"name\":\"shop\",\"labels\":{{}}", "shop")]
    [InlineData($"config{{\"id\":\"{Other}\",\"name\":\"other\"}}config{{\"id\":\"{Id}\",\"name\":\"shop\"}}", "shop")]
    // What stands in another object is nobody's name.
    [InlineData($"config{{\"id\":\"{Other}\",\"name\":\"x\",\"labels\":{{\"id\":\"{Id}\",\"name\":\"lie\"}}}}", null)]
    [InlineData($"{Other}lie{{\"id\":\"{Id}\",\"name\":\"lie\"}}", null)]
    [InlineData($"config{{\"id\":\"{Id}\",\"name\":\"cut", null)]
    [InlineData($"config{{\"id\":\"{Id}\",\"name\":", null)]
    [InlineData($"config{{\"id\":\"{Id}\",\"name\":7}}", null)]
    [InlineData("", null)]
    public void NameIn_ADatabase_IsThePods(string database, string? name) =>
        PodmanPods.NameIn(Encoding.UTF8.GetBytes(database), Id).ShouldBe(name);
}
