using System.Text;
using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>A column as a terminal shows it: shorter than the full one, under a title instead of behind a label.</summary>
internal sealed record ScreenColumn
{
    /// <summary>The rank of what is never left out.</summary>
    public const int Kept = 100;

    /// <summary>Equal in the kinds of event that have the same column.</summary>
    public required string Key { get; init; }

    /// <summary>What the header calls it.</summary>
    public required string Title { get; init; }

    /// <summary>What stands before the value where it is under no title.</summary>
    public required byte[] Label { get; init; }

    /// <summary>The value.</summary>
    public required EventValue Value { get; init; }

    /// <summary>How it becomes text.</summary>
    public ScreenText Text { get; init; }

    /// <summary>A second value, for the ways to write that need one.</summary>
    public EventValue? Other { get; init; }

    /// <summary>Of a result, its error.</summary>
    public EventValue? ErrorOf { get; init; }

    /// <summary>Places that it has where there is room.</summary>
    public required int Width { get; init; }

    /// <summary>Places that it has at least. What is wider moves the rest of its row.</summary>
    public required int WidthMin { get; init; }

    /// <summary>Where there is no room for all, the lowest ranks have no column.</summary>
    public required int Rank { get; init; }

    /// <summary>Without a column of its own, it is shown behind its label in the events where it says something.</summary>
    public bool IsRare { get; init; }

    /// <summary>A value that is as wide as it is, and stands last.</summary>
    public bool IsWide { get; init; }

    /// <summary>Zero says nothing.</summary>
    public bool HidesZero { get; init; }

    /// <summary>A name that is longer when it is escaped is shortened to so many places; 0: it is not.</summary>
    public int Limit { get; init; }

    /// <summary>The colour, or none.</summary>
    public byte[] Colour { get; init; } = [];

    /// <summary>An upper bound of the bytes that it takes, without padding.</summary>
    public int BytesMax => Label.Length + Colour.Length + Ansi.Reset.Length + (2 * FieldWriter.BytesMax(Value)) + (Other is null ? 0 : FieldWriter.BytesMax(Other));

    /// <summary>The columns of one kind of event, in their order.</summary>
    /// <param name="schema">The kind.</param>
    /// <param name="options">What to show.</param>
    /// <param name="severalModules">Events of other modules come too.</param>
    public static List<ScreenColumn> Of(EventSchema schema, in OutputOptions options, bool severalModules)
    {
        var columns = new List<ScreenColumn>();
        bool colours = options.Colour;
        if (options.Enrichments.HasFlag(Enrichments.Time))
            Add(new("", 15, new(FieldFormat.Time)), "TIME", 15, 15, Kept, text: ScreenText.TimeOfDay, colour: Ansi.Dim);
        if (severalModules)
            Add(new("", 9, schema.Fields[0].Value), "MODULE", 9, 9, Kept);
        bool hasUsers = options.Enrichments.HasFlag(Enrichments.User);
        foreach (var column in schema.Columns.Where(static column => column.Width > 0))
            AddOf(column);
        if (hasUsers)
            Add(new("username=", 10, new(FieldFormat.UserName)), "USER", 10, 8, 85, isRare: true, limit: 16);
        if (options.Enrichments.HasFlag(Enrichments.Proc))
            Add(new("proc_name=", 15, new(FieldFormat.ProcName)), "PROC", 15, 8, 50, text: ScreenText.IfDifferent, other: Find(""), isRare: true, limit: 16);
        foreach (var column in schema.Columns.Where(static column => column.Width == 0))
            AddOf(column);
        return columns;

        void AddOf(in EventColumn column)
        {
            string name = column.Label.TrimEnd('=');
            var value = column.Value;
            switch (name)
            {
                case "" when value.Format == FieldFormat.Comm:
                    Add(column, "COMM", 15, 10, Kept, limit: 15, colour: Ansi.Cyan);
                    break;
                case "PID":
                    Add(column, name, 7, 7, Kept);
                    break;
                case "TID":
                    Add(column, name, 7, 7, 40, text: ScreenText.IfDifferent, other: Find("PID"), isRare: true);
                    break;
                case "UID":
                    Add(column, name, 5, 5, hasUsers ? 5 : 30);
                    break;
                case "GID":
                    Add(column, name, 5, 5, 10);
                    break;
                case "syscall":
                    Add(column with { Value = value with { Format = FieldFormat.SyscallName } }, "SYSCALL", 22, 15, Kept);
                    break;
                case "ret":
                    // An address is 14 places wide; of files it is a descriptor, or bytes.
                    bool mayBeAddress = Find("syscall") is not null;
                    Add(column, "RESULT", mayBeAddress ? 15 : 10, mayBeAddress ? 14 : 8, Kept, text: ScreenText.Result);
                    break;
                case "errno" when Find("ret") is not null:
                    break; // the result says it
                case "errno":
                    Add(column with { Value = value with { Format = FieldFormat.ErrnoName } }, "ERROR", 15, 12, 23, isRare: true, hidesZero: true);
                    break;
                case "saddr" or "daddr":
                    Add(column with { Label = name[0] == 's' ? "source=" : "dest=" }, name[0] == 's' ? "SOURCE" : "DEST", 21, 18, Kept, text: ScreenText.Endpoint, other: PortOf(name), key: name);
                    break;
                case "sport" or "dport" when Find(name[0] + "addr") is not null:
                    break; // behind its address
                case "family":
                    Add(column, "FAMILY", 6, 6, 5);
                    break;
                case "netns":
                    Add(column, "NETNS", 10, 10, 7);
                    break;
                case "socket_id":
                    Add(column, "SOCKET", 10, 6, 8);
                    break;
                case "oldstate":
                    Add(column, "OLD_STATE", 11, 11, 15);
                    break;
                case "newstate":
                    Add(column, "STATE", 11, 11, 60);
                    break;
                case "reset_by":
                    Add(column, "RESET_BY", 8, 8, 21, isRare: true);
                    break;
                case "retransmits":
                    Add(column, "RETRANS", 7, 7, 25, isRare: true, hidesZero: true);
                    break;
                case "srtt_us":
                    Add(column, "SRTT_US", 7, 7, 24);
                    break;
                case "rx_bytes" or "tx_bytes":
                    Add(column, name[0] == 'r' ? "RX_BYTES" : "TX_BYTES", 10, 8, 65, isRare: true);
                    break;
                case "bytes":
                    Add(column, "BYTES", 10, 6, 9, text: ScreenText.IfDifferent, other: Find("ret"), hidesZero: true);
                    break;
                case "prev_prio":
                    Add(column, "PPRIO", 5, 5, 12);
                    break;
                case "next_prio":
                    Add(column, "NPRIO", 5, 5, 11);
                    break;
                case "prev_state":
                    Add(column, "STATE", 10, 10, 70);
                    break;
                case "next_comm":
                    Add(column, "NEXT_COMM", 15, 10, Kept, limit: 15, colour: Ansi.Cyan);
                    break;
                case "next_pid":
                    Add(column, "NEXT_PID", 8, 8, Kept);
                    break;
                case "next_tid":
                    Add(column, "NEXT_TID", 8, 8, 41, text: ScreenText.IfDifferent, other: Find("next_pid"), isRare: true);
                    break;
                case "duration":
                    Add(column, "DURATION", 9, 9, 90, isRare: true);
                    break;
                case "address":
                    Add(column, "ADDRESS", 18, 14, Kept);
                    break;
                case "evt_type":
                    Add(column, "EVENT", column.Width, column.Width, Kept);
                    break;
                default:
                    AddOther(column, name);
                    break;
            }
        }

        void AddOther(in EventColumn column, string name)
        {
            if (column.Value.Format == FieldFormat.Constant)
            {
                const int most = 40;
                int length = Math.Min(column.Value.Names![0]!.Length, most);
                // A path that was asked for is known; a symbol is one of several.
                Add(column, name.ToUpperInvariant(), length, length, name == "path" ? 6 : Kept, limit: most);
            }
            else if (column.Value.Format == FieldFormat.PathIfAny)
            {
                bool isFirst = !columns.Exists(static known => known.IsWide);
                Add(column, name.ToUpperInvariant(), name.Length, name.Length, isFirst ? Kept : 1, isRare: true, isWide: isFirst);
            }
            else if (column.Width == 0)
            {
                Add(column, "", 0, 0, 0, isRare: true);
            }
            else
            {
                Add(column, name.ToUpperInvariant(), column.Width, column.Width, Kept);
            }
        }

        EventValue? Find(string label) => columns.Find(column => column.Key == label)?.Value;

        EventValue PortOf(string address)
        {
            foreach (var column in schema.Columns)
            {
                if (column.Label == address[0] + "port=")
                    return column.Value;
            }

            return new EventValue(FieldFormat.Absent);
        }

        void Add(
            in EventColumn column, string title, int width, int widthMin, int rank, ScreenText text = ScreenText.Plain, EventValue? other = null,
            bool isRare = false, bool isWide = false, bool hidesZero = false, int limit = 0, string colour = "", string? key = null) =>
            columns.Add(new ScreenColumn
            {
                Key = key ?? (column.Label.Length > 0 ? column.Label.TrimEnd('=') : title == "COMM" ? "" : title + column.Value.Format),
                Title = title,
                Label = Encoding.UTF8.GetBytes(column.Label),
                Value = column.Value,
                Text = text == ScreenText.IfDifferent && other is null ? ScreenText.Plain : text,
                Other = other,
                ErrorOf = text == ScreenText.Result ? column.Value with { Format = FieldFormat.ErrnoName } : null,
                Width = Math.Max(width, title.Length),
                WidthMin = Math.Max(widthMin, title.Length),
                Rank = rank,
                IsRare = isRare,
                IsWide = isWide,
                HidesZero = hidesZero,
                Limit = limit,
                Colour = colours ? Encoding.UTF8.GetBytes(colour) : [],
            });
    }
}

/// <summary>How a value becomes text on a terminal.</summary>
internal enum ScreenText
{
    /// <summary>As in the full columns.</summary>
    Plain,

    /// <summary>What a call returned, or its error's name.</summary>
    Result,

    /// <summary>Nothing where it is the same as the other value.</summary>
    IfDifferent,

    /// <summary>The time of day, without the date.</summary>
    TimeOfDay,

    /// <summary>An address with the port that is the other value.</summary>
    Endpoint,
}
