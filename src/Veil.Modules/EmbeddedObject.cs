// SPDX-License-Identifier: GPL-3.0-only
using System.Reflection;
using Veil.Core.Interop;

namespace Veil.Modules;

/// <summary>The compiled BPF objects inside this assembly, which are compressed to an eighth.</summary>
internal static class EmbeddedObject
{
    /// <summary>The bytes of <c>NAME.bpf.o</c>.</summary>
    public static byte[] Read(string name)
    {
        string resource = name + ".bpf.o.zst";
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"this build holds no {resource}: run make generate");
        byte[] frame = new byte[stream.Length];
        stream.ReadExactly(frame);
        byte[] bytes = new byte[Zstd.SizeOf(frame)];
        return Zstd.TryDecompress(frame, bytes) ? bytes : throw new InvalidOperationException($"{resource} in this build is damaged");
    }
}
