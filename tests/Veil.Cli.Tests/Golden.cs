// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Cli.Tests;

/// <summary>Compares with a file that a person has read. UPDATE_GOLDEN=1 writes the files anew, for a person to read again.</summary>
internal static class Golden
{
    public static void Check(string name, string actual)
    {
        string path = Path.Combine(HelpTests.RepositoryRoot(), "tests/Veil.Cli.Tests/Golden", name);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        actual.ShouldBe(File.ReadAllText(path));
    }
}
