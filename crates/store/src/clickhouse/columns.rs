//! A column of the archive as a column of ClickHouse: one list of columns, described twice.
//!
//! Ids and addresses stay text, as in the Parquet files: they sort and compare the same on both engines, and the file is
//! the insert's body as it is. A list is never null in ClickHouse: one that the archive has as null is empty there.

use arrow_schema::{DataType, Field};

use super::Profile;

/// Columns of few words of our own making. What callers choose is no such column: a dictionary of a million words that
/// somebody made up is slower than none.
const WORDS: [&str; 13] = [
    "transport",
    "kind",
    "via",
    "case_id",
    "apex",
    "named_by",
    "looks_like",
    "part",
    "ended_by",
    "generation",
    "label",
    "as_name",
    "country",
];

/// `received DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1))`
pub(super) fn column(field: &Field, profile: Profile) -> String {
    let name = field.name();
    match codec(field, profile) {
        Some(codec) => format!("{name} {} CODEC({codec})", type_of(field, profile)),
        None => format!("{name} {}", type_of(field, profile)),
    }
}

pub(super) fn type_of(field: &Field, profile: Profile) -> String {
    let is_old = profile == Profile::Old;
    let is_word = !is_old && WORDS.contains(&field.name().as_str());
    let plain = match field.data_type() {
        DataType::UInt8 => "UInt8",
        DataType::UInt16 => "UInt16",
        DataType::UInt32 => "UInt32",
        DataType::UInt64 => "UInt64",
        DataType::Boolean if is_old => "UInt8",
        DataType::Boolean => "Bool",
        DataType::Utf8 | DataType::Binary => "String",
        DataType::Timestamp(..) if is_old => "Int64",
        DataType::Timestamp(..) => "DateTime64(9, 'UTC')",
        DataType::List(_) => return "Array(String)".into(),
        other => unreachable!("no table has a column of {other}"),
    };
    match (field.is_nullable(), is_word) {
        (false, false) => plain.into(),
        (true, false) => format!("Nullable({plain})"),
        (false, true) => format!("LowCardinality({plain})"),
        (true, true) => format!("LowCardinality(Nullable({plain}))"),
    }
}

/// Times rise within a name, so their differences are short.
fn codec(field: &Field, profile: Profile) -> Option<&'static str> {
    match field.data_type() {
        _ if profile == Profile::Old => None,
        DataType::Timestamp(..) => Some("Delta(8), ZSTD(1)"),
        _ => Some("ZSTD(1)"),
    }
}
