// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Service;

/// <summary>The process that traces for a service: this program once more, with our output and environment, a configuration at its standard
/// input, and its end of a channel as descriptor 3.</summary>
public sealed unsafe class ServiceProcess : IDisposable
{
    private readonly int _pid;

    private ServiceProcess(int pid, ServiceChannel channel) => (_pid, Channel) = (pid, channel);

    /// <summary>What it is told, and answers.</summary>
    public ServiceChannel Channel { get; }

    /// <summary>Starts one.</summary>
    /// <param name="arguments">Its arguments, from argument 0 on.</param>
    /// <param name="input">What it reads at its standard input.</param>
    /// <param name="given">Descriptors that become its 4 and following; one below 0 is left out, its number too.</param>
    /// <exception cref="VeilException">It cannot be started.</exception>
    public static ServiceProcess Start(string[] arguments, string input, params ReadOnlySpan<int> given)
    {
        int text = MakeFile(input);
        if (text < 0 || !LibC.TryMakePair(out int ours, out int theirs))
            throw Failed("making its input");
        int[] kept = [theirs, .. given];
        int[] high = Array.ConvertAll(kept, static fd => fd < 0 ? -1 : LibC.DuplicateHigh(fd));
        int pid = LibC.SpawnBeside("/proc/self/exe", arguments, text, high);
        _ = LibC.Close(text);
        _ = LibC.Close(theirs);
        foreach (int fd in high.Where(static fd => fd >= 0))
            _ = LibC.Close(fd);
        if (pid > 0)
            return new ServiceProcess(pid, new ServiceChannel(ours));
        _ = LibC.Close(ours);
        throw Failed("starting it");
    }

    /// <summary>Has it end what it prepares, undone.</summary>
    public void Terminate()
    {
        const int sigTerm = 15;
        _ = LibC.Kill(_pid, sigTerm);
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code, or 128 and the signal that ended it.</returns>
    public int WaitForEnd()
    {
        int status;
        while (LibC.WaitFor(_pid, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                return ExitCode.Failure;
        }

        return (status & 0x7f) is > 0 and var signal ? 128 + signal : (status >> 8) & 0xff;
    }

    /// <summary>Lets go of it: it ends where it has not.</summary>
    public void Dispose() => Channel.Dispose();

    private static int MakeFile(string content)
    {
        const int closeOnExec = 1; // MFD_CLOEXEC
        bool isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        int fd;
        fixed (byte* name = "veil-configuration\0"u8)
            fd = (int)LibC.Syscall(isArm ? 279 : 319, (nint)name, closeOnExec, 0, 0, 0); // memfd_create(2)
        if (fd < 0)
            return -1;
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        fixed (byte* data = bytes)
        {
            if (bytes.Length > 0 && LibC.Write(fd, data, bytes.Length) != bytes.Length)
                return -1;
        }

        _ = LibC.Seek(fd, 0, LibC.SeekSet);
        return fd;
    }

    private static VeilException Failed(string what) =>
        new($"starting the process that traces: {what}: {Marshal.GetLastPInvokeErrorMessage()}");
}
