//! RFC 3161: what a time-stamping authority is asked, and what its answer says.
//!
//! The request is forty octets of DER, written here. Of the answer only what we must know is read, within bounds: that it
//! was granted, for which digest, and when. Whether the signature is the authority's, a stranger checks with a tool of
//! their own (`openssl ts -verify`); nothing here claims it.

use model::{Digest, Timestamp};

/// SHA-256 (RFC 5754), as an AlgorithmIdentifier's OID.
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// id-signedData (RFC 5652).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-ct-TSTInfo.
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const GENERALIZED_TIME: u8 = 0x18;
const CONTEXT_0: u8 = 0xa0;

/// What an answer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TstInfo {
    pub digest: Digest,
    pub at: Timestamp,
    /// As we sent it, if the authority gave it back.
    pub nonce: Option<u64>,
}

/// Why an answer cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TspError {
    #[error("it is no DER of that shape")]
    Shape,
    #[error("the authority refused, with status {0}")]
    Refused(u8),
    #[error("it is not over a SHA-256")]
    OtherHash,
    #[error("its time cannot be read")]
    Time,
}

//----------- The request ------------------------------------------------------------------------------------------

/// A TimeStampReq over a digest, which asks for the authority's certificate with the answer.
pub fn request(digest: &Digest, nonce: u64) -> Vec<u8> {
    let algorithm = tlv(SEQUENCE, &[tlv(OID, SHA_256), tlv(NULL, &[])].concat());
    let imprint = tlv(SEQUENCE, &[algorithm, tlv(OCTET_STRING, &digest.0)].concat());
    let fields = [tlv(INTEGER, &[1]), imprint, unsigned(nonce), tlv(BOOLEAN, &[0xff])];
    tlv(SEQUENCE, &fields.concat())
}

/// All that we write is shorter than 128 octets.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 0x80).expect("a request is short");
    [&[tag, length], content].concat()
}

/// DER has no leading zero but the one that keeps a number positive.
fn unsigned(number: u64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let first = octets.iter().position(|octet| *octet != 0).unwrap_or(7);
    let sign: &[u8] = if octets[first] & 0x80 == 0 { &[] } else { &[0] };
    tlv(INTEGER, &[sign, &octets[first..]].concat())
}

//----------- The answer -------------------------------------------------------------------------------------------

/// Reads a TimeStampResp.
///
/// # Errors
/// If it is none, or grants nothing.
pub fn read(octets: &[u8]) -> Result<TstInfo, TspError> {
    let (mut response, rest) = Der(octets).take(SEQUENCE)?;
    if !rest.0.is_empty() {
        return Err(TspError::Shape);
    }
    let &[status] = response.next(SEQUENCE)?.next(INTEGER)?.0 else { return Err(TspError::Shape) };
    // granted, grantedWithMods
    if status > 1 {
        return Err(TspError::Refused(status));
    }
    let mut content = response.next(SEQUENCE)?;
    content.expect_oid(SIGNED_DATA)?;
    let mut signed = content.next(CONTEXT_0)?.next(SEQUENCE)?;
    signed.next(INTEGER)?;
    signed.next(SET)?;
    let mut encapsulated = signed.next(SEQUENCE)?;
    encapsulated.expect_oid(TST_INFO)?;
    let mut info = encapsulated.next(CONTEXT_0)?.next(OCTET_STRING)?.next(SEQUENCE)?;
    tst_info(&mut info)
}

fn tst_info(info: &mut Der<'_>) -> Result<TstInfo, TspError> {
    info.next(INTEGER)?;
    info.next(OID)?;
    let mut imprint = info.next(SEQUENCE)?;
    if imprint.next(SEQUENCE)?.next(OID)?.0 != SHA_256 {
        return Err(TspError::OtherHash);
    }
    let digest = imprint.next(OCTET_STRING)?.0.try_into().map(Digest).map_err(|_| TspError::OtherHash)?;
    info.next(INTEGER)?;
    let at = generalized_time(info.next(GENERALIZED_TIME)?.0).ok_or(TspError::Time)?;
    // accuracy, ordering: each may be left out.
    let _ = info.next(SEQUENCE);
    let _ = info.next(BOOLEAN);
    let nonce = info.next(INTEGER).ok().and_then(|nonce| number(nonce.0));
    Ok(TstInfo { digest, at, nonce })
}

fn number(octets: &[u8]) -> Option<u64> {
    let octets = octets.strip_prefix(&[0]).unwrap_or(octets);
    (octets.len() <= 8).then(|| octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
}

/// `20190327123456Z`, with a fraction or without.
fn generalized_time(octets: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(octets).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if whole.len() != 14 || fraction.len() > 9 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let part = |from: usize, until: usize| &whole[from..until];
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    let (date, time) = (part(0, 8), part(8, 14));
    let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
    format!("{date}T{}:{}:{}{fraction}Z", &time[..2], &time[2..4], &time[4..]).parse().ok()
}

/// Octets that are read element by element: definite lengths only, never beyond what is there.
#[derive(Clone, Copy, Debug)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the element in front, and what follows it.
    fn take(self, tag: u8) -> Result<(Self, Self), TspError> {
        let [first, length, rest @ ..] = self.0 else { return Err(TspError::Shape) };
        if *first != tag {
            return Err(TspError::Shape);
        }
        let (length, rest) = match *length {
            short @ 0..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f)).ok_or(TspError::Shape)?;
                (octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
            }
            _ => return Err(TspError::Shape),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(TspError::Shape)?;
        Ok((Der(content), Der(rest)))
    }

    /// Goes past the element in front; without one of that tag it stays.
    fn next(&mut self, tag: u8) -> Result<Self, TspError> {
        let (content, rest) = self.take(tag)?;
        *self = rest;
        Ok(content)
    }

    fn expect_oid(&mut self, oid: &[u8]) -> Result<(), TspError> {
        if self.next(OID)?.0 == oid { Ok(()) } else { Err(TspError::Shape) }
    }
}

#[cfg(test)]
pub(crate) fn answer(status: u8, digest: &Digest, time: &str) -> Vec<u8> {
    fn long(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x82], &u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    }
    let algorithm = tlv(SEQUENCE, &[tlv(OID, SHA_256), tlv(NULL, &[])].concat());
    let imprint = tlv(SEQUENCE, &[algorithm, tlv(OCTET_STRING, &digest.0)].concat());
    let info = [
        tlv(INTEGER, &[1]),
        tlv(OID, &[0x2a, 3, 4]),
        imprint,
        tlv(INTEGER, &[7]),
        tlv(GENERALIZED_TIME, time.as_bytes()),
        tlv(SEQUENCE, &tlv(INTEGER, &[1])),
        unsigned(u64::MAX),
    ];
    let info = long(CONTEXT_0, &long(OCTET_STRING, &long(SEQUENCE, &info.concat())));
    let encapsulated = long(SEQUENCE, &[tlv(OID, TST_INFO), info].concat());
    let signed = long(SEQUENCE, &[tlv(INTEGER, &[3]), tlv(SET, &[]), encapsulated].concat());
    let token = long(SEQUENCE, &[tlv(OID, SIGNED_DATA), long(CONTEXT_0, &signed)].concat());
    long(SEQUENCE, &[tlv(SEQUENCE, &tlv(INTEGER, &[status])), token].concat())
}
