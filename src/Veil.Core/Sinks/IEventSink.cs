using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>A stage of the pipeline. Stages compose: each does its part and hands the event on, or drops it.</summary>
public interface IEventSink
{
    /// <summary>Takes one event. The view is valid only during the call.</summary>
    void Write(ref EventView view);
}
