// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The user's name, from the enrichment.</summary>
internal readonly struct UserNameKind : INameKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        view.UserName.IsEmpty ? TStyle.Unknown(ref line) : TStyle.Text(ref line, view.UserName);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.UserName;
}

/// <summary>The process's current name, from the enrichment.</summary>
internal readonly struct ProcNameKind : INameKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        view.ProcName.IsEmpty ? TStyle.Unknown(ref line) : TStyle.Text(ref line, view.ProcName);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.ProcName;
}

/// <summary>The file that the process runs, from the enrichment.</summary>
internal readonly struct ExecutableKind : IValueKind
{
    public static ValueFacts Facts { get; } = new("string or null", null, null);

    public static int BytesMax(EventValue value) => Escaping.BytesMax(EventPart.LengthMax);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        view.Executable.IsEmpty ? TStyle.Unknown(ref line) : TStyle.Text(ref line, view.Executable);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Executable;
}

/// <summary>The container's name, or the beginning of its id.</summary>
internal readonly struct ContainerNameKind : IContainerKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IContainerKind.Append<TStyle>(ref line, RawText(value, ref view));

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.Name : [];
}

/// <summary>The name of its pod.</summary>
internal readonly struct PodKind : IContainerKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IContainerKind.Append<TStyle>(ref line, RawText(value, ref view));

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.Pod : [];
}

/// <summary>The namespace of its pod.</summary>
internal readonly struct PodNamespaceKind : IContainerKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IContainerKind.Append<TStyle>(ref line, RawText(value, ref view));

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.PodNamespace : [];
}

/// <summary>Its image.</summary>
internal readonly struct ImageKind : IContainerKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IContainerKind.Append<TStyle>(ref line, RawText(value, ref view));

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.Image : [];
}

/// <summary>What is known of a container; left out of text where the event is in none.</summary>
internal interface IContainerKind : INameKind
{
    static int Append<TStyle>(ref LineWriter line, ReadOnlySpan<byte> text)
        where TStyle : struct, IValueStyle => !text.IsEmpty ? TStyle.Text(ref line, text)
        : typeof(TStyle) == typeof(TextStyle) ? 0 : TStyle.Unknown(ref line);
}

/// <summary>A name that an enrichment found.</summary>
internal interface INameKind : IValueKind
{
    static ValueFacts IValueKind.Facts => new("string or null", null, null);

    static int IValueKind.BytesMax(EventValue value) => Escaping.BytesMax(EventView.NameBytesMax);
}
