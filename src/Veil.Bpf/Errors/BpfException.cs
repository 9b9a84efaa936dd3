// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>
/// The root of what this library throws for a reason outside the program: the kernel, privileges, an object file. The message reads
/// <c>operation subject: cause (ERRNO); hint</c>. Wrong use of the API throws the usual .NET exceptions instead.
/// </summary>
public class BpfException : Exception
{
    /// <summary>An error that the kernel or libbpf reported by number.</summary>
    /// <param name="operation">What was done, as in "attaching program".</param>
    /// <param name="subject">To what; may be empty.</param>
    /// <param name="errno">The positive error number.</param>
    /// <param name="hint">What the user can do, or null.</param>
    public BpfException(string operation, string subject, int errno, string? hint = null)
        : this(operation, subject, Bpf.Errno.Describe(errno), errno, hint)
    {
    }

    /// <summary>An error with a cause in words.</summary>
    /// <param name="operation">What was done, as in "attaching program".</param>
    /// <param name="subject">To what; may be empty.</param>
    /// <param name="cause">Why it did not work.</param>
    /// <param name="errno">The positive error number, 0 if none belongs to it.</param>
    /// <param name="hint">What the user can do, or null.</param>
    /// <param name="innerException">What led to it, or null.</param>
    public BpfException(
        string operation, string subject, string cause, int errno = 0, string? hint = null, Exception? innerException = null)
        : base(Format(operation, subject, cause, errno, hint), innerException)
    {
        Operation = operation;
        Subject = subject;
        Cause = cause;
        Errno = errno;
        Hint = hint;
    }

    /// <summary>What was done, as in "attaching program".</summary>
    public string Operation { get; }

    /// <summary>To what; may be empty.</summary>
    public string Subject { get; }

    /// <summary>Why it did not work, without the error's name.</summary>
    public string Cause { get; }

    /// <summary>The positive error number, 0 if none belongs to it.</summary>
    public int Errno { get; }

    /// <summary>The error's name, such as <c>EPERM</c>; empty if <see cref="Errno"/> is 0.</summary>
    public string ErrnoName => Bpf.Errno.Of(Errno);

    /// <summary>Whether the process or the machine has run out of file descriptors: another way to the same end does not help.</summary>
    public bool IsOutOfDescriptors => Errno is Bpf.Errno.EMFILE or Bpf.Errno.ENFILE;

    /// <summary>What the user can do; null if nothing better than the cause is known.</summary>
    public string? Hint { get; }

    private static string Format(string operation, string subject, string cause, int errno, string? hint)
    {
        string head = subject.Length == 0 ? operation : $"{operation} {subject}";
        string name = errno == 0 ? "" : $" ({Bpf.Errno.Of(errno)})";
        return hint is null ? $"{head}: {cause}{name}" : $"{head}: {cause}{name}; {hint}";
    }
}
