// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Options;
using Veil.Core.Privileged;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>The file of <c>--record</c>, and those that come after it. Nothing that was there is written to.</summary>
internal sealed unsafe class RecordingFile : IDisposable
{
    private readonly RecordOptions _options;
    private readonly string _name;
    private readonly int _folder;
    private string? _temporary;
    private bool _isBegun;
    private readonly RecordingFiles _files;
    private int _part;
    private int _next = -1;
    private long _triedAt;
    private uint _lastDump;
    private int _fd = -1;

    private RecordingFile(RecordOptions options, int folder, string name)
    {
        _options = options;
        _folder = folder;
        _name = name;
        _files = new RecordingFiles(folder, name);
    }

    /// <summary>Bytes that the current file has.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Makes the file, with the user's own rights.</summary>
    /// <exception cref="UsageException">There is one, and it may not be replaced.</exception>
    /// <exception cref="VeilException">It cannot be made.</exception>
    public static RecordingFile Open(RecordOptions options)
    {
        string folderPath = Path.GetDirectoryName(options.Path) is { Length: > 0 } given ? given : options.Path.StartsWith('/') ? "/" : ".";
        string name = Path.GetFileName(options.Path);
        if (name.Length == 0)
            throw new UsageException($"--record: '{Escaping.ForMessage(options.Path)}' is a folder; give the name of a file");
        const int folderCloexec = 0x80000;
        int folder = LibC.Open(folderPath, folderCloexec);
        if (folder < 0)
            throw Failed(options.Path, Marshal.GetLastPInvokeError());
        var file = new RecordingFile(options, folder, name);
        try
        {
            if (options.Flight is null)
                file.OpenFirst();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>From here on the file stays, and has its name.</summary>
    public void Begin()
    {
        if (_temporary is not null && LibC.RenameAt(_folder, _temporary, _folder, _name) != 0)
            throw Failed(_options.Path, Marshal.GetLastPInvokeError());
        (_temporary, _isBegun) = (null, true);
    }

    /// <summary>The folder, and the name in it.</summary>
    public (int Folder, string Name) Place => (_folder, _name);

    /// <summary>The helper process that makes the next files, or none.</summary>
    public RootClient? Root { get; set; }

    /// <summary>Would so many bytes more be too many for the file?</summary>
    public bool IsFull(int more) => _options.SizeBytes is { } most && SizeBytes + more > most && Environment.TickCount64 >= _triedAt;

    /// <summary>Makes the next file, which is the current one after <see cref="TakeNext"/>.</summary>
    /// <returns>0, or an errno: it is tried again later.</returns>
    public int MakeNext()
    {
        const int againMs = 1_000;
        _triedAt = Environment.TickCount64 + againMs;
        int error = 0;
        _next = Root is { Pid: > 0 } root ? root.MakeRecording(_part + 1) : -1;
        if (_next < 0)
            error = _files.Make(_part + 1, out _next);
        if (error == 0)
            _triedAt = 0;
        return error;
    }

    /// <summary>Goes over to the next file, and removes the oldest one where there are more than are kept.</summary>
    public void TakeNext()
    {
        _ = LibC.Close(_fd);
        (_fd, SizeBytes) = (_next, 0);
        _part++;
        if (_options.Keep is not { } keep || _part < keep)
            return;
        if (Root?.RemoveRecording(_part - keep) != true)
            _ = _files.Remove(_part - keep);
    }

    /// <summary>Makes a file beside the one that was named, with the time in its name.</summary>
    /// <returns>0, or an errno.</returns>
    public int MakeDump(out string path)
    {
        const int triesMax = 4;
        int error = 0;
        path = "";
        // Several in a second have the names of the next ones, as has one whose name is another's.
        _lastDump = Math.Max((uint)(LibC.NowNs(LibC.ClockRealtime) / 1_000_000_000), _lastDump + 1);
        for (int tries = 0; tries < triesMax; tries++, _lastDump++)
        {
            path = _options.Path + RecordingFiles.TimeOf(_lastDump);
            int fd = Root is { Pid: > 0 } root ? root.MakeDump(_lastDump) : -1;
            if (fd < 0)
                error = _files.MakeAt(_lastDump, out fd);
            if (fd >= 0)
                return Take(fd);
        }

        return error;
    }

    /// <summary>Writes to this one, which is its own from then on.</summary>
    public int Take(int fd)
    {
        (_fd, SizeBytes) = (fd, 0);
        return 0;
    }

    /// <summary>Writes to it no more.</summary>
    public void EndDump()
    {
        _ = LibC.Close(_fd);
        _fd = -1;
    }

    /// <summary>Writes all, or nothing: what is half written is taken back.</summary>
    /// <returns>0, or an errno.</returns>
    public int TryWrite(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            for (int written = 0; written < bytes.Length;)
            {
                nint result = LibC.Write(_fd, data + written, bytes.Length - written);
                if (result > 0)
                {
                    written += (int)result;
                    continue;
                }

                int error = Marshal.GetLastPInvokeError();
                if (error == Errno.EINTR)
                    continue;
                TakeBackTo(SizeBytes);
                return error;
            }
        }

        SizeBytes += bytes.Length;
        return 0;
    }

    /// <summary>Takes all back that was written to the current file.</summary>
    public void Empty()
    {
        if (SizeBytes > 0)
            TakeBackTo(0);
        SizeBytes = 0;
    }

    public void Dispose()
    {
        if (_fd >= 0)
            _ = LibC.Close(_fd);
        // A trace that did not start leaves nothing behind.
        if (_fd >= 0 && !_isBegun)
            _ = LibC.UnlinkAt(_folder, Bytes(_temporary ?? _name));
        _ = LibC.Close(_folder);
        _fd = -1;
    }

    private void OpenFirst()
    {
        _fd = LibC.MakeFile(_folder, _name);
        int error = _fd < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (error == Errno.EEXIST)
        {
            if (LibC.TryGetFacts(_folder, Bytes(_name), out var there) && there.Type is not (LibC.FileType.Regular or LibC.FileType.Link))
                throw new UsageException($"--record: {Escaping.ForMessage(_options.Path)} is no file; give the name of one that is not there yet");
            if (!_options.Force)
                throw new UsageException($"--record: {Escaping.ForMessage(_options.Path)} is there already; --force replaces it");
            _temporary = $".{_name}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";
            _fd = LibC.MakeFile(_folder, _temporary);
            error = _fd < 0 ? Marshal.GetLastPInvokeError() : 0;
        }

        if (error != 0)
            throw Failed(_options.Path, error);
    }

    private void TakeBackTo(long size)
    {
        _ = LibC.Truncate(_fd, size);
        _ = LibC.Seek(_fd, size, LibC.SeekSet);
    }

    private static byte[] Bytes(string name) => Encoding.UTF8.GetBytes(name + "\0");

    private static VeilException Failed(string path, int error) =>
        new($"making the recording {Escaping.ForMessage(path)}: {Marshal.GetPInvokeErrorMessage(error)}");
}
