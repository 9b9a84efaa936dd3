// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;

namespace Veil.Kernel.Tests;

/// <summary><c>--enrich why</c> against files that refuse in every way.</summary>
public sealed class WhyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-why-").FullName;

    [Fact]
    public void Why_OfEachError_IsTheComponentThatRefused()
    {
        const string made =
            "chmod 755 .; mkdir closed; touch closed/file; chmod 700 closed; touch secret; chmod 600 secret; mkdir sticky; touch " +
            "sticky/file; chmod 1777 sticky; "
            + "ln -s two one; ln -s one two; ln -s nowhere broken; ln -s . through";
        using (var maker = Process.Start(new ProcessStartInfo("sh", ["-c", made]) { WorkingDirectory = _folder })!)
            maker.WaitForExit();

        string[] commands =
        [
            "cat closed/file", "cat secret", "mkdir made", "rm -f sticky/file", "chmod 600 secret", "cat one", "cat broken",
            "cat through/missing/x", "cat secret/below",
        ];
        using var shell =
            Process.Start(
            new ProcessStartInfo(
            "setpriv",
            ["--reuid=4711", "--regid=4711", "--clear-groups", "sh", "-c",
            $"read line; cd {_folder}; {string.Join("; ", commands)}; true"])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true
            })!;
        using var veil =
            VeilRun.Attach(
            "--module", "files", "--uid", "4711", "--op", "open,mkdir,unlink,chmod", "--failed", "--file", _folder, "--enrich", "why",
            "--fields", "op,errno,why");
        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldBe(
        [
            $"op=open errno=EACCES why=\"{_folder}/closed is 0700 root, caller is uid 4711\"",
            $"op=open errno=EACCES why=\"{_folder}/secret is 0600 root, caller is uid 4711\"",
            $"op=mkdir errno=EACCES why=\"{_folder} is 0755 root, caller is uid 4711\"",
            $"op=unlink errno=EPERM why=\"{_folder}/sticky is 01777, {_folder}/sticky/file belongs to root, caller is uid 4711\"",
            $"op=chmod errno=EPERM why=\"{_folder}/secret belongs to root, caller is uid 4711\"",
            $"op=open errno=ELOOP why=\"{_folder}/one is a symbolic link in a circle\"",
            $"op=open errno=ENOENT why=\"{_folder}/broken is a symbolic link to nowhere, which does not exist\"",
            $"op=open errno=ENOENT why=\"{_folder}/missing does not exist\"",
            $"op=open errno=ENOTDIR why=\"{_folder}/secret is not a directory\"",
        ]);
    }

    [Fact]
    public void Why_OfSystemCalls_NamesFoldersProgramsInterpretersAndGroups()
    {
        const string made =
            "chmod 755 .; mkdir closed team; chmod 700 closed; chgrp 4 team; chmod 750 team; echo >plain; "
            + "printf '#!/no/such/interpreter\\n' >script; chmod 755 script";
        using (var maker = Process.Start(new ProcessStartInfo("sh", ["-c", made]) { WorkingDirectory = _folder })!)
            maker.WaitForExit();
        using var shell = Process.Start(new ProcessStartInfo(
            "setpriv",
            ["--reuid=4711", "--regid=4711", "--clear-groups", "sh", "-c",
            $"read line; cd {_folder}; cd closed; ./plain; ./script; ls team; ln -s '' empty; true"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        using var veil = VeilRun.Attach(
            "--module", "syscall", "--args", "--uid", "4711", "--failed", "--enrich", "why", "--fields", "syscall,errno,why");
        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldContain($"syscall=chdir errno=EACCES why=\"{_folder}/closed is 0700 root, caller is uid 4711\"");
        veil.Lines.ShouldContain($"syscall=execve errno=EACCES why=\"{_folder}/plain is 0644 root, caller is uid 4711\"");
        veil.Lines.ShouldContain(
            $"syscall=execve errno=ENOENT why=\"{_folder}/script is a script of /no/such/interpreter, which does not exist\"");
        veil.Lines.ShouldContain($"syscall=openat errno=EACCES why=\"{_folder}/team is 0750 root, group adm, caller is uid 4711\"");
        veil.Lines.ShouldContain("syscall=symlinkat errno=ENOENT why=\"an empty path is no file's\"");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
