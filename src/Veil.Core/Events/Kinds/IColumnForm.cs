namespace Veil.Core.Events.Kinds;

/// <summary>How a column of the text output writes a value that fields have in other kinds: for people, and no field itself.</summary>
internal interface IColumnForm : IValueKind
{
    static string IValueKind.JsonType => "string";

    static KeyKind? IValueKind.Key => null;

    static Quantity? IValueKind.Quantity => null;
}
