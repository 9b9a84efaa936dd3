// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Veil.Core.Text;

namespace Veil.Core.Why;

/// <summary>Writes what was measured: a page of text, or one JSON object.</summary>
public static class WhyReport
{
    private const int Columns = 80;
    private const int SharesMax = 9;
    private const int HotMax = 5;
    private const int DetailsMax = 4;
    private const int DetailTenthsMin = 10;
    private const int NextTenthsMin = 100;
    private const int ThreadsMax = 4;
    private const int NamesMax = 3;
    private const int NameMax = 48;

    /// <summary>The page. The shares at its left margin are of the time of the threads that are counted, and sum to 100.0 %.</summary>
    public static string Text(WhyFound found)
    {
        ArgumentNullException.ThrowIfNull(found);
        var answer = WhyAnswer.OfProcess(found, found.Pid);
        var text = new StringBuilder();
        Append(text, "", Head(found, answer));
        foreach (var share in WhyAnswer.Fold(answer.Shares, SharesMax).Where(static share => share.Tenths > 0))
        {
            Append(text, $"{Percent(share.Tenths),6}%  ", share.Text + Next(found, share));
            AppendFunctions(text, share, answer.Ns);
            AppendDetails(text, found, share, answer.Ns);
        }

        AppendThreads(text, found, answer);
        foreach (string note in Notes(found, answer))
            Append(text, "", note);
        return text.ToString();
    }

    /// <summary>The object, with a newline.</summary>
    public static string Json(WhyFound found)
    {
        ArgumentNullException.ThrowIfNull(found);
        var answer = WhyAnswer.OfProcess(found, found.Pid);
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("pid", found.Pid);
            WriteName(json, "comm", found, found.Pid);
            json.WriteNumber("duration_ns", found.DurationNs);
            json.WriteBoolean("ended", found.HasEnded);
            json.WriteNumber("minor_faults", found.MinorFaults);
            json.WriteNumber("major_faults", found.MajorFaults);
            json.WriteNumber("lost_ns", found.LostNs);
            json.WriteNumber("lost_threads", found.LostTasks);
            json.WriteNumber("lost_samples", found.LostSamples);
            WriteAnswer(json, answer, found);
            json.WriteStartArray("peers");
            foreach (uint peer in Measured(found))
            {
                json.WriteStartObject();
                json.WriteNumber("pid", peer);
                WriteName(json, "comm", found, peer);
                WriteAnswer(json, WhyAnswer.OfProcess(found, peer), found);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }

    private static IEnumerable<uint> Measured(WhyFound found) =>
        found.Rows.Select(static row => row.Key.Pid).Where(pid => pid != found.Pid).Distinct().Order();

    private static void WriteName(Utf8JsonWriter json, string key, WhyFound found, uint id)
    {
        if (found.Names.TryGetValue(id, out string? name))
            json.WriteString(key, name);
        else
            json.WriteNull(key);
    }

    private static void WriteAnswer(Utf8JsonWriter json, WhyAnswer answer, WhyFound found)
    {
        json.WriteNumber("thread_time_ns", answer.Ns);
        json.WriteStartArray("shares");
        foreach (var share in answer.Shares)
            WriteShare(json, share, found);
        json.WriteEndArray();
        json.WriteStartArray("threads");
        foreach (var thread in answer.Threads)
        {
            json.WriteStartObject();
            json.WriteNumber("tid", thread.Tid);
            WriteName(json, "comm", found, thread.Tid);
            json.WriteNumber("ns", thread.Ns);
            json.WriteNumber("on_cpu_ns", thread.OnCpuNs);
            json.WriteNumber("wait_cpu_ns", thread.RunnableNs);
            json.WriteBoolean("counted", answer.Counted.Contains(thread));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteShare(Utf8JsonWriter json, WhyShare share, WhyFound found)
    {
        var key = share.Row.Key;
        json.WriteStartObject();
        json.WritePropertyName("percent");
        json.WriteRawValue(Percent(share.Tenths));
        json.WriteNumber("ns", share.Ns);
        json.WriteNumber("times", share.Row.Times);
        json.WriteString("kind", share.Kind);
        json.WriteString("text", share.Text);
        if (key.IsInWait)
            json.WriteString("syscall", key.Call);
        if (share.Row.Object is { } what)
            json.WriteString("object", what);
        if (key.IsInWait && key.Inode != 0)
            json.WriteNumber("fd", (int)key.Argument);
        if (share.Row.Peer != 0)
        {
            json.WriteNumber("peer_pid", share.Row.Peer);
            WriteName(json, "peer_comm", found, share.Row.Peer);
        }

        if (key.IsInWait && WhyCalls.IsLock(key.Call))
        {
            json.WriteString("address", "0x" + key.Argument.ToString("x", CultureInfo.InvariantCulture));
            if (share.Row.Holder != 0)
            {
                json.WriteNumber("holder_tid", share.Row.Holder);
                WriteName(json, "holder", found, share.Row.Holder);
            }
        }

        if (share.Details.Count > 0)
            WriteDetails(json, share, found);
        if (share.Functions.Count > 0)
            WriteFunctions(json, share.Functions);
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, WhyShare share, WhyFound found)
    {
        bool isWait = share.Row.Key.State == WhyState.Runnable;
        json.WriteStartArray(isWait ? "cpu_had" : "calls");
        foreach (var row in share.Details)
        {
            json.WriteStartObject();
            if (!isWait)
                json.WriteString("syscall", row.Key.Call);
            else if (row.Key.Other == WhyKey.Unknown)
                json.WriteNull("pid");
            else
                json.WriteNumber("pid", row.Key.Other);
            if (isWait && row.Key.Other != 0)
                WriteName(json, "comm", found, row.Key.Other);
            json.WriteNumber("ns", row.Ns);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFunctions(Utf8JsonWriter json, IReadOnlyList<WhyHot> functions)
    {
        json.WriteStartArray("functions");
        foreach (var hot in functions)
        {
            json.WriteStartObject();
            json.WriteString("symbol", hot.Name);
            if (hot.File is { } file)
                json.WriteString("file", file);
            json.WriteNumber("samples", hot.Samples);
            json.WriteNumber("ns", hot.Ns);
            json.WriteStartArray("callers");
            foreach (string caller in hot.Callers)
                json.WriteStringValue(caller);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Head(WhyFound found, WhyAnswer answer)
    {
        int counted = answer.Counted.Count();
        return $"{WhyAnswer.ProcessName(found, found.Pid)}: where the time went in {Seconds(found.DurationNs)}, "
            + (counted == 1 ? "of one thread" : $"of {counted} threads ({Seconds(answer.Ns)} together)");
    }

    // What those do that it waits for.
    private static string Next(WhyFound found, WhyShare share)
    {
        var next = share.Row.Holder != 0 ? WhyAnswer.OfThread(found, share.Row.Holder)
            : share.Row.Peer != 0 && share.Row.Peer != found.Pid ? WhyAnswer.OfProcess(found, share.Row.Peer) : null;
        if (next is null)
            return "";
        var parts = next.Shares.Where(static part => part.Tenths >= NextTenthsMin).Take(2)
            .Select(static part => $"{Percent(part.Tenths)}% {part.Text}{(part.Functions is [var hot, ..] ? $", most in {NameOf(hot)}" : "")}")
            .ToList();
        return parts.Count == 0 ? "" : ", which spent " + string.Join(", and ", parts);
    }

    private static void AppendFunctions(StringBuilder text, WhyShare share, ulong all)
    {
        foreach (var hot in share.Kind is "on_cpu_user" or "on_cpu_page_fault" ? share.Functions.Take(HotMax) : [])
        {
            if (TenthsOf(hot.Ns, all) is var tenths && tenths < DetailTenthsMin)
                continue;
            string line = $"{Percent(tenths),13}%  {NameOf(hot)}";
            foreach (string caller in hot.Callers.Take(2))
            {
                if (line.Length + caller.Length + 3 <= Columns)
                    line += $" < {Cut(caller)}";
            }

            text.Append(line).Append('\n');
        }
    }

    private static void AppendDetails(StringBuilder text, WhyFound found, WhyShare share, ulong all)
    {
        foreach (var row in share.Details.Take(DetailsMax))
        {
            if (TenthsOf(row.Ns, all) is var tenths && tenths >= DetailTenthsMin)
                Append(text, $"{Percent(tenths),13}%  ", WhyAnswer.DetailText(found, row));
        }
    }

    private static string NameOf(WhyHot hot) => Cut(hot.Name) + (hot.File is { } file ? $" ({Cut(file)})" : "");

    private static string Cut(string name)
    {
        string escaped = Escaping.ForMessage(name);
        return escaped.Length <= NameMax ? escaped : escaped[..(NameMax - 1)] + "…";
    }

    private static void AppendThreads(StringBuilder text, WhyFound found, WhyAnswer answer)
    {
        var threads = answer.Counted.ToList();
        if (threads.Count < 2)
            return;
        text.Append("Threads:    on CPU  waits for CPU\n");
        foreach (var thread in threads.Take(ThreadsMax))
            text.Append(
                CultureInfo.InvariantCulture,
                $"{Part(thread.OnCpuNs, thread.Ns),17}%  {Part(thread.RunnableNs, thread.Ns),12}%  {WhyAnswer.ThreadName(found, thread.Tid)}\n");
        if (threads.Count > ThreadsMax)
            text.Append(CultureInfo.InvariantCulture, $"and {threads.Count - ThreadsMax} more, each less on a CPU\n");
    }

    private static IEnumerable<string> Notes(WhyFound found, WhyAnswer answer)
    {
        var idle = answer.LeftOut.ToList();
        if (idle.Count > 0)
        {
            var names = idle.GroupBy(thread => found.Names.GetValueOrDefault(thread.Tid) ?? "?", StringComparer.Ordinal)
                .OrderByDescending(static group => group.Count()).ThenBy(static group => group.Key, StringComparer.Ordinal).ToList();
            string list = string.Join(
                ", ", names.Take(NamesMax).Select(static group => group.Count() == 1 ? Escaping.ForMessage(group.Key) : $"{group.Count()} {Escaping.ForMessage(group.Key)}"));
            yield return $"Left out: {idle.Count} thread{(idle.Count == 1 ? "" : "s")} that only waited for work ({list}{(names.Count > NamesMax ? ", …" : "")})";
        }

        if (found.MinorFaults + found.MajorFaults > 0)
            yield return $"Page faults: {found.MinorFaults + found.MajorFaults}, {found.MajorFaults} of them had to be read from disk";
        if (found.HasEnded)
            yield return "It ended meanwhile: this is what was seen until then";
        if (found.NoFunctions is { } reason)
            yield return $"Functions are not known: {Escaping.ForMessage(reason)}";
        if (found.LostNs + found.LostTasks + found.LostSamples > 0)
            yield return $"Incomplete: {Seconds(found.LostNs)}, {found.LostTasks} threads and {found.LostSamples} samples found no room in the kernel";
    }

    private static void Append(StringBuilder text, string first, string rest)
    {
        string indent = first;
        foreach (string line in WordWrap.Lines(rest, Columns - first.Length))
        {
            text.Append(indent).Append(line).Append('\n');
            indent = new string(' ', first.Length);
        }
    }

    private static string Percent(int tenths) => string.Create(CultureInfo.InvariantCulture, $"{tenths / 10}.{tenths % 10}");

    private static int TenthsOf(ulong part, ulong all) => (int)((UInt128)part * 1000 / Math.Max(all, 1));

    private static string Part(ulong part, ulong all) => Percent(TenthsOf(part, all));

    private static string Seconds(ulong ns) => (ns / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
