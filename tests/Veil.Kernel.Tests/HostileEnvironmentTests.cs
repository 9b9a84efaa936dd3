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
        { "unshare -m bash -c 'mount -t tmpfs none /sys; exec {veil} --module syscall -n x'", "/sys/devices/system/cpu/possible: no such file or directory" },
        { "unshare -m bash -c 'mount -t tmpfs none /sys; mount -t tmpfs none /proc; exec {veil} --module syscall -n x'", "/sys/devices/system/cpu/possible" },
        { "ulimit -s 16; exec " + Trace, "the stack may have 16 KiB only" },
        { "ulimit -v 16384; exec " + Trace, "the address space may have 16 MiB only" },
        { "ulimit -v 600000; exec {veil} --version", "the address space may have 585 MiB only" },
        { "exec {veil} --version >&-", "standard output is closed" },
        { "exec {veil} --help >&-", "standard output is closed" },
        { "exec {veil} doctor >&- <&-", "standard output is closed" },
        { "exec " + Trace + " >&-", "standard output is closed" },
        { "exec {veil} --help > /dev/full", "writing the output: No space left on device" },
        { "exec {veil} --list-modules > /dev/full", "writing the output: No space left on device" },
        { "mkdir {folder}/gone; cd {folder}/gone; rmdir {folder}/gone; exec {veil} --module uprobe --uprobe gone:main -p 1", "the current folder is gone" },
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
        for (int limit = 4; limit <= 40; limit++)
        {
            using var veil = Shell($"ulimit -n {limit}; exec timeout -s INT 1 {Trace}");
            if (veil.ExitCode == 124)
            {
                traced = true;
                veil.Errors.ShouldContain("events delivered in");
                continue;
            }

            veil.ExitCode.ShouldBe(1, $"{limit}: {veil.Errors}");
            string line = OnlyLine(veil);
            (line.Contains("too many open files", StringComparison.Ordinal) || line.Contains("files may be open only", StringComparison.Ordinal)).ShouldBeTrue($"{limit}: {line}");
            line.ShouldContain("ulimit -n");
            traced.ShouldBeFalse($"{limit} is too few, and less is enough");
        }

        traced.ShouldBeTrue();
    }

    [Fact]
    public void Start_AnyLimitOfAddressSpace_TracesOrSaysSo()
    {
        for (int mebibytes = 640; mebibytes <= 1024; mebibytes += 64)
        {
            using var veil = Shell($"ulimit -v {mebibytes * 1024}; exec timeout -s INT 2 {{veil}} --module syscall,files,network,scheduler,memory --name no-such-name");
            if (veil.ExitCode == 124)
                veil.Errors.ShouldContain("events delivered in");
            else
                OnlyLine(veil).ShouldContain("memory");
        }
    }

    [Fact]
    public void Trace_WithoutProc_Works()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = Shell($"exec timeout -s INT 2 unshare -m bash -c 'mount -t tmpfs none /proc; exec {{veil}} --module syscall -p {hold.Pid}'");

        veil.ExitCode.ShouldBe(124);
        veil.Errors.ShouldContain("events delivered in");
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
        using var veil = Shell($"cd {{folder}} && for f in {{veil}} $(ldd {{veil}} | grep -o '/[^ ]*'); do install -D $f .$f; done && exec chroot . {{veil}} {command}");

        veil.ExitCode.ShouldBe(exitCode);
        (veil.Lines.Length > 0 ? veil.Errors : OnlyLine(veil)).ShouldNotContain(" at ");
    }

    /// <summary>Without the descriptors 0 to 2 the first file that is opened takes their place, and gets what is meant for them.</summary>
    [Theory]
    [InlineData("<&- 2>&-")]
    [InlineData("2>&-")]
    [InlineData("<&-")]
    public void StandardStreams_Closed_StandForNothing(string closed)
    {
        using var veil = Shell($"{{veil}} --module syscall --name no-such-name {closed} & pid=$!; until (( 0x$(awk '/^SigCgt/ {{ print $2 }}' /proc/$pid/status) & 1 << 14 )); do kill -0 $pid || exit 9; done; readlink /proc/$pid/fd/{{0,2}}; kill $pid; wait $pid");

        veil.ExitCode.ShouldBe(0);
        if (closed.Contains("<&-", StringComparison.Ordinal))
            veil.Lines[0].ShouldBe("/dev/null");
        if (closed.Contains("2>&-", StringComparison.Ordinal))
            veil.Lines[1].ShouldBe("/dev/null");
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

    /// <summary>The heap's limit is read by the runtime, and not a wish in the project's file.</summary>
    [Fact]
    public void AddressSpace_OfATrace_IsBounded()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1");
        string line = File.ReadLines($"/proc/{veil.Pid}/status").Single(static line => line.StartsWith("VmSize:", StringComparison.Ordinal));

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
        using var veil = Shell($"chmod 755 {{folder}}; install {{veil}} {{folder}}/veil; {(capabilities ? "setcap cap_bpf,cap_perfmon+ep {folder}/veil;" : "")} exec setpriv --reuid 65534 --clear-groups env DOTNET_GCHeapHardLimit=4 {{folder}}/veil --version");

        veil.ExitCode.ShouldBe(exitCode, veil.Errors);
        if (!capabilities)
            veil.Errors.ShouldContain("the .NET runtime could not start");
    }

    private static string OnlyLine(VeilRun veil)
    {
        string[] lines = veil.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(1, veil.Errors);
        return lines[0];
    }

    private VeilRun Shell(string command) =>
        VeilRun.ToEndWith("bash", "-c", command.Replace("{veil}", Repository.Veil, StringComparison.Ordinal).Replace("{folder}", _folder, StringComparison.Ordinal));
}
