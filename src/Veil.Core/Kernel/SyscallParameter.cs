// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Kernel;

/// <summary>One parameter of a system call, as the kernel's prototype has it.</summary>
/// <param name="Name">The name, such as <c>filename</c>.</param>
/// <param name="Type">The C type without <c>__user</c>, such as <c>const char *</c>.</param>
public readonly record struct SyscallParameter(string Name, string Type);
