//! Addresses and what they belong to: prefixes, autonomous systems, countries.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

//----------- Prefix -----------------------------------------------------------------------------------------------

/// A network, written as `192.0.2.0/24` or `2001:db8::/32`. Bits beyond the length are zero.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Prefix {
    base: IpAddr,
    len: u8,
}

impl Prefix {
    /// The network of `address` with that many leading bits; a longer length than the family has means the address.
    pub fn of(address: IpAddr, len: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let len = len.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                Self { base: Ipv4Addr::from_bits(v4.to_bits() & mask).into(), len }
            }
            IpAddr::V6(v6) => {
                let len = len.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
                Self { base: Ipv6Addr::from_bits(v6.to_bits() & mask).into(), len }
            }
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && Self::of(address, self.len) == *self
    }

    pub fn base(&self) -> IpAddr {
        self.base
    }

    pub fn len(&self) -> u8 {
        self.len
    }

    /// Whether the prefix is the whole address family.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrefixError {
    #[error("not a network such as 192.0.2.0/24 or 2001:db8::/32")]
    Form,
    #[error("bits are set beyond the prefix length")]
    HostBits,
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, len) = text.split_once('/').ok_or(PrefixError::Form)?;
        let address: IpAddr = address.parse().map_err(|_| PrefixError::Form)?;
        let len: u8 = len.parse().map_err(|_| PrefixError::Form)?;
        if len > if address.is_ipv4() { 32 } else { 128 } {
            return Err(PrefixError::Form);
        }
        let prefix = Self::of(address, len);
        if prefix.base == address { Ok(prefix) } else { Err(PrefixError::HostBits) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.len)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
    }
}

//----------- Asn, Country -----------------------------------------------------------------------------------------

/// An autonomous system number (RFC 6793), written as `AS64496`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asn(pub u32);

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// A country by its two letters (ISO 3166-1 alpha-2). `ZZ` and the other user-assigned codes are letters too.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Country([u8; 2]);

/// A text that is no country code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a country has two capital letters (ISO 3166-1 alpha-2)")]
pub struct CountryError;

impl Country {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country is two ASCII letters")
    }
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(CountryError),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_addresses_and_no_others() {
        let prefix: Prefix = "127.66.0.0/16".parse().unwrap();
        assert!(prefix.contains("127.66.3.4".parse().unwrap()));
        assert!(prefix.contains("::ffff:127.66.3.4".parse().unwrap()), "a mapped address is the address");
        assert!(!prefix.contains("127.67.0.0".parse().unwrap()));
        assert!(!prefix.contains("::1".parse().unwrap()));
        let all: Prefix = "::/0".parse().unwrap();
        assert!(all.contains("2001:db8::1".parse().unwrap()));
        assert!(!all.contains("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn a_bad_prefix_says_why() {
        assert_eq!("192.0.2.1/24".parse::<Prefix>(), Err(PrefixError::HostBits));
        for bad in ["192.0.2.0", "192.0.2.0/33", "x/8", "2001:db8::/129"] {
            assert_eq!(bad.parse::<Prefix>(), Err(PrefixError::Form), "{bad}");
        }
    }

    #[test]
    fn countries_are_two_capitals() {
        assert_eq!("IR".parse::<Country>().unwrap().as_str(), "IR");
        for bad in ["", "I", "ir", "IRN", "é"] {
            assert!(bad.parse::<Country>().is_err(), "{bad}");
        }
    }
}
