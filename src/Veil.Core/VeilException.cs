// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core;

/// <summary>An error that a user can cause or must know of: one clear line and an exit code, never a stack trace.</summary>
public class VeilException : Exception
{
    /// <summary>An error of its own.</summary>
    /// <param name="message">The line.</param>
    public VeilException(string message)
        : base(message)
    {
    }

    /// <summary>An error that another one caused.</summary>
    /// <param name="message">The line.</param>
    /// <param name="cause">What went wrong below.</param>
    public VeilException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>The process's exit code: 1, could not run or could not write.</summary>
    public virtual int ExitCode => Veil.Core.ExitCode.Failure;

    /// <summary>Does it hold for every way to attach, so that no other has to be tried?</summary>
    public virtual bool IsFinal => false;
}
