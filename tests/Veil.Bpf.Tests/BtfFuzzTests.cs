// SPDX-License-Identifier: GPL-3.0-only
using FsCheck.Xunit;

namespace Veil.Bpf.Tests;

public class BtfFuzzTests
{
    private const int Rounds = 20_000;

    [Property]
    public bool Parse_AnyBytes_EndsInAnAnswerOrABpfException(byte[] bytes) => ReadsOrRefuses(bytes);

    [Fact]
    public void Parse_MutatedBtf_EndsInAnAnswerOrABpfException()
    {
        byte[] seed = Sample();
        // The same sequence in every run: what fails once fails again.
        var random = new Random(20240601);
        int accepted = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = (byte[])seed.Clone();
            for (int i = random.Next(1, 6); i > 0; i--)
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)0xff : (byte)random.Next(256);
            if (random.Next(8) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            if (ReadsOrRefuses(bytes))
                accepted++;
        }

        accepted.ShouldBe(Rounds);
    }

    private static bool ReadsOrRefuses(byte[] bytes)
    {
        Btf btf;
        try
        {
            btf = Btf.Parse(bytes);
        }
        catch (BpfException)
        {
            return true;
        }

        for (int id = -1; id <= btf.TypeCount; id++)
        {
            int type = id;
            Attempt(() => btf.SizeOf(type));
            Attempt(() => btf.NameOf(type));
            Attempt(() => btf.ReadStruct(type));
            Attempt(() => btf.ReadEnum(type));
        }

        Attempt(() => btf.Variables.Count);
        Attempt(() => btf.Types.Count());
        Attempt(() => btf.FindStruct("event"));
        Attempt(() => btf.FindEnum("color"));
        return true;
    }

    /// <summary>Any other exception than the documented one fails the test.</summary>
    private static void Attempt<T>(Func<T> read)
    {
        try
        {
            _ = read();
        }
        catch (BpfException)
        {
            // The documented answer to damage.
        }
    }

    private static byte[] Sample()
    {
        var b = new BtfBuilder();
        int u32 = b.Integer("unsigned int", 4);
        int pid = b.Reference(BtfKind.Typedef, "veil_pid_t", u32);
        int comm = b.Array(b.Integer("char", 1), 16);
        int color = b.Enum("color", signed: false, ("RED", 0), ("GREEN", 1));
        b.Enum64("wide", signed: true, ("W", -1));
        int inner = b.Composite(BtfKind.Union, "", 8, bitFields: true, ("bits", u32, 3u << 24));
        b.Struct(
            "event", 40, ("pid", pid, 0), ("comm", comm, 32), ("c", color, 160), ("", inner, 192),
            ("p", b.Reference(BtfKind.Pointer, "", pid), 256));
        b.Section(".bss", 4, (b.Variable("hits", u32), 0, 4));
        b.Reference(BtfKind.Function, "main", 0);
        return b.Build();
    }
}
