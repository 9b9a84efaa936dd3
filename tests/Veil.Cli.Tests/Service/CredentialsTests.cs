// SPDX-License-Identifier: GPL-3.0-only
using Veil.Cli.Service;

namespace Veil.Cli.Tests.Service;

/// <summary>Credentials by the rules of systemd.exec(5): files in the folder that the environment names.</summary>
public sealed class CredentialsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-credentials-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Find_OfANameThatIsACredential_IsItsFile()
    {
        File.WriteAllText(Path.Combine(_folder, "token"), "secret");

        Credentials.Find("token", _folder).ShouldBe(Path.Combine(_folder, "token"));
        Credentials.Find("./token", _folder).ShouldBe("./token");
        Credentials.Find("other", _folder).ShouldBe("other");
        Credentials.Find("token", folder: null).ShouldBe("token");
    }

    [Fact]
    public void Headers_OfTheCredential_AreItsText()
    {
        Credentials.Headers(_folder).ShouldBeNull();
        File.WriteAllText(Path.Combine(_folder, "otlp-headers"), "authorization=Bearer%20x\n");

        Credentials.Headers(_folder).ShouldBe("authorization=Bearer%20x");
        Credentials.Headers(folder: null).ShouldBeNull();
    }
}
