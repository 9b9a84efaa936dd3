using Veil.Core.Filters;

namespace Veil.Core.Session;

/// <summary>A module at one moment.</summary>
/// <param name="Name">The module.</param>
/// <param name="Hook">How it is attached.</param>
/// <param name="Events">Events taken from the ring.</param>
/// <param name="Lost">Events lost, by cause.</param>
/// <param name="Filters">Its filters, with their keys.</param>
public sealed record ModuleStatus(string Name, string Hook, ulong Events, IReadOnlyDictionary<string, ulong> Lost, IReadOnlyList<FilterMap> Filters);
