//! A master file (RFC 1035, 5) of one owner's zone, as records to answer with while the name is handed back.
//!
//! The file is taken whole or refused whole, with the line. What we cannot or must not serve is left out and said in a
//! note: NS and SOA at the apex (ours stay until the registry has undone the delegation), and DNSSEC (we cannot sign).
//! No other file is ever read: `$INCLUDE` is refused. It is a function of its text; the file itself lies in the vault.

use std::collections::BTreeMap;
use std::fmt;

use domain::base::iana::{Class, Rtype};
use domain::base::rdata::{ComposeRecordData, ParseAnyRecordData};
use domain::base::{Name, ParsedName, ToName};
use domain::dep::octseq::Parser;
use domain::rdata::AllRecordData;
use domain::zonefile::inplace::{Entry, Error, ScannedRecord, Zonefile};
use model::DomainName;
use wire::dns::captured::{self, RECORDS_MAX, Record, Refused};
use wire::dns::rtype;

/// The largest zone file that is read: four times what a zone may have on the wire, for blanks and comments.
pub const ZONE_FILE_OCTETS_MAX: usize = 4 << 20;

/// RRSIG, DNSKEY and their kin, by number: an unsigned answer with them would be bogus, a signed one we cannot make.
const SIGNED: [u16; 12] = [24, 25, 30, 43, 46, 47, 48, 50, 51, 59, 60, 63];
/// Types that stand in questions and messages, never in a zone (RFC 6895, 3.1): OPT and those of 128 to 255.
const QUESTIONS: std::ops::RangeInclusive<u16> = 128..=255;
const OPT: u16 = 41;
/// Longer than any character-string, and than any name.
const END_OCTETS: usize = 300;
const MISSHAPEN: &str = "data that is not of its type's form, such as a name with two dots in a row";

//----------- CapturedFile -----------------------------------------------------------------------------------------

/// A zone file without a fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CapturedFile {
    pub records: Vec<Record>,
    /// What was left out, and why, in words for people.
    pub notes: Vec<String>,
}

/// Why a zone file is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneFault {
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
    pub what: String,
    pub hint: &'static str,
}

impl fmt::Display for ZoneFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for ZoneFault {}

/// Reads the records of `apex`; relative names are below it unless the file says `$ORIGIN`.
pub fn read(text: &[u8], apex: &DomainName) -> Result<CapturedFile, ZoneFault> {
    if text.len() > ZONE_FILE_OCTETS_MAX {
        let what = format!("a zone file has at most {ZONE_FILE_OCTETS_MAX} octets, this one {}", text.len());
        return Err(ZoneFault { line: 0, what, hint: "leave out comments and what is not served" });
    }
    let mut reading =
        Reading { apex: apex.to_wire(), records: Vec::new(), lines: Vec::new(), left_out: BTreeMap::new() };
    let mut lines = Lines { text, counted: 0, feeds: 0 };
    let mut file = Zonefile::from(text);
    file.extend_from_slice(end().as_bytes());
    file.set_default_class(Class::IN);
    file.set_origin(Name::from_octets(apex.to_wire().into()).expect("a domain name is a name"));
    loop {
        let entry = file.next_entry().map_err(|error| syntax(&error, text))?;
        let offset = file.current_offset();
        let line = lines.at(offset);
        match entry {
            None => return reading.finish(),
            // One octet stands before the text.
            Some(Entry::Include { .. }) if offset > text.len() + 1 => return reading.finish(),
            Some(Entry::Include { .. }) => {
                let what = "`$INCLUDE` names another file, and no other file is read".to_owned();
                return Err(ZoneFault { line, what, hint: "put its records here" });
            }
            Some(Entry::Record(record)) => reading.take(&record, line)?,
        }
    }
}

/// What stands behind the text. The parser runs past the end of a file that breaks off behind a TXT's text, or within its
/// brackets, and panics: so the text never ends there. As an entry this is known by its place; as a part of an entry that
/// did not end it fits nothing.
fn end() -> String {
    format!("\n$INCLUDE {}\n", "/".repeat(END_OCTETS))
}

/// The parser says `LINE:COLUMN: WHAT`, and nothing else about the place.
fn syntax(error: &Error, text: &[u8]) -> ZoneFault {
    let told = error.to_string();
    let mut parts = told.splitn(3, ':');
    let mut number = || parts.next().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0);
    let (line, column) = (number(), number());
    // What is missing at the end of a line it misses at the start of the next.
    let line = if column <= 1 { line.saturating_sub(1).max(1) } else { line };
    let line = line.min(text.split_inclusive(|octet| *octet == b'\n').count().max(1));
    let what = parts.next().unwrap_or(&told).trim().to_owned();
    ZoneFault { line, what, hint: "a record is `NAME [TTL] [IN] TYPE DATA`, in the master file format of RFC 1035" }
}

/// Counts lines as the parser goes on, each octet once.
struct Lines<'t> {
    text: &'t [u8],
    counted: usize,
    feeds: usize,
}

impl Lines<'_> {
    /// The line on which the entry that ends there ends.
    fn at(&mut self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        let end = if self.text[..end].ends_with(b"\n") { end - 1 } else { end };
        let more = self.text.get(self.counted..end).unwrap_or_default();
        self.feeds += more.iter().filter(|octet| **octet == b'\n').count();
        self.counted = self.counted.max(end);
        1 + self.feeds
    }
}

//----------- Reading ----------------------------------------------------------------------------------------------

struct Reading {
    apex: Vec<u8>,
    records: Vec<Record>,
    /// Of each record.
    lines: Vec<usize>,
    left_out: BTreeMap<&'static str, usize>,
}

impl Reading {
    fn take(&mut self, record: &ScannedRecord, line: usize) -> Result<(), ZoneFault> {
        let fault = |what: String, hint| Err(ZoneFault { line, what, hint });
        let rtype = record.rtype().to_int();
        let mut name = Vec::new();
        record.owner().compose(&mut name).expect("a Vec takes everything");
        let Some(owner) = self.below(&name) else {
            let what = format!("`{}` lies outside the zone", model::name::defang(&record.owner().to_string()));
            return fault(what, "remove it; if it should be inside, look at `$ORIGIN` and final dots");
        };
        if rtype == OPT || QUESTIONS.contains(&rtype) {
            return fault(format!("{} is no type of a zone", record.rtype()), "remove it");
        }
        if let Some(why) = left_out(owner, rtype) {
            *self.left_out.entry(why).or_default() += 1;
            return Ok(());
        }
        if self.records.len() == RECORDS_MAX {
            return fault(Refused::Records(RECORDS_MAX + 1).to_string(), "keep the names that people use");
        }
        let mut rdata = Vec::new();
        record.data().compose_rdata(&mut rdata).expect("a Vec takes everything");
        if !is_whole(record.rtype(), &rdata) {
            *self.left_out.entry(MISSHAPEN).or_default() += 1;
            return Ok(());
        }
        let (owner, ttl_secs) = (owner.into(), record.ttl().as_secs());
        self.records.push(Record { owner, rtype, ttl_secs, rdata: rdata.into() });
        self.lines.push(line);
        Ok(())
    }

    /// The labels of a name in wire form below the apex.
    fn below<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        let mut at = 0;
        while let Some(len) = name.get(at).filter(|len| **len != 0) {
            if name[at..].eq_ignore_ascii_case(&self.apex) {
                return Some(&name[..at]);
            }
            at += 1 + usize::from(*len);
        }
        None
    }

    fn finish(self) -> Result<CapturedFile, ZoneFault> {
        if let Err(refused) = captured::check(&self.records) {
            let line = if let Refused::Alias(at) = refused { self.lines[at] } else { 0 };
            return Err(ZoneFault {
                line,
                what: refused.to_string(),
                hint: "mend it as the owner's server answers it",
            });
        }
        if self.records.is_empty() {
            let hint = "without a file the name is answered with SOA and NS only";
            return Err(ZoneFault { line: 0, what: "the file holds no record that is served".into(), hint });
        }
        let note = |(why, count): (&str, usize)| format!("{count} left out: {why}");
        Ok(CapturedFile { records: self.records, notes: self.left_out.into_iter().map(note).collect() })
    }
}

/// Whether data is what its type has, and nothing more: the parser takes an empty label within a name, and of data in the
/// form of RFC 3597 it takes everything.
fn is_whole(rtype: Rtype, rdata: &[u8]) -> bool {
    let mut parser = Parser::from_ref(rdata);
    let Ok(read) = AllRecordData::<&[u8], ParsedName<&[u8]>>::parse_any_rdata(rtype, &mut parser) else {
        return false;
    };
    let mut again = Vec::new();
    read.compose_rdata(&mut again).expect("a Vec takes everything");
    again == rdata
}

fn left_out(owner: &[u8], rtype: u16) -> Option<&'static str> {
    match rtype {
        rtype::SOA => Some("SOA; ours stays until the delegation is undone"),
        rtype::NS if owner.is_empty() => Some("NS of the name itself; ours stay until the delegation is undone"),
        _ if SIGNED.contains(&rtype) => Some("DNSSEC; we cannot sign, and a resolver refuses what is signed wrongly"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apex() -> DomainName {
        DomainName::parse("owner.test").unwrap()
    }

    fn refused(text: &str) -> String {
        read(text.as_bytes(), &apex()).unwrap_err().to_string()
    }

    #[test]
    fn records_are_read_relative_to_the_name_with_their_ttl() {
        let text = "$TTL 600\n\
                    @ IN SOA ns1.old.example. admin.old.example. 1 2 3 4 5\n\
                    @ NS ns1.old.example.\n\
                    @ 60 IN A 192.0.2.1\n\
                    WWW A 192.0.2.2 ; a comment\n\
                    \tMX 10 mail\n\
                    *.wild TXT \"a b\" (\n \"c\" )\n\
                    odd TYPE65280 \\# 3 010203\n\
                    www.owner.test. 5 RRSIG A 13 2 600 20300101000000 20200101000000 1 owner.test. c2ln\n";
        let file = read(text.as_bytes(), &apex()).unwrap();
        let told: Vec<_> = file
            .records
            .iter()
            .map(|record| (String::from_utf8_lossy(&record.owner).into_owned(), record.rtype, record.ttl_secs))
            .collect();
        let told: Vec<_> = told.iter().map(|(owner, rtype, ttl_secs)| (owner.as_str(), *rtype, *ttl_secs)).collect();
        assert_eq!(
            told,
            [
                ("", rtype::A, 60),
                ("\u{3}WWW", rtype::A, 600),
                ("\u{3}WWW", rtype::MX, 600),
                ("\u{1}*\u{4}wild", rtype::TXT, 600),
                ("\u{3}odd", 65_280, 600),
            ]
        );
        assert_eq!(&*file.records[2].rdata, b"\x00\x0a\x04mail\x05owner\x04test\x00");
        assert_eq!(&*file.records[3].rdata, b"\x03a b\x01c");
        assert_eq!(&*file.records[4].rdata, b"\x01\x02\x03");
        assert_eq!(file.notes.len(), 3, "{:?}", file.notes);
    }

    #[test]
    fn every_fault_has_its_line_and_its_reason() {
        for (text, expected) in [
            ("a A 192.0.2.1\nb A 192.0.2\n", "line 2: "),
            ("a A 192.0.2.1\n\nwww.other.test. A 192.0.2.1\n", "line 3: `www[.]other[.]test` lies outside the zone"),
            ("notowner.test. A 192.0.2.1\n", "line 1: `notowner[.]test` lies outside the zone"),
            ("a CH A 192.0.2.1\n", "line 1: "),
            ("$INCLUDE /etc/passwd\n", "line 1: `$INCLUDE` names another file"),
            ("a A 192.0.2.1\na CNAME b\n", "line 2: an alias stands beside other records"),
            ("a TYPE252 \\# 0\n", "line 1: AXFR is no type of a zone"),
            ("@ NS ns.old.example.\n", "the file holds no record that is served"),
            ("", "the file holds no record that is served"),
        ] {
            let told = refused(text);
            assert!(told.starts_with(expected), "{text:?}: {told}");
        }
    }

    #[test]
    fn a_file_without_end_is_refused_at_its_limits() {
        let many: String = (0..=RECORDS_MAX).map(|n| format!("h{n} A 192.0.2.1\n")).collect();
        assert_eq!(refused(&many), format!("line {}: {}", RECORDS_MAX + 1, Refused::Records(RECORDS_MAX + 1)));
        let large = format!("a A 192.0.2.1\n;{}", "x".repeat(ZONE_FILE_OCTETS_MAX));
        assert!(refused(&large).starts_with("a zone file has at most"));
    }

    #[test]
    fn a_file_may_break_off_anywhere() {
        let text = "a TXT \"x\" ( \"y\"\n z )\nb A 192.0.2.1\n@ MX 10 ( mail )\n$TTL 60\nc CAA 0 issue \"ca.example\"";
        for end in 0..=text.len() {
            if let Err(fault) = read(&text.as_bytes()[..end], &apex()) {
                assert!(fault.line <= text[..end].lines().count().max(1), "{end}: {fault}");
            }
        }
        assert_eq!(read(text.as_bytes(), &apex()).unwrap().records.len(), 4);
        assert!(refused("a A 192.0.2.1\nb TXT ( \"x\"\n").starts_with("line 2: "));
        let long = format!("a A 192.0.2.1\n$INCLUDE {}\n", "/".repeat(END_OCTETS));
        assert!(refused(&long).starts_with("line 2: `$INCLUDE` names another file"));
    }

    #[test]
    fn data_that_is_not_of_its_type_is_left_out() {
        let text = "a A 192.0.2.1\nb MX 10 x..y\nc A \\# 3 010203\nd CNAME \\# 2 c000\ne A \\# 4 c0000201\n";
        let file = read(text.as_bytes(), &apex()).unwrap();
        let owners: Vec<_> = file.records.iter().map(|record| String::from_utf8_lossy(&record.owner[1..])).collect();
        assert_eq!(owners, ["a", "e"]);
        assert_eq!(file.notes, [format!("3 left out: {MISSHAPEN}")]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}", octets: Vec<u8>) {
            let _ = read(text.as_bytes(), &apex());
            let _ = read(&octets, &apex());
        }
    }
}
