// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sources;

/// <summary>The memory cgroup allows less than a trace needs.</summary>
/// <param name="modules">How many modules it has.</param>
/// <param name="neededBytes">What it needs at least.</param>
/// <param name="limitBytes">What is allowed.</param>
/// <param name="remedy">What to do, where a trace was to start; or nothing.</param>
public sealed class MemoryShortageException(int modules, long neededBytes, long limitBytes, string? remedy) : VeilException(
    $"{(remedy is null ? "" : "starting: ")}{(modules == 1 ? "this module needs" : $"these {modules} modules need")} {(neededBytes + MiB - 1) / MiB} MiB of memory, and the memory cgroup allows {limitBytes / MiB}{(remedy is null ? "" : $": {remedy}")}")
{
    private const long MiB = 1024 * 1024;

    /// <inheritdoc/>
    public override bool IsFinal => true;
}
