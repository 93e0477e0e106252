//! ClientHellos made by hand (RFC 5246, 7.4.1.2; RFC 8446, 4.1.2), for handshakes that must fail.
//!
//! No TLS library of ours still offers what old bots offer; the hello is the evidence all the same.

/// TLS_RSA_WITH_AES_128_CBC_SHA: what a bot of 2010 offers first.
const OLD_CIPHERS: [u16; 3] = [0x002f, 0x0035, 0x000a];
const TLS_10: u16 = 0x0301;
const TLS_12: u16 = 0x0303;
/// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and its RSA twin: a modern server takes these.
const MODERN_CIPHERS: [u16; 2] = [0xc02b, 0xc02f];

/// An old bot: TLS 1.0 and nothing newer. Answered by an alert.
pub(crate) fn too_old(sni: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    hello(TLS_10, &OLD_CIPHERS, sni, random)
}

/// A hello that could lead to a session, of somebody who only wants to see the certificate.
pub(crate) fn acceptable(sni: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    hello(TLS_12, &MODERN_CIPHERS, sni, random)
}

fn hello(version: u16, ciphers: &[u16], sni: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    body.extend(version.to_be_bytes());
    body.extend(random);
    body.push(0); // no session to resume
    let suites: Vec<u8> = ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()).collect();
    body.extend(with_length(&suites));
    body.extend([1, 0]); // one compression method: none
    body.extend(with_length(&extensions(sni)));

    let mut handshake = vec![1, 0];
    handshake.extend(with_length(&body));
    let mut record = vec![22, 3, 1];
    record.extend(with_length(&handshake));
    record
}

fn extensions(sni: Option<&str>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut put = |code: u16, content: &[u8]| {
        all.extend(code.to_be_bytes());
        all.extend(with_length(content));
    };
    if let Some(name) = sni {
        let mut entry = vec![0];
        entry.extend(with_length(name.as_bytes()));
        put(0, &with_length(&entry));
    }
    put(10, &with_length(&[0, 23, 0, 29])); // groups: secp256r1, x25519
    put(11, &[1, 0]); // points: uncompressed
    put(13, &with_length(&[4, 3, 8, 4, 4, 1])); // signatures: ECDSA and RSA with SHA-256
    all
}

/// The content after its own length in two octets.
fn with_length(content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("a hello made by hand has a few hundred octets");
    let mut octets = len.to_be_bytes().to_vec();
    octets.extend_from_slice(content);
    octets
}

#[cfg(test)]
mod tests {
    use rustls::server::Acceptor;

    use super::*;

    #[test]
    fn a_server_reads_the_name_out_of_the_hello() {
        for (sni, version) in [(Some("verify.example"), "old"), (None, "old"), (Some("verify.example"), "new")] {
            let make = if version == "old" { too_old } else { acceptable };
            let octets = make(sni, [7; 32]);
            let mut acceptor = Acceptor::default();
            acceptor.read_tls(&mut octets.as_slice()).unwrap();
            let accepted = acceptor.accept().unwrap().expect("the hello is complete");
            assert_eq!(accepted.client_hello().server_name(), sni);
        }
    }
}
