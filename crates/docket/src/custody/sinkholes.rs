//! Other people's sinkholes, as the operator lists them: name servers and networks, each with whose it is.
//!
//! One a line, `#` begins a remark: `ns1.sinkhole.example  Example CERT` or `192.0.2.0/24  Example CERT`. A name stands for
//! itself and all below it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::Refusal;
use model::address::Prefix;
use model::name::DomainName;

/// The most lines.
pub const SINKHOLES_MAX: usize = 100_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sinkholes {
    servers: BTreeMap<DomainName, String>,
    networks: Vec<(Prefix, String)>,
}

impl Sinkholes {
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut all = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            if at >= SINKHOLES_MAX {
                return Err(Refusal::new(format!("the list of sinkholes has more than {SINKHOLES_MAX} lines")));
            }
            let (what, whose) = line.split_once(char::is_whitespace).unwrap_or((line, "somebody"));
            all.add(what, whose.trim()).map_err(|why| {
                Refusal::new(format!("line {} of the list of sinkholes: `{what}`: {why}", at + 1))
                    .hint("write a name server or a network, a blank, and whose it is")
            })?;
        }
        Ok(all)
    }

    fn add(&mut self, what: &str, whose: &str) -> Result<(), String> {
        let network = what.contains('/') || what.parse::<IpAddr>().is_ok();
        if network {
            let whole = |address: IpAddr| if address.is_ipv4() { format!("{what}/32") } else { format!("{what}/128") };
            let text = what.parse::<IpAddr>().map_or(what.to_owned(), whole);
            let prefix = text.parse().map_err(|_| "is no network".to_owned())?;
            self.networks.push((prefix, whose.to_owned()));
            return Ok(());
        }
        let name = DomainName::parse(what).map_err(|error| error.to_string())?;
        self.servers.insert(name, whose.to_owned());
        Ok(())
    }

    pub fn of_server(&self, server: &DomainName) -> Option<&str> {
        let mut above = Some(server.as_str());
        while let Some(text) = above {
            if let Some((_, whose)) = DomainName::parse(text).ok().and_then(|name| self.servers.get_key_value(&name)) {
                return Some(whose);
            }
            above = text.split_once('.').map(|(_, rest)| rest);
        }
        None
    }

    pub fn of_address(&self, address: IpAddr) -> Option<&str> {
        self.networks.iter().find(|(network, _)| network.contains(address)).map(|(_, whose)| whose.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_or_an_address_is_somebodys() {
        let text =
            "# ours are not here\nsinkhole.example  Example CERT\n192.0.2.0/24 Net CERT # since 2020\n2001:db8::1\n";
        let all = Sinkholes::parse(text).unwrap();
        let name = |text| DomainName::parse(text).unwrap();
        assert_eq!(all.of_server(&name("ns1.sinkhole.example")), Some("Example CERT"));
        assert_eq!(all.of_server(&name("notsinkhole.example")), None);
        assert_eq!(all.of_address("192.0.2.77".parse().unwrap()), Some("Net CERT"));
        assert_eq!(all.of_address("2001:db8::1".parse().unwrap()), Some("somebody"));
        assert_eq!(all.of_address("198.51.100.1".parse().unwrap()), None);
        for bad in ["192.0.2.0/33 x", "-a.example x", "a..b x"] {
            assert!(Sinkholes::parse(bad).unwrap_err().what.starts_with("line 1 of the list"), "{bad}");
        }
    }
}
