using System.Text;

namespace Veil.Modules.Uprobe.Names;

/// <summary>What a mangled symbol says.</summary>
/// <param name="Name">The qualified name.</param>
/// <param name="Parameters">The types of its parameters in parentheses, and its qualifiers; none where the symbol does not say.</param>
/// <param name="Result">The type of its result, which the symbols of templates alone say.</param>
internal sealed record FunctionName(string Name, string? Parameters, string? Result)
{
    private const string LongString = "std::__cxx11::basic_string<char,std::char_traits<char>,std::allocator<char>>";

    /// <summary>The longest symbol that is read; longer ones can be given as they are.</summary>
    public const int SymbolMax = 4096;

    private static readonly string[] s_noParts = ["operator", "anonymous", "namespace", "std", "string", "const", "volatile", "unsigned", "signed", "char", "short", "int", "long", "bool", "double", "float", "void", "closure", "shim", "lambda", "auto", "as", "impl", "basic_string", "allocator"];

    /// <summary>Name and parameters.</summary>
    public string Full => Name + Parameters;

    /// <summary>Reads a symbol of C++ or Rust; nothing where it is none.</summary>
    public static FunctionName? Read(string symbol) => RustName.Read(symbol) ?? ItaniumName.Read(symbol);

    /// <summary>Is it what a user wrote: with or without parameters and result, and with any blanks?</summary>
    /// <param name="normal">What <see cref="Normalize"/> made of it.</param>
    public bool Is(string normal) => normal == Normalize(Name) || normal == Normalize(Full) || (Result is not null && normal == Normalize(Result + " " + Full));

    /// <summary>Without the blanks that mean nothing, and with short names for what has several.</summary>
    public static string Normalize(string name)
    {
        var text = new StringBuilder(name.Length);
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] != ' ' || (i > 0 && i + 1 < name.Length && IsWord(name[i - 1]) && IsWord(name[i + 1])))
                text.Append(name[i]);
        }

        return text.ToString()
            .Replace(LongString, "std::string", StringComparison.Ordinal)
            .Replace("std::__cxx11::", "std::", StringComparison.Ordinal)
            .Replace("(void)", "()", StringComparison.Ordinal);
    }

    /// <summary>A word that stands in each symbol of that name, as it is; empty where there is none for certain.</summary>
    public static string PartOf(string name)
    {
        int parameters = name.IndexOf('(', StringComparison.Ordinal);
        string path = parameters > 0 ? name[..parameters] : name;
        var words = path.Split([.. path.Where(static c => !IsWord(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries);
        return words.Where(static word => !char.IsAsciiDigit(word[0]) && char.IsAscii(word[0]) && !s_noParts.Contains(word)).MaxBy(static word => word.Length) ?? "";
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_';
}
