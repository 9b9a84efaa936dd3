// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Veil.Cli;

/// <summary>
/// SIGINT, SIGTERM and SIGHUP while a trace is prepared (Native/start.c). .NET's own handlers come later: they bring a thread that would
/// keep the privileges. Nothing happens where that file is not linked in, as in a build that is not native.
/// </summary>
internal static partial class EarlySignals
{
    /// <summary>Takes them from now on, except for one that our parent has set to be ignored.</summary>
    public static void Take()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            TakeStops();
    }

    /// <summary>The first that came, or 0.</summary>
    public static int First => RuntimeFeature.IsDynamicCodeSupported ? 0 : StopAsked();

    /// <summary>Ends this process by a signal. It returns where that is not possible: signals do not end the first process of a PID
    /// namespace.</summary>
    public static void EndBy(int signal)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            EndByNative(signal);
    }

    [LibraryImport("veil-start", EntryPoint = "veil_take_stops")]
    private static partial void TakeStops();

    [LibraryImport("veil-start", EntryPoint = "veil_stop_asked")]
    private static partial int StopAsked();

    [LibraryImport("veil-start", EntryPoint = "veil_end_by")]
    private static partial void EndByNative(int signal);
}
