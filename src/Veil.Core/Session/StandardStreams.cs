using System.Text;
using Veil.Core.Interop;

namespace Veil.Core.Session;

/// <summary>The streams that this process was given.</summary>
public static class StandardStreams
{
    internal const int Output = 1;
    private const int Error = 2;

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

    /// <summary>Writes to standard error in one piece. What cannot be written there has nowhere else to go.</summary>
    public static unsafe void WriteError(string text)
    {
        if (!LibC.IsWritable(Error))
            return;
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* data = bytes)
            _ = LibC.Write(Error, data, bytes.Length);
    }
}
