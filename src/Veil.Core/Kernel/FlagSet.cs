using Veil.Core.Text;

namespace Veil.Core.Kernel;

/// <summary>Stub until the generated one comes.</summary>
#pragma warning disable CA1822
public sealed class FlagSet
{
    public ReadOnlySpan<byte> UnknownName => default;

    public ReadOnlySpan<byte> NameOf(ulong value) => default;

    public void Format(ref LineWriter line, ulong value, bool remark)
    {
        line.Append("0x"u8);
        line.AppendHex(value);
    }
}
