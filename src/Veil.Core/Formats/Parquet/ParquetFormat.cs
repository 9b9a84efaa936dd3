// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats.Parquet;

/// <summary>A table in Apache Parquet: a row an event, a column a field.</summary>
internal sealed class ParquetFormat : ExportFormat
{
    public override string Name => "parquet";

    public override string Ending => ".parquet";

    public override string Summary => "a table, a row an event, for DuckDB, ClickHouse, Spark, pandas";

    public override bool TakesFields => true;

    public override bool IsText => false;

    public override IExportSink Begin(ExportInput input) => new ParquetSink(input);
}
