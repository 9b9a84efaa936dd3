// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core;
using Veil.Core.Modules;
using Veil.Modules.Files;

namespace Veil.Modules.Tests.Files;

public sealed class PathPatternTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-pattern-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Warnings_OfDotsAlone_AreNone()
    {
        var flags = ModuleArguments.None with { Values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { ["file"] = ["/etc/../etc/./hosts"] } };

        new FilesModule().Warnings(flags).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/etc/hosts", "/etc/hosts", true)]
    [InlineData("/etc/hosts", "/etc/hosts.deny", false)]
    [InlineData("/etc", "/etc", true)]
    [InlineData("/etc", "/etc/ssl/certs", true)]
    [InlineData("/etc", "/etcetera", false)]
    [InlineData("/", "/etc/hosts", true)]
    [InlineData("/etc/", "/etc/ssl/certs", true)]
    [InlineData("/etc/", "/etc", false)]
    [InlineData("etc/hosts", "/mnt/etc/hosts", true)]
    [InlineData("etc/hosts", "/mnt/xetc/hosts", false)]
    [InlineData("etc/ssl", "/mnt/etc/ssl/certs/a", true)]
    [InlineData("etc/ssl", "/mnt/etc/ssl.old/a", false)]
    [InlineData("ssl/", "/mnt/etc/ssl/certs", true)]
    [InlineData("ssl/", "/mnt/etc/ssl", false)]
    [InlineData("hosts", "/etc/hosts.deny", true)]
    [InlineData("*.log", "/var/log/nginx/access.log", true)]
    [InlineData("*.log", "/var/log/nginx/access.log.1", false)]
    [InlineData("*.log", "/var/x.log/file", false)]
    [InlineData("access.*", "/var/log/nginx/access.log", true)]
    [InlineData("cess.*", "/var/log/nginx/access.log", false)]
    [InlineData("a?cess.log", "/var/log/nginx/access.log", true)]
    [InlineData("a?.log", "/aé.log", true)]
    [InlineData("a?.log", "/a/.log", false)]
    [InlineData("/var/log/*.log", "/var/log/syslog.log", true)]
    [InlineData("/var/log/*.log", "/var/log/nginx/access.log", false)]
    [InlineData("/var/*/access.log", "/var/log/access.log", true)]
    [InlineData("/var/*/access.log", "/var/log/nginx/access.log", false)]
    [InlineData("/proc/*/", "/proc/812/status", true)]
    [InlineData("/proc/*/", "/proc/uptime", false)]
    [InlineData("log*/", "/var/log/nginx/access.log", true)]
    [InlineData("nginx/*.log", "/var/log/nginx/access.log", true)]
    [InlineData("ginx/*.log", "/var/log/nginx/access.log", false)]
    [InlineData("*a*a*a*b", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    [InlineData("*", "/x", true)]
    [InlineData(@"/a\*b", "/a*b", true)]
    [InlineData(@"/a\*b", "/axb", false)]
    [InlineData(@"/a\**", "/a*bc", true)]
    [InlineData(@"/a\\b", @"/a\b", true)]
    [InlineData("pipe:[*]", "pipe:[812]", true)]
    [InlineData("*", "", true)]
    [InlineData("?", "", false)]
    public void Matches_ByShape(string pattern, string path, bool matches) =>
        PathPattern.Parse(pattern).First().Matches(Encoding.UTF8.GetBytes(path)).ShouldBe(matches);

    /// <summary>As a shell completes it; a name without a slash, and the end of a path, stay what they are.</summary>
    [Theory]
    [InlineData("./app.log", "", "/app.log", true)]
    [InlineData("./a/../app.log", "", "/app.log", true)]
    [InlineData("./", "", "/below", true)]
    [InlineData("./*.log", "", "/app.log", true)]
    [InlineData("./*.log", "", "/below/app.log", false)]
    [InlineData("../", "..", "/other", true)]
    [InlineData("!../logs/", "..", "/logs/app", true)]
    [InlineData("./app.log", "", "/x/app.log", false)]
    public void Matches_FromTheCurrentFolder(string pattern, string folder, string path, bool matches) =>
        PathPattern.Parse(pattern).First().Matches(Encoding.UTF8.GetBytes(Path.GetFullPath(Path.Combine(Environment.CurrentDirectory, folder)) + path)).ShouldBe(matches);

    [Fact]
    public void Parse_ThroughALink_IsBothNames()
    {
        Directory.CreateDirectory(_folder + "/real/deep");
        Directory.CreateSymbolicLink(_folder + "/link", "real");
        Directory.CreateSymbolicLink(_folder + "/real/up", "../real/deep");

        PathPattern.RealOf(_folder + "/link/file").ShouldBe(_folder + "/real/file");
        PathPattern.RealOf(_folder + "/link/").ShouldBe(_folder + "/real/");
        PathPattern.RealOf(_folder + "/link/up/not-yet").ShouldBe(_folder + "/real/deep/not-yet");
        PathPattern.RealOf(_folder + "/link/*.log").ShouldBe(_folder + "/real/*.log");
        PathPattern.RealOf(_folder + "/link/up/../x").ShouldBe(_folder + "/real/x");
        PathPattern.RealOf(_folder + "/real/file").ShouldBeNull();
        PathPattern.RealOf("link/file").ShouldBeNull();
        PathPattern.Parse("!" + _folder + "/link/file").Count(pattern => pattern.Deny).ShouldBe(2);
    }

    [Fact]
    public void Parse_LinksInACircle_AreLeftAsTheyAre()
    {
        Directory.CreateSymbolicLink(_folder + "/one", "two");
        Directory.CreateSymbolicLink(_folder + "/two", "one");

        PathPattern.RealOf(_folder + "/one/file").ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("!")]
    public void Parse_Nothing_SaysWhatAValueIs(string value) =>
        Should.Throw<UsageException>(() => PathPattern.Parse(value).ToList()).Message.ShouldEndWith(
            "give a path (/etc/hosts), a folder (/etc), the end of a path (etc/hosts), a part of one (hosts) or a pattern (*.log), '!' before it denies");
}
