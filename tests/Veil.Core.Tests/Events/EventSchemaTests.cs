// SPDX-License-Identifier: GPL-3.0-only

namespace Veil.Core.Tests.Events;

public sealed class EventSchemaTests
{
    [Fact]
    public void Fields_OfACall_AreTheContractsInItsOrder()
    {
        var schema = SyscallObject.Events(0).Schemas.ShouldHaveSingleItem();

        string.Join(' ', schema.Fields.Select(static field => field.Name))
            .ShouldBe("module comm pid tid uid timestamp gid syscall syscall_nr arch");
        schema.SizeBytes.ShouldBe(56);
        schema.Kind.ShouldBe(0u);
    }

    [Fact]
    public void Fields_OfAReturn_AddResultErrorAndDuration()
    {
        var schema = SyscallObject.Events(1).Schemas.ShouldHaveSingleItem();

        string.Join(' ', schema.Fields.Select(static field => field.Name))
            .ShouldBe("module comm pid tid uid timestamp gid syscall syscall_nr arch ret errno errno_nr duration_ns");
        schema.Kind.ShouldBe(1u);
    }

    [Fact]
    public void Offsets_OfTheHeader_ComeFromTheObject()
    {
        var catalog = SyscallObject.Events(0);

        catalog.Header.SizeBytes.ShouldBe(40);
        catalog.Header.PidOffset.ShouldBe(16);
        catalog.Header.UidOffset.ShouldBe(24);
        catalog.Header.KindOffset.ShouldBe(28);
        catalog.Header.TimestampOffset.ShouldBe(32);
        catalog.Schemas[0].Fields.Single(static field => field.Name == "gid").Value.Offset.ShouldBe(40);
    }

    [Fact]
    public void Find_UnknownKind_IsAnError() =>
        Should.Throw<VeilException>(static () => SyscallObject.Events(0).Find(7)).Message.ShouldBe(
            "reading the ring: a record of unknown kind 7");

    [Fact]
    public void Add_EventThatTheObjectLacks_IsAnError() =>
        Should.Throw<VeilException>(static () => SyscallObject.Events(9)).Message.ShouldContain("veil_event_9");

    [Fact]
    public void Schema_SyscallArch_MatchesC()
    {
        using var bpf = SyscallObject.Open();

        bpf.Btf.FindEnum("veil_arch")!.Values.Select(static value => value.Name)
            .ShouldBe(["VEIL_ARCH_X86_64", "VEIL_ARCH_I386", "VEIL_ARCH_X32", "VEIL_ARCH_ARM64", "VEIL_ARCH_ARM"]);
        Enum.GetNames<SyscallArch>().ShouldBe(["X64", "I386", "X32", "Arm64", "Arm"]);
    }
}
