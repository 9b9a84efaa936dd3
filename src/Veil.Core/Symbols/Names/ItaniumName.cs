// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;

namespace Veil.Core.Symbols.Names;

/// <summary>
/// Reads the names of C++ functions (Itanium C++ ABI, 5.1). Enough of it for what stands in symbol tables: names that hold expressions are
/// not read. The name may be anything: depth and length of the answer are bounded.
/// </summary>
internal sealed class ItaniumName
{
    private const int DepthMax = 128;
    private const int TextMax = 8192;
    private const int WorkMax = 1 << 16;

    private static readonly Dictionary<char, string> s_builtin = new()
    {
        ['v'] = "void",
        ['w'] = "wchar_t",
        ['b'] = "bool",
        ['c'] = "char",
        ['a'] = "signed char",
        ['h'] = "unsigned char",
        ['s'] = "short",
        ['t'] = "unsigned short",
        ['i'] = "int",
        ['j'] = "unsigned int",
        ['l'] = "long",
        ['m'] = "unsigned long",
        ['x'] = "long long",
        ['y'] = "unsigned long long",
        ['n'] = "__int128",
        ['o'] = "unsigned __int128",
        ['f'] = "float",
        ['d'] = "double",
        ['e'] = "long double",
        ['g'] = "__float128",
        ['z'] = "...",
    };

    private static readonly Dictionary<char, string> s_builtinD = new()
    {
        ['d'] = "decimal64",
        ['e'] = "decimal128",
        ['f'] = "decimal32",
        ['h'] = "half",
        ['i'] = "char32_t",
        ['s'] = "char16_t",
        ['u'] = "char8_t",
        ['a'] = "auto",
        ['c'] = "decltype(auto)",
        ['n'] = "decltype(nullptr)",
    };

    private static readonly Dictionary<string, string> s_operators = new(StringComparer.Ordinal)
    {
        ["nw"] = " new",
        ["na"] = " new[]",
        ["dl"] = " delete",
        ["da"] = " delete[]",
        ["aw"] = " co_await",
        ["ps"] = "+",
        ["ng"] = "-",
        ["ad"] = "&",
        ["de"] = "*",
        ["co"] = "~",
        ["pl"] = "+",
        ["mi"] = "-",
        ["ml"] = "*",
        ["dv"] = "/",
        ["rm"] = "%",
        ["an"] = "&",
        ["or"] = "|",
        ["eo"] = "^",
        ["aS"] = "=",
        ["pL"] = "+=",
        ["mI"] = "-=",
        ["mL"] = "*=",
        ["dV"] = "/=",
        ["rM"] = "%=",
        ["aN"] = "&=",
        ["oR"] = "|=",
        ["eO"] = "^=",
        ["ls"] = "<<",
        ["rs"] = ">>",
        ["lS"] = "<<=",
        ["rS"] = ">>=",
        ["eq"] = "==",
        ["ne"] = "!=",
        ["lt"] = "<",
        ["gt"] = ">",
        ["le"] = "<=",
        ["ge"] = ">=",
        ["ss"] = "<=>",
        ["nt"] = "!",
        ["aa"] = "&&",
        ["oo"] = "||",
        ["pp"] = "++",
        ["mm"] = "--",
        ["cm"] = ",",
        ["pm"] = "->*",
        ["pt"] = "->",
        ["cl"] = "()",
        ["ix"] = "[]",
    };

    private readonly string _text;
    private readonly List<Node> _substitutions = [];
    private List<Node> _arguments = [];
    private int _at = 2;
    private int _depth;
    private int _work;

    private ItaniumName(string text) => _text = text;

    /// <summary>The function that a symbol names; nothing where it is no such name, or one that is not understood.</summary>
    public static FunctionName? Read(string symbol)
    {
        if (!symbol.StartsWith("_Z", StringComparison.Ordinal))
            return null;
        try
        {
            var reader = new ItaniumName(symbol);
            var name = reader.Encoding();
            return reader._at == symbol.Length ? name : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private char Next => _at < _text.Length ? _text[_at] : '\0';

    private char Second => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

    private bool AtEnd => _at >= _text.Length || Next is 'E' or '.' or '_';

    private FunctionName Encoding()
    {
        using var level = Enter();
        if (Next is 'T' or 'G')
            throw Unread(); // virtual tables, guards, thunks: no functions that anybody calls by name
        var name = Name();
        if (AtEnd)
            return new FunctionName(name.Text, null, null);
        string? result = name.IsTemplate && !name.HasNoResult ? Type().Text : null;
        return new FunctionName(name.Text, "(" + Parameters() + ")" + name.Qualifiers, result);
    }

    private NameNode Name()
    {
        using var level = Enter();
        switch (Next)
        {
            case 'N':
                return Nested();
            case 'Z':
                return Local();
            case 'S' when Second != 't':
                var known = Substitution();
                if (Next != 'I')
                    return new NameNode(known.Text);
                return new NameNode(Bounded(known.Text + OwnTemplateArguments())) { IsTemplate = true };
        }

        string scope = "";
        if (Take("St"))
            scope = "std::";
        var last = Unqualified("");
        var name = last with { Text = scope + last.Text };
        if (Next != 'I')
            return name;
        _substitutions.Add(new Node(name.Text));
        return name with { Text = Bounded(name.Text + OwnTemplateArguments()), IsTemplate = true };
    }

    private NameNode Nested()
    {
        _at++;
        string qualifiers = Qualifiers();
        if (Next is 'R' or 'O')
            qualifiers += _text[_at++] == 'R' ? " &" : " &&";
        var name = new NameNode("");
        string last = "";
        bool any = false;
        while (!Take('E'))
        {
            if (Take('L') || Take('M'))
                continue;
            if (Take("St"))
            {
                name = new NameNode("std");
                last = "std";
                continue;
            }

            if (Next == 'S')
            {
                var known = Substitution();
                name = new NameNode(known.Text);
                last = LastOf(known.Text);
                continue;
            }

            if (Next == 'I')
            {
                name = name with { Text = Bounded(name.Text + OwnTemplateArguments()), IsTemplate = true };
            }
            else if (Next == 'T')
            {
                name = new NameNode(TemplateParameter().Text);
                last = LastOf(name.Text);
            }
            else
            {
                var part = Unqualified(last);
                last = part.Text;
                name = part with { Text = Bounded(name.Text.Length == 0 ? part.Text : name.Text + "::" + part.Text) };
            }

            any = true;
            _substitutions.Add(new Node(name.Text));
        }

        if (!any)
            throw Unread();
        // The whole is no prefix of anything. As a type it is added again, by who asked for a type.
        _substitutions.RemoveAt(_substitutions.Count - 1);
        return name with { Qualifiers = qualifiers };
    }

    private NameNode Local()
    {
        _at++;
        var saved = _arguments;
        string scope = Encoding().Full;
        _arguments = saved;
        if (!Take('E'))
            throw Unread();
        if (Take('s'))
        {
            Discriminator();
            return new NameNode(scope + "::string literal");
        }

        if (Take('d'))
        {
            Number();
            if (!Take('_'))
                throw Unread();
        }

        var entity = Name();
        Discriminator();
        return entity with { Text = Bounded(scope + "::" + entity.Text) };
    }

    private void Discriminator()
    {
        if (Next != '_')
            return;
        if (char.IsAsciiDigit(Second))
        {
            _at += 2;
        }
        else if (Second == '_')
        {
            _at += 2;
            Number();
            if (!Take('_'))
                throw Unread();
        }
    }

    private NameNode Unqualified(string enclosing)
    {
        var name = UnqualifiedCore(enclosing);
        while (Take('B'))
            name = name with { Text = Bounded(name.Text + "[abi:" + SourceName() + "]") };
        return name;
    }

    private NameNode UnqualifiedCore(string enclosing)
    {
        if (char.IsAsciiDigit(Next))
            return new NameNode(SourceName());
        if (Take('L'))
            return UnqualifiedCore(enclosing);
        if (Next == 'C' && Second is >= '1' and <= '5' && enclosing.Length > 0)
        {
            _at += 2;
            return new NameNode(WithoutArguments(enclosing)) { HasNoResult = true };
        }

        // Not D0, which deletes: it calls D1, and one call would be seen twice.
        if (Next == 'D' && Second is >= '1' and <= '5' && enclosing.Length > 0)
        {
            _at += 2;
            return new NameNode("~" + WithoutArguments(enclosing)) { HasNoResult = true };
        }

        if (Take("Ut"))
            return new NameNode("{unnamed type#" + Ordinal() + "}");
        if (Take("Ul"))
        {
            var saved = _arguments;
            _arguments = [];
            string parameters = Parameters();
            _arguments = saved;
            if (!Take('E'))
                throw Unread();
            return new NameNode("{lambda(" + parameters + ")#" + Ordinal() + "}");
        }

        if (Take("cv"))
            return new NameNode("operator " + Type().Text) { HasNoResult = true };
        if (Take("li"))
            return new NameNode("operator\"\" " + SourceName());
        if (_at + 2 <= _text.Length && s_operators.TryGetValue(_text.Substring(_at, 2), out string? symbol))
        {
            _at += 2;
            return new NameNode("operator" + symbol);
        }

        throw Unread();
    }

    // The first is nameless in the mangling: _ is 1, 0_ is 2.
    private string Ordinal()
    {
        int number = char.IsAsciiDigit(Next) ? Number() + 2 : 1;
        return Take('_') ? number.ToString(CultureInfo.InvariantCulture) : throw Unread();
    }

    private string Parameters()
    {
        var types = new List<string>();
        while (!AtEnd)
            types.AddRange(Type().Items.Select(static type => type.Text));
        return types is ["void"] ? "" : Bounded(string.Join(", ", types));
    }

    private Node Type()
    {
        using var level = Enter();
        char next = Next;
        if (next is 'r' or 'V' or 'K')
        {
            string qualifiers = Qualifiers();
            return Add(Type().Map(type => type.Qualify(qualifiers)));
        }

        if (s_builtin.TryGetValue(next, out string? builtin))
        {
            _at++;
            return new Node(builtin);
        }

        switch (next)
        {
            case 'P' or 'R' or 'O':
                _at++;
                return Add(Type().Map(type => type.Point(next switch { 'P' => "*", 'R' => "&", _ => "&&" })));
            case 'F':
                return Add(Function());
            case 'A':
                return Add(Array());
            case 'M':
                _at++;
                string of = Type().Text;
                return Add(Type().Map(type => type.Point(of + "::*")));
            case 'T' when Second is not ('s' or 'u' or 'e'):
                var parameter = Add(TemplateParameter());
                return Next == 'I' ? Add(new Node(Bounded(parameter.Text + TemplateArguments(out _)))) : parameter;
            case 'S' when Second != 't':
                var known = Substitution();
                return Next == 'I' ? Add(new Node(Bounded(known.Text + TemplateArguments(out _)))) : known;
            case 'C':
                _at++;
                return Add(Type().Map(static type => type.Qualify(" _Complex")));
            case 'U':
                _at++;
                string vendor = SourceName();
                return Add(Type().Map(type => type.Qualify(" " + vendor)));
            case 'u':
                _at++;
                return Add(new Node(SourceName()));
            case 'D':
                return TypeD();
            case 'T':
                _at += 2; // class, union, enum
                return Add(new Node(NameOfType()));
            default:
                return Add(new Node(NameOfType()));
        }
    }

    private string NameOfType()
    {
        var saved = _arguments;
        string name = Name().Text;
        _arguments = saved;
        return name;
    }

    private Node TypeD()
    {
        if (s_builtinD.TryGetValue(Second, out string? builtin))
        {
            _at += 2;
            return new Node(builtin);
        }

        if (Take("DF"))
        {
            int bits = Number();
            return Take('_') ? new Node($"_Float{bits}") : throw Unread();
        }

        if (Take("Dp"))
            return Add(Type());
        if (Take("Do"))
            return Add(Function());
        throw Unread();
    }

    private Node Function()
    {
        if (!Take('F'))
            throw Unread();
        Take('Y');
        string result = Type().Text;
        string parameters = Parameters();
        string reference = Take('R') ? " &" : Take('O') ? " &&" : "";
        if (!Take('E'))
            throw Unread();
        return new Node(result + " ", "(" + parameters + ")" + reference);
    }

    private Node Array()
    {
        _at++;
        string count = char.IsAsciiDigit(Next) ? Number().ToString(CultureInfo.InvariantCulture) : "";
        if (!Take('_'))
            throw Unread();
        var element = Type();
        return new Node(element.Left + " ", "[" + count + "]" + element.Right);
    }

    // Of the function's own name: T_ in what follows means the first of these.
    private string OwnTemplateArguments()
    {
        string text = TemplateArguments(out var arguments);
        _arguments = arguments;
        return text;
    }

    private string TemplateArguments(out List<Node> arguments)
    {
        using var level = Enter();
        _at++;
        arguments = [];
        while (!Take('E'))
            arguments.Add(TemplateArgument());
        return "<" + string.Join(", ", arguments.SelectMany(static argument => argument.Items).Select(static argument => argument.Text))
            + ">";
    }

    private Node TemplateArgument()
    {
        if (Take('L'))
            return Literal();
        if (Take('X'))
            throw Unread();
        if (!Take('J'))
            return Type();
        var items = new List<Node>();
        while (!Take('E'))
            items.AddRange(TemplateArgument().Items);
        return new Node("") { Pack = items };
    }

    private Node Literal()
    {
        if (Take("_Z"))
        {
            string function = Encoding().Name;
            return Take('E') ? new Node("&" + function) : throw Unread();
        }

        string type = Type().Text;
        int start = _at;
        while (Next is not ('E' or '\0'))
            _at++;
        string value = _text[start.._at].Replace('n', '-');
        if (!Take('E'))
            throw Unread();
        return new Node((type, value) switch
        {
            ("bool", "0") => "false",
            ("bool", "1") => "true",
            ("decltype(nullptr)", _) => "nullptr",
            ("int", _) => value,
            ("unsigned int", _) => value + "u",
            ("long", _) => value + "l",
            ("unsigned long", _) => value + "ul",
            ("long long", _) => value + "ll",
            ("unsigned long long", _) => value + "ull",
            _ => "(" + type + ")" + value,
        });
    }

    private Node TemplateParameter()
    {
        _at++;
        int index = char.IsAsciiDigit(Next) ? Number() + 1 : 0;
        if (!Take('_'))
            throw Unread();
        return index < _arguments.Count ? _arguments[index] : new Node($"auto:{index + 1}");
    }

    private Node Substitution()
    {
        _at++;
        string? standard = Next switch
        {
            'a' => "std::allocator",
            'b' => "std::basic_string",
            's' => "std::string",
            'i' => "std::istream",
            'o' => "std::ostream",
            'd' => "std::iostream",
            _ => null,
        };
        if (standard is not null)
        {
            _at++;
            return new Node(standard);
        }

        int index = 0;
        if (Next != '_')
        {
            while (char.IsAsciiDigit(Next) || char.IsAsciiLetterUpper(Next))
            {
                if (index > _substitutions.Count)
                    throw Unread();
                index = (index * 36) + (char.IsAsciiDigit(Next) ? Next - '0' : Next - 'A' + 10);
                _at++;
            }

            index++;
        }

        return Take('_') && index < _substitutions.Count ? _substitutions[index] : throw Unread();
    }

    private string Qualifiers()
    {
        var text = new StringBuilder();
        string order = "";
        while (Next is 'r' or 'V' or 'K')
            order += _text[_at++];
        foreach (char qualifier in order.Reverse())
            text.Append(qualifier switch { 'K' => " const", 'V' => " volatile", _ => " restrict" });
        return text.ToString();
    }

    private string SourceName()
    {
        int length = Number();
        if (length == 0 || length > _text.Length - _at)
            throw Unread();
        string name = _text.Substring(_at, length);
        _at += length;
        return name.StartsWith("_GLOBAL__N", StringComparison.Ordinal) ? "(anonymous namespace)" : name;
    }

    private int Number()
    {
        const int most = 1 << 20;
        int start = _at, value = 0;
        while (char.IsAsciiDigit(Next) && value < most)
            value = (value * 10) + (_text[_at++] - '0');
        return _at > start && value < most ? value : throw Unread();
    }

    private bool Take(char what)
    {
        if (Next != what || _at >= _text.Length)
            return false;
        _at++;
        return true;
    }

    private bool Take(string what)
    {
        if (!_text.AsSpan(_at).StartsWith(what, StringComparison.Ordinal))
            return false;
        _at += what.Length;
        return true;
    }

    private Node Add(Node node)
    {
        foreach (var item in node.Items)
            Bounded(item.Text);
        _substitutions.Add(node);
        return node;
    }

    // Substitutions make short names long: each may hold the one before it twice.
    private string Bounded(string text)
    {
        _work += text.Length + 1;
        return text.Length <= TextMax && _work <= WorkMax * 16 ? text : throw Unread();
    }

    // Foo<int> is constructed by Foo, and so is Foo[abi:cxx11].
    private static string WithoutArguments(string name)
    {
        int start = name.AsSpan().IndexOfAny('<', '[');
        return start > 0 ? name[..start] : name;
    }

    // The name behind the last :: that is in no brackets.
    private static string LastOf(string name)
    {
        int depth = 0;
        for (int i = name.Length - 1; i > 0; i--)
        {
            depth += name[i] switch { '>' or ')' => 1, '<' or '(' => -1, _ => 0 };
            if (depth == 0 && name[i] == ':' && name[i - 1] == ':')
                return name is "std::string" or "std::istream" or "std::ostream" or "std::iostream" ? "basic_" + name[(i + 1)..]
                    : name[(i + 1)..];
        }

        return name;
    }

    private static FormatException Unread() => new();

    private Level Enter() => ++_depth <= DepthMax && ++_work <= WorkMax * 16 ? new Level(this) : throw Unread();

    private readonly ref struct Level(ItaniumName name)
    {
        public void Dispose() => name._depth--;
    }

    private sealed record NameNode(string Text)
    {
        public string Qualifiers { get; init; } = "";

        public bool IsTemplate { get; init; }

        public bool HasNoResult { get; init; }
    }

    /// <summary>A type in two halves: what a pointer to it adds stands between them.</summary>
    private sealed record Node(string Left, string Right = "")
    {
        public List<Node>? Pack { get; init; }

        public IEnumerable<Node> Items => Pack ?? (IEnumerable<Node>)[this];

        public string Text => Pack is null ? Left + Right : string.Join(", ", Pack.Select(static item => item.Text));

        public Node Map(Func<Node, Node> change) =>
            Pack is null ? change(this) : new Node("") { Pack = Pack.ConvertAll(item => change(item)) };

        public Node Qualify(string qualifiers) =>
            Right.Length == 0 ? this with { Left = Left + qualifiers } : this with { Right = Right + qualifiers };

        public Node Point(string mark)
        {
            if (Right.Length == 0)
                return mark[0] == '&' && Left.EndsWith('&') ? Collapse(mark)
                    : this with { Left = Left + (mark[0] is '*' or '&' ? "" : " ") + mark };
            return Right[0] == ')' ? this with { Left = Left + mark } : new Node(Left + "(" + mark, ")" + Right);
        }

        // A reference to a reference: only && to && stays one.
        private Node Collapse(string mark) =>
            Left.EndsWith("&&", StringComparison.Ordinal) && mark == "&" ? this with { Left = Left[..^1] } : this;
    }
}
