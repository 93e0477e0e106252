//! Values of a case file as the model's types, each fault at its place.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use model::address::{Asn, Country, Prefix};
use model::amendment::AmendmentKind;
use model::case::{AnswerPolicy, NoticeStatus};
use model::id::{CaseId, GroupId, OrderId};
use model::marking::Tlp;
use model::moment::{Moment, PaperTime};
use model::name::DomainName;
use model::order::{Act, Acts, Instrument, NameOutcome, Source, Sourced};
use model::seizure::AnswerEffect;
use model::time::Date;
use serde::de::value::Error as Refused;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::DeValue;

use super::Threat;
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
    ($($of:ty: $kind:literal, $example:literal;)*) => {$(
        impl Read for $of {
            const EXAMPLE: &'static str = $example;

            fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
                scalar(value, $kind, $example, faults)
            }
        }
    )*};
}

scalars! {
    CaseId: "an id", "\"phosphorus-2019\"";
    OrderId: "an id", "\"dcd-1-19-cv-00716\"";
    GroupId: "an id", "\"apt35\"";
    Date: "a date", "2019-03-15";
    Moment: "an instant with its zone", "2019-03-29T17:00:00-04:00";
    PaperTime: "a date, or an instant with its zone", "2019-03-29T09:30:00-04:00";
    Prefix: "a network", "\"192.0.2.0/24\"";
    Country: "a country", "\"IR\"";
    Asn: "the number of a network", "64496";
    u32: "a whole number", "90";
    Ipv4Addr: "an IPv4 address", "\"192.0.2.1\"";
    Ipv6Addr: "an IPv6 address", "\"2001:db8::1\"";
    AnswerEffect: "an effect", "\"kill-switch\"";
    Tlp: "a light", "\"amber\"";
    AnswerPolicy: "an answer", "\"notice\"";
    NoticeStatus: "a status of a notice", "410";
    Instrument: "an instrument", "\"exercise\"";
    NameOutcome: "an outcome", "\"redirect\"";
    Act: "an act", "\"answer\"";
    Threat: "a threat", "\"credentials\"";
    AmendmentKind: "a kind of amendment", "\"supplemental\"";
}

/// Reads text, a date or a whole number through the type's own `Deserialize`.
fn scalar<T: DeserializeOwned>(
    value: &Spanned<DeValue<'_>>,
    kind: &str,
    example: &str,
    faults: &mut Faults,
) -> Option<T> {
    let written = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Integer(number) => number.to_string(),
        other => {
            let what = format!("a {} does not belong here: {kind} does", other.type_str());
            faults.add(value.span(), what, format!("write it like `{example}`"));
            return None;
        }
    };
    let number = if value.get_ref().is_integer() { written.parse::<u32>().ok() } else { None };
    let read: Result<T, Refused> = match number {
        Some(number) => T::deserialize(number.into_deserializer()),
        None => T::deserialize(written.as_str().into_deserializer()),
    };
    read.map_err(|error| refuse(value, &written, &error.to_string(), kind, example, faults)).ok()
}

/// A closed list of words names its words, and the model's own types say what is wrong; other errors are parsers' talk.
fn refuse(value: &Spanned<DeValue<'_>>, written: &str, error: &str, kind: &str, example: &str, faults: &mut Faults) {
    let what = format!("`{written}` is not {kind}");
    if let Some((_, choices)) = error.split_once("unknown variant").and_then(|(_, rest)| rest.split_once(", expected "))
    {
        return faults.add(value.span(), what, format!("expected {choices}"));
    }
    let reason = error.split_once("`: ").map(|(_, reason)| reason).filter(|_| error.starts_with('`'));
    let what = reason.map_or(what.clone(), |reason| format!("{what}: {reason}"));
    faults.add(value.span(), what, format!("write it like `{example}`"));
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
