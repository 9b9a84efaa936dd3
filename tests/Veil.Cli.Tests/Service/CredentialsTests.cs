// SPDX-License-Identifier: GPL-3.0-only
using Veil.Cli.Service;

namespace Veil.Cli.Tests.Service;

/// <summary>Credentials by the rules of systemd.exec(5): files in the folder that the environment names.</summary>
public sealed class CredentialsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-credentials-").FullName;

    public CredentialsTests() => Environment.SetEnvironmentVariable("CREDENTIALS_DIRECTORY", _folder);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("CREDENTIALS_DIRECTORY", null);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Find_OfANameThatIsACredential_IsItsFile()
    {
        File.WriteAllText(Path.Combine(_folder, "token"), "secret");

        Credentials.Find("token").ShouldBe(Path.Combine(_folder, "token"));
        Credentials.Find("./token").ShouldBe("./token");
        Credentials.Find("other").ShouldBe("other");
    }

    [Fact]
    public void Variable_OfHeaders_IsTheCredentialWhereTheEnvironmentHasNone()
    {
        Credentials.Variable("OTEL_EXPORTER_OTLP_HEADERS").ShouldBeNull();
        File.WriteAllText(Path.Combine(_folder, "otlp-headers"), "authorization=Bearer%20x\n");

        Credentials.Variable("OTEL_EXPORTER_OTLP_HEADERS").ShouldBe("authorization=Bearer%20x");
        Credentials.Variable("OTEL_EXPORTER_OTLP_TIMEOUT").ShouldBeNull();
    }
}
