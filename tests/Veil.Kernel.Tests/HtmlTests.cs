// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The page of <c>export --to html</c>, opened and used in a browser.</summary>
public sealed class HtmlTests : IDisposable
{
    // Markup, and what would end the element that the data is in.
    private const string Hostile = "</script><img src=x onerror=alert(1)>";

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-html").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [BrowserFact]
    public void Page_OfARecording_IsSearchedZoomedAndRead()
    {
        string hostile = Path.Combine(_folder, Hostile.Replace('/', '\\'));
        File.WriteAllText(hostile, "x");
        string page = Export("--module", "syscall,process", "--args", "--", "sh", "-c", $"cat '{hostile}'; cat {_folder}/absent; (exit 3); sleep 0.2; true");
        using var replay = VeilRun.ToEnd("replay", Path.Combine(_folder, "a"), "--output", "json");
        using var text = VeilRun.ToEnd("replay", Path.Combine(_folder, "a"));

        using var browser = Browser.Open(page);
        string Text(string id) => browser.Run($"document.getElementById('{id}').textContent");
        int Shown() => int.Parse(Text("shown").Split(' ')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        void Type(string text) => browser.Run(
            $"(async () => {{ const box = document.getElementById('search'); box.value = {JsonSerializer.Serialize(text)}; " +
            "box.dispatchEvent(new Event('input')); await new Promise(done => setTimeout(done, 300)); })()");
        void Click(string selector) => browser.Run($"document.querySelector({JsonSerializer.Serialize(selector)}).click()");

        // All that was recorded is there, as another reader of it says.
        Shown().ShouldBe(replay.Lines.Length);
        Text("command").ShouldContain(Hostile.Replace('/', '\\'));
        Text("about").ShouldContain("lost0");

        Type("no such text anywhere");
        Shown().ShouldBe(0);
        Text("space").ShouldBe("No event passes the filter.");
        Type($"\"{_folder}/absent\"");
        Shown().ShouldBe(text.Lines.Count(line => line.Contains($"\"{_folder}/absent\"", StringComparison.Ordinal)));
        Text("space").ShouldContain("ENOENT (No such file or directory)");
        Click("#space .bad");
        Text("detail").ShouldContain($"\"{_folder}/absent\", O_RDONLY) = -1 ENOENT");

        Click("#clear");
        Shown().ShouldBe(replay.Lines.Length);
        Click("#failed");
        Shown().ShouldBe(replay.Events.Count(static one => IsThere(one, "errno") || IsThere(one, "exit_signal")
            || (IsThere(one, "exit_code") && one.GetProperty("exit_code").GetInt32() != 0)));
        Click("#clear");

        // By the mouse, and back by the keyboard.
        string[] box = browser.Run("(() => { const c = document.getElementById('timeline'); c.scrollIntoView({ block: 'center' }); const r = c.getBoundingClientRect(); " +
            "return [r.left, r.width, r.top + 50].join(' '); })()").Split(' ');
        double[] at = [.. box.Select(static part => double.Parse(part, CultureInfo.InvariantCulture))];
        browser.Drag(at[0] + (at[1] * 0.25), at[0] + (at[1] * 0.75), at[2]);
        Shown().ShouldBeLessThan(replay.Lines.Length);
        browser.Run("document.getElementById('timeline').focus()");
        browser.Press("Escape");
        Shown().ShouldBe(replay.Lines.Length);

        foreach (string tab in (string[])["slowest", "errors", "files", "calls"])
        {
            Click($"#tab-{tab}");
            browser.Run("document.querySelectorAll('#table tbody tr').length").ShouldNotBe("0", tab);
        }

        // What makes the others, and how one of them ended.
        browser.Run("[...document.querySelectorAll('.person .end')].map(one => one.textContent).join()").ShouldContain("exit 3");
        browser.Run("[...document.querySelectorAll('.person')].find(one => one.textContent.startsWith('sleep')).click()");
        Shown().ShouldBe(replay.Events.Count(one => one.GetProperty("pid").GetInt32() == replay.Events.First(
            static first => first.GetProperty("comm").GetString() == "sleep").GetProperty("pid").GetInt32()));
        Click("#clear");

        // The last event by the keyboard.
        browser.Run("document.getElementById('list').focus()");
        browser.Press("End");
        browser.Run("document.querySelector('.row.chosen').getAttribute('aria-rowindex')")
            .ShouldBe((replay.Lines.Length + 1).ToString(CultureInfo.InvariantCulture));

        browser.Run("document.images.length").ShouldBe("0");
        browser.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public void Page_OfMoreEventsThanItHolds_SaysSoAndCountsAll()
    {
        const int calls = 60_000;
        string page = Export("--module", "syscall", "--syscall", "read", "--returns", "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=1", $"count={calls}");

        using var browser = Browser.Open(page);
        int all = int.Parse(
            browser.Run("[...document.querySelectorAll('#about div')].find(one => one.firstChild.textContent === 'events').lastChild.textContent"),
            NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        all.ShouldBeGreaterThanOrEqualTo(calls);
        browser.Run("document.getElementById('held').textContent").ShouldContain("This page holds 51,000 of them");
        // The table is of all.
        browser.Run("document.querySelector('#table tbody tr').textContent")
            .ShouldContain($"read{all.ToString("N0", CultureInfo.InvariantCulture)}");
        browser.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public void Page_OfHostileNames_HasNoMarkupOfTheirs()
    {
        string page = File.ReadAllText(Export("--module", "process", "--", "sh", "-c", $": '{Hostile}'"));
        page.ShouldContain("default-src 'none'");
        page.ShouldNotContain("onerror");
        page.Split("</script>").Length.ShouldBe(3);
        page.ShouldNotContain("http://");
        page.ShouldNotContain("https://");
    }

    private static bool IsThere(JsonElement one, string field) =>
        one.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null;

    private string Export(params string[] trace)
    {
        string file = Path.Combine(_folder, "a");
        using var veil = VeilRun.ToEnd(["--record", file, "--output", "none", .. trace]);
        veil.ShouldHaveLostNothing();
        using var export = VeilRun.ToEnd("export", file, "--to", "html");
        export.ExitCode.ShouldBe(0, export.Errors);
        return file + ".html";
    }
}
