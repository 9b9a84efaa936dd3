// SPDX-License-Identifier: GPL-3.0-only
using Veil.Cli.Service;
using Veil.Core.Privileged;
using Veil.Core.Waiting;

namespace Veil.Cli;

/// <summary>The only executable.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        AppDomain.CurrentDomain.UnhandledException += static (_, unhandled) =>
            ErrorBoundary.EndAtOnce((Exception)unhandled.ExceptionObject);
        try
        {
            if (args is [RootServer.Hidden, .. var words])
                return RootServer.Run(words);
            if (args is [ServiceWorker.Hidden, .. var rest])
                args = ServiceWorker.Become(rest);
            return CommandLine.Run(args);
        }
        catch (Exception error)
        {
            int code = ErrorBoundary.Report(error);
            if (error is StoppedException stopped)
                EarlySignals.EndBy(stopped.Signal);
            return code;
        }
    }
}
