// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;

namespace Veil.Core.Enrichers;

/// <summary>Who knows what the kernel's record does not hold. What it gives is valid until the next call.</summary>
internal abstract class EventNames
{
    /// <summary>Nanoseconds since 1970 in UTC, of nanoseconds since boot.</summary>
    public abstract long WallTimeNs(ulong timestamp);

    /// <summary>The name of a user id; empty where it has none.</summary>
    public abstract ReadOnlySpan<byte> User(uint uid);

    /// <summary>The current name of a process; empty where it is not known.</summary>
    public abstract ReadOnlySpan<byte> Process(uint pid, ulong timestamp);

    /// <summary>The path of what a process executes; empty where it is not known.</summary>
    public abstract ReadOnlySpan<byte> Executable(uint pid);

    /// <summary>The container of an event, or none.</summary>
    public abstract ContainerText? Container(scoped ref EventView view, ulong timestamp);

    /// <summary>Why a path refused the event; empty where it did not.</summary>
    public abstract ReadOnlySpan<byte> Why(scoped ref EventView view, uint pid, uint uid, ulong timestamp);
}
