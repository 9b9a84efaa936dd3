// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;

namespace Veil.Core.Tests.Calls;

public sealed class CallPlanTests
{
    private const int NestedOffset = 108; // of struct syscall_plan

    [Fact]
    public void All_ACallThatDoesManyThings_HasARowForEach()
    {
        var plans = CallPlan.All(new CallOptions());
        SyscallTable.For(SyscallArch.X64).TryGetNumber("bpf", out int bpf).ShouldBeTrue();

        var load = plans.Variants.Single(variant => variant.Key == (uint)bpf && variant.Value == 5); // BPF_PROG_LOAD
        var plan = plans.Rows.Single(row => row.Key == load.Row).Plan;
        ReadOnlySpan<byte> row = plan;

        // The string that the pointer at 16 leads to, of argument 1, with 8 bytes also of a 32-bit caller.
        row.Slice(NestedOffset, 3).ToArray().ShouldBe([1 | 16, (byte)CallRead.String, 16]);
        load.Row.ShouldBeGreaterThanOrEqualTo((uint)(5 * CallPlan.TableCalls));
    }

    [Fact]
    public void All_Socketcall_LeadsToTheCallsThatItMakes()
    {
        var plans = CallPlan.All(new CallOptions());
        uint i386 = (uint)SyscallArch.I386 * CallPlan.TableCalls;

        plans.Variants.Where(variant => variant.Key == i386 + 102).Select(static variant => variant.Row - variant.Value)
            .ShouldBe(Enumerable.Repeat(i386 + (uint)SocketcallTable.NumberOf(0), SocketcallTable.Count));
    }

    [Fact]
    public void All_RowsAndVariants_FitTheKernelsMaps()
    {
        var plans = CallPlan.All(new CallOptions());

        plans.Rows.Max(static row => row.Key).ShouldBeLessThan((uint)CallPlan.RowsMax);
        plans.Variants.Count.ShouldBeLessThanOrEqualTo(2048); // call_variants
        plans.Variants.Select(static variant => (variant.Key, variant.Value)).Distinct().Count().ShouldBe(plans.Variants.Count);
    }
}
