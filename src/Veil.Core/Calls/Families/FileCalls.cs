// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

/// <summary>Calls on files by path and by descriptor.</summary>
internal static partial class FileCalls
{
    private const int XattrShown = 256;

    private static readonly Argument s_open = Flags(FlagSets.Open);

    private static readonly Argument s_xattrValue = new BufferArgument(length: 3, isOutput: false) { SizeMax = 65536 }; // XATTR_SIZE_MAX

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All => [.. Opens, .. Transfers, .. Metadata, .. Names, .. Compat];

    private static IEnumerable<CallSpec> Opens =>
    [
        new("open", FilePath, s_open, ModeIfCreating) { Result = CallResult.Descriptor },
        new("openat", DirFd, FilePath, s_open, ModeIfCreating) { Result = CallResult.Descriptor },
        new("openat2", DirFd, FilePath, new StructArgument(24, OpenHow) { SizeArg = 3 }, Size) { Result = CallResult.Descriptor },
        new("creat", FilePath, Mode) { Result = CallResult.Descriptor },
        new("close", Fd),
        new("close_range", UInt, UInt, Flags(FlagSets.CloseRangeFlags)),
        new("name_to_handle_at", DirFd, FilePath, s_handleOut, new StructArgument(4, Bracketed) { IsOutput = true,
            IsAddressAfterFailure = true },
            Flags(FlagSets.AtHandle)) { FillsAfterFailure = true },
        new("open_by_handle_at", Fd, s_handleIn, s_open) { Result = CallResult.Descriptor },
        new("memfd_create", Arguments.String, new OwnArgument(MemfdFlags)) { Result = CallResult.Descriptor },
    ];

    private static IEnumerable<CallSpec> Transfers =>
    [
        new("read", Fd, OutBuffer, Size),
        new("write", Fd, InBuffer(2), Size),
        new("pread64", Fd, OutBuffer, Size, Offset),
        new("pwrite64", Fd, InBuffer(2), Size, Offset),
        new("readv", Fd, new VectorArgument(2, isOutput: true), Size),
        new("writev", Fd, new VectorArgument(2, isOutput: false), Size),
        new("preadv", Fd, new VectorArgument(2, isOutput: true), Size, Offset, Hidden),
        new("pwritev", Fd, new VectorArgument(2, isOutput: false), Size, Offset, Hidden),
        new("preadv2", Fd, new VectorArgument(2, isOutput: true), Size, Offset, Hidden, Flags(FlagSets.RwFlags)),
        new("pwritev2", Fd, new VectorArgument(2, isOutput: false), Size, Offset, Hidden, Flags(FlagSets.RwFlags)),
        new("lseek", Fd, Long, Enum(FlagSets.LseekWhence)),
        new("sendfile", Fd, Fd, s_movedOffset, Size),
        new("sendfile64", Fd, Fd, s_movedOffset, Size),
        new("copy_file_range", Fd, s_offsetIn, Fd, s_offsetIn, Size, UInt),
        new("splice", Fd, s_offsetIn, Fd, s_offsetIn, Size, Flags(FlagSets.SpliceFlags)),
        new("tee", Fd, Fd, Size, Flags(FlagSets.SpliceFlags)),
        new("vmsplice", Fd, new VectorArgument(2, isOutput: false), Size, Flags(FlagSets.SpliceFlags)),
        new("truncate", FilePath, Size),
        new("ftruncate", Fd, Size),
        new("fallocate", Fd, Flags(FlagSets.FallocateModes), Offset, Offset),
        new("fadvise64", Fd, Offset, Size, Enum(FlagSets.FadviseAdvice)),
        new("readahead", Fd, Offset, Size),
        new("sync_file_range", Fd, Offset, Offset, Flags(FlagSets.SyncFileRangeFlags)),
        new("fsync", Fd),
        new("fdatasync", Fd),
        new("syncfs", Fd),
        new("getdents", Fd, new OwnArgument(Entries) { End = new(CallRead.Entries, 4, 8) }, UInt),
        new("getdents64", Fd, new OwnArgument(Entries) { End = new(CallRead.Entries, 8, 8) }, UInt),
    ];

    private static IEnumerable<CallSpec> Metadata =>
    [
        new("stat", FilePath, s_stat),
        new("lstat", FilePath, s_stat),
        new("fstat", Fd, s_stat),
        new("newfstatat", DirFd, FilePath, s_stat, Flags(FlagSets.AtFlags)),
        new("stat64", FilePath, s_stat64),
        new("lstat64", FilePath, s_stat64),
        new("fstat64", Fd, s_stat64),
        new("fstatat64", DirFd, FilePath, s_stat64, Flags(FlagSets.AtFlags)),
        new("statx", DirFd, FilePath, new OwnArgument(StatxFlags), Flags(FlagSets.StatxMask),
            new StructArgument(48, Statx) { IsOutput = true }),
        new("statfs", FilePath, s_statfs),
        new("fstatfs", Fd, s_statfs),
        new("statfs64", FilePath, Size, new StructArgument(84, Statfs64) { IsOutput = true }),
        new("fstatfs64", Fd, Size, new StructArgument(84, Statfs64) { IsOutput = true }),
        new("access", FilePath, Flags(FlagSets.AccessMode)),
        new("faccessat", DirFd, FilePath, Flags(FlagSets.AccessMode)),
        new("faccessat2", DirFd, FilePath, Flags(FlagSets.AccessMode), Flags(FlagSets.AtAccess)),
        new("chmod", FilePath, Mode),
        new("fchmod", Fd, Mode),
        new("fchmodat", DirFd, FilePath, Mode),
        new("fchmodat2", DirFd, FilePath, Mode, Flags(FlagSets.AtNoFollow)),
        new("chown", FilePath, Id, Id),
        new("lchown", FilePath, Id, Id),
        new("fchown", Fd, Id, Id),
        new("chown32", FilePath, Id, Id),
        new("lchown32", FilePath, Id, Id),
        new("fchown32", Fd, Id, Id),
        new("fchownat", DirFd, FilePath, Id, Id, Flags(FlagSets.AtFlags)),
        new("utime", FilePath, new StructArgument(16, Utimbuf) { Size32 = 8 }),
        new("utimes", FilePath, s_timevals),
        new("futimesat", DirFd, FilePath, s_timevals),
        new("utimensat", DirFd, FilePath, s_timespecs, Flags(FlagSets.AtFlags)),
        new("utimensat_time64", DirFd, FilePath, new StructArgument(32, Moments), Flags(FlagSets.AtFlags)),
        new("umask", Mode) { Result = CallResult.Octal },
        new("setxattr", FilePath, Arguments.String, s_xattrValue, Size, Flags(FlagSets.XattrFlags)),
        new("lsetxattr", FilePath, Arguments.String, s_xattrValue, Size, Flags(FlagSets.XattrFlags)),
        new("fsetxattr", Fd, Arguments.String, s_xattrValue, Size, Flags(FlagSets.XattrFlags)),
        new("setxattrat", DirFd, FilePath, Flags(FlagSets.AtNoFollow), Arguments.String, new StructArgument(16, XattrArgs) { SizeArg = 5 },
            Size)
        {
            Nested = [new(4, 0, CallRead.Counted, 1, XattrShown, CountAt: 8) { IsWide = true, IsCountInt = true }],
        },
        new("getxattr", FilePath, Arguments.String, AskedBuffer(3), Size),
        new("lgetxattr", FilePath, Arguments.String, AskedBuffer(3), Size),
        new("fgetxattr", Fd, Arguments.String, AskedBuffer(3), Size),
        new("getxattrat", DirFd, FilePath, Flags(FlagSets.AtNoFollow), Arguments.String, new StructArgument(16, XattrArgs) { SizeArg = 5 },
            Size)
        {
            Nested = [new(4, 0, CallRead.Counted, 1, XattrShown, CountAt: 8) { IsOutput = true, IsWide = true, IsCountInt = true }],
        },
        new("listxattr", FilePath, AskedBuffer(2), Size),
        new("llistxattr", FilePath, AskedBuffer(2), Size),
        new("flistxattr", Fd, AskedBuffer(2), Size),
        new("listxattrat", DirFd, FilePath, Flags(FlagSets.AtNoFollow), AskedBuffer(4), Size),
        new("removexattr", FilePath, Arguments.String),
        new("lremovexattr", FilePath, Arguments.String),
        new("fremovexattr", Fd, Arguments.String),
        new("removexattrat", DirFd, FilePath, Flags(FlagSets.AtNoFollow), Arguments.String),
        new("file_getattr", DirFd, FilePath, new StructArgument(24, FileAttributes) { SizeArg = 3, IsOutput = true }, Size,
            Flags(FlagSets.AtNoFollow)),
        new("file_setattr", DirFd, FilePath, new StructArgument(24, FileAttributes) { SizeArg = 3 }, Size, Flags(FlagSets.AtNoFollow)),
    ];

    private static IEnumerable<CallSpec> Names =>
    [
        new("readlink", FilePath, OutBuffer, Int),
        new("readlinkat", DirFd, FilePath, OutBuffer, Size),
        new("rename", FilePath, FilePath),
        new("renameat", DirFd, FilePath, DirFd, FilePath),
        new("renameat2", DirFd, FilePath, DirFd, FilePath, Flags(FlagSets.RenameFlags)),
        new("link", FilePath, FilePath),
        new("linkat", DirFd, FilePath, DirFd, FilePath, Flags(FlagSets.AtFlags)),
        new("symlink", FilePath, FilePath),
        new("symlinkat", FilePath, DirFd, FilePath),
        new("unlink", FilePath),
        new("unlinkat", DirFd, FilePath, Flags(FlagSets.AtFlags)),
        new("mkdir", FilePath, Mode),
        new("mkdirat", DirFd, FilePath, Mode),
        new("rmdir", FilePath),
        new("mknod", FilePath, TypeAndMode, DeviceOfNode),
        new("mknodat", DirFd, FilePath, TypeAndMode, DeviceOfNode),
        new("chdir", FilePath),
        new("fchdir", Fd),
        new("chroot", FilePath),
        new("getcwd", new OutStringArgument(), Size),
        new("pivot_root", FilePath, FilePath),
    ];

    // Where a register has 4 bytes an offset takes two of them.
    private static IEnumerable<CallSpec> Compat =>
    [
        new("i386:pread64", Fd, OutBuffer, UInt, Offset, Hidden),
        new("i386:pwrite64", Fd, InBuffer(2), UInt, Offset, Hidden),
        new("i386:oldstat", FilePath, s_oldStat),
        new("i386:oldlstat", FilePath, s_oldStat),
        new("i386:oldfstat", Fd, s_oldStat),
        new("i386:chown", FilePath, ShortId, ShortId),
        new("i386:lchown", FilePath, ShortId, ShortId),
        new("i386:fchown", Fd, ShortId, ShortId),
        new("truncate64", FilePath, Offset, Hidden),
        new("ftruncate64", Fd, Offset, Hidden),
        new("i386:fallocate", Fd, Flags(FlagSets.FallocateModes), Offset, Hidden, Offset, Hidden),
        new("i386:fadvise64", Fd, Offset, Hidden, UInt, Enum(FlagSets.FadviseAdvice)),
        new("fadvise64_64", Fd, Offset, Hidden, Offset, Hidden, Enum(FlagSets.FadviseAdvice)),
        new("i386:readahead", Fd, Offset, Hidden, UInt),
        new("i386:sync_file_range", Fd, Offset, Hidden, Offset, Hidden, Flags(FlagSets.SyncFileRangeFlags)),
        new("_llseek", Fd, new OwnArgument(HighOffset), Hidden, new StructArgument(8, Bracketed64) { IsOutput = true },
            Enum(FlagSets.LseekWhence)),
    ];
}
