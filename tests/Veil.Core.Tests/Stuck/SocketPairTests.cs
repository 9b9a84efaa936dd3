// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Stuck;

namespace Veil.Core.Tests.Stuck;

public sealed class SocketPairTests
{
    [Theory]
    [InlineData("TCP:[127.0.0.1:48802->127.0.0.1:80]", "TCP:[127.0.0.1:80->127.0.0.1:48802] TCPv6:[[::ffff:127.0.0.1]:80->[::ffff:127.0.0.1]:48802]")]
    [InlineData(
        "TCPv6:[[::ffff:10.0.0.1]:80->[::ffff:10.0.0.2]:9]", "TCP:[10.0.0.2:9->10.0.0.1:80] TCPv6:[[::ffff:10.0.0.2]:9->[::ffff:10.0.0.1]:80]")]
    [InlineData("TCPv6:[[::1]:80->[::1]:9]", "TCPv6:[[::1]:9->[::1]:80]")]
    [InlineData("UDPv6:[[fe80::1]:80->[fe80::2]:9]", "UDPv6:[[fe80::2]:9->[fe80::1]:80]")]
    [InlineData("UDPv6:[[::1]:80->[::1]:9]", "UDPv6:[[::1]:9->[::1]:80] UDPv6:[[::1]:9] UDP:[0.0.0.0:9] UDPv6:[[::]:9]")]
    [InlineData("TCP:[127.0.0.1:80]", "")]
    [InlineData("UNIX:[1234]", "")]
    [InlineData("pipe:[1]", "")]
    public void OtherTexts_OfAnEnd_AreThoseThatTheOtherMayHave(string text, string others) =>
        string.Join(' ', SocketPair.OtherTexts(text)).ShouldBe(others);
}
