// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Symbols.Names;

/// <summary>What a mangled symbol says.</summary>
/// <param name="Name">The qualified name.</param>
/// <param name="Parameters">The types of its parameters in parentheses, and its qualifiers; none where the symbol does not say.</param>
/// <param name="Result">The type of its result, which the symbols of templates alone say.</param>
internal sealed record FunctionName(string Name, string? Parameters, string? Result)
{
    // In this order.
    private static readonly (string Longer, string Shorter)[] s_short =
    [
        ("std::__cxx11::", "std::"),
        ("std::basic_string<char,std::char_traits<char>,std::allocator<char>>", "std::string"),
        ("std::basic_istream<char,std::char_traits<char>>", "std::istream"),
        ("std::basic_ostream<char,std::char_traits<char>>", "std::ostream"),
        ("std::basic_iostream<char,std::char_traits<char>>", "std::iostream"),
        ("(void)", "()"),
    ];

    /// <summary>The longest symbol that is read; longer ones can be given as they are.</summary>
    public const int SymbolMax = 4096;

    private static readonly string[] s_noParts =
        ["operator", "new", "delete", "co_await", "anonymous", "namespace", "std", "string", "const", "volatile", "unsigned", "signed",
        "char", "short", "int", "long", "bool", "double", "float", "void", "closure", "shim", "lambda", "auto", "as", "impl",
        "basic_string", "allocator"];

    /// <summary>Name and parameters.</summary>
    public string Full => Name + Parameters;

    // Rust's <module::Type>::function, as it is called in the source.
    private string WithoutImpl => Name.StartsWith('<') && !Name.Contains(" as ", StringComparison.Ordinal)
        && Name.IndexOf(">::", StringComparison.Ordinal) is > 0 and var end
        ? Name[1..end] + Name[(end + 1)..]
        : Name;

    /// <summary>Reads a symbol of C++ or Rust; nothing where it is none.</summary>
    public static FunctionName? Read(string symbol) => RustName.Read(symbol) ?? ItaniumName.Read(symbol);

    /// <summary>Is it what a user wrote: with or without parameters and result, and with any blanks?</summary>
    /// <param name="normal">What <see cref="Normalize"/> made of it.</param>
    public bool Is(string normal) => normal == Normalize(Name) || normal == Normalize(WithoutImpl) || normal == Normalize(Full)
        || (Result is not null && normal == Normalize(Result + " " + Full));

    /// <summary>Without blanks, and with short names for what has several.</summary>
    public static string Normalize(string name)
    {
        var text = new StringBuilder(name).Replace(" ", "");
        foreach (var (longer, shorter) in s_short)
            text.Replace(longer, shorter);
        return text.ToString();
    }

    /// <summary>A word that stands in each symbol of that name, as it is; empty where there is none for certain.</summary>
    public static string PartOf(string name)
    {
        int parameters = name.IndexOf('(', StringComparison.Ordinal);
        string path = parameters > 0 ? name[..parameters] : name;
        string[] words = path.Split([.. path.Where(static c => !IsWord(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries);
        return words.Where(static word => !char.IsAsciiDigit(word[0]) && char.IsAscii(word[0]) && !s_noParts.Contains(word))
            .MaxBy(static word => word.Length) ?? "";
    }

    /// <summary>The function's own name, without its classes, the arguments of its template and its parameters.</summary>
    public static string LastPartOf(string name)
    {
        int end = name.AsSpan().IndexOf('(') is > 0 and var parameters ? parameters : name.Length;
        if (name[end - 1] == '>')
        {
            for (int open = 0; end > 0;)
            {
                end--;
                open += name[end] switch { '>' => 1, '<' => -1, _ => 0 };
                if (open == 0)
                    break;
            }
        }

        int start = end;
        while (start > 0 && IsWord(name[start - 1]))
            start--;
        return name[start..end];
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_';
}
