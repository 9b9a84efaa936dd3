// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Sinks;
using Veil.Core.Tests.Calls;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Sinks;

/// <summary><c>--output strace</c>: records made by hand through the real schema, against what strace 7.2 writes for the like.</summary>
public sealed class StraceSinkTests
{
    private const int Call = 0;
    private const int Signal = 1;
    private const int Exit = 2;
    private const uint Sent = 1;
    private const uint Stops = 2;

    private static readonly OutputOptions s_options = new(OutputFormat.Strace, [], Enrichments.None, Colour: false);
    private static readonly EventCatalog s_catalog = Catalog();

    [Fact]
    public void Write_Calls_HaveTheirResultInColumn40()
    {
        Lines(s_options,
            CallOf(8677, "close", 0, 3),
            CallOf(123456, "close", -9, 3),
            CallOf(7, "fcntl", 0x8402, 3, 3, 0)).ShouldBe(
            [
                "8677  close(3)                          = 0",
                "123456 close(3)                         = -1 EBADF (Bad file descriptor)",
                "7     fcntl(3, F_GETFL)                 = 0x8402 (flags O_RDWR|O_APPEND|O_LARGEFILE)",
            ]);
    }

    [Fact]
    public void Write_LongCalls_HaveTheirResultAfterABlank() =>
        Lines(s_options, CallOf(8677, "epoll_ctl", 0, 1000, 3, 1_000_000, 0)).ShouldHaveSingleItem()
            .ShouldBe("8677  epoll_ctl(1000, EPOLL_CTL_MOD, 1000000, NULL) = 0");

    [Fact]
    public void Write_WithTimeAndDuration_AreThoseOfTheBeginAndOfStracesT() =>
        Lines(s_options with { Enrichments = Enrichments.Time, Fields = ["duration_ns"] }, CallOf(8698, "close", 0, 3))
            .ShouldHaveSingleItem()
            .ShouldBe("8698  1795409045.123446 close(3)        = 0 <0.000010>");

    [Fact]
    public void Write_CallThatNeverReturned_HasAQuestionMarkAndNoDuration()
    {
        var options = s_options with { Fields = ["duration_ns"] };
        Lines(options,
            CallOf(5, "exit_group", CallView.NeverReturned, 0),
            CallOf(5, "read", CallView.NeverReturned, 3, 0x1000, 1),
            CallOf(5, "pause", CallView.Running),
            CallOf(5, "read", CallView.Running, 3, 0x1000, 1)).ShouldBe(
            [
                "5     exit_group(0)                     = ?",
                "5     read(3 <unfinished ...>)          = ?",
                "5     pause( <unfinished ...>",
                "5     read(3 <unfinished ...>",
            ]);
    }

    [Theory]
    [InlineData(0x400, 0u, "5     +++ exited with 4 +++")]
    [InlineData(9, 0u, "5     +++ killed by SIGKILL +++")]
    [InlineData(0x86, 0u, "5     +++ killed by SIGABRT (core dumped) +++")]
    [InlineData(0, 12771u, "5     +++ superseded by execve in pid 12771 +++")]
    public void Write_Exits_SayHow(int status, uint exec, string line) =>
        Lines(s_options, ExitOf(5, status, exec)).ShouldHaveSingleItem().ShouldBe(line);

    [Fact]
    public void Write_SignalThatStops_IsTwoLines() =>
        Lines(s_options, SignalOf(8689, 1, Stops, SignalInfoTests.Bytes(19, 0, 0, 8689, 0, 0))).ShouldBe(
        [
            "8689  --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=8689, si_uid=0} ---",
            "8689  --- stopped by SIGSTOP ---",
        ]);

    [Fact]
    public void Write_SignalThatWasSentInACall_ComesAfterIt()
    {
        byte[] info = SignalInfoTests.Bytes(17, 1, 0, 6, 0, 0);
        const string signal =
            "5     --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---";
        const string call = "5     close(3)                          = 0";

        // The call takes 10 microseconds and ends at 123,456,789.
        Lines(s_options, SignalOf(5, 123_450_000, Sent, info), CallOf(6, "close", 0, 4), CallOf(5, "close", 0, 3))
            .ShouldBe(["6     close(4)                          = 0", call, signal]);
        Lines(s_options, SignalOf(5, 123_400_000, Sent, info), CallOf(5, "close", 0, 3)).ShouldBe([signal, call]);
        Lines(s_options, SignalOf(5, 123_450_000, Sent, info), ExitOf(5, 0, 0)).ShouldBe([signal, "5     +++ exited with 0 +++"]);
        Lines(s_options, SignalOf(5, 123_450_000, Sent, info)).ShouldBe([signal]);
    }

    private static EventCatalog Catalog()
    {
        using var bpf = SyscallObject.Open();
        var catalog = new EventCatalog();
        foreach (int number in new[] { 2, 3, 4 })
            catalog.Add(bpf.Btf, new SyscallObject.Module(), 0, number);
        return catalog;
    }

    private static string[] Lines(OutputOptions options, params (int Kind, byte[] Record)[] events)
    {
        var output = new MemoryOutput();
        var sink = LineSink.Create(s_catalog, options, output);
        foreach (var (kind, record) in events)
        {
            var view = new EventView { Record = record, Schema = s_catalog.Schemas[kind], WallTimeNs = 1_795_409_045_123_456_789 };
            sink.Write(ref view);
        }

        sink.End();
        sink.Delivered.ShouldBe((ulong)events.Length);
        return output.Lines;
    }

    private static (int Kind, byte[] Record) CallOf(uint tid, string name, long ret, params ulong[] args)
    {
        byte[] record = Common(Call, tid, 123_456_789);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(OffsetOf(Call, "duration_ns")), 10_000);
        int call = OffsetOf(Call, "args");
        SyscallTable.For(SyscallArch.X64).TryGetNumber(name, out int number).ShouldBeTrue();
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(call), number);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(call + CallView.RetOffset), ret);
        for (int arg = 0; arg < args.Length; arg++)
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(call + 16 + (8 * arg)), args[arg]);
        return (Call, record);
    }

    private static (int Kind, byte[] Record) SignalOf(uint tid, ulong timestamp, uint marks, byte[] info)
    {
        byte[] record = Common(Signal, tid, timestamp);
        int at = OffsetOf(Signal, "signo");
        info.CopyTo(record, at);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(OffsetOf(Signal, "marks")), marks);
        return (Signal, record);
    }

    private static (int Kind, byte[] Record) ExitOf(uint tid, int status, uint exec)
    {
        byte[] record = Common(Exit, tid, 123_456_789);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(OffsetOf(Exit, "status")), status);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(OffsetOf(Exit, "exec_tid")), exec);
        return (Exit, record);
    }

    private static byte[] Common(int kind, uint tid, ulong timestamp)
    {
        byte[] record = new byte[s_catalog.Schemas[kind].SizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(s_catalog.Header.TidOffset), tid);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(s_catalog.Header.TimestampOffset), timestamp);
        return record;
    }

    private static int OffsetOf(int kind, string field) => s_catalog.Schemas[kind].Fields.First(known => known.Name == field).Value.Offset;
}
