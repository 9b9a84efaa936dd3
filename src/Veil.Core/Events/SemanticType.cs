using System.Text;
using Veil.Bpf;

namespace Veil.Core.Events;

/// <summary>
/// What each semantic typedef of <c>bpf/veil/types.bpf.h</c> means: the fields it gives and the columns it is shown in.
/// The one place to teach Veil a new kind of value.
/// </summary>
internal static class SemanticType
{
    // Fits 4194304, the largest PID there is (PID_MAX_LIMIT).
    private const int PidWidth = 7;

    // Fits most; ids go up to ten digits in user namespaces, and then the line is wider.
    private const int UserWidth = 5;

    // Enumerations are short lists; a value beyond is a flag word and stays a number.
    private const int EnumeratorMax = 1024;

    /// <summary>Appends what a member shows.</summary>
    /// <returns>False where its type says nothing.</returns>
    public static bool TryExpand(Btf btf, BtfMember member, int offset, List<EventField> fields, List<EventColumn> columns)
    {
        string name = member.Name;
        int size = member.SizeBytes;
        switch (member.TypedefName)
        {
            case "veil_kind_t":
                return true;
            case "veil_comm_t":
                Add(FieldFormat.Comm, 15, name == "comm" ? "" : name + "=");
                return true;
            case "veil_pid_t" or "veil_tid_t":
                Add(FieldFormat.Pid, PidWidth, CommonLabel());
                return true;
            case "veil_uid_t" or "veil_gid_t":
                Add(FieldFormat.Unsigned, UserWidth, CommonLabel());
                return true;
            case "veil_timestamp_t":
                fields.Add(new(name, new(FieldFormat.Unsigned, offset, size)));
                return true;
            case "veil_duration_t":
                fields.Add(new(name, new(FieldFormat.UnsignedOrUnknown, offset, size)));
                columns.Add(new(name.Replace("_ns", "", StringComparison.Ordinal) + "=", 9, new(FieldFormat.Duration, offset, size)));
                return true;
            case "veil_syscall_t":
                fields.Add(new(name, new(FieldFormat.SyscallName, offset, size)));
                fields.Add(new(name + "_nr", new(FieldFormat.SyscallNumber, offset, size)));
                fields.Add(new("arch", new(FieldFormat.SyscallArch, offset, size)));
                columns.Add(new(name + "=", 22, new(FieldFormat.SyscallNameAndNumber, offset, size)));
                columns.Add(new("", 0, new(FieldFormat.SyscallForeignArch, offset, size)));
                return true;
            case "veil_call_t":
                const int ret = 8;
                fields.Add(new("syscall", new(FieldFormat.SyscallName, offset, 8)));
                fields.Add(new("syscall_nr", new(FieldFormat.SyscallNumber, offset, 8)));
                fields.Add(new("arch", new(FieldFormat.SyscallArch, offset, 8)));
                fields.Add(new("ret", new(FieldFormat.Return, offset + ret, 8)));
                fields.Add(new("errno", new(FieldFormat.ErrnoName, offset + ret, 8)));
                fields.Add(new("errno_nr", new(FieldFormat.ErrnoNumber, offset + ret, 8)));
                fields.Add(new("args", new(FieldFormat.CallArguments, offset, size)));
                columns.Add(new("", 0, new(FieldFormat.SyscallForeignArch, offset, 8)));
                columns.Add(new("", 0, new(FieldFormat.Call, offset, size)));
                return true;
            case "veil_ret_t":
                fields.Add(new(name, new(FieldFormat.Return, offset, size)));
                fields.Add(new("errno", new(FieldFormat.ErrnoName, offset, size)));
                fields.Add(new("errno_nr", new(FieldFormat.ErrnoNumber, offset, size)));
                columns.Add(new(name + "=", 14, new(FieldFormat.ReturnForPeople, offset, size)));
                columns.Add(new("errno=", 17, new(FieldFormat.ErrnoNameAndNumber, offset, size)));
                return true;
            case "veil_errno_t":
                fields.Add(new(name, new(FieldFormat.ErrnoName, offset, size)));
                fields.Add(new(name + "_nr", new(FieldFormat.ErrnoNumber, offset, size)));
                columns.Add(new(name + "=", 17, new(FieldFormat.ErrnoNameAndNumber, offset, size)));
                return true;
            case "veil_cpu_t":
                Add(FieldFormat.Unsigned, 3);
                return true;
            case "veil_prio_t":
                Add(FieldFormat.Signed, 3);
                return true;
            case "veil_port_t":
                Add(FieldFormat.Unsigned, 5);
                return true;
            case "veil_chosen_port_t":
                Add(FieldFormat.UnsignedOrNone, 5);
                return true;
            case "veil_id_t":
                Add(FieldFormat.UnsignedOrNone, 10);
                return true;
            case "veil_bytes_t":
                Add(FieldFormat.UnsignedOrUnknown, 10);
                return true;
            case "veil_hex_t":
                Add(FieldFormat.Hexadecimal, 18);
                return true;
            case "veil_ip_t":
                Add(FieldFormat.IpAddress, 15);
                return true;
            case "veil_path_t":
                // What is said of an event's first path needs no name before it.
                string of = fields.Exists(static field => field.Value.Format == FieldFormat.Path) ? name + "_" : "";
                fields.Add(new(name, new(FieldFormat.Path, offset, size)));
                fields.Add(new(of + "truncated", new(FieldFormat.Boolean, offset + EventPart.TruncatedOffset, sizeof(byte))));
                fields.Add(new(of + "deleted", new(FieldFormat.Boolean, offset + EventPart.DeletedOffset, sizeof(byte))));
                columns.Add(new(name + "=", 0, new(FieldFormat.PathIfAny, offset, size)));
                columns.Add(new("", 0, new(FieldFormat.TruncatedMark, offset + EventPart.TruncatedOffset, sizeof(byte))));
                return true;
            case "__u8" or "__u16" or "__u32" or "__u64":
                Add(FieldFormat.Unsigned, size == 8 ? 10 : 5);
                return true;
            case "__s32" or "__s64":
                Add(FieldFormat.Signed, size == 8 ? 10 : 5);
                return true;
            case null when member is { Kind: BtfKind.Enum, ElementCount: 1, EnumName: { Length: > 0 } tag } && btf.FindEnum(tag) is { } type:
                var names = Enumerators(type);
                var value = new EventValue(FieldFormat.Enumerator, offset, size, names);
                fields.Add(new(name, value));
                columns.Add(new(name + "=", names.Max(static text => text?.Length ?? 0), value));
                return true;
            default:
                return false;
        }

        void Add(FieldFormat format, int width, string? label = null)
        {
            var value = new EventValue(format, offset, size);
            fields.Add(new(name, value));
            columns.Add(new(label ?? name + "=", width, value));
        }

        // The ids of the header stand in capitals, as ps has them.
        string CommonLabel() => (name is "pid" or "tid" or "uid" or "gid" ? name.ToUpperInvariant() : name) + "=";
    }

    private static byte[]?[] Enumerators(BtfEnum type)
    {
        var shown = type.Values.Where(static value => value.Value is >= 0 and < EnumeratorMax).ToList();
        var names = new byte[]?[shown.Count == 0 ? 0 : shown.Max(static value => value.Value) + 1];
        foreach (var (name, value) in shown)
            names[value] = Encoding.UTF8.GetBytes(name[(name.IndexOf("__", StringComparison.Ordinal) is var at and >= 0 ? at + 2 : 0)..]);
        return names;
    }
}
