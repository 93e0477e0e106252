//! Peers of the primary with the keys that they sign with, from their files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sinkhole::transfer::{Access, Allowed, Peer, TransferKey};

use crate::config::{Transfer, TransferKeyFile};
use crate::failure::{Failure, Tried};

/// The largest file of a key: a secret has less than 100 octets.
const FILE_OCTETS_MAX: u64 = 1_024;
/// What a file's mode gives to everybody.
const EVERYBODY: u32 = 0o007;

/// All peers, each with its key.
pub(super) fn access(transfer: &Transfer) -> Result<Access, Failure> {
    let keys = transfer.keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let key_of = |peer: &crate::config::TransferPeer| {
        let at = transfer.keys.iter().position(|key| Some(&key.name) == peer.key.as_ref())?;
        keys.get(at).cloned()
    };
    let peers = transfer.peers.iter().map(|peer| {
        let named = peer.named.iter().map(|zone| Allowed::Named(zone.to_wire().into()));
        let zones = named.chain(peer.seized.then_some(Allowed::Seized)).collect();
        Peer { network: peer.network, key: key_of(peer), zones, notify: peer.notify.clone() }
    });
    Ok(Access::new(peers.collect()))
}

/// What the file holds is never part of a message.
fn read(key: &TransferKeyFile) -> Result<TransferKey, Failure> {
    let (name, shown) = (key.name.as_str(), key.secret_file.display());
    let secret = secret(&key.secret_file)?;
    TransferKey::new(name, key.algorithm.as_str(), &secret).map_err(|why| {
        Failure::new(format!("the key `{name}` in {shown} is refused: {why}"))
            .hint("`tsig-keygen` and `keymgr -t` make one")
    })
}

fn secret(file: &Path) -> Result<Vec<u8>, Failure> {
    let shown = file.display();
    let found = std::fs::metadata(file).tried(format_args!("reading the transfer key in {shown}"))?;
    if found.permissions().mode() & EVERYBODY != 0 {
        return Err(Failure::new(format!("everybody can read the transfer key in {shown}"))
            .hint(format!("chmod 640 {shown}; and make a new one, if somebody has")));
    }
    let text = match found.len() {
        ..=FILE_OCTETS_MAX => {
            std::fs::read_to_string(file).tried(format_args!("reading the transfer key in {shown}"))?
        }
        _ => String::new(),
    };
    let secret = STANDARD.decode(text.trim()).ok().filter(|secret| !secret.is_empty());
    secret.ok_or_else(|| {
        Failure::new(format!("{shown} is no transfer key"))
            .hint("it has one line: the secret in base64, as it stands between the quotes of a `secret` in named.conf")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_whole_or_not_at_all_and_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mode = |mode| std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
        mode(0o640);
        for (text, octets) in [
            ("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n", Some(32)),
            ("QUFB", Some(3)),
            ("", None),
            ("secret \"QUFB\";", None),
            ("QUFBQ", None),
        ] {
            std::fs::write(file.path(), text).unwrap();
            match secret(file.path()) {
                Ok(secret) => assert_eq!(Some(secret.len()), octets, "{text}"),
                Err(failure) => assert!(octets.is_none() && !format!("{failure:?}").contains("QUFB"), "{text}"),
            }
        }
        mode(0o644);
        assert!(format!("{:?}", secret(file.path()).unwrap_err()).contains("everybody can read"));
    }
}
