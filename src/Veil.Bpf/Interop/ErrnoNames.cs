namespace Veil.Bpf.Interop;

/// <summary>The errors that bpf(), perf_event_open() and mmap() give, by number (asm-generic/errno-base.h, errno.h, and ENOTSUPP of the kernel).</summary>
internal static class ErrnoNames
{
    internal const int Eperm = 1;
    internal const int Enoent = 2;
    internal const int Eacces = 13;
    internal const int Einval = 22;
    internal const int Eopnotsupp = 95;
    internal const int Enotsupp = 524;

    public static string NameOf(int errno) => errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        3 => "ESRCH",
        4 => "EINTR",
        5 => "EIO",
        7 => "E2BIG",
        9 => "EBADF",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        14 => "EFAULT",
        16 => "EBUSY",
        17 => "EEXIST",
        19 => "ENODEV",
        20 => "ENOTDIR",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        27 => "EFBIG",
        28 => "ENOSPC",
        34 => "ERANGE",
        36 => "ENAMETOOLONG",
        38 => "ENOSYS",
        61 => "ENODATA",
        75 => "EOVERFLOW",
        95 => "EOPNOTSUPP",
        110 => "ETIMEDOUT",
        524 => "ENOTSUPP",
        4000 + 3 => "LIBBPF_ERRNO__FORMAT",
        _ => $"errno {errno}",
    };
}
