// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>What <c>veil doctor</c> says; that it is true is in <see cref="RungTests"/>.</summary>
public sealed class DoctorTests
{
    [Fact]
    public void Doctor_Text_NamesEveryModule()
    {
        var run = VeilRun.ToEnd("doctor");

        run.ExitCode.ShouldBe(0);
        foreach (string module in Rungs.Modules)
            run.Lines.ShouldContain(
                line => line.StartsWith(module + " ", StringComparison.Ordinal) && line.Contains(" by ", StringComparison.Ordinal));
    }

    [Fact]
    public void Doctor_WithoutPrivileges_SaysWhatIsMissing()
    {
        var run = VeilRun.ToEndWith("setpriv", "--reuid", "65534", "--clear-groups", Repository.Veil, "doctor");

        run.ExitCode.ShouldBe(1);
        run.Lines.ShouldContain(static line => line.Contains("CAP_BPF and CAP_PERFMON", StringComparison.Ordinal));
    }
}
