// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Symbols.Names;

/// <summary>
/// Reads the names of Rust functions: those of <c>-C symbol-mangling-version=legacy</c>, which look like C++, and v0 (Rust RFC 2603). The
/// name may be
/// anything: depth and length of the answer are bounded.
/// </summary>
internal sealed class RustName
{
    private const int DepthMax = 128;
    private const int TextMax = 8192;

    // What rustc appends to copies of a function, and LLVM to what it made public.
    private const string LlvmSuffix = ".llvm.";

    private readonly string _text;
    private readonly StringBuilder _out = new();
    private int _at;
    private int _depth;
    private int _work;

    private RustName(string text) => _text = text;

    private char Next => _at < _text.Length ? _text[_at] : '\0';

    /// <summary>The function that a symbol names; nothing where it is no such name.</summary>
    public static FunctionName? Read(string symbol)
    {
        int suffix = symbol.IndexOf(LlvmSuffix, StringComparison.Ordinal);
        if (suffix > 0)
            symbol = symbol[..suffix];
        try
        {
            return symbol.StartsWith("_R", StringComparison.Ordinal) ? ReadV0(symbol[2..])
                : symbol.StartsWith("_ZN", StringComparison.Ordinal) ? ReadLegacy(symbol[3..]) : null;
        }
        catch (Exception cause) when (cause is FormatException or OverflowException)
        {
            return null;
        }
    }

    // _ZN 4core 3fmt 17h0123456789abcdef E
    private static FunctionName? ReadLegacy(string text)
    {
        var parts = new List<string>();
        int at = 0;
        while (at < text.Length && text[at] != 'E')
        {
            int length = 0, start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]) && length < TextMax)
                length = (length * 10) + (text[at++] - '0');
            if (at == start || length == 0 || length > text.Length - at)
                return null;
            parts.Add(text.Substring(at, length));
            at += length;
        }

        if (at != text.Length - 1 || parts.Count < 2 || !IsHash(parts[^1]))
            return null;
        return new FunctionName(string.Join("::", parts.Take(parts.Count - 1).Select(Unescape)), null, null);
    }

    private static bool IsHash(string part)
    {
        const int hashLength = 17;
        return part.Length == hashLength && part[0] == 'h' && part.AsSpan(1)
            .IndexOfAnyExcept(System.Buffers.SearchValues.Create("0123456789abcdef")) < 0;
    }

    private static string Unescape(string part)
    {
        if (part.StartsWith("_$", StringComparison.Ordinal))
            part = part[1..];
        var text = new StringBuilder();
        for (int at = 0; at < part.Length;)
        {
            if (part[at] == '.')
            {
                bool two = at + 1 < part.Length && part[at + 1] == '.';
                text.Append(two ? "::" : ".");
                at += two ? 2 : 1;
            }
            else if (part[at] == '$' && part.IndexOf('$', at + 1) is > 0 and var end)
            {
                string code = part[(at + 1)..end];
                text.Append(code switch
                {
                    "SP" => "@",
                    "BP" => "*",
                    "RF" => "&",
                    "LT" => "<",
                    "GT" => ">",
                    "LP" => "(",
                    "RP" => ")",
                    "C" => ",",
                    _ when code.StartsWith('u')
                        && int.TryParse(code.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int rune)
                        && Rune.IsValid(rune)
                        => new Rune(rune).ToString(),
                    _ => throw Unread(),
                });
                at = end + 1;
            }
            else
            {
                text.Append(part[at++]);
            }
        }

        return text.ToString();
    }

    private static FunctionName? ReadV0(string text)
    {
        // What a compiler appended ($, .) is no part of the name; nor is where a generic was made.
        int end = text.AsSpan().IndexOfAny('.', '$');
        var reader = new RustName(end < 0 ? text : text[..end]);
        if (char.IsAsciiDigit(reader.Next))
            return null; // a later version of the mangling
        reader.PathOf(isValue: true);
        if (reader._at < reader._text.Length)
        {
            int length = reader._out.Length;
            reader.PathOf(isValue: false);
            reader._out.Length = length;
        }

        return reader._at == reader._text.Length ? new FunctionName(reader._out.ToString(), null, null) : null;
    }

    private void PathOf(bool isValue)
    {
        using var level = Enter();
        char tag = Take();
        switch (tag)
        {
            case 'C':
                Disambiguator();
                Write(Identifier());
                break;
            case 'M':
                ImplPath();
                Write("<");
                Type();
                Write(">");
                break;
            case 'X':
                ImplPath();
                Trait();
                break;
            case 'Y':
                Trait();
                break;
            case 'N':
                Nested(isValue);
                break;
            case 'I':
                PathOf(isValue);
                Write(isValue ? "::<" : "<");
                List(GenericArgument);
                Write(">");
                break;
            case 'B':
                Back(() => PathOf(isValue));
                break;
            default:
                throw Unread();
        }
    }

    private void Trait()
    {
        Write("<");
        Type();
        Write(" as ");
        PathOf(isValue: false);
        Write(">");
    }

    private void Nested(bool isValue)
    {
        char space = Take();
        PathOf(isValue);
        ulong number = Disambiguator();
        string name = Identifier();
        if (!char.IsAsciiLetterUpper(space))
        {
            if (name.Length > 0)
                Write("::" + name);
            return;
        }

        string kind = space switch { 'C' => "closure", 'S' => "shim", _ => space.ToString() };
        Write("::{" + kind + (name.Length > 0 ? ":" + name : "") + "#" + number.ToString(CultureInfo.InvariantCulture) + "}");
    }

    // Where the impl stands is not part of what users call the function.
    private void ImplPath()
    {
        Disambiguator();
        int length = _out.Length;
        PathOf(isValue: false);
        _out.Length = length;
    }

    private void GenericArgument()
    {
        if (Next == 'L')
            Lifetime();
        else if (Next == 'K')
            Constant(skip: 1);
        else
            Type();
    }

    private void Lifetime()
    {
        _at++;
        Base62();
        Write("'_");
    }

    private void Type()
    {
        using var level = Enter();
        char tag = Take();
        string? basic = tag switch
        {
            'a' => "i8",
            'b' => "bool",
            'c' => "char",
            'd' => "f64",
            'e' => "str",
            'f' => "f32",
            'h' => "u8",
            'i' => "isize",
            'j' => "usize",
            'l' => "i32",
            'm' => "u32",
            'n' => "i128",
            'o' => "u128",
            's' => "i16",
            't' => "u16",
            'u' => "()",
            'v' => "...",
            'x' => "i64",
            'y' => "u64",
            'z' => "!",
            'p' => "_",
            _ => null,
        };
        if (basic is not null)
        {
            Write(basic);
            return;
        }

        switch (tag)
        {
            case 'A':
                Write("[");
                Type();
                Write("; ");
                Constant(skip: 0);
                Write("]");
                break;
            case 'S':
                Write("[");
                Type();
                Write("]");
                break;
            case 'T':
                Write("(");
                int count = List(Type);
                Write(count == 1 ? ",)" : ")");
                break;
            case 'R' or 'Q':
                Write("&");
                if (Next == 'L')
                {
                    _at++;
                    Base62();
                }

                Write(tag == 'Q' ? "mut " : "");
                Type();
                break;
            case 'P' or 'O':
                Write(tag == 'P' ? "*const " : "*mut ");
                Type();
                break;
            case 'F':
                Function();
                break;
            case 'D':
                Dyn();
                break;
            case 'B':
                Back(Type);
                break;
            default:
                _at--;
                PathOf(isValue: false);
                break;
        }
    }

    private void Function()
    {
        Binder();
        if (TakeIf('U'))
            Write("unsafe ");
        if (TakeIf('K'))
            Write("extern \"" + (TakeIf('C') ? "C" : Identifier().Replace('_', '-')) + "\" ");
        Write("fn(");
        List(Type);
        Write(")");
        if (TakeIf('u'))
            return;
        Write(" -> ");
        Type();
    }

    private void Dyn()
    {
        Write("dyn ");
        Binder();
        bool first = true;
        while (!TakeIf('E'))
        {
            Write(first ? "" : " + ");
            first = false;
            PathOf(isValue: false);
            while (TakeIf('p'))
            {
                string name = Identifier();
                Write("<" + name + " = ");
                Type();
                Write(">");
            }
        }

        if (!TakeIf('L'))
            throw Unread();
        Base62();
    }

    private void Binder()
    {
        if (TakeIf('G'))
            Base62();
    }

    private void Constant(int skip)
    {
        using var level = Enter();
        _at += skip;
        if (TakeIf('p'))
        {
            Write("_");
            return;
        }

        if (TakeIf('B'))
        {
            Back(() => Constant(skip: 0));
            return;
        }

        char type = Take();
        if (type is not ('a' or 'b' or 'c' or 'h' or 'i' or 'j' or 'l' or 'm' or 'n' or 'o' or 's' or 't' or 'x' or 'y'))
            throw Unread();
        string sign = TakeIf('n') ? "-" : "";
        int start = _at;
        while (char.IsAsciiHexDigitLower(Next))
            _at++;
        string digits = _text[start.._at];
        if (!TakeIf('_')
            || !ulong.TryParse(
            digits.Length == 0 ? "0" : digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value))
            throw Unread();
        Write(type switch
        {
            'b' => value == 0 ? "false" : "true",
            'c' when value <= int.MaxValue && Rune.IsValid((int)value) => "'" + new Rune((int)value) + "'",
            _ => sign + value.ToString(CultureInfo.InvariantCulture),
        });
    }

    private int List(Action item)
    {
        int count = 0;
        while (!TakeIf('E'))
        {
            Write(count++ == 0 ? "" : ", ");
            item();
        }

        return count;
    }

    // Only backwards: no name refers to itself.
    private void Back(Action read)
    {
        int here = _at - 1;
        ulong target = Base62();
        if (target >= (ulong)here)
            throw Unread();
        int after = _at;
        _at = (int)target;
        read();
        _at = after;
    }

    private ulong Disambiguator() => TakeIf('s') ? Base62() + 1 : 0;

    // A hash has up to 64 bits.
    private ulong Base62()
    {
        if (TakeIf('_'))
            return 0;
        ulong value = 0;
        while (!TakeIf('_'))
        {
            char c = Take();
            int digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiLetterLower(c) ? c - 'a' + 10 : char.IsAsciiLetterUpper(c) ? c - 'A'
                + 36 : throw Unread();
            value = (value * 62) + (ulong)digit;
        }

        return value + 1;
    }

    private string Identifier()
    {
        bool isUnicode = TakeIf('u');
        int length = 0, start = _at;
        while (char.IsAsciiDigit(Next) && length < TextMax)
            length = (length * 10) + (_text[_at++] - '0');
        if (_at == start)
            throw Unread();
        TakeIf('_');
        if (length > _text.Length - _at)
            throw Unread();
        string name = _text.Substring(_at, length);
        _at += length;
        return isUnicode ? Punycode(name) : name;
    }

    // RFC 3492, with _ for the last -.
    private static string Punycode(string text)
    {
        int split = text.LastIndexOf('_');
        var runes = split > 0 ? [.. text[..split].EnumerateRunes()] : new List<Rune>();
        int at = split + 1, code = 128, index = 0, bias = 72;
        while (at < text.Length)
        {
            int before = index, weight = 1;
            for (int k = 36; ; k += 36)
            {
                if (at >= text.Length)
                    throw Unread();
                char c = text[at++];
                int digit = char.IsAsciiLetterLower(c) ? c - 'a' : char.IsAsciiDigit(c) ? c - '0' + 26 : throw Unread();
                index = checked(index + (digit * weight));
                int threshold = Math.Clamp(k - bias, 1, 26);
                if (digit < threshold)
                    break;
                weight = checked(weight * (36 - threshold));
            }

            int count = runes.Count + 1;
            int delta = (index - before) / (before == 0 ? 700 : 2);
            delta += delta / count;
            int step = 0;
            for (; delta > 455; step += 36)
                delta /= 35;
            bias = step + (36 * delta / (delta + 38));
            code += index / count;
            index %= count;
            if (!Rune.IsValid(code))
                throw Unread();
            runes.Insert(index++, new Rune(code));
        }

        return string.Concat(runes.Select(static rune => rune.ToString()));
    }

    private char Take() => _at < _text.Length ? _text[_at++] : throw Unread();

    private bool TakeIf(char what)
    {
        if (Next != what || _at >= _text.Length)
            return false;
        _at++;
        return true;
    }

    private void Write(string text)
    {
        _out.Append(text);
        if (_out.Length > TextMax)
            throw Unread();
    }

    private Level Enter() => ++_depth <= DepthMax && ++_work <= TextMax * 2 ? new Level(this) : throw Unread();

    private static FormatException Unread() => new();

    private readonly ref struct Level(RustName name)
    {
        public void Dispose() => name._depth--;
    }
}
