using Veil.Core.Privileged;
using Veil.Core.Session;

namespace Veil.Cli;

/// <summary>The only executable.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        AppDomain.CurrentDomain.UnhandledException += static (_, unhandled) => ErrorBoundary.EndAtOnce((Exception)unhandled.ExceptionObject);
        try
        {
            StandardStreams.RequireOutput();
            return args is [RootServer.Hidden, .. var words] ? RootServer.Run(words) : CommandLine.Run(args);
        }
        catch (Exception error)
        {
            return ErrorBoundary.Report(error);
        }
    }
}
