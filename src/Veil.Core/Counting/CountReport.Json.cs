// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Counting;

internal sealed partial class CountReport
{
    private void AppendJson(StringBuilder text, CountTable table, double seconds, long endedAtNs)
    {
        var plan = table.Plan;
        string time = options.Interval is null ? "" : $",\"time\":\"{Utc(endedAtNs)}\"";
        foreach (var row in options.Top is { } top ? table.Rows.Take(top) : table.Rows)
        {
            ulong count = row.Totals.Count;
            text.Append($"{{\"module\":\"{table.Module}\"{row.Key}");
            text.Append(Invariant($",\"count\":{count},\"percent\":{Math.Round(Percent(count, table.Total), 4)}"));
            if (plan.HasSums)
                AppendSums(text.Append(','), plan, row.Totals);
            if (plan.HasHistogram)
                AppendBuckets(text, plan, row.Totals);
            text.Append(time).Append("}\n");
        }

        text.Append(Invariant($"{{\"module\":\"{table.Module}\",\"total\":{table.Total},\"keys\":{table.Rows.Count},\"map_full\":{table.Others.Count},\"no_field\":{table.NoField},\"dropped_paused\":{table.Paused},\"seconds\":{Math.Round(seconds, 3)}"));
        if (plan.HasSums)
        {
            // Objects of their own, so that nobody adds them up with those of the keys.
            AppendSums(text.Append(",\"all\":{"), plan, table.All);
            AppendSums(text.Append("},\"other\":{"), plan, table.Others);
            text.Append('}');
        }

        text.Append(time).Append("}\n");
    }

    private static void AppendSums(StringBuilder text, CountPlan plan, CountTotals totals)
    {
        string average = totals.Average is { } known ? Math.Round(known, 3).ToString(CultureInfo.InvariantCulture) : "null";
        string most = totals.Known > 0 ? Invariant($"{totals.Max}") : "null", errors = plan.HasErrors ? Invariant($"{totals.Errors}") : "null";
        text.Append(Invariant($"\"sum\":{totals.Sum},\"avg\":{average},\"max\":{most},\"errors\":{errors},\"unknown\":{totals.Unknown}"));
    }

    private static void AppendBuckets(StringBuilder text, CountPlan plan, CountTotals totals)
    {
        text.Append($",\"hist\":\"{plan.Value!.Value.Name}\"");
        foreach (int percent in s_percentiles)
            text.Append(Invariant($",\"p{percent}\":{(totals.Percentile(percent) is { } number ? Invariant($"{number}") : "null")}"));
        if (!plan.HasSums)
            text.Append(Invariant($",\"max\":{(totals.Percentile(100) is null ? "null" : Invariant($"{totals.Max}"))}"));
        text.Append(",\"buckets\":[");
        bool any = false;
        for (int slot = 0; slot < Histogram.Unknown; slot++)
        {
            if (totals.Slots[slot] == 0)
                continue;
            text.Append(Invariant($"{(any ? "," : "")}{{\"from\":{Histogram.From(slot)},\"to\":{Histogram.To(slot)},\"count\":{totals.Slots[slot]}}}"));
            any = true;
        }

        text.Append(']');
        if (!plan.HasSums)
            text.Append(Invariant($",\"unknown\":{totals.Slots[Histogram.Unknown]}"));
    }
}
