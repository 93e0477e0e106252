//! The forms in which we tell, by the names that a command line takes.

use std::fmt;
use std::str::FromStr;

use crate::audience::Content;

/// A form that somebody's software reads. `docs/reference/feeds.md` says of each which software, and what was tried.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Format {
    /// STIX 2.1 bundle (OASIS).
    Stix,
    /// Response policy zone, as a zone file for any origin.
    Rpz,
    /// Rules for Suricata 7.
    Suricata,
    /// A hosts file: what is to be blocked, name by name.
    Hosts,
    /// Names and learned indicators as CSV.
    Csv,
    /// The same as JSON.
    Json,
    /// The victim report in Shadowserver's columns `event4_sinkhole_http`.
    Shadowserver,
}

impl Format {
    pub const ALL: [Self; 7] =
        [Self::Stix, Self::Rpz, Self::Suricata, Self::Hosts, Self::Csv, Self::Json, Self::Shadowserver];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stix => "stix",
            Self::Rpz => "rpz",
            Self::Suricata => "suricata",
            Self::Hosts => "hosts",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Shadowserver => "shadowserver",
        }
    }

    /// One line for `--help`.
    pub fn about(self) -> &'static str {
        match self {
            Self::Stix => "STIX 2.1 bundle: group, names, indicators, sightings, TLP 2.0",
            Self::Rpz => "response policy zone: NXDOMAIN for what is blocked, passthru for what is ours",
            Self::Suricata => "Suricata 7 rules on DNS, TLS and HTTP: drop or alert",
            Self::Hosts => "hosts file of the names that are blocked",
            Self::Csv => "names and learned indicators as CSV",
            Self::Json => "names and learned indicators as JSON",
            Self::Shadowserver => "victim report in Shadowserver's columns event4_sinkhole_http",
        }
    }

    /// What the form carries; [`audience`](crate::audience) decides by it.
    pub fn content(self) -> Content {
        match self {
            Self::Shadowserver => Content::Victims,
            _ => Content::Indicators,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no form of ours.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no format; there are stix, rpz, suricata, hosts, csv, json and shadowserver")]
pub struct FormatError(String);

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .or((text == "event4_sinkhole_http").then_some(Self::Shadowserver))
            .ok_or_else(|| FormatError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name_and_the_error_lists_them_all() {
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
            assert!(error.contains(format.as_str()), "{format}");
        }
        assert_eq!("event4_sinkhole_http".parse(), Ok(Format::Shadowserver));
    }
}
