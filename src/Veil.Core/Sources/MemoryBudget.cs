// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Modules;
using Veil.Core.Options;

namespace Veil.Core.Sources;

/// <summary>
/// What a trace takes of what its memory cgroup allows: the process, the ring, and module by module its maps, and for a moment what the
/// kernel's check of its programs takes. Asked before each step, so that a line says what is missing, and the kernel ends nobody.
/// </summary>
internal sealed class MemoryBudget
{
    private const long MiB = 1024 * 1024;

    // Measured in groups that are just large enough, with room: the runtime with the kernel's types while a module is loaded, the helper
    // process, and of a module the programs and links, and what a module has in all where no flag asks for more. That is rounded up: what
    // the first look says is enough for the second.
    private const long ProcessBytes = 23 * MiB;
    private const long HelperBytes = 3 * MiB;
    private const long ProgramsBytes = MiB / 2;
    private const long ModuleBytes = 3 * MiB;

    private readonly long _limitBytes;
    private readonly int _modules;
    private readonly string? _remedy;
    private long _takenBytes;

    private MemoryBudget(long limitBytes, int modules, long ringBytes, bool hasHelper, string? remedy)
    {
        _limitBytes = limitBytes;
        _modules = modules;
        _remedy = remedy;
        _takenBytes = ProcessBytes + ringBytes + (hasHelper ? HelperBytes : 0);
    }

    /// <summary>That of a trace.</summary>
    /// <param name="options">The trace.</param>
    /// <param name="hasHelper">With a helper process?</param>
    /// <param name="limitBytes">What is allowed.</param>
    public static MemoryBudget Of(SessionOptions options, bool hasHelper, long limitBytes) =>
        new(limitBytes, options.Modules.Count, options.RingBytes, hasHelper,
            $"raise its limit{(options.Modules.Count == 1 ? "" : ", choose fewer modules")} or " +
                $"{(options.Counting is null ? "a smaller --buffer" : "fewer --keys")}");

    /// <summary>That of one module for a moment, where nothing can be chosen.</summary>
    public static MemoryBudget OfOne(int ringBytes) => new(MemoryCgroup.LimitBytes, 1, ringBytes, hasHelper: false, remedy: null);

    /// <summary>A first look at one module in one way, before its object is read, which takes megabytes.</summary>
    /// <exception cref="MemoryShortageException">It does not fit.</exception>
    public static void RequireOne(HookRung rung, int ringBytes) => OfOne(ringBytes).Require(rung.LoadBytes + ModuleBytes);

    /// <summary>A first look, as cheap as it can be: before the objects are read, by what modules take on average.</summary>
    /// <exception cref="MemoryShortageException">It does not fit.</exception>
    public static void Require(SessionOptions options, bool hasHelper, long limitBytes)
    {
        var budget = Of(options, hasHelper, limitBytes);
        long load =
            options.Modules.Max(module => (module.Rungs.FirstOrDefault(rung => rung.Name == options.Hook) ?? module.Rungs[0]).LoadBytes);
        budget.Require(Math.Max(load + ModuleBytes, options.Modules.Count * ModuleBytes));
    }

    /// <summary>Before an object is loaded: takes what it will have, if there is room for its maps and for the check of its
    /// programs.</summary>
    /// <param name="bpfObject">With its maps as they will be created.</param>
    /// <param name="loadBytes">What the check takes.</param>
    /// <returns>What is taken, in bytes.</returns>
    /// <exception cref="MemoryShortageException">There is not.</exception>
    public long Take(BpfObject bpfObject, long loadBytes)
    {
        long bytes = ProgramsBytes + bpfObject.Maps.Where(static map => map.WillBeCreated)
            .Sum(static map => MapMemory.Of(map, KernelFeatures.PossibleCpuCount));
        Require(bytes + loadBytes);
        _takenBytes += bytes;
        return bytes;
    }

    /// <summary>An object that was taken is gone.</summary>
    /// <param name="bytes">What it had.</param>
    public void GiveBack(long bytes) => _takenBytes -= bytes;

    private void Require(long moreBytes)
    {
        if (_takenBytes + moreBytes > _limitBytes)
            throw new MemoryShortageException(_modules, _takenBytes + moreBytes, _limitBytes, _remedy);
    }
}
