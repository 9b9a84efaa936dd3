namespace Veil.Core.Sinks;

/// <summary>The output takes no more. A closed pipe is how people end a trace (<c>| head</c>), everything else is an error.</summary>
public sealed class OutputException(string message, bool closedByReader) : VeilException(message)
{
    /// <summary>The reading end was closed.</summary>
    public bool ClosedByReader { get; } = closedByReader;

    /// <inheritdoc/>
    public override int ExitCode => ClosedByReader ? Veil.Core.ExitCode.Success : Veil.Core.ExitCode.Failure;
}
