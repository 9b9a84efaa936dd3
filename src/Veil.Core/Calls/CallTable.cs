// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.ObjectModel;
using System.Text;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>What is known of every system call of every table. What no family describes is shown by the types of the kernel's
/// prototype.</summary>
public static class CallTable
{
    private static readonly Lazy<Dictionary<string, CallSpec>> s_specs = new(static () =>
    {
        var specs = new Dictionary<string, CallSpec>(StringComparer.Ordinal);
        foreach (var spec in Families.SelectMany(static family => family))
            specs.Add(spec.Name, spec);
        return specs;
    });

    private static readonly KnownCall?[] s_known = new KnownCall?[5 * CallPlan.TableCalls];

    // A spec whose name begins with a table's name and a colon (i386:pread64) is for that table alone.
    private static IEnumerable<IEnumerable<CallSpec>> Families =>
    [
        FileCalls.All, DescriptorCalls.All, WaitCalls.All, MountCalls.All, IoctlCalls.All, MemoryCalls.All, ProcessCalls.All,
        SignalCalls.All, TimeCalls.All, IdentityCalls.All, IpcCalls.All, KernelCalls.All, SocketCalls.All, UringCalls.All,
    ];

    /// <summary>A call; of a number that no table has, one without arguments.</summary>
    /// <param name="arch">The table.</param>
    /// <param name="number">The number, with or without x32's bit.</param>
    public static KnownCall Of(SyscallArch arch, int number)
    {
        int index = number & ~SyscallTable.X32Bit;
        if ((uint)index >= CallPlan.TableCalls)
            return KnownCall.Unknown;
        ref var known = ref s_known[((int)arch * CallPlan.TableCalls) + index];
        return known ??= Make(arch, number);
    }

    /// <summary>A call, by what it is asked to do where that is many things.</summary>
    public static KnownCall Of(scoped in CallView call)
    {
        var known = Of(call.Arch, call.Number);
        int selector = known.Spec.SelectedBy;
        // One whose arguments are in an array has a number of its own, unless these could not be read.
        return selector >= 0 && known.Variants.TryGetValue((uint)call[selector], out var variant) && variant.Spec.Packed == 0 ? variant
            : known;
    }

    private static KnownCall Make(SyscallArch arch, int number)
    {
        var table = SyscallTable.For(arch);
        string name = Encoding.UTF8.GetString(table.NameUtf8(number));
        if (name.Length == 0)
            return KnownCall.Unknown;
        bool isSocketcall = arch == SyscallArch.I386 && !SocketcallTable.NameUtf8(number).IsEmpty;
        var parameters = SyscallParameters.Of(arch, isSocketcall && table.TryGetNumber(SocketcallTable.SameAs(number), out int same)
            ? same : number);
        var specs = s_specs.Value;
        CallSpec? spec;
        if (isSocketcall)
        {
            spec = specs[name];
            spec = spec with { Packed = spec.Arguments.Count };
        }
        else if (!specs.TryGetValue($"{table.ArchName}:{name}", out spec)
            && (!specs.TryGetValue(name, out spec) || spec.Arguments.Count != parameters.Length))
        {
            spec = ByTypes(name, parameters);
        }

        var names = parameters.ToArray().Select(static parameter => Encoding.UTF8.GetBytes(parameter.Name));
        // What rt_sigreturn restores is no parameter.
        int more = spec.Packed > 0 ? 0 : Math.Max(spec.Arguments.Count - parameters.Length, 0);
        // Of a call whose arguments are in an array the prototype names the array alone.
        if (spec.Packed > parameters.Length && SyscallTable.For(SyscallArch.X64).TryGetNumber(name, out int wide))
            names = SyscallParameters.Of(SyscallArch.X64, wide).ToArray().Select(static parameter => Encoding.UTF8.GetBytes(parameter.Name));
        byte[][] all = [.. names.Take(spec.Arguments.Count), .. Enumerable.Repeat("mask"u8.ToArray(), more)];
        return new KnownCall(spec, all)
        {
            Variants = spec.Variants.ToDictionary(static variant => variant.Key, variant => new KnownCall(variant.Value, all)),
        };
    }

    private static CallSpec ByTypes(string name, ReadOnlySpan<SyscallParameter> parameters)
    {
        var arguments = new Argument[parameters.Length];
        for (int position = 0; position < arguments.Length; position++)
            arguments[position] = ByType(parameters[position]);
        return new CallSpec(name, arguments);
    }

    private static Argument ByType(SyscallParameter parameter) => parameter switch
    {
        { Type: "const char *", Name: "filename" or "pathname" or "path" or "oldname" or "newname" or "dir_name" or "dev_name" } =>
            Arguments.FilePath,
        { Type: "const char *", Name: "name" or "u_name" or "name_user" or "special" or "specialfile" } => Arguments.Name,
        {
            Name: "fd" or "fildes" or "mqdes" or "pidfd" or "dfd" or "fd_in" or "fd_out" or "in_fd" or "out_fd",
            Type: not ("unsigned long" or "long")
        } => Arguments.Fd,
        { Type: ['u', 'm', 'o', 'd', 'e', ..] } => Arguments.Mode,
        { Type: "int" or "pid_t" or "clockid_t" or "const clockid_t" or "timer_t" or "key_t" or "key_serial_t" or "mqd_t" or "s32" } =>
            Arguments.Int,
        { Type: "unsigned int" or "unsigned" or "uid_t" or "gid_t" or "u32" or "__u32" or "qid_t" } => Arguments.UInt,
        { Type: "long" or "loff_t" or "off_t" or "ssize_t" } => Arguments.Long,
        { Type: "size_t" } => Arguments.Size,
        { Type: [.., '*'] } => Arguments.Address,
        _ => Arguments.Hex,
    };
}

/// <summary>A call of one table.</summary>
/// <param name="Spec">What its arguments are.</param>
/// <param name="Names">Their names, UTF-8.</param>
public sealed record KnownCall(CallSpec Spec, IReadOnlyList<byte[]> Names)
{
    /// <summary>What it is by the value of the argument <see cref="CallSpec.SelectedBy"/>.</summary>
    public IReadOnlyDictionary<uint, KnownCall> Variants { get; init; } = ReadOnlyDictionary<uint, KnownCall>.Empty;

    /// <summary>A call of which nothing is known: every register that may carry an argument.</summary>
    public static KnownCall Unknown { get; } = new(new CallSpec("syscall", [.. Enumerable.Repeat(Calls.Arguments.Hex, CallView.ArgsMax)]),
        [.. Enumerable.Range(0, CallView.ArgsMax).Select(static index => Encoding.UTF8.GetBytes($"arg{index}"))]);
}
