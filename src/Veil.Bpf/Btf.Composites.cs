namespace Veil.Bpf;

public sealed partial class Btf
{
    /// <summary>Finds a global variable of the object.</summary>
    public BtfVariable? FindVariable(string name)
    {
        for (int section = 1; section <= TypeCount; section++)
        {
            if (KindOf(section) != BtfKind.DataSection)
                continue;
            for (int i = 0; i < Count(section); i++)
            {
                int at = _offsets[section] + TypeBytes + (12 * i);
                int variable = Int32(at);
                if (KindOf(variable) == BtfKind.Variable && NameOf(variable) == name)
                    return new BtfVariable(name, NameOf(section), Int32(at + 4), Int32(at + 8), TypeField(variable));
            }
        }

        return null;
    }

    private BtfStruct ReadStruct(int id)
    {
        var members = new BtfMember[Count(id)];
        for (int i = 0; i < members.Length; i++)
        {
            int at = _offsets[id] + TypeBytes + (12 * i);
            uint position = UInt32(at + 8);
            // With the flag, the upper byte of the position is the size of a bit field.
            int bitSize = KindFlag(id) ? (int)(position >> 24) : 0;
            int bits = (int)(KindFlag(id) ? position & 0xffffff : position);
            int type = Int32(at + 4);
            int resolved = Resolve(type, out string? typedef);
            var kind = KindOf(resolved);
            members[i] = new BtfMember(
                String(UInt32(at)), bits, bitSize, type, typedef, kind, SizeOf(type), IsSigned(resolved, kind),
                kind == BtfKind.Array ? (int)Math.Min(UInt32(_offsets[resolved] + TypeBytes + 8), int.MaxValue) : 0);
        }

        return new BtfStruct(NameOf(id), TypeField(id), members);
    }

    private BtfEnum ReadEnum(int id)
    {
        bool signed = KindFlag(id);
        var values = new BtfEnumValue[Count(id)];
        for (int i = 0; i < values.Length; i++)
        {
            if (KindOf(id) == BtfKind.Enum64)
            {
                int at = _offsets[id] + TypeBytes + (12 * i);
                values[i] = new(String(UInt32(at)), (long)(UInt32(at + 4) | ((ulong)UInt32(at + 8) << 32)));
            }
            else
            {
                int at = _offsets[id] + TypeBytes + (8 * i);
                // Before the flag was there (Linux 6.0), every value was written as signed: keep what fits both.
                values[i] = new(String(UInt32(at)), signed ? Int32(at + 4) : UInt32(at + 4));
            }
        }

        return new BtfEnum(NameOf(id), TypeField(id), signed, values);
    }

    private bool IsSigned(int id, BtfKind kind) => kind switch
    {
        // Bit 24 of an integer's encoding: BTF_INT_SIGNED.
        BtfKind.Integer => (UInt32(_offsets[id] + TypeBytes) & (1u << 24)) != 0,
        BtfKind.Enum or BtfKind.Enum64 => KindFlag(id),
        _ => false,
    };
}
