// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Veil.Kernel.Tests;

/// <summary>Debian's Chromium without a screen, driven by the DevTools protocol over two pipes (<c>--remote-debugging-pipe</c>): one page, no network.</summary>
internal sealed class Browser : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-browser").FullName;
    private readonly Process _process;
    private readonly FileStream _to;
    private readonly FileStream _from;
    private readonly byte[] _room = new byte[64 * 1024];
    private readonly List<byte> _rest = [];
    private string? _session;
    private int _id;

    private Browser()
    {
        string to = Path.Combine(_folder, "to"), from = Path.Combine(_folder, "from");
        Process.Start("mkfifo", [to, from]).WaitForExit();
        string command =
            $"exec {Program} --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --user-data-dir={_folder}/data " +
            $"--remote-debugging-pipe about:blank 3<{to} 4>{from} 2>/dev/null >/dev/null";
        _process = Process.Start("sh", ["-c", command]);
        // A FIFO opens when its other end does, in the order of the shell.
        _to = new FileStream(to, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
        _from = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0);
        string target = Send("Target.createTarget", new() { ["url"] = "about:blank" })["targetId"]!.GetValue<string>();
        _session = Send("Target.attachToTarget", new() { ["targetId"] = target, ["flatten"] = true })["sessionId"]!.GetValue<string>();
        foreach (string domain in (string[])["Page", "Runtime", "Log", "Network"])
            Send(domain + ".enable", []);
    }

    /// <summary>The program; none where it is not installed.</summary>
    public static string? Program { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);

    /// <summary>What the page said against itself: exceptions, refused by its policy, and everything that it asked the network for.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Opens a page, and waits until its script has drawn it.</summary>
    public static Browser Open(string path)
    {
        var browser = new Browser();
        browser.Send("Page.navigate", new() { ["url"] = "file://" + path });
        var waited = Stopwatch.StartNew();
        while (browser.Run("document.documentElement?.dataset.ready ?? ''") != "yes")
        {
            waited.Elapsed.ShouldBeLessThan(s_patience, string.Join('\n', browser.Complaints));
            Thread.Sleep(20);
        }

        return browser;
    }

    /// <summary>Evaluates an expression in the page; its value as text.</summary>
    public string Run(string expression)
    {
        var answer = Send("Runtime.evaluate", new() { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true });
        answer["exceptionDetails"].ShouldBeNull(expression);
        return answer["result"]!["value"]?.ToString() ?? "";
    }

    /// <summary>Presses a key where the focus is.</summary>
    public void Press(string key)
    {
        foreach (string type in (string[])["keyDown", "keyUp"])
            Send("Input.dispatchKeyEvent", new() { ["type"] = type, ["key"] = key });
    }

    /// <summary>Drags the mouse from one place of the window to another.</summary>
    public void Drag(double fromX, double toX, double y)
    {
        foreach (var (type, x) in ((string, double)[])[("mousePressed", fromX), ("mouseMoved", (fromX + toX) / 2), ("mouseMoved", toX), ("mouseReleased", toX)])
            Send("Input.dispatchMouseEvent", new() { ["type"] = type, ["x"] = x, ["y"] = y, ["button"] = "left", ["buttons"] = 1, ["clickCount"] = 1 });
    }

    public void Dispose()
    {
        // Its own processes end with it.
        _session = null;
        try
        {
            Send("Browser.close", []);
        }
        catch (Exception gone) when (gone is IOException or InvalidOperationException)
        {
            // It was faster.
        }

        if (!_process.WaitForExit(s_patience))
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _to.Dispose();
        _from.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private JsonObject Send(string method, JsonObject parameters)
    {
        var message = new JsonObject { ["id"] = ++_id, ["method"] = method, ["params"] = parameters };
        if (_session is not null)
            message["sessionId"] = _session;
        _to.Write([.. Encoding.UTF8.GetBytes(message.ToJsonString()), 0]);
        _to.Flush();
        while (true)
        {
            var answer = Receive();
            if (answer["id"]?.GetValue<int>() == _id)
                return answer["result"]?.AsObject() ?? throw new InvalidOperationException($"{method}: {answer}");
            string what = answer["method"]?.GetValue<string>() ?? "";
            bool isOfNetwork = what == "Network.requestWillBeSent"
                && !answer["params"]!["request"]!["url"]!.GetValue<string>().StartsWith("file:", StringComparison.Ordinal);
            if (isOfNetwork || what is "Runtime.exceptionThrown" or "Log.entryAdded" or "Runtime.consoleAPICalled")
                Complaints.Add(answer.ToJsonString());
        }
    }

    // Messages end in NUL.
    private JsonObject Receive()
    {
        while (true)
        {
            int end = _rest.IndexOf(0);
            if (end >= 0)
            {
                byte[] message = [.. _rest[..end]];
                _rest.RemoveRange(0, end + 1);
                return JsonNode.Parse(message)!.AsObject();
            }

            int read = _from.Read(_room);
            if (read == 0)
                throw new InvalidOperationException("the browser ended");
            _rest.AddRange(_room.AsSpan(0, read));
        }
    }
}

/// <summary>A fact about a page in a browser, skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Browser.Program is null ? "no Chromium here (Debian: chromium)" : null;
}
