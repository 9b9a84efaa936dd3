// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>What enrichments add: a field of the same name, and a column.</summary>
public static class EnrichedColumns
{
    /// <summary>The wall-clock time.</summary>
    public static EventColumn Time { get; } =
        new("time", "", 32, new EventValue<TimeKind>(), new() { Title = "TIME", Width = 15, Colour = Ansi.Dim });

    /// <summary>The user's name.</summary>
    public static EventColumn User { get; } = new(
        "username", "username=", 10, new EventValue<UserNameKind>(),
        new() { Title = "USER", WidthMin = 8, Rank = 85, IsRare = true, Limit = 16 });

    /// <summary>The process's current name.</summary>
    public static EventColumn Proc { get; } = new(
        "proc_name", "proc_name=", 15, new EventValue<ProcNameKind>(),
        new() { Title = "PROC", WidthMin = 8, Rank = 50, IsRare = true, Limit = 16, SameAs = "comm" });

    /// <summary>The file that the process runs.</summary>
    public static EventColumn Executable { get; } =
        new("exe", "exe=", 0, new EventValue<ExecutableKind>(), new() { Rank = 31, IsRare = true, IsWide = true });

    /// <summary>Why a path refused a call.</summary>
    public static EventColumn Why { get; } =
        new("why", "why=", 0, new EventValue<WhyKind>(), new() { Rank = 20, IsRare = true, IsWide = true });

    /// <summary>The container's name, or its short id.</summary>
    public static EventColumn Container { get; } = new(
        "container", "container=", 0, new EventValue<ContainerNameKind>(), new() { Rank = 30, IsRare = true, Limit = 32 });

    /// <summary>The pod.</summary>
    public static EventColumn Pod { get; } =
        new("pod", "pod=", 0, new EventValue<PodKind>(), new() { Rank = 29, IsRare = true, Limit = 40 });

    /// <summary>The pod's namespace.</summary>
    public static EventColumn PodNamespace { get; } =
        new("pod_namespace", "pod_namespace=", 0, new EventValue<PodNamespaceKind>(), new() { Rank = 28, IsRare = true, Limit = 32 });

    /// <summary>The image.</summary>
    public static EventColumn Image { get; } =
        new("image", "image=", 0, new EventValue<ImageKind>(), new() { Rank = 27, IsRare = true, Limit = 40 });

    /// <summary>All of them.</summary>
    public static IReadOnlyList<(Enrichments By, EventColumn Column)> All { get; } =
        [(Enrichments.Time, Time), (Enrichments.User, User), (Enrichments.Proc, Proc), (Enrichments.Exe, Executable),
            (Enrichments.Container, Container), (Enrichments.Container, Pod), (Enrichments.Container, PodNamespace), (Enrichments.Container, Image), (Enrichments.Why, Why)];

    /// <summary>The value of <c>--enrich</c> that asks for it.</summary>
    public static string FlagValueOf(Enrichments by) => by.ToString().ToLowerInvariant();
}
