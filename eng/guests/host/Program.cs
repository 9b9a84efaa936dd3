// SPDX-License-Identifier: GPL-3.0-only
// Runs the tests of an assembly with this application's own runtime, and prints a line for each as `dotnet vstest` does: `run-tests ASSEMBLY [FILTER]`.
// For guests of another architecture: the .NET runtime comes as a package there, and neither `dotnet` nor its test runner does.
using System.Globalization;
using System.Runtime.Loader;
using Xunit;

string assembly = Path.GetFullPath(args[0]), folder = Path.GetDirectoryName(assembly)!;
AppContext.SetData("APP_CONTEXT_BASE_DIRECTORY", folder + "/");
AssemblyLoadContext.Default.Resolving += (context, name) =>
    Path.Combine(folder, name.Name + ".dll") is var file && File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
return Runner.Run(assembly, args.Length > 1 ? args[1] : "");

internal static class Runner
{
    public static int Run(string assembly, string filter)
    {
        using var controller = new XunitFrontController(AppDomainSupport.Denied, assembly);
        using var found = new TestDiscoverySink();
        controller.Find(includeSourceInformation: false, found, TestFrameworkOptions.ForDiscovery());
        found.Finished.WaitOne();
        var chosen = found.TestCases.Where(test => Filter.Has(
            filter, test.DisplayName, $"{test.TestMethod.TestClass.Class.Name}.{test.TestMethod.Method.Name}")).ToList();
        Console.WriteLine($"{chosen.Count} of {found.TestCases.Count} tests");

        int failed = 0;
        var sink = new TestMessageSink();
        sink.Execution.TestPassedEvent += told => Say("Passed", told.Message.Test.DisplayName, told.Message.ExecutionTime);
        sink.Execution.TestSkippedEvent += told => Say("Skipped", told.Message.Test.DisplayName, 0);
        sink.Execution.TestFailedEvent += told =>
        {
            Interlocked.Increment(ref failed);
            Say("Failed", told.Message.Test.DisplayName, told.Message.ExecutionTime);
            Console.WriteLine($"  {string.Join('\n', told.Message.Messages)}\n{string.Join('\n', told.Message.StackTraces)}");
        };
        using var ended = new ManualResetEvent(false);
        sink.Execution.TestAssemblyFinishedEvent += _ => ended.Set();
        controller.RunTests(chosen, sink, TestFrameworkOptions.ForExecution());
        ended.WaitOne();
        return failed > 0 || chosen.Count == 0 ? 1 : 0;
    }

    private static void Say(string outcome, string name, decimal seconds) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {outcome} {name} [{seconds:F1} s]"));
}

/// <summary>A filter as <c>dotnet test</c> takes it: <c>NAME~text</c>, <c>NAME!~text</c>, <c>=</c>, <c>!=</c>, joined by <c>&amp;</c> and <c>|</c>, in parentheses.</summary>
internal static class Filter
{
    public static bool Has(string filter, string displayName, string fullName)
    {
        int at = 0;
        return filter.Length == 0 || Any();

        bool Any()
        {
            bool result = All();
            while (at < filter.Length && filter[at] == '|')
            {
                at++;
                result |= All();
            }

            return result;
        }

        bool All()
        {
            bool result = One();
            while (at < filter.Length && filter[at] == '&')
            {
                at++;
                result &= One();
            }

            return result;
        }

        bool One()
        {
            if (filter[at] == '(')
            {
                at++;
                bool inside = Any();
                at++; // )
                return inside;
            }

            int end = filter.IndexOfAny(['&', '|', ')'], at);
            string condition = filter[at..(end < 0 ? filter.Length : end)];
            at += condition.Length;
            int operation = condition.IndexOfAny(['~', '=', '!']);
            bool denies = condition[operation] == '!';
            bool contains = condition[operation + (denies ? 1 : 0)] == '~';
            string name = condition[..operation], text = condition[(operation + (denies ? 2 : 1))..];
            string value = name switch
            {
                "DisplayName" => displayName,
                "FullyQualifiedName" => fullName,
                _ => throw new ArgumentException($"a filter by {name} is not known"),
            };
            return (contains ? value.Contains(text, StringComparison.OrdinalIgnoreCase) : value == text) != denies;
        }
    }
}
