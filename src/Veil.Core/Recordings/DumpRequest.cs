// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Recordings;

/// <summary>What a flight recorder keeps is to be written.</summary>
/// <param name="why">Who asked for it.</param>
/// <param name="fd">Where to, owned; less than 0: a file beside the one that was named.</param>
internal sealed class DumpRequest(string why, int fd = -1)
{
    private readonly ManualResetEventSlim _done = new();

    /// <summary>Who asked for it.</summary>
    public string Why => why;

    /// <summary>Where to.</summary>
    public int Fd => fd;

    /// <summary>What came of it; none: it is not done.</summary>
    public (bool Succeeded, string Text)? Result { get; private set; }

    /// <summary>It is done.</summary>
    public void Finish(bool succeeded, string text)
    {
        Result = (succeeded, text);
        _done.Set();
    }

    /// <summary>Waits for that.</summary>
    public void Wait(int ms) => _done.Wait(ms);
}
