//! Rows for a server that reads no Parquet: RowBinary, as ClickHouse has read it from its first release on.
//!
//! Numbers are little-endian; a text or list has its length before it (LEB128); a column with nulls has an octet before
//! each value, 1 for a null (ClickHouse's manual, "Formats", "RowBinary"). Columns come in the order of the table, which
//! an older file may lack some of: they are null there.

use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::Error;
use crate::archive::tables::Shape;

pub(super) fn of(table: &str, path: &Path, reader: ParquetRecordBatchReader) -> Result<Vec<u8>, Error> {
    let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
    let shape = Shape::named(table).ok_or_else(|| damaged("its table is unknown"))?;
    let mut out = Vec::new();
    for batch in reader {
        let batch = batch.map_err(Error::archive(format!("reading {}", path.display())))?;
        rows(&shape, &batch, &mut out).ok_or_else(|| damaged("a column is not what its table has there"))?;
    }
    Ok(out)
}

fn rows(shape: &Shape, batch: &RecordBatch, out: &mut Vec<u8>) -> Option<()> {
    let columns = shape.schema.fields().iter().map(|field| (field, batch.column_by_name(field.name())));
    let columns: Vec<_> = columns.map(|(field, column)| (field, column.map(AsRef::as_ref))).collect();
    for row in 0..batch.num_rows() {
        for (field, column) in &columns {
            cell(field, *column, row, out)?;
        }
    }
    Some(())
}

fn cell(field: &Field, column: Option<&dyn Array>, row: usize, out: &mut Vec<u8>) -> Option<()> {
    let present = column.filter(|column| column.is_valid(row));
    if let DataType::List(_) = field.data_type() {
        return list(present, row, out);
    }
    if field.is_nullable() {
        out.push(u8::from(present.is_none()));
    }
    match present {
        Some(column) => value(field, column, row, out),
        None => field.is_nullable().then_some(()),
    }
}

fn value(field: &Field, column: &dyn Array, row: usize, out: &mut Vec<u8>) -> Option<()> {
    match field.data_type() {
        DataType::UInt8 => out.push(column.as_primitive_opt::<UInt8Type>()?.value(row)),
        DataType::UInt16 => out.extend(column.as_primitive_opt::<UInt16Type>()?.value(row).to_le_bytes()),
        DataType::UInt32 => out.extend(column.as_primitive_opt::<UInt32Type>()?.value(row).to_le_bytes()),
        DataType::UInt64 => out.extend(column.as_primitive_opt::<UInt64Type>()?.value(row).to_le_bytes()),
        DataType::Boolean => out.push(u8::from(column.as_boolean_opt()?.value(row))),
        DataType::Utf8 => text(column.as_string_opt::<i32>()?.value(row).as_bytes(), out),
        DataType::Binary => text(column.as_binary_opt::<i32>()?.value(row), out),
        DataType::Timestamp(..) => {
            out.extend(column.as_primitive_opt::<TimestampNanosecondType>()?.value(row).to_le_bytes());
        }
        _ => return None,
    }
    Some(())
}

/// No list is null in ClickHouse.
fn list(column: Option<&dyn Array>, row: usize, out: &mut Vec<u8>) -> Option<()> {
    let Some(column) = column else {
        length(0, out);
        return Some(());
    };
    let items = column.as_list_opt::<i32>()?.value(row);
    let texts = items.as_string_opt::<i32>()?;
    length(texts.len(), out);
    texts.iter().for_each(|item| text(item.unwrap_or_default().as_bytes(), out));
    Some(())
}

fn text(octets: &[u8], out: &mut Vec<u8>) {
    length(octets.len(), out);
    out.extend_from_slice(octets);
}

/// Seven bits at a time, the low ones first.
fn length(of: usize, out: &mut Vec<u8>) {
    let mut rest = of;
    while rest >= 0x80 {
        out.push(0x80 | u8::try_from(rest & 0x7f).expect("seven bits"));
        rest >>= 7;
    }
    out.push(u8::try_from(rest).expect("less than 128"));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{StringArray, TimestampNanosecondArray, UInt16Array};

    use super::*;

    fn written(field: Field, column: Option<&dyn Array>, row: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        cell(&field, column, row, &mut out).map(|()| out)
    }

    #[test]
    fn cells_are_written_as_the_manual_says() {
        let ports = UInt16Array::from(vec![Some(53), None]);
        let field = |nullable| Field::new("qtype", DataType::UInt16, nullable);
        assert_eq!(written(field(false), Some(&ports), 0), Some(vec![53, 0]));
        assert_eq!(written(field(true), Some(&ports), 0), Some(vec![0, 53, 0]));
        assert_eq!(written(field(true), Some(&ports), 1), Some(vec![1]));
        assert_eq!(written(field(true), None, 0), Some(vec![1]), "a column that an older file lacks");
        assert_eq!(written(field(false), Some(&ports), 1), None, "a null where none may be");
        let long = "x".repeat(300);
        let texts = StringArray::from(vec![long.as_str()]);
        let text = written(Field::new("target", DataType::Utf8, false), Some(&texts), 0).unwrap();
        assert_eq!((&text[..3], text.len()), (&[0xac, 0x02, b'x'][..], 302));
        let times = TimestampNanosecondArray::from(vec![-1]).with_timezone("UTC");
        let time = Field::new("received", times.data_type().clone(), false);
        assert_eq!(written(time, Some(&times), 0), Some(vec![0xff; 8]));
    }

    #[test]
    fn a_list_that_is_null_is_empty() {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.values().append_value("h2");
        lists.append(true);
        lists.append(false);
        let lists = lists.finish();
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let field = || Field::new("alpn", DataType::List(Arc::clone(&item)), true);
        assert_eq!(written(field(), Some(&lists), 0), Some(vec![1, 2, b'h', b'2']));
        assert_eq!(written(field(), Some(&lists), 1), Some(vec![0]));
    }
}
