// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Core.Why;

/// <summary>A sum of time: <c>struct why_sum</c> of <c>why.bpf.c</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct WhySum
{
    /// <summary>Nanoseconds.</summary>
    public readonly ulong Ns;

    /// <summary>How often it was so.</summary>
    public readonly ulong Times;

    private readonly Comm _comm;

    /// <summary>The name of the thread; while it waited for a CPU that of the thread that ran there just before. Not escaped.</summary>
    public string Name
    {
        get
        {
            ReadOnlySpan<byte> name = _comm;
            int end = name.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
        }
    }

    [InlineArray(16)]
    private struct Comm
    {
        private byte _first;
    }
}
