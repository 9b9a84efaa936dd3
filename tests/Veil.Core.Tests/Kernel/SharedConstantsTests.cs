// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Veil.Core.Calls;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Filters;
using Veil.Core.Sources;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Kernel;

/// <summary>What C and C# must agree on and C# cannot read from BTF while it runs: macros, and enums that choose code.</summary>
public sealed class SharedConstantsTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private static readonly Lazy<string> s_headers = new(static () => string.Concat(
        Directory.EnumerateFiles(Path.Combine(SyscallObject.Root, "bpf/veil"), "*.h")
            .Concat(Directory.EnumerateFiles(Path.Combine(SyscallObject.Root, "src/Veil.Modules"), "*.bpf.c", SearchOption.AllDirectories))
            .Select(File.ReadAllText)));

    [Theory]
    [InlineData("VEIL_ALLOW", (long)FilterBits.Allow)]
    [InlineData("VEIL_DENY", (long)FilterBits.Deny)]
    [InlineData("VEIL_FILTER_KEYS", FilterExpression.KeysMax)]
    [InlineData("VEIL_PART_MAX", EventPart.LengthMax)]
    [InlineData("VEIL_ERRNO_MAX", ErrnoDimension.ErrnoMax)]
    [InlineData("VEIL_HIST_SLOTS", CountPlan.HistogramSlots)]
    [InlineData("VEIL_COUNT_WORDS", CountPlan.BytesKeyBytes / sizeof(ulong))]
    [InlineData("VEIL_COUNT_FIELDS", CountOptions.FieldsMax)]
    [InlineData("VEIL_COUNT_KEY_MAX", CountPlan.KeyBytesMax)]
    [InlineData("VEIL_COUNT_SMALL", CountPlan.SmallKeys)]
    [InlineData("VEIL_COUNT_SHARDS", EventCounts.Running.Shards)]
    public void Macro_IsTheSameNumberInBoth(string macro, long number) => Macro(macro).ShouldBe(number.ToString());

    [Fact]
    public void Macros_OfOtherForms_AreTheSameInBoth()
    {
        Macro("VEIL_SINGLE").ShouldBe("(1ULL << 32)");
        FilterChange.SingleFlag.ShouldBe(1UL << 32);
        Macro("VEIL_COMM_UNKNOWN").ShouldBe("\"\\0\\xff\"");
        s_headers.Value.ShouldContain("event->kind = veil_module << 8 | kind;");
        EventCatalog.KindsPerModule.ShouldBe(1 << 8);
    }

    /// <summary>Enumerators in C are PREFIX_WORD_WORD where C# has WordWord.</summary>
    [Theory]
    [InlineData("veil_count_key", typeof(KeyKind))]
    [InlineData("veil_count_state", typeof(CountState))]
    [InlineData("veil_count_rest", typeof(CountRest))]
    [InlineData("veil_arch", typeof(SyscallArch))]
    public void Enum_HasTheSameWordsAndNumbersInBoth(string type, Type mirrored)
    {
        string body = Match($@"\nenum {type} \{{(?<text>[^}}]*)\}}");
        string[] words = Regex.Replace(body, @"/\*.*?\*/", "", RegexOptions.Singleline, s_patience)
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        var names = Enum.GetValues(mirrored).Cast<object>().Select(value => (Convert.ToInt32(value), value.ToString()!.ToUpperInvariant()))
            .Order().ToList();
        names.Select(static name => name.Item1).ShouldBe(Enumerable.Range(0, words.Length), type);
        foreach (var (name, word) in names.Select(static name => name.Item2).Zip(words))
            word.Replace("_", "", StringComparison.Ordinal).ShouldEndWith(name == "X64" ? "X8664" : name, Case.Sensitive, type);
    }

    /// <summary>The sizes of structs that are read by place.</summary>
    [Fact]
    public void Structs_HaveTheirMembersWhereTheyAreRead()
    {
        using var bpf = SyscallObject.Open();
        var path = bpf.Btf.FindStruct("veil_count_path")!;
        path.SizeBytes.ShouldBe(CountPlan.PathKeyBytes);
        path.FindMember("truncated")!.OffsetBytes.ShouldBe(CountPlan.PathTruncatedOffset);
        path.FindMember("deleted")!.OffsetBytes.ShouldBe(CountPlan.PathDeletedOffset);
        path.FindMember("bytes")!.OffsetBytes.ShouldBe(CountPlan.PathHeadBytes);
        path.FindMember("bytes")!.SizeBytes.ShouldBe(CountPlan.TextBytesMax);
        bpf.Btf.FindStruct("veil_count_field")!.SizeBytes.ShouldBe(Unsafe.SizeOf<CountKey.Native>());
        bpf.Btf.FindStruct("syscall_plan")!.SizeBytes.ShouldBe(CallPlan.SizeBytes);
        bpf.Btf.FindStruct("syscall_plan")!.FindMember("counted")!.OffsetBytes.ShouldBe(CallPlan.NestedOffset - CallPlan.MaskBytes + CallPlan.CountedAt);
        var running = bpf.Btf.FindStruct("veil_count_running")!;
        running.SizeBytes.ShouldBe(EventCounts.Running.Words * sizeof(ulong));
        var syscall = bpf.Btf.FindStruct("veil_syscall")!;
        syscall.Members.Select(static member => (member.Name, member.OffsetBytes, member.SizeBytes))
            .ShouldBe([("nr", 0, 4), ("arch", 4, 4)]);
        bpf.Btf.FindStruct("veil_user_losses")!.SizeBytes.ShouldBe(LossLedger.Causes * sizeof(ulong));
        bpf.Map("veil_rests").MaxEntries.ShouldBe(2 * (int)CountRest.Rests);
        // A filter of a module has at most this place.
        bpf.Map("filter_counts").MaxEntries.ShouldBeGreaterThan((int)KernelFilter.CounterOf(10) + 1);
    }

    /// <summary>Its members are not in the objects of modules that have no path.</summary>
    [Fact]
    public void Part_HasItsMembersWhereTheyAreRead()
    {
        using var bpf = Veil.Bpf.BpfObject.Open(File.ReadAllBytes(Path.Combine(SyscallObject.Root, "artifacts/bpf/files.bpf.o")), "files");
        var part = bpf.Btf.FindStruct("veil_part")!;
        byte[] read = new byte[EventPart.SizeBytes];
        new EventPart(0x04030201, 0x0605, true, false).Write(read);

        part.SizeBytes.ShouldBe(EventPart.SizeBytes);
        part.Members.Select(static member => (member.Name, member.OffsetBytes, member.SizeBytes)).ShouldBe(
            [("offset", 0, 4), ("size", 4, 2), ("truncated", EventPart.TruncatedOffset, 1), ("deleted", EventPart.DeletedOffset, 1)]);
        read.ShouldBe([1, 2, 3, 4, 5, 6, 1, 0]);
    }

    private static string Macro(string name) => Match($@"\n#define\s+{name}\s+(?<text>.*?)[ \t]*(?:/\*.*)?\n");

    private static string Match(string pattern) =>
        Regex.Match(s_headers.Value, pattern, RegexOptions.None, s_patience).Groups["text"].Value;
}
