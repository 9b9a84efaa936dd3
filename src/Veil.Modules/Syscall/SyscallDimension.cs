// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;
using Veil.Core.Kernel;

namespace Veil.Modules.Syscall;

/// <summary>The system call. A name stands for the call in every table of the machine; so does a number.</summary>
internal sealed class SyscallDimension : FilterDimension
{
    public override string Name => "syscall";

    public override char? Alias => 's';

    public override string ValueName => "CALL";

    public override string Description => "these system calls, by name, number or class (%file, %network, …)";

    // Tables grow by some ten calls a year and hold fewer than 600: a newer kernel's calls fit, slips do not.
    private const int NumberMax = 1023;

    public override string AcceptedForm => $"a system call's name, its number from 0 to {NumberMax}, or a class such as %file";

    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (char.IsAsciiDigit(text[0]) || text[0] == '-')
        {
            if (ParseNumber(text, 0, NumberMax, out long number) is { } wrong)
                return wrong;
            foreach (var arch in SyscallTable.OfThisMachine)
                keys.Add(Key(arch, arch == SyscallArch.X32 ? (int)number | SyscallTable.X32Bit : (int)number, text));
            return null;
        }

        if (text[0] == '%')
        {
            if (SyscallClasses.Find(text) is not { } calls)
                return $"unknown class {Quoted(text)} (available: {string.Join(", ", SyscallClasses.Names)})";
            foreach (string call in calls)
                AddCall(call, keys);
            return keys.Count > 0 ? null : $"class {Quoted(text)} has no call of this machine";
        }

        AddCall(text, keys);
        return keys.Count > 0 ? null : Unknown("system call", text, KeyNames());
    }

    public override IEnumerable<string> KeyNames() =>
        SyscallTable.OfThisMachine.SelectMany(static arch => SyscallTable.For(arch).Names).Distinct().Concat(SyscallClasses.Names);

    private static void AddCall(string name, List<FilterKey> keys)
    {
        foreach (var arch in SyscallTable.OfThisMachine)
        {
            if (SyscallTable.For(arch).TryGetNumber(name, out int number))
                keys.Add(Key(arch, number, name));
        }
    }

    // struct veil_syscall: the number, then the table.
    private static FilterKey Key(SyscallArch arch, int number, string text) => new(((UInt128)(uint)arch << 32) | (uint)number, text);
}
