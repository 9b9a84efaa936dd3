// SPDX-License-Identifier: GPL-3.0-only
using System.ComponentModel;
using Veil.Bpf;
using Veil.Core.Output;

namespace Veil.Core.Sources;

/// <summary>
/// The limit of open files (RLIMIT_NOFILE). How many a trace needs depends on the kernel's ways to attach and on libbpf's probes, so it is
/// tried; where it does not fit, the line says a number that is enough.
/// </summary>
internal static class OpenFiles
{

    // Measured: 36 to 50 for one module, 77 with --stats and --control, 204 for all six.
    private const int WithoutModules = 32;
    private const int OfModule = 80;

    /// <summary>How many are enough for a trace, with every flag.</summary>
    public static int EnoughFor(int modules) => WithoutModules + (OfModule * modules);

    /// <summary>Is that what went wrong?</summary>
    public static bool IsShort(Exception error) =>
        error is BpfException { IsOutOfDescriptors: true } or Win32Exception { NativeErrorCode: Errno.EMFILE }
            or IOException { HResult: Errno.EMFILE }
            or VeilException { InnerException: Win32Exception { NativeErrorCode: Errno.EMFILE } };

    /// <summary>The line.</summary>
    public static VeilException Explain(Exception cause, int modules) =>
        new($"starting: too many open files: the limit is {StandardStreams.FilesMax} (ulimit -n), and {EnoughFor(modules)} are enough " +
            $"for {(modules == 1 ? "this module" : $"these {modules} modules")}", cause);
}
