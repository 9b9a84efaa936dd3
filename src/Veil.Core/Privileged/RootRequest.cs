// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>All that the helper process can be asked for. There is no request with a path in it.</summary>
internal enum RootRequest : uint
{
    /// <summary>Is it there?</summary>
    Ready = 1,

    /// <summary>A descriptor of <c>/proc/PID/comm</c>.</summary>
    OpenProcessName = 2,

    /// <summary>Removal of the control socket that it was started with.</summary>
    RemoveSocket = 3,
}
