// SPDX-License-Identifier: GPL-3.0-only
using Veil.Modules;

namespace Veil.Cli.Service;

/// <summary>What a configuration asks of one module, as the words of a command line.</summary>
/// <param name="Module">The module's name.</param>
/// <param name="Words">Its flags, then what is the same for all modules.</param>
internal sealed record ModuleWords(string Module, IReadOnlyList<string> Words)
{
    /// <summary>The words that are no filters: where they differ, the trace has to be started anew.</summary>
    public IEnumerable<string> Fixed => Words.Where(word => FilterOf(word) is null);

    /// <summary>The filters by name, with their values.</summary>
    public ILookup<string, string> Filters =>
        Words.Select(word => (Name: FilterOf(word), Word: word)).Where(static word => word.Name is not null)
            .ToLookup(
            static word => word.Name!, static word => word.Word[(word.Word.IndexOf('=', StringComparison.Ordinal) + 1)..],
            StringComparer.Ordinal);

    private string? FilterOf(string word) =>
        ModuleCatalog.All.First(module => module.Name == Module).Filters
            .FirstOrDefault(filter => word.StartsWith($"--{filter.Name}=", StringComparison.Ordinal))?.Name;
}
