namespace Veil.Core.Events.Kinds;

/// <summary>A number that may not be known.</summary>
internal interface IOptionalKind : IMemberKind, IValueKind
{
    static string IValueKind.JsonType => "number or null";

    static KeyKind? IValueKind.Key => KeyKind.Word;

    static Quantity? IValueKind.Quantity => Quantity.Count;
}
