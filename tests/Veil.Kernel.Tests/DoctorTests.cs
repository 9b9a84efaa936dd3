using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary><c>veil doctor</c> keeps its word: what it calls possible attaches, what it does not call so is one clear error.</summary>
public sealed class DoctorTests
{
    // Once: it attaches every module in every way, which takes an emulated kernel ten seconds.
    private static readonly JsonElement s_report = JsonDocument.Parse(VeilRun.ToEnd("doctor", "--output", "json").RawOutput).RootElement;

    private static readonly string[] s_modules = [.. s_report.GetProperty("modules").EnumerateObject().Select(static module => module.Name)];

    public static TheoryData<string> Modules => [.. s_modules];

    [Theory]
    [MemberData(nameof(Modules))]
    public void Doctor_FirstPossibleRung_IsTheOneThatIsUsed(string module) =>
        s_report.GetProperty("modules").GetProperty(module).GetProperty("hook").GetString().ShouldBe(Rungs.Best(module));

    [Theory]
    [MemberData(nameof(Modules))]
    public void Doctor_ImpossibleRungForced_IsOneLineAndExitCode1(string module)
    {
        foreach (string hook in Rungs.Impossible(module))
        {
            var run = VeilRun.ToEnd("--module", module, "--hook", hook);

            run.ExitCode.ShouldBe(1);
            run.Errors.Trim().Split('\n').ShouldHaveSingleItem().ShouldStartWith($"veil: attaching module {module} by {hook}: ");
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
}
