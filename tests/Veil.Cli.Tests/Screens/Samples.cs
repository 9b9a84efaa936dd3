// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Sinks;
using Veil.Modules;

namespace Veil.Cli.Tests.Screens;

/// <summary>Events as the modules' programs make them, written by hand into the layouts of the real objects.</summary>
internal static class Samples
{
    private static readonly ModuleArguments s_arguments =
        ModuleArguments.None with { Switches = new HashSet<string> { "returns", "latency" } };

    /// <summary>The kinds of event of some modules.</summary>
    public static EventCatalog Catalog(string modules, IReadOnlySet<string>? origin = null) =>
        ModuleEvents.Read(
            [.. modules.Split(',').Select(static name => ModuleCatalog.All.First(module => module.Name == name).ForDoctor())],
            static _ => s_arguments, origin);

    /// <summary>Some events of a module.</summary>
    public static List<(EventSchema Schema, byte[] Record)> Of(string module, EventCatalog? catalog = null)
    {
        var kinds = (catalog ?? Catalog(module)).Schemas.Where(schema => schema.Module == module).ToList();
        return module switch
        {
            "syscall" =>
            [
                Event(kinds[0], ("syscall", Call("openat")), ("ret", 3L), ("duration_ns", 12_345L)),
                Event(kinds[0], ("syscall", Call("openat")), ("ret", -2L), ("duration_ns", 5_759L)),
                Event(kinds[0], ("comm", "postgres"), ("pid", 4_194_303), ("tid", 4_194_304), ("syscall", Call("mmap")),
                    ("ret", 0x7f12_3456_7000L), ("duration_ns", 1_234_567L)),
                Event(kinds[0], ("comm", "tmux: server"), ("uid", 100_123), ("syscall", Call("clock_nanosleep")), ("ret", -512L),
                    ("duration_ns", 2_000_000_000L)),
                Event(kinds[0], ("syscall", Call("exit_group")), ("ret", long.MinValue), ("duration_ns", -1L)),
            ],
            "files" =>
            [
                Event(kinds[0], ("op", 0), ("ret", 3L), ("filename", "/etc/hosts")),
                Event(kinds[0], ("op", 0), ("ret", -2L), ("filename", "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache")),
                Event(kinds[0], ("op", 1), ("ret", 4096L), ("bytes", 4096L), ("filename", "/var/lib/postgresql/16/main/base/16384/2619")),
                Event(kinds[0], ("op", 1), ("ret", 12L), ("bytes", 12L), ("tid", 815), ("filename", "pipe:[3548698]")),
                Event(kinds[0], ("op", 2), ("ret", -11L),
                    ("filename", "/srv/" + string.Concat(Enumerable.Repeat("a-long-name/", 20)) + "end.log")),
                Event(kinds[0], ("op", 3), ("ret", 100L), ("bytes", 100L), ("filename", "/srv/from"), ("target", "/srv/to")),
                Event(kinds[0], ("op", 1), ("ret", 5L), ("bytes", 5L), ("filename", "/home/漢字/日本語のファイル名/e\u0301te\u0301.txt")),
                Event(kinds[0], ("op", 0), ("ret", 4L), ("filename", "/tmp/x\u001b[31m\n PID=1")),
                Cut(Event(kinds[0], ("op", 0), ("ret", 4L), ("filename", "/tmp/cut"))),
            ],
            "network" =>
            [
                Event(kinds[0], ("evt_type", 0), ("saddr", "10.0.0.1"), ("sport", 0), ("daddr", "192.168.100.100"), ("dport", 443),
                    ("oldstate", 7), ("newstate", 2)),
                Event(kinds[0], ("evt_type", 1), ("saddr", "10.0.0.1"), ("sport", 51_234), ("daddr", "192.168.100.100"), ("dport", 443),
                    ("oldstate", 2), ("newstate", 1)),
                Event(kinds[2], ("evt_type", 5), ("saddr", "10.0.0.1"), ("sport", 51_235), ("daddr", "10.0.0.2"), ("dport", 80),
                    ("oldstate", 2), ("newstate", 7), ("errno", -111L), ("reset_by", 1)),
                Event(kinds[1], ("evt_type", 4), ("saddr", "10.0.0.1"), ("sport", 51_234), ("daddr", "192.168.100.100"), ("dport", 443),
                    ("oldstate", 5), ("newstate", 7), ("duration_ns", 1_234_567_890L), ("rx_bytes", 123_456L), ("tx_bytes", 789L),
                    ("srtt_us", 1_500), ("reset_by", -1)),
                Event(kinds[1], ("evt_type", 4), ("saddr", "2001:db8:85a3:1234:5678:8a2e:370:7334"), ("sport", 51_234),
                    ("daddr", "2001:db8::1"), ("dport", 443), ("oldstate", 5), ("newstate", 7), ("duration_ns", 1_234_567L),
                    ("rx_bytes", 1L), ("tx_bytes", 2L), ("errno", -104L), ("reset_by", 1), ("retransmits", 3), ("srtt_us", 90_000)),
            ],
            "scheduler" =>
            [
                Event(kinds[0], ("cpu", 1), ("prev_prio", 120), ("prev_state", 1), ("next_comm", "postgres"), ("next_pid", 4_000_001),
                    ("next_tid", 4_000_001), ("next_prio", 120), ("wait_ns", 204_094L)),
                Event(kinds[0], ("cpu", 127), ("tid", 815), ("prev_prio", 120), ("prev_state", 2), ("next_comm", "migration/127"),
                    ("next_pid", 700), ("next_tid", 701), ("next_prio", 0), ("wait_ns", 10_000_000_000L)),
                Event(kinds[0], ("cpu", 0), ("prev_prio", -1), ("prev_state", 0), ("next_comm", "swapper/0"), ("next_pid", 0),
                    ("next_tid", 0), ("next_prio", 120), ("wait_ns", -1L)),
            ],
            "memory" =>
            [
                Event(kinds[0], ("evt_type", 0), ("address", 0x7f8f_a98a_b408L), ("access", 0), ("duration_ns", 2_244L)),
                Event(kinds[0], ("evt_type", 1), ("tid", 4_194_304), ("address", 0x55e4_a31b_b038L), ("access", 2),
                    ("duration_ns", 12_345_678L)),
            ],
            "signal" =>
            [
                Event(kinds[0], ("comm", "deploy.sh"), ("pid", 4711), ("tid", 4711), ("uid", 1000), ("code", 15L), ("target_comm", "nginx"),
                    ("target_pid", 812), ("target_tid", 812), ("effect", 5), ("address", long.MinValue)),
                Event(kinds[0], ("from", 1), ("code", 11L | 1L << 32), ("target_comm", "nginx"), ("target_pid", 812),
                    ("target_tid", 813), ("effect", 5), ("address", 0x1230L)),
                Event(kinds[0], ("comm", "\0\u00ff"), ("pid", -1), ("tid", -1), ("uid", 0), ("from", 1), ("code", 14L | 128L << 32),
                    ("target_comm", "postgres"), ("target_pid", 4_194_303), ("target_tid", 4_194_303), ("result", 2), ("effect", 2),
                    ("address", long.MinValue)),
            ],
            "process" =>
            [
                Process(kinds[0], ("evt_type", 0), ("ret", 0L), ("filename", "/usr/bin/make"), ("argv", "make\0-j8\0all 1\0"),
                    ("exe", "/usr/bin/make"), ("cwd", "/srv/app")),
                Process(kinds[0], ("evt_type", 0), ("ret", -2L), ("filename", "/nosuch"), ("argv", "/nosuch\0"), ("cwd", "/srv/app")),
                Process(kinds[0], ("evt_type", 2), ("child_pid", 813), ("child_tid", 813)),
                Process(kinds[0], ("evt_type", 1), ("exit_code", 2), ("core_dumped", 0), ("duration_ns", 1_234_567_890L),
                    ("cpu_ns", 567_890L), ("max_rss_bytes", 1_687_552L), ("filename", "/usr/bin/make"), ("argv", "make\0-j8\0all 1\0"),
                    ("exe", "/usr/bin/make"), ("cwd", "/srv/app")),
                Process(kinds[0], ("evt_type", 1), ("exit_signal", 11), ("core_dumped", 1), ("duration_ns", 1_234L), ("cpu_ns", 567L),
                    ("max_rss_bytes", 4096L), ("argv", "worker\0\0")),
                Process(kinds[0], ("evt_type", 3), ("anon_rss_bytes", 1L << 30), ("oom_pid", 4_000_001), ("oom_comm", "postgres"),
                    ("oom_score_adj", 0), ("exe", "/usr/sbin/nginx")),
            ],
            _ =>
            [
                Event(kinds[0], ("duration_ns", 2_507_000L)),
                Event(kinds[0], ("tid", 815), ("duration_ns", -1L)),
            ],
        };
    }

    /// <summary>Events that say what few do: here a call of the 32-bit table.</summary>
    private static List<(EventSchema Schema, byte[] Record)> RareOf(string module, EventCatalog catalog) =>
        module != "syscall" ? []
            : [Event(
            catalog.Schemas.First(static schema => schema.Module == "syscall"), ("syscall", 64 | (1L << 32)), ("ret", 1L),
            ("duration_ns", 950L))];

    /// <summary>The events of modules, as they are shown.</summary>
    /// <param name="modules">The modules.</param>
    /// <param name="columns">The screen's width; none: no screen.</param>
    /// <param name="options">What is shown.</param>
    /// <param name="names">The first event again and again by threads of these names; none: all events.</param>
    /// <param name="withRare">Those too that are not usual.</param>
    public static string Render(string modules, int? columns, OutputOptions options, string[]? names = null, bool withRare = true)
    {
        var catalog = Catalog(modules);
        var output = new Collected();
        var sink = LineSink.Create(catalog, columns is { } width ? options with { Screen = new FakeScreen(width, 24) } : options, output);
        foreach (string module in modules.Split(','))
        {
            foreach (var (schema, record) in Of(module, catalog).Concat(withRare ? RareOf(module, catalog) : []))
            {
                if (names is null)
                    Write(sink, schema, record);
            }
        }

        foreach (string name in names ?? [])
        {
            var (schema, record) = Of(modules, catalog)[0];
            Put(schema, record, "comm", name);
            Write(sink, schema, record);
        }

        sink.Flush();
        return output.Text.ToString();
    }

    /// <summary>Shows one event.</summary>
    public static void Write(IEventSink sink, EventSchema schema, byte[] record) => Write(sink, schema, record, "www-data"u8, "worker"u8);

    /// <summary>The same with what the enrichments found.</summary>
    public static void Write(IEventSink sink, EventSchema schema, byte[] record, ReadOnlySpan<byte> user, ReadOnlySpan<byte> process)
    {
        var view =
            new EventView { Record = record, Schema = schema, WallTimeNs = 1_795_409_045_123_456_789, UserName = user, ProcName = process };
        sink.Write(ref view);
    }

    private static (EventSchema, byte[]) Event(EventSchema schema, params (string Field, object Value)[] values)
    {
        byte[] record = new byte[schema.SizeBytes];
        foreach (
            var (field, value) in ((string, object)[])[
            ("comm", "nginx"), ("pid", 812), ("tid", 812), ("uid", 33), ("gid", 33), ("netns", 4_026_531_840L), ("socket_id", 77L),
            .. values])
        {
            if (schema.Fields.Any(known => known.Name == field))
                record = Put(schema, record, field, value);
        }

        return (schema, record);
    }

    // With what it is not about left out.
    private static (EventSchema, byte[]) Process(EventSchema schema, params (string Field, object Value)[] values) =>
        Event(
        schema,
        [
            ("ppid", 1), ("parent_comm", "systemd"), ("child_pid", -1), ("child_tid", -1), ("exit_code", -1), ("core_dumped", -1),
            ("oom_score_adj", int.MinValue), ("oom_pid", -1), ("ret", long.MinValue), ("duration_ns", -1L), ("cpu_ns", -1L),
            ("max_rss_bytes", -1L), ("total_vm_bytes", -1L), ("anon_rss_bytes", -1L), ("file_rss_bytes", -1L), ("shmem_rss_bytes", -1L), ("pgtables_bytes", -1L),
            ("oom_comm", ""), .. values,
        ]);

    private static (EventSchema Schema, byte[] Record) Cut((EventSchema Schema, byte[] Record) made)
    {
        made.Record[made.Schema.Fields.First(static field => field.Name == "truncated").Value.Offset] = 1;
        return made;
    }

    private static byte[] Put(EventSchema schema, byte[] record, string field, object value)
    {
        var place = schema.Fields.First(known => known.Name == field).Value;
        var bytes = record.AsSpan(place.Offset, place.Size);
        switch (value)
        {
            case "" when place.Is<SomeCommKind>():
                bytes.Clear();
                bytes[1] = 0xff;
                break;
            case string text when place.Is<CommKind>() || place.Is<SomeCommKind>():
                bytes.Clear();
                Encoding.UTF8.GetBytes(text, bytes);
                break;
            case string text when place.Is<PathKind>() || place.Is<ArgvKind>():
                byte[] path = Encoding.UTF8.GetBytes(text);
                new EventPart((uint)record.Length, path.Length, false, false).Write(bytes);
                return [.. record, .. path];
            case string address:
                byte[] ip = System.Net.IPAddress.Parse(address).GetAddressBytes();
                ip.CopyTo(bytes);
                bytes[16] = (byte)(ip.Length == 4 ? 4 : 6);
                break;
            default:
                Span<byte> number = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, Convert.ToInt64(value));
                number[..bytes.Length].CopyTo(bytes);
                break;
        }

        return record;
    }

    // struct veil_syscall
    private static long Call(string name) =>
        SyscallTable.For(SyscallTable.Native).TryGetNumber(name, out int number) ? (uint)number | ((long)SyscallTable.Native << 32) : -1;
}
