using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary><c>veil doctor</c> keeps its word: what it calls possible attaches, what it does not call so is one clear error.</summary>
public sealed class DoctorTests
{
    private static readonly string[] s_modules = [.. Report().GetProperty("modules").EnumerateObject().Select(static module => module.Name)];

    public static TheoryData<string> Modules => [.. s_modules];

    [Theory]
    [MemberData(nameof(Modules))]
    public void Doctor_FirstPossibleRung_IsTheOneThatIsUsed(string module) =>
        Report().GetProperty("modules").GetProperty(module).GetProperty("hook").GetString().ShouldBe(Rungs.Best(module));

    [Fact]
    public void Doctor_ImpossibleRungForced_IsOneLineAndExitCode1()
    {
        foreach (string hook in Rungs.Impossible("files"))
        {
            var run = VeilRun.ToEnd("--module", "files", "--hook", hook);

            run.ExitCode.ShouldBe(1);
            run.Errors.Trim().Split('\n').ShouldHaveSingleItem().ShouldStartWith($"veil: attaching module files by {hook}: ");
        }
    }

    [Fact]
    public void Doctor_Text_NamesEveryModule()
    {
        var run = VeilRun.ToEnd("doctor");

        run.ExitCode.ShouldBe(0);
        foreach (string module in s_modules)
            run.Lines.ShouldContain(line => line.StartsWith(module + " ", StringComparison.Ordinal) && line.Contains(" by ", StringComparison.Ordinal));
    }

    [Fact]
    public void Doctor_WithoutPrivileges_SaysWhatIsMissing()
    {
        var run = VeilRun.ToEndWith("setpriv", "--reuid", "65534", "--clear-groups", Repository.Veil, "doctor");

        run.ExitCode.ShouldBe(1);
        run.Lines.ShouldContain(static line => line.Contains("CAP_BPF and CAP_PERFMON", StringComparison.Ordinal));
    }

    private static JsonElement Report() => JsonDocument.Parse(VeilRun.ToEnd("doctor", "--output", "json").RawOutput).RootElement;
}
