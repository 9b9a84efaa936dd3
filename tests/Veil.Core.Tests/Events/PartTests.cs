// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Modules;
using Veil.Core.Pipeline;
using Veil.Core.Sinks;

namespace Veil.Core.Tests.Events;

/// <summary>Events with values of variable size, of the compiled files module: what is not within its record is never read.</summary>
public sealed class PartTests
{
    [Fact]
    public void Fields_OfAnEventWithTwoPaths_AreNamedApart()
    {
        var schema = Files().Schemas.ShouldHaveSingleItem();

        string.Join(' ', schema.Fields.Select(static field => field.Name)).ShouldBe(
            "module comm pid tid uid timestamp op ret errno errno_nr bytes filename truncated deleted target " +
                "target_truncated target_deleted");
    }

    [Fact]
    public void Part_IsWhatCHas()
    {
        using var bpf = Open();

        var type = bpf.Btf.FindStruct("veil_part").ShouldNotBeNull();
        type.SizeBytes.ShouldBe(EventPart.SizeBytes);
        type.Members.Select(static member => $"{member.Name} {member.OffsetBytes} {member.SizeBytes}")
            .ShouldBe(["offset 0 4", "size 4 2", "truncated 6 1", "deleted 7 1"]);
        byte[] member = new byte[EventPart.SizeBytes];
        var part = new EventPart(0x01020304, 0x0506, isTruncated: true, isDeleted: false);
        part.Write(member);
        member.ShouldBe([4, 3, 2, 1, 6, 5, 1, 0]);
        new EventPart(member).ShouldBe(part);
    }

    [Theory]
    [InlineData(0, 4, true)]
    [InlineData(0, 5, false)] // one byte beyond the record
    [InlineData(4, 0, true)]
    [InlineData(5, 0, false)]
    [InlineData(-1, 1, false)] // within the struct
    [InlineData(int.MaxValue, 1, false)]
    public void IsWhole_OnlyWithPartsAfterTheStructAndWithinTheRecord(int afterStruct, ushort length, bool whole)
    {
        var schema = Files().Schemas[0];
        byte[] record = Record(schema, "path"u8, "");
        new EventPart((uint)(schema.SizeBytes + (long)afterStruct), length, false, false)
            .Write(record.AsSpan(OffsetOf(schema, "filename")));

        schema.IsWhole(record).ShouldBe(whole);
    }

    [Fact]
    public void IsWhole_NoPartAtAll_HasNoBytes()
    {
        var schema = Files().Schemas[0];
        byte[] record = Record(schema, "path"u8, "");

        new EventPart(0, 0, false, false).Write(record.AsSpan(OffsetOf(schema, "target")));
        schema.IsWhole(record).ShouldBeTrue();
        new EventPart(0, 1, false, false).Write(record.AsSpan(OffsetOf(schema, "target")));
        schema.IsWhole(record).ShouldBeFalse();
        schema.IsWhole(record.AsSpan(0, schema.SizeBytes - 1)).ShouldBeFalse();
    }

    [Fact]
    public void Text_Deleted_IsToldFromANameThatEndsSo()
    {
        var catalog = Files();
        byte[] deleted = Record(catalog.Schemas[0], "/a b (deleted)"u8, "deleted");
        byte[] named = Record(catalog.Schemas[0], "/a b (deleted)"u8, "");

        string text = Render(catalog, new OutputOptions(OutputFormat.Text, [], Enrichments.None, Colour: false), out _, deleted, named);
        text.Split('\n')[0].ShouldEndWith("filename=/a b (deleted)");
        text.Split('\n')[1].ShouldEndWith(@"filename=/a b\x20(deleted)");
        Render(catalog, new OutputOptions(OutputFormat.Json, ["filename", "deleted", "target"], Enrichments.None, Colour: false), out _,
            deleted, named)
            .ShouldBe(
                "{\"filename\":\"/a b (deleted)\",\"deleted\":true,\"target\":null}\n{\"filename\":\"/a b " +
                "(deleted)\",\"deleted\":false,\"target\":null}\n");
    }

    /// <summary>Records that a broken program or a broken ring could give: each is shown or counted, and nothing else happens.</summary>
    [Fact]
    public void Reader_DamagedRecords_AreCountedAndNeverRead()
    {
        var catalog = Files();
        var schema = catalog.Schemas[0];
        var random = new Random(11);
        byte[][] records = Enumerable.Range(0, 20_000).Select(_ =>
        {
            byte[] record = Record(schema, "/some/path"u8, "");
            int first = OffsetOf(schema, "filename");
            for (int i = 0; i < 2 * EventPart.SizeBytes; i++)
            {
                if (random.Next(4) == 0)
                    record[first + i] = (byte)random.Next(256);
            }

            return record[..random.Next(catalog.Header.SizeBytes, record.Length + 1)];
        }).ToArray();

        string lines =
            Render(catalog, new OutputOptions(OutputFormat.Json, ["filename", "target"], Enrichments.None, Colour: false),
            out ulong damaged, records);

        int shown = lines.Count(static one => one == '\n');
        damaged.ShouldBe((ulong)records.Count(record => !schema.IsWhole(record)));
        ((ulong)shown + damaged).ShouldBe((ulong)records.Length);
        shown.ShouldBeGreaterThan(0);
        damaged.ShouldBeGreaterThan(0ul);
    }

    private static BpfObject Open() =>
        BpfObject.Open(File.ReadAllBytes(Path.Combine(SyscallObject.Root, "artifacts/bpf/files.bpf.o")), "files");

    private static EventCatalog Files()
    {
        using var bpf = Open();
        var catalog = new EventCatalog();
        catalog.Add(bpf.Btf, new Module(), 0, 0);
        return catalog;
    }

    private static int OffsetOf(EventSchema schema, string field) => schema.Fields.Single(one => one.Name == field).Value.Offset;

    private static byte[] Record(EventSchema schema, ReadOnlySpan<byte> path, string deleted)
    {
        byte[] record = new byte[schema.SizeBytes + path.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(OffsetOf(schema, "op")), 0);
        new EventPart((uint)schema.SizeBytes, path.Length, false, deleted.Length > 0).Write(record.AsSpan(OffsetOf(schema, "filename")));
        path.CopyTo(record.AsSpan(schema.SizeBytes));
        return record;
    }

    private static string Render(EventCatalog catalog, OutputOptions options, out ulong damaged, params byte[][] records)
    {
        var output = new MemoryOutput();
        var pipeline =
            EventPipeline.To(
            [new TraceOutput(options, output)], catalog, new EventFilter?[catalog.Schemas.Count], eventsMax: null, static _ =>
            { }, new Enrichers.CurrentNames(root: null));
        foreach (byte[] record in records)
            pipeline.Deliver(record);
        pipeline.Flush();
        string lines = output.Text;
        pipeline.ReportDamaged();
        pipeline.ReportDamaged();
        damaged = pipeline.Losses.Of("files").GetValueOrDefault("read_failed").Count;
        return lines;
    }

    private sealed class Module : TraceModule
    {
        public override string Name => "files";

        public override string Summary => "";

        public override string CountKey => "filename";

        public override IReadOnlyList<Example> Examples => [];

        public override IReadOnlyList<HookRung> Rungs => [];

        public override byte[] ReadObject() => throw new NotSupportedException();
    }
}
