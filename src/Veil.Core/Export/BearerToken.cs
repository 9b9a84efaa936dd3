// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Export;

/// <summary>A token out of a file: who knows it may ask.</summary>
public sealed class BearerToken
{
    private const int BytesMax = 4096;
    private readonly byte[] _token;

    private BearerToken(byte[] token) => _token = token;

    /// <summary>Reads it; blanks and line ends around it are not part of it.</summary>
    /// <param name="flag">The flag that names the file.</param>
    /// <param name="path">The file.</param>
    /// <param name="warn">Takes a line, where others may read the file.</param>
    /// <exception cref="UsageException">The file cannot be read, or holds none.</exception>
    public static BearerToken Read(string flag, string path, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(warn);
        const int readOnlyNonBlockingCloexec = 0x80800; // a FIFO without a writer would never open
        const uint group = 0x20, others = 4; // S_IRGRP, S_IROTH
        string name = Escaping.ForMessage(path);
        using var handle = new SafeFileHandle(LibC.Open(path, readOnlyNonBlockingCloexec), ownsHandle: true);
        if (handle.IsInvalid)
            throw new UsageException($"{flag}: {name}: {Marshal.GetLastPInvokeErrorMessage()}");
        if (!LibC.TryGetPathFacts((int)handle.DangerousGetHandle(), out var facts) || !facts.IsFile)
            throw new UsageException($"{flag}: {name}: it is no regular file");
        byte[] bytes = new byte[BytesMax + 1];
        int length = 0;
        try
        {
            using var file = new FileStream(handle, FileAccess.Read, bufferSize: 0);
            length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (IOException cause)
        {
            throw new UsageException($"{flag}: {name}: {Escaping.ForMessage(cause.Message)}");
        }

        if ((facts.Permissions & (group | others)) is not 0 and var open)
            warn($"warning: {flag}: {name} can be read by {((open & others) != 0 ? "everybody" : "its group")}; chmod 600 it");
        byte[] token = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(bytes, 0, length).Trim());
        if (token.Length == 0 || length > BytesMax || token.AsSpan().ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
            throw new UsageException($"{flag}: {name}: a token is one word of at most {BytesMax} printable ASCII characters");
        return new BearerToken(token);
    }

    /// <summary>Is it this one? The time that it takes does not tell how much of it is right.</summary>
    public bool Equals(ReadOnlySpan<byte> offered) => CryptographicOperations.FixedTimeEquals(offered, _token);
}
