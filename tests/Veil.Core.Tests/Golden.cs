// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests;

/// <summary>Compares with a file that a person has read. UPDATE_GOLDEN=1 writes the files anew, for a person to read again.</summary>
internal static class Golden
{
    public static void Check(string name, string actual)
    {
        string path = Path.Combine(SyscallObject.Root, "tests/Veil.Core.Tests/Golden", name);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        actual.ShouldBe(File.ReadAllText(path));
    }
}
