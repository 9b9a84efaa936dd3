// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.Versioning;
using Veil.Core.Export;

namespace Veil.Core.Tests.Export;

/// <summary>The file of a token.</summary>
[SupportedOSPlatform("linux")]
public sealed class BearerTokenTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-token-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_FileOfItsOwnerAlone_SaysNothing()
    {
        var said = new List<string>();
        var token = BearerToken.Read("--metrics-token-file", Write("s3cret\n", UnixFileMode.UserRead), said.Add);

        said.ShouldBeEmpty();
        token.Equals("s3cret"u8).ShouldBeTrue();
        token.Equals("s3cre"u8).ShouldBeFalse();
        token.Equals(""u8).ShouldBeFalse();
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead, "can be read by everybody; chmod 600 it")]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.GroupRead, "can be read by its group; chmod 600 it")]
    public void Read_FileOfOthersToo_Warns(UnixFileMode mode, string expected)
    {
        var said = new List<string>();
        BearerToken.Read("--metrics-token-file", Write("s3cret", mode), said.Add);

        said.ShouldHaveSingleItem().ShouldEndWith(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("two words")]
    [InlineData("na\u00efve")]
    public void Read_NoToken_IsAnError(string content) =>
        Should.Throw<UsageException>(() => BearerToken.Read("--t", Write(content, UnixFileMode.UserRead), static _ => { })).Message
            .ShouldEndWith("a token is one word of at most 4096 printable ASCII characters");

    [Fact]
    public void Read_NoFile_IsAnError() =>
        Should.Throw<UsageException>(() => BearerToken.Read("--t", _folder + "/none", static _ => { })).Message
            .ShouldBe($"--t: {_folder}/none: No such file or directory");

    [Fact]
    public void Read_Folder_IsAnError() =>
        Should.Throw<UsageException>(() => BearerToken.Read("--t", _folder, static _ => { })).Message.ShouldBe($"--t: {_folder}: it is no regular file");

    private string Write(string content, UnixFileMode mode)
    {
        string path = Path.Combine(_folder, "token");
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, mode);
        return path;
    }
}
