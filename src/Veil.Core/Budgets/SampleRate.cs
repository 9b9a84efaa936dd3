// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;

namespace Veil.Core.Budgets;

/// <summary>How many of the events that pass are sent.</summary>
/// <param name="OneIn">One in so many, a power of two; 1: all of them; 0: none, they are counted alone.</param>
public readonly record struct SampleRate(uint OneIn)
{
    /// <summary>Beyond this, none are sent.</summary>
    public const uint OneInMax = 1024;

    /// <summary>All events are sent.</summary>
    public static readonly SampleRate All = new(1);

    /// <summary>None is sent.</summary>
    public static readonly SampleRate None = new(0);

    /// <summary>The rate that sends no more than one event in <paramref name="n"/>, and less than half as many at most.</summary>
    public static SampleRate AtMostOneIn(double n) =>
        n > OneInMax ? None : new(BitOperations.RoundUpToPowerOf2((uint)Math.Ceiling(Math.Max(n, 1))));

    /// <summary>What programs compare a random number with: <c>veil_sample_mask</c>.</summary>
    public uint Mask => OneIn - 1;

    /// <summary>The part of the events that is sent.</summary>
    public double Share => OneIn == 0 ? 0 : 1.0 / OneIn;

    /// <summary>In words, and the name of the step in JSON and metrics.</summary>
    public string Name => OneIn switch { 0 => "counts", 1 => "events", _ => "sample" };

    /// <inheritdoc/>
    public override string ToString() => OneIn switch { 0 => "counts alone", 1 => "all events", _ => $"one event in {OneIn}" };
}
