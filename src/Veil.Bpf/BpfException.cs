using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>An operation on BPF objects that the kernel or libbpf refused.</summary>
/// <remarks>The message reads <c>operation subject: cause (ERRNO); hint</c> and is fit for a user.</remarks>
public class BpfException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="operation">What was tried, as a participle: <c>loading</c>.</param>
    /// <param name="subject">What it was tried on.</param>
    /// <param name="errno">The positive error number; 0 where there is none.</param>
    /// <param name="cause">Why, where more is known than the number says.</param>
    /// <param name="hint">What to do about it.</param>
    public BpfException(string operation, string subject, int errno, string? cause = null, string? hint = null)
        : base(Compose(operation, subject, errno, cause, hint))
    {
        Operation = operation;
        Subject = subject;
        Errno = errno;
        Hint = hint;
    }

    /// <summary>What was tried.</summary>
    public string Operation { get; }

    /// <summary>What it was tried on.</summary>
    public string Subject { get; }

    /// <summary>The positive error number of the kernel; 0 where there is none.</summary>
    public int Errno { get; }

    /// <summary>Its name, such as <c>EPERM</c>.</summary>
    public string ErrnoName => ErrnoNames.NameOf(Errno);

    /// <summary>What to do about it, where that is known.</summary>
    public string? Hint { get; }

    private static string Compose(string operation, string subject, int errno, string? cause, string? hint)
    {
        string reason = (cause, errno) switch
        {
            (not null, 0) => cause,
            (not null, _) => $"{cause} ({ErrnoNames.NameOf(errno)})",
            (null, ErrnoNames.Enotsupp) => "not supported by this kernel (ENOTSUPP)",
            _ => $"{Marshal.GetPInvokeErrorMessage(errno)} ({ErrnoNames.NameOf(errno)})",
        };
        return $"{operation} {subject}: {reason}{(hint is null ? "" : "; " + hint)}";
    }
}
