//! How one value becomes a cell of a Parquet column and back.
//!
//! Ids, addresses and labels are text in the files: any tool reads them, and zstd and dictionaries make the text as
//! short as bytes would be. Times are nanoseconds UTC.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, StringArray, TimestampNanosecondArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Field, TimeUnit};
use model::Timestamp;
use model::contact::Kind;
use model::id::ContactId;
use model::time::{from_nanos, to_nanos};
use model::verdict::Label;

/// A type that columns hold.
pub(super) trait Cell: Sized {
    fn data_type() -> DataType;
    /// Whether the column has nulls: it has for an `Option`.
    const NULLABLE: bool = false;
    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef
    where
        Self: 'a;
    /// The cell in a row; `None` if the file holds something that this type cannot be.
    fn read(column: &dyn Array, row: usize) -> Option<Self>;
}

impl<T: Cell> Cell for Option<T> {
    fn data_type() -> DataType {
        T::data_type()
    }

    const NULLABLE: bool = true;

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef
    where
        Self: 'a,
    {
        T::column(cells.map(|cell| cell.and_then(Option::as_ref)))
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        if column.is_null(row) { Some(None) } else { T::read(column, row).map(Some) }
    }
}

//----------- Numbers, truth, bytes, time --------------------------------------------------------------------------

macro_rules! numbers {
    ($($of:ty, $array:ty, $arrow:ty, $name:ident;)*) => {$(
        impl Cell for $of {
            fn data_type() -> DataType {
                DataType::$name
            }

            fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
                Arc::new(cells.map(Option::<&Self>::copied).collect::<$array>())
            }

            fn read(column: &dyn Array, row: usize) -> Option<Self> {
                Some(column.as_primitive_opt::<$arrow>()?.value(row))
            }
        }
    )*};
}

numbers! {
    u8, UInt8Array, UInt8Type, UInt8;
    u16, UInt16Array, UInt16Type, UInt16;
    u32, UInt32Array, UInt32Type, UInt32;
    u64, UInt64Array, UInt64Type, UInt64;
}

impl Cell for bool {
    fn data_type() -> DataType {
        DataType::Boolean
    }

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.map(Option::<&Self>::copied).collect::<BooleanArray>())
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        Some(column.as_boolean_opt()?.value(row))
    }
}

impl Cell for Vec<u8> {
    fn data_type() -> DataType {
        DataType::Binary
    }

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.collect::<BinaryArray>())
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        Some(column.as_binary_opt::<i32>()?.value(row).to_vec())
    }
}

impl Cell for Timestamp {
    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
    }

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        let nanos = cells.map(|cell| cell.map(|at| to_nanos(*at)));
        Arc::new(nanos.collect::<TimestampNanosecondArray>().with_timezone("UTC"))
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        Some(from_nanos(column.as_primitive_opt::<TimestampNanosecondType>()?.value(row)))
    }
}

//----------- Text -------------------------------------------------------------------------------------------------

impl Cell for String {
    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.collect::<StringArray>())
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        Some(column.as_string_opt::<i32>()?.value(row).to_owned())
    }
}

macro_rules! texts {
    ($($of:ty, $parse:expr;)*) => {$(
        impl Cell for $of {
            fn data_type() -> DataType {
                DataType::Utf8
            }

            fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
                Arc::new(cells.map(|cell| cell.map(ToString::to_string)).collect::<StringArray>())
            }

            fn read(column: &dyn Array, row: usize) -> Option<Self> {
                $parse(column.as_string_opt::<i32>()?.value(row))
            }
        }
    )*};
}

texts! {
    ContactId, |text: &str| text.parse().ok();
    IpAddr, |text: &str| text.parse().ok();
    Label, Label::parse;
}

impl Cell for Kind {
    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.map(|cell| cell.map(|kind| kind.as_str())).collect::<StringArray>())
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        let text = column.as_string_opt::<i32>()?.value(row);
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A list of texts: `["http.bare-lf", "http.no-host"]`.
impl Cell for Vec<String> {
    fn data_type() -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
    }

    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for cell in cells {
            for text in cell.into_iter().flatten() {
                lists.values().append_value(text);
            }
            lists.append(cell.is_some());
        }
        Arc::new(lists.finish())
    }

    fn read(column: &dyn Array, row: usize) -> Option<Self> {
        let texts = column.as_list_opt::<i32>()?.value(row);
        Some(texts.as_string_opt::<i32>()?.iter().flatten().map(str::to_owned).collect())
    }
}
