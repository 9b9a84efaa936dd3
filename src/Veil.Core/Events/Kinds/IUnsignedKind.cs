using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An unsigned integer of 1, 2, 4 or 8 bytes that is shown as it is.</summary>
internal interface IUnsignedKind : IMemberKind, IValueKind
{
    static string IValueKind.JsonType => "number";

    static KeyKind? IValueKind.Key => KeyKind.Word;

    static Quantity? IValueKind.Quantity => Quantity.Count;

    static int IValueKind.Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) => line.Append(value.Unsigned(view.Record));
}
