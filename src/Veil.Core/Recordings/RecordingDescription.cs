// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Kernel;
using Veil.Core.Sinks;

namespace Veil.Core.Recordings;

/// <summary>What was recorded, where, and how to read it: the first block of every file, in JSON.</summary>
internal sealed record RecordingDescription
{
    /// <summary>Who wrote it.</summary>
    public required string Veil { get; init; }

    /// <summary>The number of the recording, which all its files have.</summary>
    public required string Set { get; init; }

    /// <summary>The place of the file among them, from 0.</summary>
    public required int Part { get; init; }

    public required string Host { get; init; }

    public required string Kernel { get; init; }

    /// <summary>The machine's own table of calls.</summary>
    public required SyscallArch Machine { get; init; }

    /// <summary>The words of the command line.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>When the file was begun, in nanoseconds since boot and since 1970.</summary>
    public required (long BootNs, long RealNs) Begun { get; init; }

    /// <summary>When the recording was begun.</summary>
    public required (long BootNs, long RealNs) Started { get; init; }

    /// <summary>What was found out beside the kernel's records.</summary>
    public required Enrichments Enrichments { get; init; }

    /// <summary>Could filters be changed while it was recorded? Then those of <see cref="Modules"/> are the first ones.</summary>
    public bool IsSteered { get; init; }

    /// <summary>The fields of <c>struct veil_origin</c> that records have; null: they have none of it.</summary>
    public required IReadOnlySet<string>? OriginFields { get; init; }

    public EventLayout? Origin { get; init; }

    /// <summary>How calls were read.</summary>
    public required CallOptions Calls { get; init; }

    public required IReadOnlyList<ModuleFacts> Modules { get; init; }

    public required IReadOnlyList<EventFacts> Events { get; init; }

    /// <summary>Why the kernel drops packets, by set and number; empty where no event says.</summary>
    public required byte[]?[][] Reasons { get; init; }

    /// <summary>A module.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Hook">How it was attached.</param>
    /// <param name="Filters">Its filters: the names, and the values as they were given.</param>
    /// <param name="Constants">Fields that have one value for the whole trace.</param>
    /// <param name="Aliases">Second names of fields.</param>
    public sealed record ModuleFacts(
        string Name, string Hook, IReadOnlyList<(string Name, string Values)> Filters, IReadOnlyList<(string Name, string Value)> Constants,
        IReadOnlyList<(string Alias, string Field)> Aliases)
    {
        /// <summary>Its flags, and their values; null: who wrote the recording did not say.</summary>
        public IReadOnlyList<(string Name, string Values)>? Flags { get; init; }
    }

    /// <summary>A kind of event.</summary>
    /// <param name="Kind">The number that marks its records.</param>
    /// <param name="Module">The place of its module.</param>
    /// <param name="Layout">Its struct.</param>
    public sealed record EventFacts(uint Kind, int Module, EventLayout Layout);

    /// <summary>Has it the same events as another one, read in the same way?</summary>
    public bool IsLike(RecordingDescription other) =>
        Modules.Select(static module => module.Name).SequenceEqual(other.Modules.Select(static module => module.Name))
        && Machine == other.Machine && Equals(OriginFields is null, other.OriginFields is null)
        && Events.Select(Shape).SequenceEqual(other.Events.Select(Shape));

    private static string Shape(EventFacts facts) => $"{facts.Kind} {facts.Layout.Name} {facts.Layout.SizeBytes} "
        + string.Join(' ', facts.Layout.Members.Select(static member => $"{member.Name} {member.Offset} {member.Size} {member.Type}"));
}
