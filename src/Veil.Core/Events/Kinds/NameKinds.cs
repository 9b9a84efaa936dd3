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

/// <summary>The container's name, or the beginning of its id.</summary>
internal readonly struct ContainerNameKind : INameKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        RawText(value, ref view) is { IsEmpty: false } name ? TStyle.Text(ref line, name) : TStyle.Unknown(ref line);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.Name : [];
}

/// <summary>The name of its pod.</summary>
internal readonly struct PodKind : INameKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        RawText(value, ref view) is { IsEmpty: false } name ? TStyle.Text(ref line, name) : TStyle.Unknown(ref line);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.Pod : [];
}

/// <summary>The namespace of its pod.</summary>
internal readonly struct PodNamespaceKind : INameKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        RawText(value, ref view) is { IsEmpty: false } name ? TStyle.Text(ref line, name) : TStyle.Unknown(ref line);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) =>
        view.Container is { } some ? some.PodNamespace : [];
}

/// <summary>Its image.</summary>
internal readonly struct ImageKind : INameKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        RawText(value, ref view) is { IsEmpty: false } name ? TStyle.Text(ref line, name) : TStyle.Unknown(ref line);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Container is { } some ? some.Image : [];
}

/// <summary>A name that an enrichment found.</summary>
internal interface INameKind : IValueKind
{
    static ValueFacts IValueKind.Facts => new("string or null", null, null);

    static int IValueKind.BytesMax(EventValue value) => Escaping.BytesMax(EventView.NameBytesMax);
}
