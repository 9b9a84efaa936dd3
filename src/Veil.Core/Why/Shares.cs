// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>Shares of a whole that add up to it as they are written.</summary>
public static class Shares
{
    /// <summary>Tenths of a percent. They sum to 1000: what rounding down leaves goes to the largest remainders.</summary>
    /// <param name="parts">The parts; all zero: so are the shares.</param>
    public static int[] Tenths(ReadOnlySpan<ulong> parts)
    {
        const int whole = 1000;
        UInt128 sum = 0;
        foreach (ulong part in parts)
            sum += part;
        int[] shares = new int[parts.Length];
        if (sum == 0)
            return shares;
        var remainders = new UInt128[parts.Length];
        int left = whole;
        for (int i = 0; i < parts.Length; i++)
        {
            shares[i] = (int)((UInt128)parts[i] * whole / sum);
            remainders[i] = (UInt128)parts[i] * whole % sum;
            left -= shares[i];
        }

        foreach (int i in Enumerable.Range(0, parts.Length).OrderByDescending(i => remainders[i]).Take(left))
            shares[i]++;
        return shares;
    }
}
