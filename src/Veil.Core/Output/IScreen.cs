// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Output;

/// <summary>The terminal that the output is shown on.</summary>
public interface IScreen
{
    /// <summary>Its size now: places in a row, and rows. It changes when a person changes the window.</summary>
    (int Columns, int Rows) Size { get; }
}
