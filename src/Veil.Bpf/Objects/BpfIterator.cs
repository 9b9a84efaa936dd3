// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>An <c>iter/</c> program that can be run again and again, from 5.19 on also without the privileges that made it.</summary>
public sealed class BpfIterator : IDisposable
{
    private readonly string _program;
    private readonly BpfLink _link;

    internal BpfIterator(string program, BpfLink link)
    {
        _program = program;
        _link = link;
    }

    /// <summary>Runs the program once over all that it iterates. What it writes is not kept.</summary>
    /// <exception cref="BpfException">It ended early, or privileges are missing.</exception>
    public void Run()
    {
        using var iteration = BpfIteration.Of(_program, _link);
        iteration.Run();
    }

    /// <inheritdoc/>
    public void Dispose() => _link.Dispose();
}
