// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core;

/// <summary>What <c>veil</c> ends with.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>Could not run, or could not write its output.</summary>
    public const int Failure = 1;

    /// <summary>The command line or a file of the user's is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Events were lost, and <c>--fail-on-loss</c> was given.</summary>
    public const int Loss = 3;
}
