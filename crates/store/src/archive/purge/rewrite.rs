//! A file again, without some rows, or with addresses cut.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array as _, ArrayRef, BinaryArray, BooleanArray, RecordBatch, StringArray};
use arrow_select::filter::filter_record_batch;

use super::super::file::{Growing, Place, Written};
use super::super::merge::{conform, open};
use super::super::tables::Shape;
use crate::Error;

/// Rows that are held at once; a head may have 64 KiB.
const BATCH_ROWS: usize = 1024;

/// What becomes of a row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Fate {
    #[default]
    Stays,
    Cut,
    Goes,
}

/// Reads a file and decides on each row. `None` if all of it stays as it is; else what was written, if anything is left.
pub(super) fn rewrite(
    root: &Path,
    file: &Written,
    name: &str,
    shape: &Shape,
    decide: &mut dyn FnMut(&RecordBatch) -> Result<Vec<Fate>, Error>,
) -> Result<Option<Option<Written>>, Error> {
    let path = root.join(&file.path);
    let reader = open(&path)?.with_batch_size(BATCH_ROWS).build();
    let failed = || format!("purging {}", path.display());
    let mut growing: Option<Growing> = None;
    let mut is_changed = false;
    let place = Place { root, day: &file.day, name, level: file.level };
    for batch in reader.map_err(Error::archive(failed()))? {
        let batch = conform(&batch.map_err(Error::archive(failed()))?, shape)?;
        let fates = decide(&batch)?;
        is_changed |= fates.iter().any(|fate| *fate != Fate::Stays);
        let batch = if fates.contains(&Fate::Cut) { cut_batch(&batch, &fates, shape)? } else { batch };
        let stays: BooleanArray = fates.iter().map(|fate| Some(*fate != Fate::Goes)).collect();
        let left = filter_record_batch(&batch, &stays).map_err(Error::archive(failed()))?;
        if left.num_rows() > 0 {
            let mut file = growing.take().map_or_else(|| Growing::create(&place, shape), Ok)?;
            file.write(&left)?;
            growing = Some(file);
        }
    }
    match (is_changed, growing) {
        (false, growing) => growing.map_or(Ok(()), Growing::abandon).map(|()| None),
        (true, growing) => growing.map(Growing::close).transpose().map(Some),
    }
}

//----------- Cutting ----------------------------------------------------------------------------------------------

fn cut_batch(batch: &RecordBatch, fates: &[Fate], shape: &Shape) -> Result<RecordBatch, Error> {
    let columns = shape.schema.fields().iter().zip(batch.columns()).map(|(field, column)| -> ArrayRef {
        let is_cut = |row: usize| fates[row] == Fate::Cut;
        match field.name().as_str() {
            "source" => {
                let texts = column.as_string::<i32>();
                let cell = |row| if is_cut(row) { cut_text(texts.value(row)) } else { texts.value(row).to_owned() };
                Arc::new(StringArray::from_iter_values((0..texts.len()).map(cell)))
            }
            "client_subnet" => {
                let blobs = column.as_binary::<i32>();
                let cell = |row| {
                    let blob = blobs.is_valid(row).then(|| blobs.value(row).to_vec())?;
                    if is_cut(row) { cut_subnet(blob) } else { Some(blob) }
                };
                Arc::new(BinaryArray::from_iter((0..blobs.len()).map(cell)))
            }
            // Whom a proxy speaks for is an address, in any of many forms.
            "forwarded" => {
                let texts = column.as_string::<i32>();
                let cell = |row| (texts.is_valid(row) && !is_cut(row)).then(|| texts.value(row));
                Arc::new(StringArray::from_iter((0..texts.len()).map(cell)))
            }
            _ => Arc::clone(column),
        }
    });
    let cut = RecordBatch::try_new(shape.schema.clone(), columns.collect());
    cut.map_err(Error::archive("cutting addresses"))
}

/// Whether a row holds more of an address than is kept.
pub(super) fn is_whole(batch: &RecordBatch, row: usize) -> bool {
    let source = batch.column_by_name("source").map(|column| column.as_string::<i32>().value(row));
    let subnet = batch.column_by_name("client_subnet").map(AsArray::as_binary::<i32>);
    let subnet = subnet.filter(|column| column.is_valid(row)).map(|column| column.value(row).to_vec());
    let forwarded = batch.column_by_name("forwarded").is_some_and(|column| column.is_valid(row));
    source.is_some_and(|text| cut_text(text) != text)
        || subnet.is_some_and(|blob| cut_subnet(blob.clone()) != Some(blob))
        || forwarded
}

/// The network of an address: /24 and /48.
pub fn cut(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xffff_ff00).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !(u128::MAX >> 48)).into()),
    }
}

/// What is no address stays nowhere.
fn cut_text(text: &str) -> String {
    text.parse::<IpAddr>().map_or_else(|_| "0.0.0.0".to_owned(), |address| cut(address).to_string())
}

/// EDNS client subnet (RFC 7871): family, length, scope, address.
fn cut_subnet(mut blob: Vec<u8>) -> Option<Vec<u8>> {
    let longest: u8 = match blob.get(..2)? {
        [0, 1] => 24,
        [0, 2] => 48,
        _ => return None,
    };
    let len = blob.get_mut(2)?;
    *len = (*len).min(longest);
    blob.truncate(4 + usize::from(longest / 8));
    Some(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_to_their_networks_once_and_for_all() {
        for (whole, network) in [
            ("203.0.113.7", "203.0.113.0"),
            ("::ffff:203.0.113.7", "203.0.113.0"),
            ("2001:db8:1:2:3::4", "2001:db8:1::"),
            ("2001:db8::4", "2001:db8::"),
            ("no address", "0.0.0.0"),
        ] {
            assert_eq!(cut_text(whole), network);
            assert_eq!(cut_text(network), network);
        }
    }

    #[test]
    fn a_clients_subnet_says_no_more_than_its_network() {
        assert_eq!(cut_subnet(vec![0, 1, 32, 0, 203, 0, 113, 7]), Some(vec![0, 1, 24, 0, 203, 0, 113]));
        assert_eq!(cut_subnet(vec![0, 1, 16, 0, 203, 0]), Some(vec![0, 1, 16, 0, 203, 0]));
        let v6 = [0, 2, 56, 0, 0x20, 1, 0xd, 0xb8, 0, 1, 9];
        assert_eq!(cut_subnet(v6.to_vec()), Some(vec![0, 2, 48, 0, 0x20, 1, 0xd, 0xb8, 0, 1]));
        assert_eq!(cut_subnet(vec![0, 9, 8, 0, 1]), None, "a family that we do not know");
        assert_eq!(cut_subnet(vec![0]), None);
    }
}
