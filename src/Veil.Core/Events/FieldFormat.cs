namespace Veil.Core.Events;

/// <summary>How a value is read from a record and shown. One semantic typedef of <c>types.bpf.h</c> may give several.</summary>
public enum FieldFormat
{
    /// <summary>The same text in every event of a kind: not in the record but of its schema.</summary>
    Constant,

    /// <summary>A NUL-padded task name of 16 bytes; a NUL and 0xff is not known.</summary>
    Comm,

    /// <summary>An unsigned integer of 1, 2, 4 or 8 bytes.</summary>
    Unsigned,

    /// <summary>A signed integer of 1, 2, 4 or 8 bytes.</summary>
    Signed,

    /// <summary>The name that stands for an unsigned integer, the number where there is none.</summary>
    Enumerator,

    /// <summary>True where an unsigned integer is not zero.</summary>
    Boolean,

    /// <summary>A remark in the text output where an unsigned integer is not zero, else nothing.</summary>
    TruncatedMark,

    /// <summary>An unsigned integer in hexadecimal; a string in JSON, whose numbers many readers keep in 53 bits.</summary>
    Hexadecimal,

    /// <summary>An Internet address.</summary>
    IpAddress,

    /// <summary>A path, in a part of the record; not known where the event has none.</summary>
    Path,

    /// <summary>The same for a column that is left out where the event has none.</summary>
    PathIfAny,

    /// <summary>An unsigned integer of 8 bytes; all ones is not known.</summary>
    UnsignedOrUnknown,

    /// <summary>An id of a process or thread, of 4 bytes; all ones is not known.</summary>
    Pid,

    /// <summary>An unsigned integer of 1, 2, 4 or 8 bytes; 0 is not known.</summary>
    UnsignedOrNone,

    /// <summary>Nanoseconds with the unit that suits them; all ones is not known.</summary>
    Duration,

    /// <summary>The name of a system call, <c>syscall_N</c> where the table has none.</summary>
    SyscallName,

    /// <summary>The number of a system call.</summary>
    SyscallNumber,

    /// <summary>The table that a system call's number indexes.</summary>
    SyscallArch,

    /// <summary><c>openat(257)</c>.</summary>
    SyscallNameAndNumber,

    /// <summary><c>  arch=i386</c>, or nothing when the call is of the machine's own table.</summary>
    SyscallForeignArch,

    /// <summary>What a call returned; not known where it never did (the least value), or only to be made again (<see cref="Kernel.Errno.IsRestart"/>).</summary>
    Return,

    /// <summary>The same, with an address in hexadecimal.</summary>
    ReturnForPeople,

    /// <summary>The error's name; 0, in JSON null, where the call did not fail.</summary>
    ErrnoName,

    /// <summary>The error's number, 0 where the call did not fail.</summary>
    ErrnoNumber,

    /// <summary><c>ENOENT(2)</c>, or 0.</summary>
    ErrnoNameAndNumber,

    /// <summary>A whole system call, as strace writes it.</summary>
    Call,

    /// <summary>The arguments of a system call, an object in JSON.</summary>
    CallArguments,

    /// <summary>Wall-clock time, from the enrichment.</summary>
    Time,

    /// <summary>The user's name, from the enrichment.</summary>
    UserName,

    /// <summary>The process's current name, from the enrichment.</summary>
    ProcName,

    /// <summary>A field that only other kinds of event have: not known.</summary>
    Absent,
}
