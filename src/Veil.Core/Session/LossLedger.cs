using Veil.Bpf;

namespace Veil.Core.Session;

/// <summary>Reads what a module lost, by cause, out of its per-CPU counters (<c>enum veil_loss</c>).</summary>
internal sealed class LossLedger
{
    private const string NamePrefix = "VEIL_LOST_";
    private readonly BpfPerCpuArray<ulong> _counters;
    private readonly string[] _causes;
    private readonly ulong[] _seen;
    private readonly ulong[] _perCpu = new ulong[KernelFeatures.PossibleCpuCount];
    private ulong _missesSeen;

    public LossLedger(BpfObject bpfObject)
    {
        var names = bpfObject.Btf.FindEnum("veil_loss") ?? throw new VeilException("reading the loss ledger: the object has no enum veil_loss");
        _causes = [.. names.Values
            .Where(static value => value.Name.StartsWith(NamePrefix, StringComparison.Ordinal))
            .OrderBy(static value => value.Value)
            .Select(static value => value.Name[NamePrefix.Length..].ToLowerInvariant())];
        _seen = new ulong[_causes.Length];
        _counters = new BpfPerCpuArray<ulong>(bpfObject.Map("veil_losses"));
    }

    /// <summary>Names each cause with what it lost since the last call.</summary>
    public void Collect(string module, ILossObserver observer)
    {
        for (int cause = 0; cause < _causes.Length; cause++)
        {
            _counters.Read(cause, _perCpu);
            ulong total = 0;
            foreach (ulong count in _perCpu)
                total += count;
            if (total != _seen[cause])
                observer.Lost(module, _causes[cause], total - _seen[cause]);
            _seen[cause] = total;
        }
    }

    /// <summary>Hits that the kernel itself did not run a program for, because one was running already (5.12).</summary>
    public void CollectMisses(string module, List<BpfProgram> programs, ILossObserver observer)
    {
        ulong total = 0;
        foreach (var program in programs)
            total += program.Info().RecursionMisses;
        if (total != _missesSeen)
            observer.Lost(module, "missed_probe", total - _missesSeen);
        _missesSeen = total;
    }
}

/// <summary>Is told of losses.</summary>
internal interface ILossObserver
{
    /// <summary>Events of a module were lost since the last time.</summary>
    void Lost(string module, string cause, ulong count);
}
