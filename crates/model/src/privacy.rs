//! What a case says for the record of processing (Article 30 GDPR, and its like elsewhere). What it leaves out is shown
//! as not stated: a program must not guess who answers for personal data.

use serde::{Deserialize, Serialize};

/// `[case.privacy]`. Left out where nothing is said, so that older facts keep their bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyTerms {
    /// Who decides why and how: name and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// The data protection officer, or whoever answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// Such as `Art. 6(1)(f) GDPR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// Whom the data is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Transfers to third countries, each with its safeguard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<String>,
    /// How the data is kept safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<String>,
}

impl PrivacyTerms {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
