using Veil.Core.Interop;

namespace Veil.Core.Session;

/// <summary>The streams that this process was given.</summary>
public static class StandardStreams
{
    internal const int Output = 1;

    /// <summary>
    /// Checks that there is a standard output. Without one (<c>>&amp;-</c>) the next file that is opened takes its number; the
    /// runtime's first ones are opened for reading.
    /// </summary>
    /// <exception cref="VeilException">There is none.</exception>
    public static void RequireOutput()
    {
        if (!LibC.IsWritable(Output))
            throw new VeilException("writing the output: standard output is closed; give it a file, a pipe or a terminal");
    }
}
