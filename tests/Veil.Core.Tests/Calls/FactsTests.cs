// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

/// <summary>What is said of a call beside its arguments.</summary>
public sealed class FactsTests
{
    private const SyscallArch Arch = SyscallArch.X64;

    [Fact]
    public void Path_OfARename_IsOneOfTwo()
    {
        var record = new CallRecord(Arch, "renameat2", 0, 3, 0x1000, 4, 0x2000, 0).With(1, "a"u8).With(3, "b"u8);
        (record.Path(0), record.Path(1), record.Path(2)).ShouldBe(("a", "b", null));
    }

    [Fact]
    public void Path_ThatCouldNotBeRead_IsNone() =>
        new CallRecord(Arch, "unlink", -14, 1).With(0, default, CallChunkMarks.Unread).Path(0).ShouldBeNull();

    [Fact]
    public void Names_OfWhatIsShownAsItsAddress_AreUnread()
    {
        var record = new CallRecord(Arch, "openat", -14, 3, 1, 0).With(1, default, CallChunkMarks.Unread)
            .With(1, default, CallChunkMarks.Unread | CallChunkMarks.Late);
        record.Names(CallChunkMarks.Unread).ShouldBe("filename");
        record.Names(CallChunkMarks.Late).ShouldBe("");
    }

    [Fact]
    public void Names_OfWhatWasReadAtTheEnd_AreLate()
    {
        var record =
            new CallRecord(Arch, "openat", 3, 3, 1, 0).With(1, default, CallChunkMarks.Unread).With(1, "/x"u8, CallChunkMarks.Late);
        record.Names(CallChunkMarks.Unread).ShouldBe("");
        record.Names(CallChunkMarks.Late).ShouldBe("filename");
    }

    [Fact]
    public void Names_OfARegisterThatIsNoAddress_AreNotUnread() =>
        new CallRecord(Arch, "fcntl", 30, 3, 0, 30).With(2, default, CallChunkMarks.Unread).Names(CallChunkMarks.Unread).ShouldBe("");

    [Fact]
    public void Names_WithoutAnyRoom_AreUnread() =>
        new CallRecord(Arch, "write", 1, 3, 0x1000, 1).Names(CallChunkMarks.Unread).ShouldBe("buf");

    /// <summary>prctl(PR_GET_DUMPABLE) has no other argument, whatever is in the registers.</summary>
    [Fact]
    public void Names_OfAnArgumentThatIsLeftOut_AreNotUnread() =>
        new CallRecord(Arch, "prctl", 0, 3, 0x1000, 0x2000, 0x3000, 0x4000).Names(CallChunkMarks.Unread).ShouldBe("");

    [Fact]
    public void Names_OfTheOutputOfAFailedCall_AreNotUnread() =>
        new CallRecord(Arch, "read", -9, 3, 0x1000, 1).Names(CallChunkMarks.Unread).ShouldBe("");

    [Fact]
    public void Names_OfABufferThatIsCut_AreTruncated()
    {
        new CallRecord(Arch, "write", 40, 3, 0x1000, 40).With(1, new byte[32], CallChunkMarks.Truncated).Names(CallChunkMarks.Truncated)
            .ShouldBe("buf");
        new CallRecord(Arch, "write", 32, 3, 0x1000, 32).With(1, new byte[32]).Names(CallChunkMarks.Truncated).ShouldBe("");
    }

    [Fact]
    public void Names_OfALongPath_AreNotTruncated() =>
        new CallRecord(Arch, "unlink", 0, 0x1000).With(0, new byte[200]).Names(CallChunkMarks.Truncated).ShouldBe("");
}
