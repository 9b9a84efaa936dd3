// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

internal static partial class KernelCalls
{
    private static readonly Argument s_keyId = new OwnArgument(Key);

    // A description ends in a NUL, which is none of it; a call that only asks for the size fills nothing.
    private static readonly Argument s_keyText = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.IsRead || (ulong)call.Ret > call[position + 1])
            writer.Address(call[position]);
        else
            writer.String(chunk.Bytes is [.. var text, 0] ? text : chunk.Bytes, chunk.IsTruncated);
    })
    { End = new(CallRead.Result, 1, CallOptions.StringSizeDefault) };

    private static readonly Argument s_keyPayload = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        var chunk = call.Find(position, output: true);
        ulong size = Math.Min((ulong)Math.Max(call.Ret, 0), call[position + 1]);
        if (call.HasSucceeded && call.Ret == 0 && call[position] != 0)
            writer.String([], false);
        else if (!chunk.IsRead || (ulong)call.Ret > call[position + 1])
            writer.Address(call[position]);
        else
            writer.String(chunk.Bytes, size > (ulong)chunk.Bytes.Length);
    })
    { End = new(CallRead.Result, 1, CallOptions.StringSizeDefault) };

    private static readonly StructLayout s_dhParams = new(StructField.Int("private"), StructField.Int("prime"), StructField.Int("base"));

    // include/uapi/linux/keyctl.h, keyctl(2)
    private static CallSpec Keyctls
    {
        get
        {
            var other = new CallSpec("keyctl", Enum(FlagSets.KeyctlOps), Hex, Hex, Hex, Hex);
            Dictionary<uint, Argument[]> operations = new()
            {
                [0] = [s_keyId, Int], // KEYCTL_GET_KEYRING_ID
                [1] = [Arguments.String], // KEYCTL_JOIN_SESSION_KEYRING
                [2] = [s_keyId, InBuffer(3), Size], // KEYCTL_UPDATE
                [3] = [s_keyId], // KEYCTL_REVOKE
                [4] = [s_keyId, Id, Id], // KEYCTL_CHOWN
                [5] = [s_keyId, Flags(FlagSets.KeyPerms)], // KEYCTL_SETPERM
                [6] = [s_keyId, s_keyText, Size], // KEYCTL_DESCRIBE
                [7] = [s_keyId], // KEYCTL_CLEAR
                [8] = [s_keyId, s_keyId], // KEYCTL_LINK
                [9] = [s_keyId, s_keyId], // KEYCTL_UNLINK
                [10] = [s_keyId, Arguments.String, Arguments.String, s_keyId], // KEYCTL_SEARCH
                [11] = [s_keyId, s_keyPayload, Size], // KEYCTL_READ
                [12] = [s_keyId, InBuffer(3), Size, s_keyId], // KEYCTL_INSTANTIATE
                [13] = [s_keyId, UInt, s_keyId], // KEYCTL_NEGATE
                [14] = [new OwnArgument(DefaultKeyring)], // KEYCTL_SET_REQKEY_KEYRING
                [15] = [s_keyId, UInt], // KEYCTL_SET_TIMEOUT
                [16] = [s_keyId], // KEYCTL_ASSUME_AUTHORITY
                [17] = [s_keyId, s_keyText, Size], // KEYCTL_GET_SECURITY
                [18] = [], // KEYCTL_SESSION_TO_PARENT
                [19] = [s_keyId, UInt, new OwnArgument(KeyError), s_keyId], // KEYCTL_REJECT
                [20] = [s_keyId, new VectorArgument(3, isOutput: false), Size, s_keyId], // KEYCTL_INSTANTIATE_IOV
                [21] = [s_keyId], // KEYCTL_INVALIDATE
                [22] = [Id, s_keyId], // KEYCTL_GET_PERSISTENT
                [23] = [s_dhParams.Input, s_keyPayload, Size, new OwnArgument(KeyDerivation) { Begin = new(CallRead.Fixed, 24, 24) }],
                [24] = [s_keyId, Hex, Arguments.String, Address], // KEYCTL_PKEY_QUERY
                [29] = [s_keyId, Arguments.String, Arguments.String], // KEYCTL_RESTRICT_KEYRING
                [30] = [s_keyId, s_keyId, s_keyId, Flags(FlagSets.KeyMoveFlags)], // KEYCTL_MOVE
                [31] = [new OwnArgument(KeyCapabilities) { End = new(CallRead.Result, 1, CallOptions.StringSizeDefault) }, Size],
            };
            foreach (uint operation in new uint[] { 25, 26, 27, 28 })
                operations[operation] = [Address, Arguments.String, Address, Address]; // KEYCTL_PKEY_ENCRYPT and its like
            return other with
            {
                SelectedBy = 0,
                Variants = operations.ToDictionary(static pair => pair.Key, pair => other with
                {
                    Arguments = [other.Arguments[0], .. pair.Value],
                    Nested = pair.Key == 23
                        ? [new(4, 0, CallRead.String, SizeMax: CallOptions.StringSizeDefault),
                            new(4, 8, CallRead.Counted, 1, CallOptions.StringSizeDefault, 16) { IsCountInt = true }]
                        : [],
                }),
            };
        }
    }

    private static void Key(ref CallWriter writer, in CallView call, int position)
    {
        if (FlagSets.KeySpecs.NameOf((uint)call[position]) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Number(call.Int(position));
    }

    private static void DefaultKeyring(ref CallWriter writer, in CallView call, int position)
    {
        if (FlagSets.KeyReqkey.NameOf((uint)call[position]) is { IsEmpty: false } name)
        {
            writer.Word(name);
            return;
        }

        writer.Number(call.Int(position));
        writer.Remark("KEY_REQKEY_DEFL_???"u8);
    }

    private static void KeyError(ref CallWriter writer, in CallView call, int position)
    {
        if (Errno.NameUtf8(call.Int(position)) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Unsigned((uint)call[position]);
    }

    private static void KeyDerivation(ref CallWriter writer, in CallView call, int position)
    {
        int word = call.WordBytes;
        var chunk = call.Find(position);
        if (!chunk.Has((2 * word) + 4))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginStruct();
        writer.Field("hashname"u8);
        NestedText(ref writer, call.Find(position, CallChunkKind.Nested), chunk.Bytes.UWord(0, word));
        writer.Field("otherinfo"u8);
        NestedText(ref writer, call.Find(position, CallChunkKind.Nested, 1), chunk.Bytes.UWord(1, word));
        writer.Field("otherinfolen"u8, chunk.Bytes.U32(2 * word));
        writer.EndStruct();
    }

    private static void NestedText(ref CallWriter writer, in CallChunk text, ulong address)
    {
        if (text.IsRead)
            writer.String(text);
        else
            writer.Address(address);
    }

    private static void KeyCapabilities(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.IsRead || chunk.Bytes.IsEmpty)
        {
            writer.Address(call[position]);
            return;
        }

        ulong size = Math.Min((ulong)call.Ret, call[position + 1]);
        writer.BeginArray();
        for (int index = 0; index < chunk.Bytes.Length && (ulong)index < size; index++)
        {
            writer.Item();
            switch (index)
            {
                case 0:
                    writer.Flags(FlagSets.KeyCaps0, chunk.Bytes[0]);
                    break;
                case 1:
                    writer.Flags(FlagSets.KeyCaps1, chunk.Bytes[1]);
                    break;
                default:
                    writer.Hex(chunk.Bytes[index]);
                    break;
            }
        }

        writer.EndArray();
    }
}
