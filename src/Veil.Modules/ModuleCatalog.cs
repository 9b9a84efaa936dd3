// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Modules;
using Veil.Modules.Files;
using Veil.Modules.Locks;
using Veil.Modules.Memory;
using Veil.Modules.Network;
using Veil.Modules.Processes;
using Veil.Modules.Profile;
using Veil.Modules.Scheduler;
using Veil.Modules.Signal;
using Veil.Modules.Syscall;
using Veil.Modules.Uprobe;

namespace Veil.Modules;

/// <summary>Every module of this build. A new one is its folder and a line here.</summary>
public static class ModuleCatalog
{
    /// <summary>The modules, in the order of the docs.</summary>
    public static IReadOnlyList<TraceModule> All { get; } =
    [
        new SyscallModule(),
        new FilesModule(),
        new NetworkModule(),
        new SchedulerModule(),
        new MemoryModule(),
        new SignalModule(),
        new UprobeModule(),
        new ProcessModule(),
        new LockModule(),
        new ProfileModule(),
    ];
}
