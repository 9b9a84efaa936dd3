// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using Veil.Bpf;
using Veil.Core.Losses;

namespace Veil.Core.Sources;

/// <summary>
/// Reads what a module lost, by cause (<c>enum veil_loss</c>) and by user: each loss is counted in one place, with its user or, where
/// there is no room for one more, with the CPU.
/// </summary>
internal sealed class LossLedger
{
    private const string NamePrefix = "VEIL_LOST_";
    internal const int Causes = 5; // VEIL_LOSS_CAUSES

    private readonly BpfObject _object;
    private readonly BpfPerCpuArray<ulong> _ofNobody;
    private readonly BpfHashMap<uint, UserLosses> _ofUsers;
    private readonly string[] _causes;
    private readonly ulong[] _seen;
    private readonly ulong[] _perCpu = new ulong[KernelFeatures.PossibleCpuCount];
    private readonly Dictionary<uint, UserLosses> _seenOfUsers = [];
    private readonly List<UserLoss>[] _users;
    private ulong _missesSeen;

    public LossLedger(BpfObject bpfObject)
    {
        var names =
            bpfObject.Btf.FindEnum("veil_loss") ?? throw new VeilException("reading the loss ledger: the object has no enum veil_loss");
        _causes = [.. names.Values
            .Where(static value => value.Name.StartsWith(NamePrefix, StringComparison.Ordinal))
            .OrderBy(static value => value.Value)
            .Select(static value => value.Name[NamePrefix.Length..].ToLowerInvariant())];
        _seen = new ulong[_causes.Length];
        _users = [.. _causes.Select(static _ => new List<UserLoss>())];
        _object = bpfObject;
        _ofNobody = new BpfPerCpuArray<ulong>(bpfObject.Map("veil_losses"));
        _ofUsers = new BpfHashMap<uint, UserLosses>(bpfObject.Map("veil_user_lost"));
    }

    /// <summary>Names each cause with what it lost since the last call.</summary>
    public void Collect(string module, ILossObserver observer)
    {
        if (Volatile.Read(ref _object.Global<uint>("veil_has_user_losses")) == 0)
            return;
        foreach (var users in _users)
            users.Clear();
        foreach (var (uid, losses) in _ofUsers.Entries())
            Collect(uid, losses);

        for (int cause = 0; cause < _causes.Length; cause++)
        {
            ulong total = 0;
            _ofNobody.Read(cause, _perCpu);
            foreach (ulong count in _perCpu)
                total += count;
            ulong lost = total - _seen[cause];
            _seen[cause] = total;
            foreach (var user in _users[cause])
                lost += user.Count;
            _users[cause].Sort(static (one, other) => other.Count.CompareTo(one.Count));
            if (lost > 0)
                observer.Lost(new(module, _causes[cause]), new LossCount(lost, _users[cause]));
        }
    }

    /// <summary>Hits that the kernel itself did not run a program for, because one was running already (5.12).</summary>
    public void CollectMisses(string module, List<BpfProgram> programs, ILossObserver observer)
    {
        ulong total = 0;
        foreach (var program in programs)
            total += program.Info().RecursionMisses;
        if (total != _missesSeen)
            observer.Lost(new(module, LossCause.MissedProbe), new LossCount(total - _missesSeen, []));
        _missesSeen = total;
    }

    private void Collect(uint uid, UserLosses losses)
    {
        var seen = _seenOfUsers.GetValueOrDefault(uid);
        for (int cause = 0; cause < _causes.Length; cause++)
        {
            if (losses[cause] > seen[cause])
                _users[cause].Add(new UserLoss(uid, losses[cause] - seen[cause]));
        }

        _seenOfUsers[uid] = losses;
    }

    // struct veil_user_losses
    [InlineArray(Causes)]
    private struct UserLosses
    {
        private ulong _first;
    }
}
