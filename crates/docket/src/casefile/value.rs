//! Values of a case file as the model's types, each fault at its place.

use std::collections::BTreeSet;

use model::Timestamp;
use model::address::{Asn, Country, Prefix};
use model::case::AnswerPolicy;
use model::id::{CaseId, GroupId, OrderId};
use model::marking::Tlp;
use model::name::DomainName;
use model::order::{Act, Acts, Instrument, NameOutcome, Source, Sourced};
use model::time::Date;
use serde::de::value::Error as Refused;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::DeValue;

use super::fault::Faults;
use super::names;
use super::section::Section;

/// A type that a value of the file can be read as.
pub(super) trait Read: Sized {
    /// What a person would write, for hints.
    const EXAMPLE: &'static str;

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self>;
}

//----------- Scalars ----------------------------------------------------------------------------------------------

macro_rules! scalars {
    ($($of:ty: $example:literal,)*) => {$(
        impl Read for $of {
            const EXAMPLE: &'static str = $example;

            fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
                scalar(value, $example, faults)
            }
        }
    )*};
}

scalars! {
    CaseId: "\"phosphorus-2019\"",
    OrderId: "\"dcd-1-19-cv-00716\"",
    GroupId: "\"apt35\"",
    Date: "2019-03-15",
    Timestamp: "2019-03-29T17:00:00-04:00",
    Prefix: "\"192.0.2.0/24\"",
    Country: "\"IR\"",
    Asn: "64496",
    u32: "90",
    Tlp: "\"amber\"",
    AnswerPolicy: "\"notice\"",
    Instrument: "\"exercise\"",
    NameOutcome: "\"redirect\"",
    Act: "\"answer\"",
}

/// Reads text, a date or a whole number through the type's own `Deserialize`, whose words say what is wrong.
fn scalar<T: DeserializeOwned>(value: &Spanned<DeValue<'_>>, example: &str, faults: &mut Faults) -> Option<T> {
    let read: Result<T, Refused> = match value.get_ref() {
        DeValue::String(text) => T::deserialize((&**text).into_deserializer()),
        DeValue::Datetime(at) => T::deserialize(at.to_string().into_deserializer()),
        DeValue::Integer(number) => match number.to_string().parse::<u32>() {
            Ok(number) => T::deserialize(number.into_deserializer()),
            Err(_) => Err(serde::de::Error::custom(format!("{number} is no number from 0 to {}", u32::MAX))),
        },
        other => Err(serde::de::Error::custom(format!("a {} does not belong here", other.type_str()))),
    };
    read.map_err(|error| refuse(value, &error.to_string(), example, faults)).ok()
}

fn refuse(value: &Spanned<DeValue<'_>>, error: &str, example: &str, faults: &mut Faults) {
    match error.split_once(", expected ") {
        Some((what, choices)) => {
            let what = what.replacen("unknown variant", "unknown value", 1);
            faults.add(value.span(), what, format!("expected {choices}"));
        }
        None => faults.add(value.span(), error, format!("write it like `{example}`")),
    }
}

impl Read for String {
    const EXAMPLE: &'static str = "\"…\"";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            DeValue::String(_) => {
                faults.add(value.span(), "the text is empty", "say it, or leave the field out if it is optional");
                None
            }
            other => {
                faults.add(
                    value.span(),
                    format!("a text belongs here, not a {}", other.type_str()),
                    "put it in quotes",
                );
                None
            }
        }
    }
}

impl Read for Source {
    const EXAMPLE: &'static str = "\"unverified\"";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        String::read(value, faults).map(Self::from)
    }
}

impl Read for DomainName {
    const EXAMPLE: &'static str = "\"name.example\"";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        names::domain_name(value, faults)
    }
}

//----------- Collections ------------------------------------------------------------------------------------------

impl<T: Read> Read for Vec<T> {
    const EXAMPLE: &'static str = "[…]";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        let DeValue::Array(array) = value.get_ref() else {
            let what = format!("a list belongs here, not a {}", value.get_ref().type_str());
            faults.add(value.span(), what, format!("write `[{}]`", T::EXAMPLE));
            return None;
        };
        Some(array.iter().filter_map(|item| T::read(item, faults)).collect())
    }
}

impl<T: Read + Ord> Read for BTreeSet<T> {
    const EXAMPLE: &'static str = "[…]";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        Vec::read(value, faults).map(|list: Vec<T>| list.into_iter().collect())
    }
}

impl Read for Acts {
    const EXAMPLE: &'static str = "[\"delegate\", \"answer\", \"record-metadata\"]";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        Vec::read(value, faults).map(|acts: Vec<Act>| acts.into_iter().collect())
    }
}

//----------- Sourced ----------------------------------------------------------------------------------------------

impl<T: Read> Read for Sourced<T> {
    const EXAMPLE: &'static str = "{ value = …, source = \"unverified\" }";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        if !value.get_ref().is_table() {
            let hint =
                "write `{ value = …, source = \"where it was read\" }`; `source = \"unverified\"` is an answer too";
            faults.add(value.span(), "a statement comes with its source", hint);
            return None;
        }
        let section = Section::open(value, "statement", &["value", "source"], faults)?;
        let (value, source) = (section.required("value", faults), section.required("source", faults));
        Some(Self { value: value?, source: source? })
    }
}
