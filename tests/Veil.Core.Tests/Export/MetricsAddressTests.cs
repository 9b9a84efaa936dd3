// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Export;

namespace Veil.Core.Tests.Export;

/// <summary>Where metrics are served.</summary>
public sealed class MetricsAddressTests
{
    [Theory]
    [InlineData("9435", "127.0.0.1:9435")]
    [InlineData(":9435", "127.0.0.1:9435")]
    [InlineData("localhost:1", "127.0.0.1:1")]
    [InlineData("0.0.0.0:65535", "0.0.0.0:65535")]
    [InlineData("[::1]:9435", "[::1]:9435")]
    [InlineData("[::]:0", "[::]:0")]
    public void Parse_Address_IsIt(string text, string expected) => MetricsAddress.Parse("--metrics", text).ToString().ShouldBe(expected);

    [Theory]
    [InlineData("")]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("1:9435")]
    [InlineData("::1:9435")]
    [InlineData("[127.0.0.1]:9435")]
    [InlineData("example.com:9435")]
    [InlineData("http://127.0.0.1:9435")]
    public void Parse_Other_IsAnError(string text) =>
        Should.Throw<UsageException>(() => MetricsAddress.Parse("--metrics", text)).Message.ShouldStartWith("--metrics: '");
}
