//! How the columns of a file are encoded, compressed and described: decided by measurement (`cargo xtask bench archive`).
//!
//! A table's rows are sorted, so most columns change slowly and a dictionary of a row group is short. The exceptions are
//! named here: times and ids rise, so their differences are short; ports and numbers of queries are random, so a
//! dictionary would be as long as the column. Every encoding is in Parquet's 2.0 format, which DuckDB, pandas and
//! ClickHouse read. What is deliberately absent: other compressions than zstd, and Bloom filters over ids, which cost
//! 1.2 octets a row and serve nobody who knows the day.

use arrow_schema::{DataType, Field};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::tables::Shape;

/// Rows of a row group: what is skipped or read as one. Smaller ones repeat their dictionaries, larger ones are skipped
/// more rarely and take more memory while they are written: about 30 octets a row.
pub(super) const ROW_GROUP_ROWS: usize = 1 << 18;

/// Octets of a column's dictionary in a row group: the addresses of a row group fit.
const DICTIONARY_OCTETS_MAX: usize = 4 << 20;

/// How often the filter of a column says "perhaps" of a value that is not there.
const PERHAPS_WRONGLY: f64 = 0.02;

/// The level of zstd: the fastest.
const ZSTD: i32 = 1;

pub(super) fn properties(shape: &Shape, level: u8) -> WriterProperties {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(ZSTD).expect("zstd has this level"));
    let mut builder = WriterProperties::builder()
        .set_compression(zstd)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(DICTIONARY_OCTETS_MAX)
        .set_sorting_columns(Some(sorting(shape)));
    for field in shape.schema.fields() {
        builder = encoded(builder, field);
        if field.name() == "source" && level > 0 {
            let source = || ColumnPath::from("source");
            builder = builder
                .set_column_bloom_filter_enabled(source(), true)
                .set_column_bloom_filter_fpp(source(), PERHAPS_WRONGLY)
                .set_column_bloom_filter_max_ndv(source(), ROW_GROUP_ROWS as u64);
        }
    }
    builder.build()
}

fn encoded(builder: WriterPropertiesBuilder, field: &Field) -> WriterPropertiesBuilder {
    let alone = |builder: WriterPropertiesBuilder, encoding| {
        let column = || ColumnPath::from(field.name().as_str());
        builder.set_column_dictionary_enabled(column(), false).set_column_encoding(column(), encoding)
    };
    match (field.name().as_str(), field.data_type()) {
        ("id" | "contact_id" | "over_id", _) => alone(builder, Encoding::DELTA_BYTE_ARRAY),
        ("source_port" | "query_id" | "duration_nanos" | "octets_in", _) | (_, DataType::Timestamp(..)) => {
            alone(builder, Encoding::DELTA_BINARY_PACKED)
        }
        ("bytes", _) => alone(builder, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        // Without a dictionary, where it grew too long.
        (name, DataType::Utf8) => {
            builder.set_column_encoding(ColumnPath::from(name), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        }
        _ => builder,
    }
}

/// The columns by which the rows are sorted, as the file says them: every column of ours is one leaf.
pub(super) fn sorting(shape: &Shape) -> Vec<SortingColumn> {
    let index = |name: &&str| shape.schema.index_of(name).expect("a table is sorted by columns that it has");
    let column = |index: usize| SortingColumn {
        column_idx: i32::try_from(index).expect("a table has few columns"),
        descending: false,
        nulls_first: true,
    };
    shape.sorted.iter().map(index).map(column).collect()
}
