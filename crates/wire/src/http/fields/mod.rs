//! The names of a body's fields, never their values.
//!
//! A name counts only where the grammar of the body's type says that it is one, it is short, and of plain characters;
//! otherwise a password in the wrong place would be taken for a name.

mod caught;
mod form;
mod json;
mod multipart;

use caught::Caught;
use form::Form;
use json::Json;
use multipart::Multipart;

use crate::secrets::{Accounts, is_plain_name};

/// The most names that are kept of one body.
pub const FIELD_NAMES_MAX: usize = 64;
/// The longest name that is kept; a nested key counts with all above it.
const FIELD_OCTETS_MAX: usize = 128;

pub use json::JSON_DEPTH_MAX;

/// A reader by the body's type. It takes octets and says where among them the first value began.
#[derive(Debug)]
pub(super) enum FieldReader {
    /// A type without names, or none that we read: everything is value.
    Opaque,
    Form(Form),
    Multipart(Multipart),
    Json(Json),
}

impl FieldReader {
    /// Without `with_accounts`, no value is held.
    pub(super) fn for_type(content_type: &[u8], with_accounts: bool) -> Self {
        let caught = Caught::new(with_accounts);
        let text = String::from_utf8_lossy(content_type);
        let (media, parameters) = text.split_once(';').unwrap_or((&text, ""));
        match media.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::Form(Form::new(caught)),
            "multipart/form-data" => Multipart::new(parameters, caught).map_or(Self::Opaque, Self::Multipart),
            "application/json" | "text/json" | "application/graphql+json" => Self::Json(Json::new(caught)),
            other if other.ends_with("+json") => Self::Json(Json::new(caught)),
            _ => Self::Opaque,
        }
    }

    /// The offset in `bytes` of the first value octet, if there is one.
    pub(super) fn on_bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Opaque => (!bytes.is_empty()).then_some(0),
            Self::Form(form) => form.on_bytes(bytes),
            Self::Multipart(multipart) => multipart.on_bytes(bytes),
            Self::Json(json) => json.on_bytes(bytes),
        }
    }

    /// Lets go of every account, and holds no more.
    pub(super) fn forget_accounts(&mut self) {
        match self {
            Self::Opaque => {}
            Self::Form(form) => form.caught.forget(),
            Self::Multipart(multipart) => multipart.caught.forget(),
            Self::Json(json) => json.caught.forget(),
        }
    }

    /// The names and the accounts. A value that ends with the body counts only if the body is whole.
    pub(super) fn finish(self, is_whole: bool) -> (Vec<String>, Accounts) {
        let (names, caught) = match self {
            Self::Opaque => return (Vec::new(), Accounts::default()),
            Self::Form(form) => form.finish(is_whole),
            Self::Multipart(multipart) => multipart.finish(is_whole),
            Self::Json(json) => (json.names, json.caught),
        };
        (names.0, caught.into_accounts())
    }
}

//----------- Names ------------------------------------------------------------------------------------------------

/// The names so far, each once.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// Keeps a name if it is one and there is room.
    fn add(&mut self, name: &[u8]) {
        if self.0.len() < FIELD_NAMES_MAX && is_plain_name(name) {
            self.push(String::from_utf8_lossy(name).into_owned());
        }
    }

    fn push(&mut self, name: String) {
        if self.0.len() < FIELD_NAMES_MAX && name.len() <= FIELD_OCTETS_MAX && !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}
