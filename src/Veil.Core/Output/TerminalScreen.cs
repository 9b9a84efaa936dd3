// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Output;

/// <summary>The terminal on a standard stream (TIOCGWINSZ, ioctl_tty(2)).</summary>
public sealed class TerminalScreen : IScreen
{
    private readonly int _stream;
    private (int Columns, int Rows) _known;

    private TerminalScreen(int stream, (int Columns, int Rows) size) => (_stream, _known) = (stream, size);

    /// <summary>The screen; nothing where the stream is no terminal, or one that does not say how wide it is.</summary>
    public static TerminalScreen? Of(int stream) => Read(stream) is { Columns: > 0 } size ? new TerminalScreen(stream, size) : null;

    /// <inheritdoc/>
    public (int Columns, int Rows) Size
    {
        get
        {
            if (Read(_stream) is { Columns: > 0 } size)
                _known = size;
            return _known;
        }
    }

    private static (int Columns, int Rows) Read(int stream) => LibC.IsTerminal(stream) ? LibC.WindowSize(stream) : default;
}
