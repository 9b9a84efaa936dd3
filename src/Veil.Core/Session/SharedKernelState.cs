using Veil.Bpf;
using Veil.Core.Events;

namespace Veil.Core.Session;

/// <summary>What all modules of a session share.</summary>
/// <param name="Ring">The one ring.</param>
/// <param name="Events">The kinds of events that the modules emit; they add theirs.</param>
public sealed record SharedKernelState(BpfMapHandle Ring, EventCatalog Events)
{
    private EventHeader? _header;

    /// <summary>The common header; known once a module is attached.</summary>
    public EventHeader Header => _header ?? throw new InvalidOperationException("no module is attached yet");

    /// <summary>Adds the events of an object.</summary>
    public void AddEvents(Btf btf, string module, int moduleNumber, int eventNumber)
    {
        _header ??= EventHeader.FromBtf(btf);
        Events.Add(btf, module, moduleNumber, eventNumber);
    }
}
