// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Modules;

/// <summary>A command line for the help.</summary>
/// <param name="Command">The line, as it is typed.</param>
/// <param name="Meaning">What it answers.</param>
public sealed record Example(string Command, string Meaning);
