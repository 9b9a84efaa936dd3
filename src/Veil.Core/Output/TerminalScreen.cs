// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Output;

/// <summary>The terminal on standard output (TIOCGWINSZ, ioctl_tty(2)).</summary>
public sealed class TerminalScreen : IScreen
{
    private (int Columns, int Rows) _known;

    private TerminalScreen((int Columns, int Rows) size) => _known = size;

    /// <summary>The screen; nothing where standard output is no terminal, or one that does not say how wide it is.</summary>
    public static TerminalScreen? OfOutput() => Read() is { Columns: > 0 } size ? new TerminalScreen(size) : null;

    /// <inheritdoc/>
    public (int Columns, int Rows) Size
    {
        get
        {
            if (Read() is { Columns: > 0 } size)
                _known = size;
            return _known;
        }
    }

    private static (int Columns, int Rows) Read() => LibC.IsTerminal(StandardStreams.Output) ? LibC.WindowSize(StandardStreams.Output) : default;
}
