using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>Hands events on, or while paused drops and counts them. Paused and resumed from any thread.</summary>
public sealed class PausableSink(IEventSink next) : IEventSink
{
    private bool _paused;
    private ulong _dropped;

    /// <summary>Does it drop now?</summary>
    public bool Paused
    {
        get => Volatile.Read(ref _paused);
        set => Volatile.Write(ref _paused, value);
    }

    /// <summary>Events that it dropped so far.</summary>
    public ulong Dropped => Volatile.Read(ref _dropped);

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        if (_paused)
            _dropped++;
        else
            next.Write(ref view);
    }
}
