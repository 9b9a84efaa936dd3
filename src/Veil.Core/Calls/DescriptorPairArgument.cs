// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>Two descriptors that the call makes, as <c>pipe</c> and <c>socketpair</c> do.</summary>
internal sealed class DescriptorPairArgument : Argument
{
    private const int SizeBytes = 2 * sizeof(int);

    public override CallReader Output(int position, CallOptions options, bool is32Bit) =>
        CallReader.OfDescriptors(options, sizeof(int), SizeBytes);

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.Has(SizeBytes))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        for (int index = 0; index < 2; index++)
        {
            writer.Item();
            writer.Number(chunk.Bytes.I32(index * sizeof(int)));
            CallDescriptor.Write(ref writer, call, position, index);
        }

        writer.EndArray();
    }
}
