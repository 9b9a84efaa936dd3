// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Filters;

namespace Veil.Core.Tests.Filters;

public sealed class PathAutomatonTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-pattern-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static readonly PathDimension s_file = new("file", "");

    [Fact]
    public void Warnings_OfDotsAlone_AreNone() =>
        s_file.Warnings(FilterExpression.Parse(s_file, ["/etc/../etc/./hosts"]).Bits.Keys).ShouldBeEmpty();

    [Fact]
    public void Find_OfSeveral_IsWhatEachSays()
    {
        var automaton = PathAutomaton.Of(FilterExpression.Parse(s_file, ["/srv/", "!*.log", "hosts", "!hosts"]).Bits);

        automaton.Find("/srv/a"u8).ShouldBe(FilterBits.Allow);
        automaton.Find("/srv/a.log"u8).ShouldBe(FilterBits.Allow | FilterBits.Deny);
        automaton.Find("/etc/hosts"u8).ShouldBe(FilterBits.Allow | FilterBits.Deny);
        automaton.Find("/etc/passwd"u8).ShouldBe(FilterBits.None);
        automaton.Passes(FilterBits.Allow).ShouldBeTrue();
        automaton.Passes(FilterBits.None).ShouldBeFalse();
        automaton.Passes(FilterBits.Allow | FilterBits.Deny).ShouldBeFalse();
    }

    /// <summary>A pattern may lie across the words that hold the states.</summary>
    [Fact]
    public void Find_OfManyLongOnes_IsWhatEachSays()
    {
        var paths = Enumerable.Range(0, 40).Select(static i => $"/{new string((char)('a' + (i % 26)), 50 + i)}/file{i}").ToList();
        var automaton = PathAutomaton.Of(FilterExpression.Parse(s_file, paths).Bits);

        automaton.FitsKernel.ShouldBeFalse();
        foreach (string path in paths)
        {
            automaton.Find(Encoding.UTF8.GetBytes(path)).ShouldBe(FilterBits.Allow);
            automaton.Find(Encoding.UTF8.GetBytes(path + "/below")).ShouldBe(FilterBits.Allow);
            automaton.Find(Encoding.UTF8.GetBytes(path + "x")).ShouldBe(FilterBits.None);
        }
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
        Matches(pattern, path).ShouldBe(matches);

    /// <summary>As a shell completes it; a name without a slash, and the end of a path, stay what they are.</summary>
    [Theory]
    [InlineData("./app.log", "", "/app.log", true)]
    [InlineData("./a/../app.log", "", "/app.log", true)]
    [InlineData("./", "", "/below", true)]
    [InlineData("./*.log", "", "/app.log", true)]
    [InlineData("./*.log", "", "/below/app.log", false)]
    [InlineData("../", "..", "/other", true)]
    [InlineData("../logs/", "..", "/logs/app", true)]
    [InlineData("./app.log", "", "/x/app.log", false)]
    public void Matches_FromTheCurrentFolder(string pattern, string folder, string path, bool matches) =>
        Matches(pattern, Path.GetFullPath(Path.Combine(Environment.CurrentDirectory, folder)) + path).ShouldBe(matches);

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
        FilterExpression.Parse(s_file, ["!" + _folder + "/link/file"]).Bits.Values.ShouldBe([FilterBits.Deny, FilterBits.Deny]);
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
        Should.Throw<UsageException>(() => FilterExpression.Parse(s_file, [value])).Message.ShouldEndWith(
            "give a path (/etc/hosts), a folder (/etc), the end of a path (etc/hosts), a part of one (hosts) or a pattern " +
                "(*.log), '!' before it denies");

    private static bool Matches(string pattern, string path) =>
        PathAutomaton.Of(FilterExpression.Parse(s_file, [pattern]).Bits).Find(Encoding.UTF8.GetBytes(path)) != FilterBits.None;
}
