namespace Veil.Modules.Uprobe;

/// <summary>Where a file is probed.</summary>
/// <param name="File">The file, open.</param>
/// <param name="Offsets">The instructions, in bytes from its beginning.</param>
internal sealed record ProbeSite(ProbeFile File, IReadOnlyList<ulong> Offsets);
