// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Recordings;

/// <summary>What a flight recorder keeps is to be written.</summary>
/// <param name="why">Who asked for it.</param>
/// <param name="fd">Where to, owned; less than 0: a file beside the one that was named.</param>
internal sealed class DumpRequest(string why, int fd = -1)
{
    private readonly TaskCompletionSource<(bool Succeeded, string Text)> _done = new();

    /// <summary>Who asked for it.</summary>
    public string Why => why;

    /// <summary>Where to.</summary>
    public int Fd => fd;

    /// <summary>It is done.</summary>
    public void Finish(bool succeeded, string text) => _done.TrySetResult((succeeded, text));

    /// <summary>Waits for that; nothing where it takes longer.</summary>
    public (bool Succeeded, string Text)? Wait(int ms) => _done.Task.Wait(ms) ? _done.Task.Result : null;
}
