//! How a value becomes a literal: one function per kind and dialect, and no other way from a value into SQL.

use model::Timestamp;
use model::time::to_nanos;

use super::Dialect;

/// A text as a literal, whatever stands in it.
///
/// The SQL standard doubles quotes and knows no backslash, and DataFusion's dialect reads it so. ClickHouse reads
/// backslashes as C does (its manual, "Syntax", "String").
pub(super) fn text(text: &str, dialect: Dialect) -> String {
    let escaped = match dialect {
        Dialect::DataFusion => text.replace('\'', "''"),
        Dialect::ClickHouse => text.replace('\\', "\\\\").replace('\'', "\\'"),
    };
    format!("'{escaped}'")
}

/// An instant to the nanosecond, of the type of the column `received`.
pub(super) fn time(at: Timestamp, dialect: Dialect) -> String {
    let nanos = to_nanos(at);
    match dialect {
        Dialect::DataFusion => format!("arrow_cast({nanos}, '{NANOSECONDS}')"),
        Dialect::ClickHouse => format!("fromUnixTimestamp64Nano(toInt64({nanos}), 'UTC')"),
    }
}

/// The type of the archive's times, as DataFusion spells it.
pub(super) const NANOSECONDS: &str = "Timestamp(Nanosecond, Some(\"UTC\"))";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What ClickHouse makes of a literal; `None` if it ends before its last octet.
    fn read_by_clickhouse(literal: &str) -> Option<String> {
        let mut rest = literal.strip_prefix('\'')?.chars();
        let mut text = String::new();
        loop {
            match rest.next()? {
                '\'' => return rest.next().is_none().then_some(text),
                '\\' => text.push(rest.next()?),
                other => text.push(other),
            }
        }
    }

    /// The same for the standard.
    fn read_by_standard(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let parts: Vec<&str> = inner.split("''").collect();
        parts.iter().all(|part| !part.contains('\'')).then(|| parts.join("'"))
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_literal(of in any::<String>()) {
            let (theirs, standard) = (text(&of, Dialect::ClickHouse), text(&of, Dialect::DataFusion));
            prop_assert_eq!(read_by_clickhouse(&theirs), Some(of.clone()));
            prop_assert_eq!(read_by_standard(&standard), Some(of));
        }
    }

    #[test]
    fn quotes_and_backslashes_are_data() {
        assert_eq!(text("x' OR 1=1 --", Dialect::DataFusion), "'x'' OR 1=1 --'");
        assert_eq!(text("\\' OR 1=1 --", Dialect::ClickHouse), "'\\\\\\' OR 1=1 --'");
        assert_eq!(time(Timestamp::UNIX_EPOCH, Dialect::ClickHouse), "fromUnixTimestamp64Nano(toInt64(0), 'UTC')");
    }
}
