// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Formats;
using Veil.Core.Options;
using Veil.Core.Recordings;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Tests.Events;
using Veil.Core.Waiting;

namespace Veil.Core.Tests.Formats;

/// <summary>What a format makes: of the golden recording, or of records that a test puts together.</summary>
internal static class ExportedRecording
{
    public static string Golden => Path.Combine(SyscallObject.Root, "tests/Veil.Core.Tests/Golden/version-1.veil");

    /// <summary>The golden recording in a format.</summary>
    public static byte[] Of(ExportFormat format, CountOptions? counting = null, params string[] fields)
    {
        var messages = new List<string>();
        var output = new MemoryOutput();
        using var trace = ReplayTrace.Open([Golden], [new SyscallObject.Module()]);
        using var stop = new StopSignal();
        var export = new FileExport(format, trace.Modules, trace.Description, counting, output, messages.Add);
        var options = new SessionOptions
        {
            Modules = trace.Modules,
            Output = new OutputOptions(OutputFormat.Json, fields, trace.Description.Enrichments, Colour: false),
        };
        using (var session = trace.StartExport(
            options, trace.Events(null, static _ => true), ReplayRange.All, stop, messages.Add, export, export.Take))
            session.Run().Failure.ShouldBeNull();
        // A time line has a place for losses, and what else has none says them.
        messages.ShouldBe(format is ChromeFormat or PerfettoFormat ? [] : ["lost 12 events of syscall: ring_full (UID 33: 7, UID 0: 5)"]);
        return output.Bytes;
    }

    /// <summary>Calls that have ended in a format, in the order of their ends.</summary>
    public static byte[] OfCalls(ExportFormat format, params (string Comm, uint Pid, uint Tid, int Call, ulong Start, ulong End)[] calls)
    {
        var output = new MemoryOutput();
        using var trace = ReplayTrace.Open([Golden], [new SyscallObject.Module()]);
        var catalog = SyscallObject.Events(1);
        var sink = format.Begin(
            new ExportInput
            {
                Events = catalog,
                Modules = [new SyscallObject.Module()],
                Description = trace.Description,
                Shown = new OutputOptions(OutputFormat.Json, [], Enrichments.None, Colour: false),
                Output = output,
                Message = static line => throw new InvalidOperationException(line),
            });
        foreach (var (comm, pid, tid, call, start, end) in calls)
        {
            var view = new EventView { Record = Returned(comm, pid, tid, call, start, end), Schema = catalog.Schemas[0] };
            sink.Write(ref view);
        }

        sink.End();
        sink.Delivered.ShouldBe((ulong)calls.Length);
        return output.Bytes;
    }

    /// <summary>What Debian's protoc reads, by the public definitions.</summary>
    public static string Decode(byte[] trace)
    {
        string folder = Path.Combine(SyscallObject.Root, "tests/Veil.Core.Tests/Formats");
        using var process = Process.Start(
            new ProcessStartInfo("protoc", ["--decode", "perfetto.protos.Trace", $"-I{folder}", "perfetto.proto"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        var text = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(trace);
        process.StandardInput.Close();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, errors);
        return text.Result;
    }

    private static byte[] Returned(string comm, uint pid, uint tid, int call, ulong start, ulong end)
    {
        byte[] record = new byte[72];
        Encoding.UTF8.GetBytes(comm).CopyTo(record, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(16), pid);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(20), tid);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(32), end);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(44), call);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(64), end - start);
        return record;
    }
}

/// <summary>A fact that needs Debian's protobuf-compiler. Skipped, with the reason, where that is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProtocFactAttribute : FactAttribute
{
    public ProtocFactAttribute() =>
        Skip = File.Exists("/usr/bin/protoc") ? null : "there is no protoc: eng/setup installs protobuf-compiler";
}
