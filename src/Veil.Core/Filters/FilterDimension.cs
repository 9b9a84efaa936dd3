// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Filters;

/// <summary>
/// One thing to filter by. A module has a dimension when its object declares it with <c>VEIL_FILTER</c>: map <c>filter_NAME</c>
/// and mode <c>filter_NAME_mode</c>.
/// </summary>
public abstract class FilterDimension
{
    /// <summary>The name: of the flag (<c>--name</c>), of the map, of the control command's argument.</summary>
    public abstract string Name { get; }

    /// <summary>A one-letter alias of the flag, or none.</summary>
    public virtual char? Alias => null;

    /// <summary>Where the help has it.</summary>
    public virtual FlagRole Role => FlagRole.Filter;

    /// <summary>What a value is, for the help: <c>PID</c>.</summary>
    public abstract string ValueName { get; }

    /// <summary>What the dimension compares, for the help.</summary>
    public abstract string Description { get; }

    /// <summary>The accepted form of a value, for error messages.</summary>
    public abstract string AcceptedForm { get; }

    /// <summary>Turns what a user wrote into keys; a name may stand for several.</summary>
    /// <param name="text">The value, without <c>!</c>.</param>
    /// <param name="keys">Takes the keys.</param>
    /// <returns>Nothing, or why it is none, with the value quoted (comes after "--pid: ").</returns>
    public abstract string? ParseKeys(string text, List<FilterKey> keys);

    /// <summary>The names that keys can have, for completion; none where they are numbers or free text.</summary>
    public virtual IEnumerable<string> KeyNames() => [];

    /// <summary>Whether this machine can ever have it. At least one key of a list must be possible here.</summary>
    public virtual bool CanMatch(FilterKey key) => true;

    /// <summary>What is worth a warning although the keys are right: a process that does not exist.</summary>
    public virtual IEnumerable<string> Warnings(IEnumerable<FilterKey> keys) => [];

    /// <summary>Reads one number that must fit.</summary>
    /// <param name="text">The number.</param>
    /// <param name="least">The least that fits.</param>
    /// <param name="most">The most that fits.</param>
    /// <param name="number">What it is.</param>
    /// <param name="whole">What messages quote, where the number is a part of it.</param>
    /// <returns>Nothing, or why it is none.</returns>
    protected string? ParseNumber(string text, long least, long most, out long number, string? whole = null)
    {
        number = 0;
        bool isNumber =
            text.Length > 0 && text.AsSpan(text[0] == '-' ? 1 : 0) is { Length: > 0 } digits && !digits.ContainsAnyExceptInRange('0', '9');
        if (!isNumber)
            return $"{Quoted(whole ?? text)} is not {AcceptedForm}";
        if (!long.TryParse(text, out number) || number < least || number > most)
            return $"{Quoted(whole ?? text)} is out of range ({AcceptedForm})";
        return null;
    }

    /// <summary>The first few of a list that may be long, and how many more there are.</summary>
    protected static string FewOf(IReadOnlyList<string> items)
    {
        const int few = 5;
        return items.Count <= few + 1
            ? string.Join(", ", items)
            : $"{string.Join(", ", items.Take(few))} or {items.Count - few} others";
    }

    /// <summary>A value as messages show it: of a very long one its beginning.</summary>
    protected static string Quoted(string text)
    {
        const int longest = 200;
        return text.Length <= longest ? $"'{Escaping.ForMessage(text)}'" : $"'{Escaping.ForMessage(text[..longest])}'...";
    }

    /// <summary>Why a name that is in no list is refused.</summary>
    protected static string Unknown(string what, string text, IEnumerable<string> names) =>
        $"unknown {what} {Quoted(text)}{Nearest(text, names)}";

    /// <summary>A suggestion, or nothing.</summary>
    protected static string Nearest(string text, IEnumerable<string> names) => NearestName.Hint(text, names, max: 3);
}
