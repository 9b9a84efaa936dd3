using Veil.Core;
using Veil.Core.Privileged;

namespace Veil.Cli;

/// <summary>The only executable.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        try
        {
            return args is [RootServer.Hidden, .. var words] ? RootServer.Run(words) : CommandLine.Run(args);
        }
        catch (VeilException error)
        {
            Messages.Write(error.Message);
            return error.ExitCode;
        }
    }
}
