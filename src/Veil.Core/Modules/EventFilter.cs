// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;

namespace Veil.Core.Modules;

/// <summary>Decides in userspace, for what a program in the kernel cannot. The summary says how many events it dropped.</summary>
public abstract class EventFilter
{
    /// <summary>The flag that asks for it, with its dashes.</summary>
    public abstract string Flag { get; }

    /// <summary>Does the event go on?</summary>
    public abstract bool Passes(ref EventView view);
}
