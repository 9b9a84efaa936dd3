// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Calls;

/// <summary>
/// One kind of argument: what of it the kernel's side reads, and how it is written. A call is a row of these (<see cref="CallTable"/>).
/// Instances hold no state of a call.
/// </summary>
public abstract class Argument
{
    /// <summary>What is read when the call begins; nothing: the register says all.</summary>
    /// <param name="position">Its place among the call's arguments, from 0.</param>
    /// <param name="options">How much is shown.</param>
    /// <param name="is32Bit">Are addresses and <c>long</c> of 4 bytes?</param>
    public virtual CallReader Input(int position, CallOptions options, bool is32Bit) => default;

    /// <summary>What is read when the call has ended without an error.</summary>
    /// <param name="position">Its place among the call's arguments, from 0.</param>
    /// <param name="options">How much is shown.</param>
    /// <param name="is32Bit">Are addresses and <c>long</c> of 4 bytes?</param>
    public virtual CallReader Output(int position, CallOptions options, bool is32Bit) => default;

    /// <summary>Is it a descriptor, of which the kernel's side says what it stands for?</summary>
    public virtual bool IsDescriptor => false;

    /// <summary>Is it the path of a file, one of those that are also <c>path</c> and <c>path2</c>?</summary>
    public virtual bool IsPath => false;

    /// <summary>Is it left out of this call, such as the mode of an <c>open</c> that makes no file?</summary>
    /// <param name="call">The call.</param>
    /// <param name="position">Its place.</param>
    public virtual bool IsOmitted(in CallView call, int position) => false;

    /// <summary>Writes it.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="position">Its place.</param>
    public abstract void Write(ref CallWriter writer, in CallView call, int position);

    /// <summary>Writes an address that stands for what could not be read, and <c>NULL</c>; false where there is something to
    /// show.</summary>
    protected static bool TryWriteAddress(ref CallWriter writer, in CallView call, int position, in CallChunk chunk)
    {
        if (chunk.IsRead)
            return false;
        writer.Address(call[position]);
        return true;
    }
}
