// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats.Parquet;

/// <summary>What a column holds.</summary>
internal enum ParquetType
{
    /// <summary>BOOLEAN.</summary>
    Bool,

    /// <summary>INT64.</summary>
    Number,

    /// <summary>INT64 of nanoseconds since 1970, in UTC.</summary>
    Time,

    /// <summary>BYTE_ARRAY of UTF-8.</summary>
    Text,

    /// <summary>The same, of JSON: what is a list or an object.</summary>
    Json,
}
