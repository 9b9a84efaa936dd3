// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>Veil.Bpf as a library of its own: each kind of map, global and link on the running kernel.</summary>
public sealed partial class BindingTests
{
    [Fact]
    public void Globals_SetBeforeAndAfterLoad_ReachTheProgram()
    {
        using var loaded = Load("on_tp_btf", bpf => bpf.SetGlobal("step", 10UL));
        using var link = loaded.Program("on_tp_btf").Attach();
        GetPpid();
        loaded.Global<ulong>("hits").ShouldBe(10UL);
        loaded.SetGlobal("step", 5UL);
        GetPpid();
        link.Dispose();

        loaded.Global<ulong>("hits").ShouldBe(15UL);
        loaded.Global<int>("in_data").ShouldBe(42);
    }

    [Fact]
    public void SetGlobal_WrongUse_IsAnError()
    {
        using var loaded = Load("on_raw_tp");

        Should.Throw<InvalidOperationException>(() => loaded.SetGlobal("constant", 8UL)).Message.ShouldBe(
            "Global constant of binding is constant and the object is loaded.");
        Should.Throw<BpfException>(() => loaded.SetGlobal("step", (byte)1)).Message.ShouldContain("8 bytes");
        Should.Throw<BpfException>(() => loaded.SetGlobal("nothing", 1)).Message.ShouldContain("nothing");
    }

    [Fact]
    public void HashMap_ManyKeys_ComeBackAsTheyWent()
    {
        using var loaded = Load("on_raw_tp");
        var map = new BpfHashMap<uint, ulong>(loaded.Map("hash"));
        uint[] keys = [.. Enumerable.Range(0, 3000).Select(static i => (uint)i)];
        ulong[] values = [.. keys.Select(static key => key * 3UL)];

        for (int i = 0; i < keys.Length; i++)
            map.Set(keys[i], values[i]);
        map.Entries().OrderBy(static pair => pair.Key).Select(static pair => pair.Value).ShouldBe(values);
        map.TryGet(2999, out ulong value).ShouldBeTrue();
        value.ShouldBe(8997UL);
        map.Remove(2999).ShouldBeTrue();
        map.Remove(2999).ShouldBeFalse();
        map.TryGet(2999, out _).ShouldBeFalse();
        Should.Throw<BpfException>(() => map.Set(1, 1, BpfUpdateMode.NoExist)).ErrnoName.ShouldBe("EEXIST");
    }

    [Fact]
    public void HashMap_MoreKeysThanItHolds_SaysSo()
    {
        using var loaded = Load("on_raw_tp", static bpf => bpf.Map("hash").SetMaxEntries(4));
        var map = new BpfHashMap<uint, ulong>(loaded.Map("hash"));
        for (uint key = 0; key < 4; key++)
            map.Set(key, 0);

        Should.Throw<BpfException>(() => map.Set(4, 0)).ErrnoName.ShouldBe("E2BIG");
    }

    [Fact]
    public void TypedTracepoint_PerCpuMapsAndRing_CountExactly()
    {
        using var loaded = Load("on_tp_btf");
        using var link = loaded.Program("on_tp_btf").Attach();
        for (int i = 0; i < 5; i++)
            GetPpid();
        link.Dispose();

        ulong[] perCpu = new ulong[KernelFeatures.PossibleCpuCount];
        new BpfPerCpuArray<ulong>(loaded.Map("per_cpu_array")).Read(1, perCpu);
        perCpu.Aggregate(0UL, static (sum, count) => sum + count).ShouldBe(5UL);
        loaded.Program("on_tp_btf").Info().Id.ShouldBeGreaterThan(0u);
    }

    [Fact]
    public void RingBuffer_SharedMap_HandsOutCommittedRecordsInOrder()
    {
        using var map = RingBuffer.CreateMap(64 * 1024);
        using var ring = new RingBuffer(map, 64 * 1024);
        using var loaded = Load("on_tp_btf", bpf => bpf.Map("ring").ReuseFd(map));
        using (loaded.Program("on_tp_btf").Attach())
        {
            for (int i = 0; i < 4; i++)
                GetPpid();
        }

        var seen = new List<ulong>();
        ring.PendingBytes.ShouldBe(4 * 16);
        while (ring.TryRead(out var record))
            seen.Add(MemoryMarshal.Read<ulong>(record));
        // The second was discarded by the program.
        seen.ShouldBe([1UL, 3UL, 4UL]);
        ring.PendingBytes.ShouldBe(4 * 16);
        ring.Release();
        ring.PendingBytes.ShouldBe(0);
    }

    public static TheoryData<string> ProgramsBySection => Rungs.HasTracefs ? ["on_raw_tp", "on_tracepoint"] : ["on_raw_tp"];

    [Theory]
    [MemberData(nameof(ProgramsBySection))]
    public void Attach_BySection_HitsAndDetaches(string program)
    {
        using var loaded = Load(program);
        using (loaded.Program(program).Attach())
            GetPpid();
        ulong hits = loaded.Global<ulong>("hits");
        GetPpid();

        hits.ShouldBeGreaterThan(0UL);
        loaded.Global<ulong>("hits").ShouldBe(hits);
    }

    [Fact]
    public void AttachUprobe_FunctionOfLibc_HitsEveryCall()
    {
        var (path, offset) = FileOffsetOf("getppid");
        using var loaded = Load("on_uprobe");
        using var file = File.OpenHandle(path);
        using (loaded.Program("on_uprobe").AttachUprobe(file, path, offset))
        {
            for (int i = 0; i < 3; i++)
                GetPpid();
        }

        loaded.Global<ulong>("hits").ShouldBe(3UL);
    }

    [Fact]
    public void AttachUprobe_FileReplacedSinceItWasOpened_ProbesTheOpenedOne()
    {
        const ulong linkedAt = 0x400000; // a static program that is not position-independent
        string program = Path.Combine(Path.GetTempPath(), "veil-binding-" + Environment.ProcessId);
        File.Copy(Repository.Workload("uprobe"), program, overwrite: true);
        string symbol =
            VeilRun.ToEndWith("nm", program).Lines.Single(static line => line.EndsWith(" traced_call", StringComparison.Ordinal));
        ulong offset = Convert.ToUInt64(symbol.Split(' ')[0], 16) - linkedAt;
        using var workload = Workload.Waiting(program, "calls");
        using var file = File.OpenHandle(program);
        File.Copy(Repository.Workload("uprobe-pie"), program + ".new", overwrite: true);
        File.Move(program + ".new", program, overwrite: true);

        using var loaded = Load("on_uprobe", bpf => bpf.SetGlobal("only_tid", uint.Parse(workload.Pid)));
        using (loaded.Program("on_uprobe").AttachUprobe(file, program, offset))
            workload.Go();

        File.Delete(program);
        loaded.Global<ulong>("hits").ShouldBe(1000UL);
    }

    [Fact]
    public unsafe void AttachPerfEvent_PageFaults_HitsEveryTouchedPage()
    {
        const int pages = 64;
        using var loaded = Load("on_perf_event");
        using var faults = PerfEventHandle.OpenSoftware(PerfSoftwareEvent.MinorPageFaults, cpu: -1, pid: CurrentThread());
        using (loaded.Program("on_perf_event").AttachPerfEvent(faults))
        {
            // So large that it is new memory, and no page of it was touched before (mallopt(3), M_MMAP_THRESHOLD).
            byte* memory = (byte*)NativeMemory.AlignedAlloc(64 << 20, (nuint)Environment.SystemPageSize);
            for (int page = 0; page < pages; page++)
                memory[page * Environment.SystemPageSize] = 1;
            NativeMemory.AlignedFree(memory);
        }

        loaded.Global<ulong>("hits").ShouldBeGreaterThanOrEqualTo(1UL); // one, where the kernel gives a huge page
    }

    [Fact]
    public void Attach_Kprobe_WorksOrSaysWhatTheKernelLacks()
    {
        using var loaded = Load("on_kprobe");
        if (KernelFeatures.HasKprobes)
        {
            using (loaded.Program("on_kprobe").Attach())
                GetPpid();
            loaded.Global<ulong>("hits").ShouldBe(1UL);
        }
        else
        {
            var refused = Should.Throw<UnsupportedByKernelException>(() => loaded.Program("on_kprobe").Attach());
            refused.Feature.ShouldBe("kprobes (CONFIG_KPROBE_EVENTS)");
        }
    }

    [Fact]
    public void Attach_Fentry_WorksOrIsARefusalByTheKernel()
    {
        try
        {
            using var loaded = Load("on_fentry");
            ulong cpus;
            using (loaded.Program("on_fentry").Attach())
                SchedGetAffinity(0, sizeof(ulong), out cpus).ShouldBe(0);
            cpus.ShouldNotBe(0UL);
            loaded.Global<ulong>("hits").ShouldBe(1UL);
        }
        catch (BpfException refused)
        {
            refused.Errno.ShouldNotBe(0);
            KernelFeatures.HasKprobes.ShouldBeFalse($"a kernel with kprobes traces functions too: {refused.Message}");
        }
    }

    [Theory]
    [InlineData("see_tp_btf")]
    [InlineData("see_raw_tp")]
    public void Task_AnotherThanTheRunningOne_IsReadAsItself(string program)
    {
        using var other = Process.Start("setpriv", ["--reuid", "1234", "--regid", "2345", "--clear-groups", "sleep", "60"]);
        try
        {
            SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{other.Id}/comm") == "sleep\n", TimeSpan.FromSeconds(30)).ShouldBeTrue();

            Seen(program, other.Id).ShouldBe(("sleep", (uint)other.Id, (uint)other.Id, 1234u, 2345u));
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }
    }

    [Fact]
    public void Task_TheRunningOne_IsReadAsItself() =>
        Seen("see_current", Environment.ProcessId)
            .ShouldBe(
            (File.ReadAllText("/proc/thread-self/comm").TrimEnd('\n'), (uint)Environment.ProcessId, (uint)CurrentThread(), 0u, 0u));

    // What the program saw as this thread sent a signal that does nothing.
    private static (string Comm, uint Pid, uint Tid, uint Uid, uint Gid) Seen(string program, int target)
    {
        const int doesNothing = 18; // SIGCONT
        using var loaded = Load(program);
        using (loaded.Program(program).Attach())
            Kill(target, doesNothing).ShouldBe(0);
        var seen = loaded.Global<SeenTask>("seen");
        var comm = MemoryMarshal.AsBytes<CommWords>([seen.Comm]);
        return (Encoding.UTF8.GetString(comm[..comm.IndexOf((byte)0)]), seen.Pid, seen.Tid, seen.Uid, seen.Gid);
    }

    // struct seen_task
    private readonly record struct SeenTask(uint Pid, uint Padding, CommWords Comm, uint Tid, uint Uid, uint Gid, uint End);

    // veil_comm_t
    private readonly record struct CommWords(ulong Low, ulong High);

    [Fact]
    public void Load_ProgramThatTheVerifierRefuses_QuotesItsVerdict()
    {
        var refused = Should.Throw<BpfVerifierException>(static () => Load("refused").Dispose());

        refused.Operation.ShouldBe("loading program");
        refused.ErrnoName.ShouldBe("EACCES");
        refused.Log.ShouldContain("invalid");
        refused.Message.ShouldNotContain("processed ");
        refused.FullLog.ShouldContain("processed ");
    }

    [Fact]
    public void Load_TracepointThatTheKernelLacks_SaysSo()
    {
        var refused = Should.Throw<UnsupportedByKernelException>(static () => Load("on_missing_tracepoint").Dispose());

        refused.Message.ShouldContain("no_such_tracepoint");
    }

    [Fact]
    public void Open_NotAnObject_IsOneClearError()
    {
        var refused = Should.Throw<BpfException>(static () => BpfObject.Open("no ELF at all"u8, "junk").Dispose());

        refused.Operation.ShouldBe("opening object");
        refused.Subject.ShouldBe("junk");
    }

    [Fact]
    public void Features_ThisKernel_AreWhatItSaysOfItself()
    {
        KernelFeatures.SupportsMapType(BpfMapType.RingBuffer).ShouldBe(true);
        KernelFeatures.SupportsProgramType(BpfProgramType.RawTracepoint).ShouldBe(true);
        KernelFeatures.HasTracepoint("raw_syscalls", "sys_enter").ShouldBe(Rungs.HasTracefs);
        KernelFeatures.HasTracepoint("raw_syscalls", "no_such").ShouldBeFalse();
        KernelFeatures.HasBtfTracepoint("sys_enter").ShouldBeTrue();
        KernelFeatures.HasBtfTracepoint("no_such").ShouldBeFalse();
    }

    private static BpfObject Load(string program, Action<BpfObject>? configure = null)
    {
        var bpf = BpfObject.Open(File.ReadAllBytes(Path.Combine(Repository.Root, "artifacts/test-bpf/binding.bpf.o")), "binding");
        try
        {
            foreach (var candidate in bpf.Programs)
                candidate.AutoLoad = candidate.Name == program;
            bpf.SetGlobal("only_tid", (uint)CurrentThread());
            configure?.Invoke(bpf);
            bpf.Load();
            return bpf;
        }
        catch
        {
            bpf.Dispose();
            throw;
        }
    }

    // Where in which file a function of libc lies, as the kernel has mapped it into this process.
    private static (string Path, ulong Offset) FileOffsetOf(string function)
    {
        ulong address = (ulong)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), function);
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] range = parts[0].Split('-');
            ulong start = Convert.ToUInt64(range[0], 16);
            if (address >= start && address < Convert.ToUInt64(range[1], 16))
                return (parts[5], address - start + Convert.ToUInt64(parts[2], 16));
        }

        throw new InvalidOperationException($"{function} is not mapped");
    }

    private static int CurrentThread() => GetTid();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetTid();

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetPpid();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int SchedGetAffinity(int tid, nuint bytes, out ulong mask);
}
