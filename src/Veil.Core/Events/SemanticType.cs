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

    /// <summary>Appends what a member of the named type shows.</summary>
    /// <returns>False where the type is not a semantic one.</returns>
    public static bool TryExpand(string typedef, string member, int offset, int size, List<EventField> fields, List<EventColumn> columns)
    {
        switch (typedef)
        {
            case "veil_kind_t":
                return true;
            case "veil_comm_t":
                fields.Add(new(member, FieldFormat.Comm, offset, size));
                columns.Add(new("", 15, FieldFormat.Comm, offset, size));
                return true;
            case "veil_pid_t" or "veil_tid_t":
                fields.Add(new(member, FieldFormat.Unsigned, offset, size));
                columns.Add(new(member.ToUpperInvariant() + "=", PidWidth, FieldFormat.Unsigned, offset, size));
                return true;
            case "veil_uid_t" or "veil_gid_t":
                fields.Add(new(member, FieldFormat.Unsigned, offset, size));
                columns.Add(new(member.ToUpperInvariant() + "=", UserWidth, FieldFormat.Unsigned, offset, size));
                return true;
            case "veil_timestamp_t":
                fields.Add(new(member, FieldFormat.Unsigned, offset, size));
                return true;
            case "veil_duration_t":
                fields.Add(new(member, FieldFormat.Nanoseconds, offset, size));
                columns.Add(new(member.Replace("_ns", "", StringComparison.Ordinal) + "=", 9, FieldFormat.Duration, offset, size));
                return true;
            case "veil_syscall_t":
                fields.Add(new(member, FieldFormat.SyscallName, offset, size));
                fields.Add(new(member + "_nr", FieldFormat.SyscallNumber, offset, size));
                fields.Add(new("arch", FieldFormat.SyscallArch, offset, size));
                columns.Add(new(member + "=", 22, FieldFormat.SyscallNameAndNumber, offset, size));
                columns.Add(new("", 0, FieldFormat.SyscallForeignArch, offset, size));
                return true;
            case "veil_ret_t":
                fields.Add(new(member, FieldFormat.Return, offset, size));
                fields.Add(new("errno", FieldFormat.ErrnoName, offset, size));
                fields.Add(new("errno_nr", FieldFormat.ErrnoNumber, offset, size));
                columns.Add(new(member + "=", 14, FieldFormat.ReturnForPeople, offset, size));
                columns.Add(new("errno=", 17, FieldFormat.ErrnoNameAndNumber, offset, size));
                return true;
            default:
                return false;
        }
    }
}
