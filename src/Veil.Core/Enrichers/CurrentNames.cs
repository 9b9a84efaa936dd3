// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Cgroups;
using Veil.Core.Containers;
using Veil.Core.Events;
using Veil.Core.Executables;
using Veil.Core.Privileged;

namespace Veil.Core.Enrichers;

/// <summary>The machine as it is now.</summary>
/// <param name="root">The helper process, or none.</param>
internal sealed class CurrentNames(RootClient? root) : EventNames
{
    private readonly WallClock _clock = new();
    private readonly UserNames _users = new();
    private readonly PathReasons _reasons = new(root);
    private readonly ProcNames _processes = new(root);
    private readonly ContainerTexts _containers = new(CgroupTree.Own, ContainerNames.Own);

    public override long WallTimeNs(ulong timestamp) => _clock.FromBootTime((long)timestamp);

    public override ReadOnlySpan<byte> User(uint uid) => _users.Find(uid);

    public override ReadOnlySpan<byte> Process(uint pid, ulong timestamp) => _processes.Find(pid, timestamp);

    public override ReadOnlySpan<byte> Executable(uint pid) => ExecutableTable.Own.Find(pid);

    public override ContainerText? Container(scoped ref EventView view, ulong timestamp) => _containers.Find(ref view, timestamp);

    public override ReadOnlySpan<byte> Why(scoped ref EventView view, uint pid, uint uid, ulong timestamp) =>
        _reasons.Find(ref view, pid, uid, timestamp);
}
