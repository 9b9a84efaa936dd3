// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

internal static partial class KernelCalls
{
    /// <summary>What an argument of <c>keyctl()</c> is: its operation says.</summary>
    private enum KeyctlKind
    {
        Hex,
        Key,
        Number,
        Text,
        Buffer,
        Filled,
    }

    private static OwnArgument KeyctlArgument() => new(Keyctl)
    {
        Begin = new(CallRead.String, SizeMax: CallOptions.StringSizeDefault),
        End = new(CallRead.Result, 1, CallOptions.StringSizeDefault),
        Omitted = static (in CallView call, int position) => position > KindsOf((uint)call[0]).Length,
    };

    // include/uapi/linux/keyctl.h, keyctl(2)
    private static ReadOnlySpan<KeyctlKind> KindsOf(uint operation) => operation switch
    {
        0 => [KeyctlKind.Key, KeyctlKind.Number], // KEYCTL_GET_KEYRING_ID
        1 => [KeyctlKind.Text], // KEYCTL_JOIN_SESSION_KEYRING
        2 => [KeyctlKind.Key, KeyctlKind.Buffer, KeyctlKind.Number], // KEYCTL_UPDATE
        3 or 7 or 21 => [KeyctlKind.Key], // KEYCTL_REVOKE, KEYCTL_CLEAR, KEYCTL_INVALIDATE
        4 => [KeyctlKind.Key, KeyctlKind.Number, KeyctlKind.Number], // KEYCTL_CHOWN
        5 => [KeyctlKind.Key, KeyctlKind.Hex], // KEYCTL_SETPERM
        6 or 11 or 17 => [KeyctlKind.Key, KeyctlKind.Filled, KeyctlKind.Number], // KEYCTL_DESCRIBE, KEYCTL_READ, KEYCTL_GET_SECURITY
        8 or 9 => [KeyctlKind.Key, KeyctlKind.Key], // KEYCTL_LINK, KEYCTL_UNLINK
        10 => [KeyctlKind.Key, KeyctlKind.Text, KeyctlKind.Text, KeyctlKind.Key], // KEYCTL_SEARCH
        15 => [KeyctlKind.Key, KeyctlKind.Number], // KEYCTL_SET_TIMEOUT
        16 => [KeyctlKind.Key], // KEYCTL_ASSUME_AUTHORITY
        18 => [], // KEYCTL_SESSION_TO_PARENT
        _ => [KeyctlKind.Hex, KeyctlKind.Hex, KeyctlKind.Hex, KeyctlKind.Hex],
    };

    private static void Keyctl(ref CallWriter writer, in CallView call, int position)
    {
        var kind = KindsOf((uint)call[0])[position - 1];
        switch (kind)
        {
            case KeyctlKind.Key:
                Key(ref writer, call, position);
                break;
            case KeyctlKind.Number:
                writer.Number(call.Int(position));
                break;
            case KeyctlKind.Filled when call.Find(position, output: true) is { IsRead: true, Bytes: [.. var text, 0] } chunk && (uint)call[0] != 11:
                // A description ends in a NUL, which is none of it.
                writer.String(text, chunk.IsTruncated);
                break;
            case KeyctlKind.Text or KeyctlKind.Buffer or KeyctlKind.Filled:
                Buffer(ref writer, call, position, output: kind == KeyctlKind.Filled);
                break;
            default:
                writer.Hex(call[position]);
                break;
        }
    }

    private static void Key(ref CallWriter writer, in CallView call, int position)
    {
        if (FlagSets.KeySpecs.NameOf((uint)call[position]) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Number(call.Int(position));
    }
}
