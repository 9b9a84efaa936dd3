// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Session;

/// <summary>The rate of a counter over the last seconds. Fed by one thread, asked by any.</summary>
internal sealed class RateMeter
{
    private const int Samples = 6; // five seconds, fed once a second
    private const long Unknown = -1;

    private readonly (long AtMs, ulong Count)[] _samples = new (long, ulong)[Samples];
    private int _fed;
    private long _perSecond = Unknown;

    /// <summary>Events a second; nothing before the second look at the counter.</summary>
    public ulong? PerSecond => Volatile.Read(ref _perSecond) is >= 0 and var rate ? (ulong)rate : null;

    /// <summary>Takes the counter's value at a time.</summary>
    public void Feed(long nowMs, ulong count)
    {
        var oldest = _samples[_fed < Samples ? 0 : _fed % Samples];
        _samples[_fed++ % Samples] = (nowMs, count);
        if (_fed > 1 && nowMs > oldest.AtMs)
            Volatile.Write(ref _perSecond, (long)((count - oldest.Count) * 1000 / (ulong)(nowMs - oldest.AtMs)));
    }
}
