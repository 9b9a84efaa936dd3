// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Reflection;

namespace Veil.Core.Tests;

/// <summary>
/// A fact about allocation that only holds for optimized code, as in the shipped executable: without the optimizer the
/// JIT calls <c>RuntimeHelpers.CreateSpan</c> for a constant span instead of folding it, which allocates. Skipped in Debug builds.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OptimizedFactAttribute : FactAttribute
{
    public OptimizedFactAttribute()
    {
        if (typeof(SyscallTable).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true })
            Skip = "Veil.Core is built without optimization";
    }
}
