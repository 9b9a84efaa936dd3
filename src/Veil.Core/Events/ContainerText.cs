// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Containers;

namespace Veil.Core.Events;

/// <summary>What an event shows of a container: raw bytes, empty where it is not known, none longer than
/// <see cref="EventView.NameBytesMax"/>.</summary>
public sealed class ContainerText
{
    // As all runtimes shorten it.
    private const int ShortId = 12;
    private readonly byte[] _name;
    private readonly byte[] _id;
    private readonly byte[] _pod;
    private readonly byte[] _namespace;
    private readonly byte[] _image;

    /// <summary>Of a container.</summary>
    public ContainerText(Container container)
        : this(
        Bytes(container.Name ?? container.Id[..Math.Min(ShortId, container.Id.Length)]), Bytes(container.Id), Bytes(container.Pod),
        Bytes(container.PodNamespace), Bytes(container.Image))
    {
    }

    /// <summary>As it was recorded.</summary>
    internal ContainerText(byte[] name, byte[] id, byte[] pod, byte[] podNamespace, byte[] image) =>
        (_name, _id, _pod, _namespace, _image) = (name, id, pod, podNamespace, image);

    /// <summary>Its name; the beginning of its id.</summary>
    public ReadOnlySpan<byte> Name => _name;

    /// <summary>Its whole id.</summary>
    public ReadOnlySpan<byte> Id => _id;

    /// <summary>Its pod.</summary>
    public ReadOnlySpan<byte> Pod => _pod;

    /// <summary>The pod's namespace.</summary>
    public ReadOnlySpan<byte> PodNamespace => _namespace;

    /// <summary>Its image.</summary>
    public ReadOnlySpan<byte> Image => _image;

    private static byte[] Bytes(string? text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text ?? "");
        return bytes.Length <= EventView.NameBytesMax ? bytes : bytes[..EventView.NameBytesMax];
    }
}
