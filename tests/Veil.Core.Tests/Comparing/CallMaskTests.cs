// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Comparing;

namespace Veil.Core.Tests.Comparing;

/// <summary>Of two runs that did the same, texts come out equal; of two that did not, they stay different.</summary>
public sealed class CallMaskTests
{
    [Theory]
    [InlineData("mmap", "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3</lib/a.so>, 0)", "mmap(NULL, 36463, PROT_READ, MAP_PRIVATE, 4</lib/a.so>, 0)")]
    [InlineData("munmap", "munmap(0x7fca3b54f000, 36463)", "munmap(0x7fdef2d01000, 36463)")]
    [InlineData("close", "close(3<pipe:[19083]>)", "close(5<pipe:[2]>)")]
    [InlineData("close", "close(3<TCP:[127.0.0.1:40001->127.0.0.1:80]>)", "close(3<TCP:[127.0.0.1:50002->127.0.0.1:80]>)")]
    [InlineData("wait4", "wait4(8121, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL)", "wait4(99, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/tmp/sortA1b2C3\", O_RDWR|O_CREAT|O_EXCL, 0600)", "openat(AT_FDCWD, \"/tmp/sortxYz9Q0\", O_RDWR|O_CREAT|O_EXCL, 0600)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/tmp/tmpab1_c2de\", O_RDWR)", "openat(AT_FDCWD, \"/tmp/tmpz0zzzz9_\", O_RDWR)")]
    [InlineData("unlink", "unlink(\"/tmp/tmp.aaaaaaaaaa\")", "unlink(\"/tmp/tmp.ZZZZZZZZZ9\")")]
    [InlineData("openat", "openat(AT_FDCWD, \"./sedAb12Cd\", O_RDWR|O_CREAT|O_EXCL, 0600)", "openat(AT_FDCWD, \"./sedzZ0Y9x\", O_RDWR|O_CREAT|O_EXCL, 0600)")]
    [InlineData("read", "read(3</a>, \"\\177ELF\\2\\1\"..., 832)", "read(3</a>, \"\\0\\0\"..., 100)")]
    [InlineData("write", "write(2</log>, \"12:30 took 5 ms\\n\", 16)", "write(2</log>, \"12:31 took 17 ms\\n\", 17)")]
    [InlineData("write", "write(2</log>, \"id 4f3c9a1b2d\\n\", 14)", "write(2</log>, \"id 0a0b0c0d0e\\n\", 14)")]
    [InlineData("newfstatat", "newfstatat(1</log>, \"\", {st_mode=S_IFREG|0644, st_size=0, ...}, AT_EMPTY_PATH)", "newfstatat(1</log>, \"\", {st_mode=S_IFREG|0644, st_size=4096, ...}, AT_EMPTY_PATH)")]
    [InlineData("getsockname", "getsockname(3, {sa_family=AF_INET, sin_port=htons(40001)}, [16])", "getsockname(4, {sa_family=AF_INET, sin_port=htons(50002)}, [16])")]
    public void Append_OfWhatDiffersByChance_IsTheSame(string call, string one, string other) => Masked(call, one).ShouldBe(Masked(call, other));

    [Theory]
    [InlineData("openat", "openat(AT_FDCWD, \"/etc/a\", O_RDONLY)", "openat(AT_FDCWD, \"/etc/b\", O_RDONLY)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/etc/a\", O_RDONLY)", "openat(AT_FDCWD, \"/etc/a\", O_RDWR)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/lib/libssl.so.1\", O_RDONLY)", "openat(AT_FDCWD, \"/lib/libssl.so.3\", O_RDONLY)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/tmp/report-2023\", O_RDONLY)", "openat(AT_FDCWD, \"/tmp/report-2024\", O_RDONLY)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/srv/Ab12Cd\", O_RDONLY)", "openat(AT_FDCWD, \"/srv/Ef34Gh\", O_RDONLY)")]
    [InlineData("exit_group", "exit_group(0)", "exit_group(127)")]
    [InlineData("wait4", "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL)", "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 12}], 0, NULL)")]
    [InlineData("wait4", "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL)", "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL)")]
    [InlineData("connect", "connect(3, {sa_family=AF_INET, sin_port=htons(50051), sin_addr=inet_addr(\"10.0.0.1\")}, 16)", "connect(3, {sa_family=AF_INET, sin_port=htons(50052), sin_addr=inet_addr(\"10.0.0.1\")}, 16)")]
    [InlineData("connect", "connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"10.0.0.1\")}, 16)", "connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"10.0.0.2\")}, 16)")]
    [InlineData("sendto", "sendto(3, \"x\", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"10.0.0.1\")}, 16)", "sendto(3, \"x\", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"10.0.0.2\")}, 16)")]
    [InlineData("chmod", "chmod(\"/a\", 0644)", "chmod(\"/a\", 0600)")]
    [InlineData("fchownat", "fchownat(AT_FDCWD, \"/a\", 1000, 1000, 0)", "fchownat(AT_FDCWD, \"/a\", 1001, 1000, 0)")]
    [InlineData("kill", "kill(8121, SIGTERM)", "kill(8121, SIGKILL)")]
    [InlineData("write", "write(1</log>, \"ok\\n\", 3)", "write(1</log>, \"no\\n\", 3)")]
    [InlineData("prlimit64", "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=4096}, NULL)", "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=256, rlim_max=4096}, NULL)")]
    [InlineData("execve", "execve(\"/bin/sleep\", [\"sleep\", \"15\"], 0x7ffd478a95c0 /* 43 vars */)", "execve(\"/bin/sleep\", [\"sleep\", \"16\"], 0x7ffd478a95c0 /* 43 vars */)")]
    [InlineData("close", "close(3<TCP:[127.0.0.1:40001->127.0.0.1:80]>)", "close(3<TCP:[127.0.0.1:40001->127.0.0.1:81]>)")]
    public void Append_OfWhatWasAskedOtherwise_IsNot(string call, string one, string other) => Masked(call, one).ShouldNotBe(Masked(call, other));

    [Fact]
    public void AppendPath_WithAKnownProcess_HasNoId()
    {
        var mask = new CallMask();
        mask.AddPid(8132);
        Path(mask, "/proc/8132/stat").ShouldBe("/proc/PID/stat");
        Path(mask, "/run/a.8132.lock").ShouldBe("/run/a.PID.lock");
        Path(mask, "/proc/8133/stat").ShouldBe("/proc/8133/stat");
        Path(mask, "/srv/x8132").ShouldBe("/srv/x8132");
    }

    /// <summary>A name that was made up for a private file is none of a run's differences, however it looks and wherever it stands.</summary>
    [Theory]
    [InlineData("openat", "openat(AT_FDCWD, \"/srv/tmp.yyonjz\", O_RDWR|O_CREAT|O_EXCL, 0600)", "tmp.yyonjz", "yyonjz")]
    [InlineData("openat", "openat(AT_FDCWD, \"/tmp/no97c2f3\", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600)", "no97c2f3", "no97c2f3")]
    [InlineData("mkdir", "mkdir(\"/srv/tmp.abcdef\", 0700)", "tmp.abcdef", "abcdef")]
    public void Learn_OfAPrivateFile_MasksItsNameEverywhere(string call, string made, string name, string part)
    {
        var mask = new CallMask();
        mask.Learn(Encoding.UTF8.GetBytes(made), call);
        string masked = name.Replace(part, "XXXXXX", StringComparison.Ordinal);
        Path(mask, $"/srv/{name}/x").ShouldBe($"/srv/{masked}/x");
        Text(mask, "write", $"write(1<pipe:[5]>, \"/srv/{name}\\n\", 16)").ShouldBe(Text(new CallMask(), "write", $"write(1<pipe:[5]>, \"/srv/{masked}\\n\", 16)"));
    }

    [Theory]
    [InlineData("openat", "openat(AT_FDCWD, \"/srv/report\", O_RDWR|O_CREAT|O_EXCL, 0644)")]
    [InlineData("openat", "openat(AT_FDCWD, \"/srv/report\", O_RDWR|O_CREAT, 0600)")]
    [InlineData("mkdir", "mkdir(\"/srv/report\", 0755)")]
    public void Learn_OfAnotherFile_KeepsItsName(string call, string made)
    {
        var mask = new CallMask();
        mask.Learn(Encoding.UTF8.GetBytes(made), call);
        Path(mask, "/srv/report").ShouldBe("/srv/report");
    }

    [Fact]
    public void Append_OfAnyBytes_Ends()
    {
        var random = new Random(1);
        byte[] alphabet = "\"\\<>[]:0123456789xabcXYZ/tmp(),-=| \u00ff"u8.ToArray();
        byte[] text = new byte[64], room = new byte[4096];
        for (int round = 0; round < 20_000; round++)
        {
            foreach (ref byte one in text.AsSpan())
                one = alphabet[random.Next(alphabet.Length)];
            var line = new LineWriter(room);
            new CallMask().Append(ref line, text, round % 2 == 0 ? "read" : "openat");
            line.Length.ShouldBeLessThan(room.Length);
        }
    }

    private static string Masked(string call, string text) => Text(new CallMask(), call, text);

    private static string Text(CallMask mask, string call, string text)
    {
        var line = new LineWriter(new byte[1024]);
        mask.Append(ref line, Encoding.UTF8.GetBytes(text), call);
        return Encoding.UTF8.GetString(line.Written);
    }

    private static string Path(CallMask mask, string path)
    {
        var line = new LineWriter(new byte[1024]);
        mask.AppendPath(ref line, Encoding.UTF8.GetBytes(path));
        return Encoding.UTF8.GetString(line.Written);
    }
}
