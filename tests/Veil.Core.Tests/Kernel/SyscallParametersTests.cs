// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Tests.Kernel;

public sealed class SyscallParametersTests
{
    public static TheoryData<SyscallArch> NamedArchs => [SyscallArch.X64, SyscallArch.I386, SyscallArch.X32, SyscallArch.Arm64];

    // From the kernel's own definitions (SYSCALL_DEFINEn, COMPAT_SYSCALL_DEFINEn) and its tables of numbers.
    [Theory]
    [InlineData(SyscallArch.X64, "read", "unsigned int fd, char * buf, size_t count")]
    [InlineData(SyscallArch.X64, "openat", "int dfd, const char * filename, int flags, umode_t mode")]
    [InlineData(SyscallArch.X64, "getpid", "")]
    [InlineData(SyscallArch.X64, "stat", "const char * filename, struct stat * statbuf")]
    [InlineData(SyscallArch.X64, "newfstatat", "int dfd, const char * filename, struct stat * statbuf, int flag")]
    [InlineData(SyscallArch.X64, "umount2", "char * name, int flags")]
    [InlineData(SyscallArch.X64, "wait4", "pid_t upid, int * stat_addr, int options, struct rusage * ru")]
    [InlineData(SyscallArch.X64, "execve", "const char * filename, const char *const * argv, const char *const * envp")]
    [InlineData(SyscallArch.X64, "connect", "int fd, struct sockaddr * uservaddr, int addrlen")]
    [InlineData(SyscallArch.X64, "fadvise64", "int fd, loff_t offset, size_t len, int advice")]
    [InlineData(SyscallArch.X64, "fanotify_mark", "int fanotify_fd, unsigned int flags, __u64 mask, int dfd, const char * pathname")]
    [InlineData(
        SyscallArch.X64, "clone",
        "unsigned long clone_flags, unsigned long newsp, int * parent_tidptr, int * child_tidptr, unsigned long tls")]
    [InlineData(SyscallArch.X64, "statx", "int dfd, const char * filename, unsigned int flags, unsigned int mask, struct statx * buffer")]
    [InlineData(SyscallArch.I386, "pread64", "unsigned int fd, char * ubuf, u32 count, u32 poslo, u32 poshi")]
    [InlineData(SyscallArch.I386, "mmap", "struct mmap_arg_struct32 * arg")]
    [InlineData(
        SyscallArch.I386,
        "mmap2",
        "unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, unsigned long fd, unsigned long pgoff")]
    [InlineData(SyscallArch.I386, "stat64", "const char * filename, struct stat64 * statbuf")]
    [InlineData(SyscallArch.I386, "fcntl64", "unsigned int fd, unsigned int cmd, compat_ulong_t arg")]
    [InlineData(SyscallArch.I386, "select", "struct compat_sel_arg_struct * arg")]
    [InlineData(SyscallArch.I386, "umount", "char * name")]
    [InlineData(SyscallArch.I386, "chown", "const char * filename, old_uid_t user, old_gid_t group")]
    [InlineData(SyscallArch.I386, "chown32", "const char * filename, uid_t user, gid_t group")]
    [InlineData(SyscallArch.I386, "nanosleep", "struct old_timespec32 * rqtp, struct old_timespec32 * rmtp")]
    [InlineData(SyscallArch.I386, "truncate64", "const char * filename, unsigned long offset_low, unsigned long offset_high")]
    [InlineData(
        SyscallArch.I386, "preadv", "compat_ulong_t fd, const struct iovec * vec, compat_ulong_t vlen, u32 pos_low, u32 pos_high")]
    [InlineData(SyscallArch.X32, "execve", "const char * filename, const compat_uptr_t * argv, const compat_uptr_t * envp")]
    [InlineData(SyscallArch.X32, "preadv", "unsigned long fd, const struct iovec * vec, unsigned long vlen, loff_t pos")]
    [InlineData(SyscallArch.X32, "writev", "unsigned long fd, const struct iovec * vec, unsigned long vlen")]
    [InlineData(SyscallArch.Arm64, "openat", "int dfd, const char * filename, int flags, umode_t mode")]
    [InlineData(SyscallArch.Arm64, "fadvise64", "int fd, loff_t offset, loff_t len, int advice")]
    [InlineData(
        SyscallArch.Arm64, "clone",
        "unsigned long clone_flags, unsigned long newsp, int * parent_tidptr, unsigned long tls, int * child_tidptr")]
    public void Of_KnownCall_IsItsPrototype(SyscallArch arch, string name, string prototype)
    {
        SyscallTable.For(arch).TryGetNumber(name, out int number).ShouldBeTrue();

        Text(SyscallParameters.Of(arch, number)).ShouldBe(prototype);
    }

    [Theory]
    [InlineData(SyscallArch.X64, -1)]
    [InlineData(SyscallArch.X64, 400)]
    [InlineData(SyscallArch.X64, int.MaxValue)]
    [InlineData(SyscallArch.X64, SyscallTable.X32Bit)]
    [InlineData(SyscallArch.Arm, 3)]
    public void Of_NumberWithoutCall_IsEmpty(SyscallArch arch, int number) => SyscallParameters.Of(arch, number).IsEmpty.ShouldBeTrue();

    [Theory]
    [MemberData(nameof(NamedArchs))]
    public void Of_EveryCall_HasAtMostSixNamedParameters(SyscallArch arch)
    {
        foreach (string name in SyscallTable.For(arch).Names)
        {
            SyscallTable.For(arch).TryGetNumber(name, out int number).ShouldBeTrue();
            var parameters = SyscallParameters.Of(arch, number).ToArray();
            parameters.Length.ShouldBeLessThanOrEqualTo(6, name);
            parameters.ShouldAllBe(static parameter => parameter.Name.Length > 0 && parameter.Type.Length > 0, name);
            parameters.Select(static parameter => parameter.Name).ShouldBeUnique(name);
        }
    }

    private static string Text(ReadOnlySpan<SyscallParameter> parameters)
    {
        var text = new StringBuilder();
        foreach (var (name, type) in parameters)
            text.Append(text.Length > 0 ? ", " : "").Append(type).Append(' ').Append(name);
        return text.ToString();
    }
}
