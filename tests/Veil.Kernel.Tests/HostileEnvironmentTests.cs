// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>
/// Where something is missing that every program takes for granted: one line says so, the exit code is 1, and nothing stays attached.
/// </summary>
public sealed class HostileEnvironmentTests : IDisposable
{
    private const string Trace = "{veil} --module syscall -p 1";
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-hostile-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string> Shortages() => new()
    {
        { "unshare -m bash -c 'mount -t tmpfs none /sys; exec {veil} --module syscall -n x'",
            "/sys/devices/system/cpu/possible: no such file or directory" },
        { "unshare -m bash -c 'mount -t tmpfs none /sys; mount -t tmpfs none /proc; exec {veil} --module syscall -n x'",
            "/sys/devices/system/cpu/possible" },
        { "ulimit -s 32; exec env -i " + Trace, "the stack may have 32 KiB only" },
        // With less, ld.so cannot map the file and libc, and says so before anything of ours runs.
        { "ulimit -v 24576; exec " + Trace, "the address space may have 24 MiB only" },
        { "ulimit -v 600000; exec {veil} --version", "the address space may have 585 MiB only" },
        { "ulimit -v 700000; exec {veil} --module syscall -n x --buffer 1G",
            "cannot allocate memory (ENOMEM); the address space may have 683 MiB (ulimit -v): raise that, or ask for less" },
        { "exec {veil} --version >&-", "standard output is closed" },
        { "exec {veil} --help >&-", "standard output is closed" },
        { "exec {veil} doctor >&- <&-", "standard output is closed" },
        { "exec " + Trace + " >&-", "standard output is closed" },
        { "unshare -m --propagation private bash -c 'mount -t tmpfs none /proc; exec {veil} --module uprobe --hook uprobe --uprobe "
            + Repository.Workload("uprobe") + ":traced_call -n x --yes'", "a uprobe needs /proc" },
        { "exec {veil} --help > /dev/full", "writing the output: No space left on device" },
        { "exec {veil} --list-modules > /dev/full", "writing the output: No space left on device" },
        { "mkdir {folder}/gone; cd {folder}/gone; rmdir {folder}/gone; exec {veil} --module uprobe --uprobe gone:main -p 1",
            "the current folder is gone" },
        { "exec -a '' {veil} --version", "there is no argument 0" },
    };

    [Theory]
    [MemberData(nameof(Shortages))]
    public void Start_WithoutSomething_SaysWhatInOneLine(string command, string reason)
    {
        using var veil = Shell(command);

        veil.ExitCode.ShouldBe(1);
        OnlyLine(veil).ShouldStartWith("veil: ");
        veil.Errors.ShouldContain(reason);
    }

    /// <summary>Whatever the number is at which descriptors run out: loading, attaching, or when all is attached.</summary>
    [Fact]
    public void Start_AnyLimitOfOpenFiles_TracesOrSaysSo()
    {
        bool traced = false;
        for (int limit = 4; limit <= 70; limit++)
        {
            using var veil = VeilRun.AttachOrEnd($"ulimit -n {limit}", "--module", "syscall", "-p", "1");
            if (veil.IsAttached)
            {
                traced = true;
                veil.Stop().ShouldBe(0);
                continue;
            }

            veil.ExitCode.ShouldBe(1, $"{limit}: {veil.Errors}");
            string line = OnlyLine(veil);
            (line.Contains("too many open files", StringComparison.Ordinal)
                || line.Contains("files may be open only", StringComparison.Ordinal)).ShouldBeTrue($"{limit}: {line}");
            line.ShouldContain("ulimit -n");
            line.ShouldContain("120 are enough");
            traced.ShouldBeFalse($"{limit} is too few, and less is enough");
        }

        traced.ShouldBeTrue();
    }

    /// <summary>What docs/usage.md says is enough, is; the lines say the same number.</summary>
    [Theory]
    [InlineData("syscall", "--stats --returns")]
    [InlineData("files", "--stats")]
    [InlineData("network", "--stats --count-by comm --interval 1")]
    [InlineData("scheduler", "--stats")]
    [InlineData("memory", "--stats --hist duration_ns --count-by comm --interval 1")]
    [InlineData("syscall,files,network,scheduler,memory", "--stats")]
    public void Start_AsManyOpenFilesAsTheDocsSay_Traces(string modules, string flags)
    {
        string row = File.ReadLines(Path.Combine(Repository.Root, "docs/usage.md"))
            .Single(static line => line.StartsWith("| open files", StringComparison.Ordinal));
        string[] words = row.Split('|')[2].Trim().Split(' ');
        row.ShouldContain($"| {words[0]} are enough for one module, and {words[^6]} more for each further one |");
        int limit = int.Parse(words[0]) + (int.Parse(words[^6]) * (modules.Split(',').Length - 1));

        using var veil =
            VeilRun.AttachOrEnd(
            $"ulimit -n {limit}", ["--module", modules, "--name", "no-such-name", "--control", _folder + "/socket", .. flags.Split(' ')]);
        veil.IsAttached.ShouldBeTrue(veil.Errors);
        veil.Stop().ShouldBe(0, veil.Errors);

        using var few = VeilRun.AttachOrEnd("ulimit -n 28", "--module", modules, "--name", "no-such-name");
        OnlyLine(few).ShouldContain($"too many open files: the limit is 28 (ulimit -n), and {limit} are enough for ");
    }

    [Fact]
    public void Start_AnyLimitOfAddressSpace_TracesOrSaysSo()
    {
        for (int mebibytes = 640; mebibytes <= 1024; mebibytes += 64)
        {
            using var veil =
                VeilRun.AttachOrEnd(
                $"ulimit -v {mebibytes * 1024}", "--module", "syscall,files,scheduler,memory", "--name", "no-such-name");
            if (veil.IsAttached)
                veil.Stop().ShouldBe(0, $"{mebibytes}: {veil.Errors}");
            else
                OnlyLine(veil).ShouldContain("memory");
        }
    }

    [Fact]
    public void Trace_WithoutProc_Works()
    {
        using var veil =
            VeilRun.AttachOrEnd(
            "exec unshare -m --propagation private bash -c 'mount -t tmpfs none /proc; exec \"$@\"' bash \"$@\"", "--module", "syscall",
            "--name", "no-such-name");

        veil.IsAttached.ShouldBeTrue(veil.Errors);
        veil.Stop().ShouldBe(0);
        veil.Errors.ShouldContain("events delivered in");
    }

    /// <summary>What /proc does not show may be there all the same: the kernel is asked.</summary>
    [Theory]
    [InlineData("mount -t tmpfs none /proc", true)]
    [InlineData("mount -t proc -o hidepid=invisible proc /proc", false)]
    public void Pid_WhereProcHidesIt_IsNotSaidToBeAbsent(string hiding, bool asRoot)
    {
        using var hold = Workload.Waiting("hold", "0");
        string user = asRoot ? ""
            : "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon";
        using var veil =
            VeilRun.AttachOrEnd(
            $"ulimit -l unlimited; exec unshare -m --propagation private bash -c '{hiding}; exec {user} \"$@\"' bash \"$@\"", "--module",
            "syscall", "-p", $"{hold.Pid},4194303", "--tid", $"!{hold.Pid},!4194303");

        veil.IsAttached.ShouldBeTrue(veil.Errors);
        veil.Stop().ShouldBe(0);
        veil.Errors.Split('\n').Where(static line => line.Contains("warning", StringComparison.Ordinal)).ShouldBe(
            ["veil: warning: no process has the id 4194303 now", "veil: warning: no thread has the id 4194303 now"]);
    }

    [Fact]
    public void Doctor_WithoutProc_Answers()
    {
        using var veil = Shell("exec unshare -m bash -c 'mount -t tmpfs none /proc; exec {veil} doctor'");

        veil.Errors.ShouldBeEmpty();
        veil.Lines.ShouldContain(static line => line.Contains("syscall", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--version", 0)]
    [InlineData("--help", 0)]
    [InlineData("doctor", 1)]
    [InlineData("--module syscall -p 1", 1)]
    public void BareChroot_NothingButLibc_IsOneLineOrAnAnswer(string command, int exitCode)
    {
        using var veil =
            Shell($"cd {{folder}} && for f in {{veil}} $(ldd {{veil}} | grep -o '/[^ ]*'); do install -D $f .$f; done && exec " +
            $"chroot . {{veil}} {command}");

        veil.ExitCode.ShouldBe(exitCode);
        (veil.Lines.Length > 0 ? veil.Errors : OnlyLine(veil)).ShouldNotContain(" at ");
    }

    /// <summary>The kernel names a file from the root of the mount namespace on; who types a path in a chroot does not know that.</summary>
    [Theory]
    [InlineData("files --op open --file /etc/pass", 0)]
    [InlineData("files --op open --file /etc/passwd", 1)]
    [InlineData("files --op open --file \"/etc/*wd\"", 1)]
    [InlineData("files --op open --file \"!/etc/\" --file \"passwd\"", 0)]
    [InlineData("syscall --args --syscall openat --path /etc/passwd", 1)]
    public void Chroot_PathOfAFilter_IsLookedUpFromOwnRoot(string filter, int events)
    {
        using var veil = Shell(
            "exec unshare -m --propagation private bash -c 'mkdir {folder}/root && mount --rbind / {folder}/root && exec chroot " +
            $"{{folder}}/root {{veil}} --module {filter} -w - -- cat /etc/passwd'");

        veil.ExitCode.ShouldBe(0, veil.Errors);
        veil.Lines.Count(static line => line.Contains("/root/etc/passwd", StringComparison.Ordinal)).ShouldBe(events);
    }

    /// <summary>Without the descriptors 0 to 2 the first file that is opened takes their place, and gets what is meant for them.</summary>
    [Theory]
    [InlineData("<&- 2>&-")]
    [InlineData("2>&-")]
    [InlineData("<&-")]
    public void StandardStreams_Closed_StandForNothing(string closed)
    {
        using var veil =
            Shell($"{{veil}} --module syscall --name no-such-name {closed} & pid=$!; until grep -q '^Seccomp:.2' /proc/$pid/status; do " +
            $"kill -0 $pid || exit 9; done; readlink /proc/$pid/fd/{{0,2}}; kill $pid; wait $pid");

        veil.ExitCode.ShouldBe(0);
        if (closed.Contains("<&-", StringComparison.Ordinal))
            veil.Lines[0].ShouldBe("/dev/null");
        if (closed.Contains("2>&-", StringComparison.Ordinal))
            veil.Lines[1].ShouldBe("/dev/null");
    }

    [Fact]
    public void Write_WithoutStandardOutput_Traces()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = Shell($"exec {{veil}} --module syscall -p {hold.Pid} --max-events 3 -w {{folder}}/out >&-");

        veil.ExitCode.ShouldBe(0, veil.Errors);
        File.ReadAllLines(_folder + "/out").Length.ShouldBe(3);
    }

    /// <summary>The file's largest size is reached: SIGXFSZ would end the process without a word.</summary>
    [Fact]
    public void Output_FileAtItsLargestSize_IsAnErrorThatSaysWhy()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = Shell($"ulimit -f 0; exec timeout 20 {{veil}} --module syscall -p {hold.Pid} > {{folder}}/out");

        veil.ExitCode.ShouldBe(1);
        veil.Errors.ShouldContain("veil: writing the output: File too large");
    }

    /// <summary>The lines that are there are whole, and are those that were delivered; what another process wrote is there still.</summary>
    [Theory]
    [InlineData("", ">")]
    [InlineData("", ">>")]
    [InlineData("ulimit -f 300;", ">")]
    [InlineData("ulimit -f 300;", ">>")]
    public void Output_FullDisk_LeavesWholeLines(string limit, string redirection)
    {
        string size = limit.Length == 0 ? "300K" : "10M";
        using var burst = Workload.Waiting("burst", "20000");
        using var veil = VeilRun.AttachOrEnd(
            $"exec unshare -m --propagation private bash -c 'mount -t tmpfs -o size={size} none {_folder}; (echo first >{_folder}/out; " +
                $"{limit} \"$@\" {redirection} {_folder}/out; code=$?; wc -l {_folder}/out >&2; tail -c 1 {_folder}/out | od -An -tx1 " +
                $">&2; head -1 {_folder}/out >&2; exit $code)' bash \"$@\"",
            "--module", "syscall", "-p", burst.Pid, "-s", "getppid");
        burst.Go();
        veil.WaitForExit().ShouldBe(1);

        string[] said = veil.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        long before = redirection == ">>" ? 1 : 0;
        long delivered = long.Parse(said.Single(static line => line.Contains("delivered in", StringComparison.Ordinal)).Split(' ')[1]);
        delivered.ShouldBeGreaterThan(0);
        veil.Errors.ShouldContain(limit.Length == 0 ? "No space left on device" : "File too large");
        said[^3].Split(' ')[0].ShouldBe((delivered + before).ToString());
        said[^2].Trim().ShouldBe("0a");
        if (before > 0)
            said[^1].ShouldBe("first");
    }

    /// <summary>The heap's limit is read by the runtime, and not a wish in the project's file.</summary>
    [Fact]
    public void AddressSpace_OfATrace_IsBounded()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1");
        string line =
            File.ReadLines($"/proc/{veil.Pid}/status").Single(static line => line.StartsWith("VmSize:", StringComparison.Ordinal));

        long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]).ShouldBeLessThan(640 * 1024);
        veil.Stop().ShouldBe(0);
    }

    /// <summary>With file capabilities, the environment is that of somebody who may do less.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void RuntimeVariables_WithFileCapabilities_AreNotRead(bool capabilities, int exitCode)
    {
        // A heap of four bytes: a runtime that reads it does not start.
        using var veil =
            Shell($"chmod 755 {{folder}}; install {{veil}} {{folder}}/veil; " +
            $"{(capabilities ? "setcap cap_bpf,cap_perfmon+ep {folder}/veil;" : "")} exec setpriv --reuid 65534 --clear-groups env " +
            $"DOTNET_GCHeapHardLimit=4 {{folder}}/veil --version");

        veil.ExitCode.ShouldBe(exitCode, veil.Errors);
        if (!capabilities)
            veil.Errors.ShouldContain("the .NET runtime could not start");
    }

    [Fact]
    public void Config_FromAFifo_IsRefusedAndFromStandardInputRead()
    {
        using var fifo = Shell("mkfifo {folder}/fifo; exec timeout 10 {veil} --config {folder}/fifo");
        fifo.ExitCode.ShouldBe(2);
        OnlyLine(fifo).ShouldContain("it is not a regular file");
        using var validated = Shell("mkfifo {folder}/other; exec timeout 10 {veil} config validate {folder}/other");
        validated.ExitCode.ShouldBe(2);
        OnlyLine(validated).ShouldContain("other: it is not a regular file; standard input is -");

        using var piped = Shell("echo 'modules: {syscall: {}}' | {veil} config validate -");
        piped.ExitCode.ShouldBe(0, piped.Errors);
        piped.Lines.ShouldBe(["-: right"]);
    }

    /// <summary>All modules start in 64 MiB; where the group allows less than is needed, a line says so, and the kernel ends
    /// nobody.</summary>
    [MemoryCgroupTheory]
    [InlineData(64, "syscall,files,network,scheduler,memory,uprobe", true)]
    [InlineData(60, "network", true)]
    [InlineData(40, "network", false)]
    [InlineData(32, "syscall", true)]
    [InlineData(48, "syscall,files,network,scheduler,memory,uprobe", false)]
    [InlineData(16, "syscall", false)]
    public void MemoryCgroup_OfAnySize_IsEnoughOrSaidNotToBe(int mebibytes, string modules, bool enough)
    {
        using var group = new MemoryCgroup(mebibytes);
        string[] uprobe = modules.Contains("uprobe", StringComparison.Ordinal) ? ["--uprobe", "/bin/bash:readline", "--yes"] : [];
        using var veil =
            VeilRun.AttachOrEnd($"echo $$ > {group.Folder}/cgroup.procs", ["--module", modules, "--name", "no-such-name", .. uprobe]);

        veil.IsAttached.ShouldBe(enough, veil.Errors);
        if (enough)
            veil.Stop().ShouldBe(0);
        else
            (veil.ExitCode, veil.Errors.Contains($"and the memory cgroup allows {mebibytes}", StringComparison.Ordinal))
                .ShouldBe((1, true), veil.Errors);
    }

    /// <summary>What the line says that is needed is enough, and a mebibyte less is refused by a line: never by the kernel, which ends the
    /// process.</summary>
    [MemoryCgroupTheory]
    [InlineData("--module syscall")]
    [InlineData("--module files")]
    [InlineData("--module network")]
    [InlineData("--module network --hook raw_tp")]
    [InlineData("--module syscall,files,scheduler,memory")]
    [InlineData("--module syscall,files,network,scheduler,memory")]
    [InlineData("--module syscall --control {folder}/socket")]
    [InlineData("--module syscall --buffer 32M")]
    [InlineData("--module syscall --count-by comm --keys 200000")]
    [InlineData("--module syscall --returns --hist duration_ns --count-by comm --keys 20000")]
    public void MemoryCgroup_WhatTheLineNames_IsEnough(string command)
    {
        string[] arguments = [.. command.Replace("{folder}", _folder, StringComparison.Ordinal).Split(' '), "--name", "no-such-name"];
        int needed = 6, tries = 0;
        while (true)
        {
            using var group = new MemoryCgroup(needed);
            using var veil = VeilRun.AttachOrEnd($"echo $$ > {group.Folder}/cgroup.procs", arguments);
            if (veil.IsAttached)
            {
                veil.Stop().ShouldBe(0, veil.Errors);
                break;
            }

            veil.ExitCode.ShouldBe(1, $"{needed} MiB: {veil.Errors}");
            string line = OnlyLine(veil);
            line.ShouldContain($"MiB of memory, and the memory cgroup allows {needed}: raise its limit");
            int next = int.Parse(line.Split("need", 2)[1].Split(' ')[1]);
            next.ShouldBeGreaterThan(needed);
            needed = next;
            // A larger group has a larger ring and larger tables, which are part of what is needed.
            (++tries).ShouldBeLessThan(5);
        }
    }

    /// <summary>The limit is that of a group above ours.</summary>
    [MemoryCgroupTheory]
    [InlineData("syscall,files,network,scheduler,memory")]
    public void MemoryCgroup_OfAGroupAbove_IsSeen(string modules)
    {
        using var above = new MemoryCgroup(16);
        using var group = new MemoryCgroup(1024, above);
        using var veil = VeilRun.AttachOrEnd($"echo $$ > {group.Folder}/cgroup.procs", "--module", modules, "--name", "no-such-name");

        veil.ExitCode.ShouldBe(1, veil.Errors);
        OnlyLine(veil).ShouldContain("and the memory cgroup allows 16: ");
    }

    /// <summary>It attaches every module in every way, one after the other.</summary>
    [MemoryCgroupTheory]
    [InlineData(16, "and the memory cgroup allows 16")]
    [InlineData(48, "and the memory cgroup allows 48")]
    [InlineData(64, "network     by ")]
    public void MemoryCgroup_Doctor_SaysWhatFits(int mebibytes, string said)
    {
        using var group = new MemoryCgroup(mebibytes);
        using var veil = Shell($"echo $$ > {group.Folder}/cgroup.procs; exec {{veil}} doctor");

        veil.ExitCode.ShouldBe(mebibytes == 64 ? 0 : 1, veil.Errors);
        veil.Errors.ShouldBeEmpty();
        string.Join('\n', veil.Lines).ShouldContain(said);
    }

    /// <summary>A process may call itself what it likes, and is still told from the columns beside it.</summary>
    [Theory]
    [InlineData("x  PID=1 UID=0", @"x\x20\x20PID\x3d1 UID\x3d0")]
    [InlineData(" PID=1  ", @"\x20PID\x3d1\x20\x20")]
    [InlineData("tmux: server", "tmux: server")]
    public void Text_NameThatLooksLikeColumns_IsNone(string name, string shown)
    {
        using var veil =
            Shell($"bash -c 'printf \"%s\" \"{name}\" > /proc/self/comm; read; [ -e / ]' < <(sleep 1.5) & pid=$!; timeout 3 {{veil}} -q " +
            $"--module syscall -p $pid --syscall newfstatat,faccessat,faccessat2,read | tail -1; wait $pid; echo $pid");

        string pid = veil.Lines[^1];
        string[] columns = veil.Lines[0].Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        columns[0].ShouldBe(shown);
        columns[1].ShouldBe($"PID={pid}");
        veil.Lines[0].Split("PID=").Length.ShouldBe(2);
    }

    private static string OnlyLine(VeilRun veil)
    {
        string[] lines = veil.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(1, veil.Errors);
        return lines[0];
    }

    private VeilRun Shell(string command) =>
        VeilRun.ToEndWith(
            "bash", "-c", command.Replace("{veil}", Repository.Veil, StringComparison.Ordinal)
            .Replace("{folder}", _folder, StringComparison.Ordinal));
}
