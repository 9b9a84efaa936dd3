// SPDX-License-Identifier: GPL-3.0-only
using System.ComponentModel;
using Veil.Core;

namespace Veil.Cli.Tests;

/// <summary>An error of any kind is a line that a user can do something with, and has no stack trace.</summary>
public sealed class ErrorBoundaryTests
{
    public static TheoryData<Exception, string> Errors => new()
    {
        { new UsageException("--pid: no"), "--pid: no" },
        { new TypeInitializationException("X", new VeilException("inside")), "inside" },
        { new Win32Exception(24), "too many open files: the limit is " },
        { new IOException("x", 24), "too many open files: the limit is " },
        { new InsufficientMemoryException(), "out of memory: " },
        { new IOException("line\nbreak \u001b[31m"), @"line\nbreak \x1b[31m" },
        { new InvalidOperationException("wrong"), "this is a fault of veil, please report it: System.InvalidOperationException: wrong" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Explain_AnyError_IsOneLine(Exception error, string line)
    {
        string said = ErrorBoundary.Explain(error);

        said.ShouldStartWith(line);
        said.ShouldNotContain('\n');
    }
}
