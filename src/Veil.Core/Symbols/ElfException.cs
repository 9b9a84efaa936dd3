// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>Why a function cannot be found in a file; the message completes the sentence <c>PATH …</c>.</summary>
internal sealed class ElfException(string message) : Exception(message);
