// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>A path without symbolic links and from the root of the mount namespace on, as the kernel names an open file. What does not exist
/// (yet) stays as it is.</summary>
internal static class RealPath
{
    private const int LinksMax = 40; // MAXSYMLINKS in include/linux/namei.h

    /// <summary>Follows the links in an absolute path; a loop is left as it is.</summary>
    public static string Of(string path)
    {
        var left = new Stack<string>(Names(path));
        string real = "";
        for (int links = 0; left.TryPop(out string? name);)
        {
            if (name == "..")
            {
                real = real[..Math.Max(real.LastIndexOf('/'), 0)];
                continue;
            }

            string next = $"{real}/{name}";
            if (KernelFile.Target(next) is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > LinksMax)
                return path;
            if (target.StartsWith('/'))
                real = "";
            foreach (string part in Names(target))
                left.Push(part);
        }

        return OwnRoot.Path + real + (path.EndsWith('/') ? "/" : "");
    }

    // The last first, as they are pushed.
    private static IEnumerable<string> Names(string path) => path.Split('/').Where(static name => name is not ("" or ".")).Reverse();
}
