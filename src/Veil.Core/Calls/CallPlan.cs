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

    /// <summary>Bytes of <c>struct syscall_plan</c>.</summary>
    public const int SizeBytes = (2 * CallView.ArgsMax * CallReader.SizeBytes) + MaskBytes;

    internal const int MaskBytes = 12;
    internal const int CountedAt = 6;

    /// <summary>The rows that read something, by their place in the array.</summary>
    /// <param name="options">How much is shown.</param>
    public static IEnumerable<(uint Key, CallPlanBytes Plan)> All(CallOptions options)
    {
        foreach (var arch in Enum.GetValues<SyscallArch>())
        {
            var table = SyscallTable.For(arch);
            for (int number = 0; number < TableCalls; number++)
            {
                if (!table.NameUtf8(number).IsEmpty
                    && TryMake(CallTable.Of(arch, number), options, arch is SyscallArch.I386 or SyscallArch.Arm, out var plan))
                    yield return ((uint)(((int)arch * TableCalls) + number), plan);
            }
        }
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

        if (spec.Result == CallResult.Descriptor)
            plan[masks + 5] |= 1 << CallView.ReturnArg;
        if (options.Descriptors != DescriptorDetail.None)
            plan[masks + 2] = plan[masks + 5];
        // A path that is relative to no descriptor is so to where the process is, which may have ended when that is asked.
        if (options.WithFolder && plan[masks + 4] != 0 && !spec.Arguments.Any(static argument => argument.IsDescriptor))
            plan[masks + 2] |= 1 << CallView.FolderArg;
        plan[masks + 3] = is32Bit ? (byte)1 : (byte)0;
        foreach (var (field, name) in (options.CountedBy ?? []).Index())
        {
            if (name is not null && CountedArgument.TryFind(known, name, is32Bit, out int place))
                plan[masks + CountedAt + field] = (byte)(place + 1);
        }

        return plan.Slice(masks, 3).ContainsAnyExcept((byte)0) || plan[masks + 5] != 0 || plan[(masks + CountedAt)..].ContainsAnyExcept((byte)0);
    }
}
