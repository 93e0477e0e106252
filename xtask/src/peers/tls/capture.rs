//! A capture file as any network tool reads it (draft-ietf-opsawg-pcap), of conversations that we have only one half of.
//!
//! Each is one stream of TCP over IPv4, from a port of its own to 443, in packets as large as loopback would make
//! them. Checksums are zero, which readers take for offloaded.

const RAW_IPV4: u32 = 228;
const SNAP_OCTETS: u32 = 65_535;
const TLS_PORT: u16 = 443;
const FIRST_PORT: u16 = 1_024;
const ACK_AND_PUSH: u8 = 0x18;
/// Of IPv4 and of TCP.
const HEADERS_OCTETS: usize = 40;

/// What each caller said, in that order.
pub(super) fn capture<'a>(callers: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(SNAP_OCTETS.to_le_bytes());
    file.extend(RAW_IPV4.to_le_bytes());
    for (port, said) in (FIRST_PORT..).zip(callers) {
        let packet = packet(port, said);
        let len = u32::try_from(packet.len()).unwrap_or_default().to_le_bytes();
        file.extend([0; 8]);
        file.extend([len, len].concat());
        file.extend(packet);
    }
    file
}

fn packet(port: u16, said: &[u8]) -> Vec<u8> {
    let len = u16::try_from(HEADERS_OCTETS + said.len()).unwrap_or(u16::MAX);
    let mut packet = vec![0x45, 0];
    packet.extend(len.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1]);
    packet.extend(port.to_be_bytes());
    packet.extend(TLS_PORT.to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    packet.extend([0x50, ACK_AND_PUSH, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(said);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_say_where_the_next_one_begins() {
        let file = capture([&b"one"[..], b"three"].into_iter());
        let len = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(len(24 + 8), HEADERS_OCTETS + 3);
        let second = 24 + 16 + HEADERS_OCTETS + 3;
        assert_eq!(len(second + 8), HEADERS_OCTETS + 5);
        assert_eq!(file.len(), second + 16 + HEADERS_OCTETS + 5);
    }
}
