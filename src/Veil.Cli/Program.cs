using Veil.Core;

namespace Veil.Cli;

/// <summary>The only executable.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            return CommandLine.Run(args);
        }
        catch (VeilException error)
        {
            Messages.Write(error.Message);
            return error.ExitCode;
        }
    }
}
