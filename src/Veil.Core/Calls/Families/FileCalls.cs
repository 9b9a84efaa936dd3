using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls on files by path and by descriptor.</summary>
internal static class FileCalls
{
    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("openat", DirFd, FilePath, Hex, Mode) { Result = CallResult.Descriptor },
        new("read", Fd, OutBuffer, Size),
        new("write", Fd, InBuffer(2), Size),
        new("close", Fd),
    ];
}
