// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Veil.Kernel.Tests;

/// <summary>
/// A .NET process that calls getppid(2) again and again: these tests themselves, in another process, which
/// <see cref="StartupHook"/> takes over before they begin.
/// </summary>
internal sealed partial class ManagedWorkload : IDisposable
{
    private const string Mark = "VEIL_TEST_MANAGED";

    private readonly Process _process;

    private ManagedWorkload(Process process) => _process = process;

    /// <summary>Its thread group id.</summary>
    public string Pid => _process.Id.ToString();

    /// <summary>Starts it; it does nothing before <see cref="Go"/>.</summary>
    public static ManagedWorkload Start()
    {
        string tests = typeof(ManagedWorkload).Assembly.Location;
        var start = new ProcessStartInfo("dotnet", ["exec", tests]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_STARTUP_HOOKS"] = tests;
        start.Environment[Mark] = "1";
        start.Environment.Remove("TMPDIR");
        var process = Process.Start(start)!;
        process.StandardOutput.ReadLine().ShouldBe("ready");
        return new(process);
    }

    /// <summary>Lets it begin.</summary>
    public void Go() => _process.StandardInput.WriteLine("go");

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>Is this process one? Then it never comes back.</summary>
    internal static void RunIfChosen()
    {
        if (Environment.GetEnvironmentVariable(Mark) is null)
            return;
        Console.WriteLine("ready");
        _ = Console.ReadLine();
        Work();
        Environment.Exit(0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Work()
    {
        const int minutesMax = 2;
        for (long until = Environment.TickCount64 + (minutesMax * 60_000); Environment.TickCount64 < until;)
        {
            CallTheKernel();
            Thread.Sleep(1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallTheKernel() => _ = GetParent();

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();
}
