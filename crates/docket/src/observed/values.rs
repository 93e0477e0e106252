//! JSON of others: values one after the other, or lists of them, handed over one at a time.
//!
//! A list is never held whole, and no value is looked into that is longer than a record may be.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{FileFault, RECORD_OCTETS_MAX, RECORDS_MAX};

/// Hands over the text of each value. What `take` cannot read is told with the line at which it stands.
pub(crate) fn each<'t>(
    file: &str,
    text: &'t str,
    mut take: impl FnMut(&'t str) -> Result<(), serde_json::Error>,
) -> Result<(), FileFault> {
    // A value is a part of the text.
    let line = |value: &str| {
        let before = &text[..value.as_ptr().addr() - text.as_ptr().addr()];
        1 + before.bytes().filter(|octet| *octet == b'\n').count()
    };
    let mut count = 0;
    let mut one = |value: &'t str| {
        count += 1;
        if count > RECORDS_MAX {
            return Err(FileFault::at(file, line(value), format!("more than {RECORDS_MAX} records")));
        }
        if value.len() > RECORD_OCTETS_MAX {
            let what = format!("a record of {} octets; at most {RECORD_OCTETS_MAX}", value.len());
            return Err(FileFault::at(file, line(value), what));
        }
        take(value)
            .map_err(|error| FileFault::at(file, line(value) + error.line().saturating_sub(1), error.to_string()))
    };
    let unread = |error: serde_json::Error| FileFault::at(file, error.line().max(1), error.to_string());
    for value in serde_json::Deserializer::from_str(text).into_iter::<&'t RawValue>() {
        let value = value.map_err(unread)?.get();
        if value.starts_with('[') {
            let mut list = serde_json::Deserializer::from_str(value);
            list.deserialize_seq(Elements(&mut one)).map_err(unread)??;
        } else {
            one(value)?;
        }
    }
    Ok(())
}

/// The values of a list, up to the first that is refused.
struct Elements<F>(F);

impl<'t, F: FnMut(&'t str) -> Result<(), FileFault>> Visitor<'t> for Elements<F> {
    type Value = Result<(), FileFault>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut taken = Ok(());
        while let Some(value) = all.next_element::<&'t RawValue>()? {
            if taken.is_ok() {
                taken = (self.0)(value.get());
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u64>, FileFault> {
        let mut all = Vec::new();
        each("x.json", text, |value| {
            all.push(serde_json::from_str(value)?);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn values_stand_alone_in_lists_or_a_line_each() {
        assert_eq!(read("[1, 2]\n3\n4 [5]"), Ok(vec![1, 2, 3, 4, 5]));
        assert_eq!(read(" \n"), Ok(Vec::new()));
    }

    #[test]
    fn a_fault_is_told_at_its_line() {
        assert_eq!(read("[1,\n 2,\n \"three\"]").unwrap_err().line, Some(3));
        assert_eq!(read("[1]\n[2").unwrap_err().line, Some(2));
        assert_eq!(read(&format!("1\n\"{}\"", "x".repeat(RECORD_OCTETS_MAX))).unwrap_err().line, Some(2));
    }
}
