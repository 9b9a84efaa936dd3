// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Containers;

namespace Veil.Core.Events;

/// <summary>What an event shows of a container: raw bytes, empty where it is not known, none longer than
/// <see cref="EventView.NameBytesMax"/>.</summary>
public sealed class ContainerText(Container container)
{
    // As all runtimes shorten it.
    private const int ShortId = 12;
    private readonly byte[] _name = Bytes(container.Name ?? container.Id[..Math.Min(ShortId, container.Id.Length)]);
    private readonly byte[] _id = Bytes(container.Id);
    private readonly byte[] _pod = Bytes(container.Pod);
    private readonly byte[] _namespace = Bytes(container.PodNamespace);
    private readonly byte[] _image = Bytes(container.Image);

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
