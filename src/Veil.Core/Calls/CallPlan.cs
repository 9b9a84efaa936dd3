// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>The bytes of a <c>struct syscall_plan</c>.</summary>
[InlineArray(CallPlan.SizeBytes)]
public struct CallPlanBytes
{
    private byte _first;
}

/// <summary>The kernel's table of what to read: <c>syscall_plans</c>, an array of <c>struct syscall_plan</c>.</summary>
public static class CallPlan
{
    /// <summary>Numbers in each call table (<c>SYSCALL_TABLE_CALLS</c>).</summary>
    public const int TableCalls = 1024;

    /// <summary>Rows of the kernel's table: those of the call tables, and behind them those of calls that do many things.</summary>
    public const int RowsMax = (5 + 2) * TableCalls;

    internal const int MaskBytes = 12;
    internal const int CountedAt = 6;
    private const int SelectorAt = 10;

    /// <summary>Bytes of <c>struct syscall_plan</c>.</summary>
    public const int SizeBytes = NestedOffset + (NestedReader.Max * NestedReader.SizeBytes);

    internal const int NestedOffset = (2 * CallView.ArgsMax * CallReader.SizeBytes) + MaskBytes;

    // In `more`.
    private const int Compat = 1, NestedEnter = 2, NestedEnd = 4, EndAlways = 8, PackedShift = 4;

    /// <summary>The rows that read something, by their place in the array; and of calls that do many things, where the row is for
    /// what.</summary>
    /// <param name="options">How much is shown.</param>
    public static CallPlans All(CallOptions options)
    {
        var plans = new CallPlans();
        uint next = (uint)(Enum.GetValues<SyscallArch>().Length * TableCalls);
        foreach (var arch in Enum.GetValues<SyscallArch>())
        {
            bool is32Bit = arch is SyscallArch.I386 or SyscallArch.Arm;
            var table = SyscallTable.For(arch);
            for (int number = 0; number < TableCalls; number++)
            {
                if (table.NameUtf8(number).IsEmpty)
                    continue;
                var known = CallTable.Of(arch, number);
                uint key = (uint)(((int)arch * TableCalls) + number);
                if (TryMake(known, options, is32Bit, out var plan))
                    plans.Rows.Add((key, plan));
                foreach (var (value, variant) in known.Variants)
                {
                    if (variant.Spec.Packed > 0)
                    {
                        plans.Variants.Add((key, value, (uint)((int)arch * TableCalls) + (uint)SocketcallTable.NumberOf(value)));
                    }
                    else
                    {
                        TryMake(variant, options, is32Bit, out plan);
                        plans.Rows.Add((next, plan));
                        plans.Variants.Add((key, value, next++));
                    }
                }
            }
        }

        return plans;
    }

    private static bool TryMake(KnownCall known, CallOptions options, bool is32Bit, out CallPlanBytes bytes)
    {
        var spec = known.Spec;
        const int exits = CallView.ArgsMax * CallReader.SizeBytes, masks = 2 * exits;
        bytes = default;
        Span<byte> plan = bytes;
        for (int position = 0; position < spec.Arguments.Count; position++)
        {
            var argument = spec.Arguments[position];
            if (argument.Input(position, options, is32Bit) is { Read: not CallRead.None } input)
            {
                input.Write(plan[(position * CallReader.SizeBytes)..]);
                plan[masks] |= (byte)(1 << position);
            }

            if (argument.Output(position, options, is32Bit) is { Read: not CallRead.None } output)
            {
                output.Write(plan[(exits + (position * CallReader.SizeBytes))..]);
                plan[masks + 1] |= (byte)(1 << position);
            }

            if (argument.IsPath)
                plan[masks + 4] |= (byte)(1 << position);
            if (argument.IsDescriptor)
                plan[masks + 5] |= (byte)(1 << position);
        }

        for (int index = 0; index < spec.Nested.Count; index++)
            spec.Nested[index].Write(plan[(NestedOffset + (index * NestedReader.SizeBytes))..]);
        if (spec.Result == CallResult.Descriptor)
            plan[masks + 5] |= 1 << CallView.ReturnArg;
        if (options.Descriptors != DescriptorDetail.None)
            plan[masks + 2] = plan[masks + 5];
        else if (spec.NeedsSocket)
            plan[masks + 2] = 1;
        // A path that is relative to no descriptor is so to where the process is, which may have ended when that is asked.
        if (options.WithFolder && plan[masks + 4] != 0 && !spec.Arguments.Any(static argument => argument.IsDescriptor))
            plan[masks + 2] |= 1 << CallView.FolderArg;
        plan[masks + 3] = (byte)((is32Bit ? Compat : 0) | (spec.Nested.Any(static nested => !nested.IsOutput) ? NestedEnter : 0)
            | (spec.Nested.Any(static nested => nested.IsOutput) ? NestedEnd : 0) | (spec.FillsAfterFailure ? EndAlways : 0) | spec.Packed << PackedShift);
        plan[masks + SelectorAt] = (byte)(spec.SelectedBy + 1);
        foreach (var (field, name) in (options.CountedBy ?? []).Index())
        {
            if (name is not null && CountedArgument.TryFind(known, name, is32Bit, out int place))
                plan[masks + CountedAt + field] = (byte)(place + 1);
        }

        return plan.Slice(masks, 3).ContainsAnyExcept((byte)0) || plan[masks + 5] != 0
            || plan.Slice(masks + CountedAt, SelectorAt + 1 - CountedAt).ContainsAnyExcept((byte)0) || (plan[masks + 3] & ~Compat) != 0;
    }
}
