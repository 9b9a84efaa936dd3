// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Tests.Unwinding;

/// <summary>Needs the C library of Debian on x86-64.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LibraryFactAttribute : FactAttribute
{
    /// <summary>Where it is.</summary>
    public const string Library = "/lib/x86_64-linux-gnu/libc.so.6";

    /// <summary>Skips the test where it is not.</summary>
    public LibraryFactAttribute()
    {
        if (RuntimeInformation.OSArchitecture != Architecture.X64 || !File.Exists(Library))
            Skip = $"there is no {Library}";
    }
}
