namespace Veil.Core.Sinks;

/// <summary>Where finished lines go.</summary>
public interface IOutput
{
    /// <summary>Writes all of it, waiting where the other side is slow.</summary>
    /// <exception cref="OutputException">The output takes no more.</exception>
    void Write(ReadOnlySpan<byte> lines);
}
