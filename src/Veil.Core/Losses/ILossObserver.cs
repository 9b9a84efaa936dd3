// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Losses;

/// <summary>Is told of losses.</summary>
internal interface ILossObserver
{
    /// <summary>Events were lost since the last time. The users are valid during the call.</summary>
    void Lost(LossKey key, LossCount lost);
}
