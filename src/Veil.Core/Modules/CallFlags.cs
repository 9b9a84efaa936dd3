// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Calls;
using Veil.Core.Filters;
using Veil.Core.Text;

namespace Veil.Core.Modules;

/// <summary>The flags that show calls with their arguments: <c>--args</c>, <c>--string-size</c>, <c>--fds</c>.</summary>
public static class CallFlags
{
    private static readonly string[] s_details = ["none", "path", "all"];

    /// <summary><c>--args</c>.</summary>
    public static ModuleFlag Args { get; } = new("args", null, "an event as each call ends, with its arguments as strace shows them");

    /// <summary><c>--string-size N</c>.</summary>
    public static ModuleFlag StringSize { get; } =
        new("string-size", "N", "with --args, show so many bytes of a string or buffer, 1 to 4096 [32]", TakesOne: true);

    /// <summary><c>--fds none|path|all</c>.</summary>
    public static ModuleFlag Fds { get; } =
        new("fds", "none|path|all",
        "with --args, what is said of descriptors: nothing, their paths, or of sockets both ends too [all; none with --output strace]",
        TakesOne: true);

    /// <summary>How calls are shown.</summary>
    /// <param name="arguments">The flags.</param>
    /// <param name="usual">What is said of descriptors without <c>--fds</c>.</param>
    /// <exception cref="UsageException">A value is wrong, or there are no arguments to show.</exception>
    public static CallOptions Read(ModuleArguments arguments, DescriptorDetail usual = DescriptorDetail.All) => new(
        StringSize: Only(arguments, StringSize) is { } size ? ReadSize(size) : CallOptions.StringSizeDefault,
        Descriptors: Only(arguments, Fds) is { } detail ? ReadDetail(detail) : usual);

    private static int ReadSize(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is >= 1 and <= CallOptions.StringSizeMax
            ? size
            : throw new UsageException(
                $"--{StringSize.Name}: '{Escaping.ForMessage(value)}' is not a number of bytes from 1 to {CallOptions.StringSizeMax}");

    private static DescriptorDetail ReadDetail(string value) => Array.IndexOf(s_details, value) is >= 0 and var detail
        ? (DescriptorDetail)detail
        : throw new UsageException($"--{Fds.Name}: '{Escaping.ForMessage(value)}' is none of {string.Join(", ", s_details)}");

    private static string? Only(ModuleArguments arguments, ModuleFlag flag) => arguments.Of(flag.Name) switch
    {
        [] => null,
        _ when !arguments.Has(Args.Name) && !arguments.IsGiven("path") && !arguments.IsGiven(FdDimension.FlagName) =>
            throw new UsageException($"--{flag.Name}: there are no arguments without --{Args.Name}"),
        [var value] => value,
        _ => throw new UsageException($"--{flag.Name}: given more than once, but it takes one value"),
    };
}
