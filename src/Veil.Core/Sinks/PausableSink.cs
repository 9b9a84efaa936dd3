using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>Hands events on, or while paused drops and counts them. Paused and resumed from any thread.</summary>
public sealed class PausableSink(IEventSink next, EventCatalog events) : IEventSink
{
    private readonly ulong[] _dropped = new ulong[events.Schemas.Count];
    private bool _paused;

    /// <summary>Does it drop now?</summary>
    public bool Paused
    {
        get => Volatile.Read(ref _paused);
        set => Volatile.Write(ref _paused, value);
    }

    /// <summary>Events that it dropped so far.</summary>
    public ulong Dropped => events.Sum(_dropped);

    /// <summary>Those of one module.</summary>
    /// <param name="module">Its number in the session.</param>
    public ulong DroppedOf(int module) => events.Sum(_dropped, module);

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        if (_paused)
            _dropped[view.Schema.Index]++;
        else
            next.Write(ref view);
    }
}
