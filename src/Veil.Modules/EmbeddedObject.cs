// SPDX-License-Identifier: GPL-3.0-only
using System.Reflection;

namespace Veil.Modules;

/// <summary>The compiled BPF objects inside this assembly.</summary>
internal static class EmbeddedObject
{
    /// <summary>The bytes of <c>NAME.bpf.o</c>.</summary>
    public static byte[] Read(string name)
    {
        string resource = name + ".bpf.o";
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"this build holds no {resource}: run make generate");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
