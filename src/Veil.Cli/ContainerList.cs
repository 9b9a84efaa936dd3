// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Containers;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary><c>--list-containers</c>: the containers that run now, as the filters and the enrichment know them.</summary>
internal static class ContainerList
{
    private static readonly string[] s_titles = ["RUNTIME", "ID", "NAME", "IMAGE", "POD", "NAMESPACE", "PROCESSES", "CGROUP"];

    /// <summary>The list.</summary>
    public static string Text(ContainerNames names, bool asJson)
    {
        var running = names.Running();
        if (asJson)
        {
            return ListCommand.Lines(running, (json, container) =>
            {
                json.WriteString("runtime", container.Runtime);
                json.WriteString("id", container.Id);
                json.WriteString("name", container.Name);
                json.WriteString("image", container.Image);
                json.WriteString("pod", container.Pod);
                json.WriteString("pod_namespace", container.PodNamespace);
                json.WriteString("pod_uid", container.PodUid);
                json.WriteString("cgroup", container.CgroupPath);
                json.WriteNumber("processes", names.CountProcesses(container));
            });
        }

        return running.Count == 0 ? "" : Table([s_titles, .. running.Select(container => Row(container, names.CountProcesses(container)))]);
    }

    private static string[] Row(Container container, int processes) =>
    [
        container.Runtime, Escaped(ShortId(container.Id)), Escaped(container.Name), Escaped(container.Image), Escaped(container.Pod),
        Escaped(container.PodNamespace), processes.ToString(CultureInfo.InvariantCulture), Escaped(container.CgroupPath),
    ];

    // Of a long id its beginning is enough, as for the runtimes' own commands; a machine's id is its name.
    private static string ShortId(string id)
    {
        const int digits = 12, whole = 64;
        return id.Length == whole ? id[..digits] : id;
    }

    private static string Escaped(string? value) => value is null ? "-" : Escaping.ForColumn(value);

    private static string Table(IReadOnlyList<string[]> rows)
    {
        // A very long name moves what stands behind it in its own line alone.
        const int widest = 40;
        int[] widths = [.. s_titles.Select((_, column) => Math.Min(widest, rows.Max(row => Cells(row[column]))))];
        var table = new StringBuilder();
        foreach (string[] row in rows)
        {
            foreach (var (column, value) in row.Index())
                _ = table.Append(value).Append(' ', column == row.Length - 1 ? 0 : Math.Max(0, widths[column] - Cells(value)) + 2);
            _ = table.Append('\n');
        }

        return table.ToString();
    }

    private static int Cells(string text) => CellWidth.Of(Encoding.UTF8.GetBytes(text));
}
