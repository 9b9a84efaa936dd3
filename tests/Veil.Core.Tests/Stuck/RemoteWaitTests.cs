// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Stuck;

namespace Veil.Core.Tests.Stuck;

public sealed class RemoteWaitTests
{
    [Theory]
    [InlineData("request_wait_answer", true)]
    [InlineData("fuse_lookup_name", true)]
    [InlineData("nfs4_proc_getattr", true)]
    [InlineData("fuse_dev_do_read", false)] // the daemon's wait for work
    [InlineData("fuse_dev_read", false)]
    [InlineData("nfs_callback_svc", false)]
    [InlineData("rpc_pipe_read", false)]
    [InlineData("pipe_read", false)]
    [InlineData("0xffffffff81000000", false)]
    public void IsPart_Function_IsOfTheWaiterAndNotOfTheDaemon(string function, bool expected) =>
        RemoteWait.IsPart(function).ShouldBe(expected);
}
