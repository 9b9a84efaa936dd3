// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Interop;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Core.Formats;

/// <summary>
/// The file that an export goes to, for its owner alone, as recordings are. It has its name once it is whole, so nobody finds half of one,
/// and what was there stays until then. What is no file, as a FIFO, is written to as it is.
/// </summary>
internal sealed class ExportFile : IDisposable
{
    private readonly string _path;
    private string? _temporary;

    private ExportFile(int fd, string path, string? temporary) => (Fd, _path, _temporary) = (fd, path, temporary);

    /// <summary>Its descriptor.</summary>
    public int Fd { get; }

    /// <summary>Makes it.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="replace">May it replace a file?</param>
    /// <exception cref="UsageException">There is one.</exception>
    /// <exception cref="VeilException">It cannot be made.</exception>
    public static ExportFile Open(string path, bool replace)
    {
        if (Path.GetFileName(path).Length == 0)
            throw new UsageException($"--out: '{Escaping.ForMessage(path)}' is a folder; give the name of a file");
        string folder = Path.GetDirectoryName(path) is { Length: > 0 } given ? given : ".";
        if (LibC.TryGetFacts(LibC.AtFdCwd, Bytes(path), out var there))
        {
            bool isLink = there.Type == LibC.FileType.Link;
            bool leadsElsewhere = isLink && LibC.TryGetFacts(path, out var target) && target.Type != LibC.FileType.Regular;
            bool isFile = there.Type == LibC.FileType.Regular || (isLink && !leadsElsewhere);
            if (!isFile)
                return new ExportFile(OutputFile.Open(path).Fd, path, temporary: null);
            if (isLink)
                throw new UsageException($"--out: {Escaping.ForMessage(path)} is a link; give the name of the file itself");
            if (!replace)
                throw new UsageException($"--out: {Escaping.ForMessage(path)} is there already; --force replaces it");
        }

        string temporary =
            Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $".{Path.GetFileName(path)}.{Environment.ProcessId}"));
        int fd = LibC.MakeFile(LibC.AtFdCwd, temporary);
        return fd >= 0 ? new ExportFile(fd, path, temporary) : throw Failed(path);
    }

    /// <summary>It is whole.</summary>
    /// <exception cref="VeilException">It cannot have its name.</exception>
    public void Keep()
    {
        if (_temporary is not null && LibC.RenameAt(LibC.AtFdCwd, _temporary, LibC.AtFdCwd, _path) != 0)
            throw Failed(_path);
        _temporary = null;
    }

    /// <summary>Nothing is left of one that is not whole.</summary>
    public void Dispose()
    {
        if (_temporary is not null)
            _ = LibC.UnlinkAt(LibC.AtFdCwd, Bytes(_temporary));
        _ = LibC.Close(Fd);
    }

    private static byte[] Bytes(string path) => Encoding.UTF8.GetBytes(path + "\0");

    private static VeilException Failed(string path) => new($"making {Escaping.ForMessage(path)}: {Marshal.GetLastPInvokeErrorMessage()}");
}
