// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Waiting;

namespace Veil.Core.Tests;

public sealed class StopSignalTests
{
    /// <summary>The prompt's thread and the control socket's: an exception there would end the process as it is, with hooks and a raw
    /// terminal.</summary>
    [Fact]
    public void Guard_WorkThatFails_EndsTheTraceAndSaysWhy()
    {
        using var stop = new StopSignal();
        var thread = new Thread(stop.Guard(static () => throw new InvalidOperationException("broken")));
        thread.Start();
        thread.Join();

        stop.IsRequested.ShouldBeTrue();
        stop.Failure!.Message.ShouldBe("broken");
    }

    [Fact]
    public void RequestAfter_TimeIsOver_AsksOnceAndNotAgain()
    {
        using var stop = new StopSignal();
        stop.RequestAfter(TimeSpan.FromMilliseconds(20));
        SpinWait.SpinUntil(() => stop.IsRequested, TimeSpan.FromSeconds(20)).ShouldBeTrue();

        stop.IsForced.ShouldBeFalse();
    }

    /// <summary>A second request means to wait for nothing more. The time that is over is none.</summary>
    [Fact]
    public void RequestAfter_StopWasAskedFor_ChangesNothing()
    {
        using var stop = new StopSignal();
        stop.Request();
        stop.RequestAfter(TimeSpan.Zero);
        Thread.Sleep(100);

        (stop.IsRequested, stop.IsForced).ShouldBe((true, false));
    }

    [Fact]
    public void Guard_WorkThatEnds_EndsNothingElse()
    {
        using var stop = new StopSignal();
        stop.Guard(static () => { })();

        (stop.IsRequested, stop.Failure).ShouldBe((false, null));
    }

    [Theory]
    [InlineData(15, "SIGTERM")]
    [InlineData(2, "SIGINT")]
    [InlineData(1, "SIGHUP")]
    public void ThrowIfEarly_AfterASignal_EndsAsThatSignalDoes(int signal, string name)
    {
        using var stop = new StopSignal(() => signal);

        var stopped = Should.Throw<StoppedException>(stop.ThrowIfEarly);
        (stopped.Signal, stopped.ExitCode, stopped.IsFinal).ShouldBe((signal, 128 + signal, true));
        stopped.Message.ShouldBe($"stopped by {name} before the trace began; nothing stays attached");
    }

    /// <summary>It came after the last look: nobody asks again.</summary>
    [Fact]
    public void ListenToSignals_AfterASignal_IsAsked()
    {
        int signal = 0;
        using var stop = new StopSignal(() => signal);
        stop.ThrowIfEarly();
        signal = 15;
        stop.ListenToSignals();

        stop.IsRequested.ShouldBeTrue();
    }
}
