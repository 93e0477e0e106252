//! The key that signs the ledger's checkpoints: made once, kept with the other keys, apart from the data.
//!
//! ```text
//! KEYS/ledger.key         the key, as `golang.org/x/mod/sumdb/note` writes one
//! KEYS/ledger.key.first   a key that was made and has not signed yet; a start that broke off goes on with it
//! ```
//!
//! A key that is not new finds the checkpoint that it signed last. Where it does not, somebody changed the data without
//! having the key, or the key is another: nothing is opened then.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use store::Ledger;
use store::log::SigningKey;
use zeroize::Zeroizing;

use super::of_store;
use crate::config::Config;
use crate::failure::{Failure, Tried, code};

const KEY: &str = "ledger.key";
const FIRST: &str = "ledger.key.first";

/// Has every append to this ledger signed.
pub(super) async fn sign(ledger: &Ledger, config: &Config) -> Result<(), Failure> {
    if let Some(key) = read(&config.keys.join(KEY))? {
        check_name(&key, config)?;
        return ledger.sign_with(key, false).await.map_err(|error| refused(&error, config));
    }
    let first = config.keys.join(FIRST);
    let key = match read(&first)? {
        Some(key) => key,
        None => make(config)?,
    };
    if let Err(error) = ledger.sign_with(key, true).await {
        // It has signed nothing; unless the server was lost, and nobody knows. Then the next start goes on with it.
        if !error.is_passing() {
            fs::remove_file(&first).tried(format_args!("removing {}", first.display()))?;
        }
        return Err(refused(&error, config));
    }
    let keep = || {
        fs::rename(&first, config.keys.join(KEY))?;
        File::open(&config.keys)?.sync_all()
    };
    keep().tried(format_args!("keeping the key that signs the ledger in {}", config.keys.display()))
}

/// The key of an installation that has one.
pub(crate) fn key(config: &Config) -> Result<SigningKey, Failure> {
    let file = config.keys.join(KEY);
    let missing = || Failure::new(format!("there is no {}", file.display())).hint("the first start makes it");
    read(&file)?.ok_or_else(missing)
}

fn refused(error: &store::Error, config: &Config) -> Failure {
    let hint = format!(
        "`bailiwick audit verify` says more. Each ledger has a key of its own: if {} is another ledger's, put the right \
         one there, or for a new ledger none",
        config.keys.join(KEY).display()
    );
    match of_store(&config.data.display(), error) {
        away if error.is_passing() => away,
        damaged => damaged.hint(hint).code(code::NOT_VERIFIED),
    }
}

fn read(file: &Path) -> Result<Option<SigningKey>, Failure> {
    let shown = file.display();
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => Zeroizing::new(read.tried(format_args!("reading the key that signs the ledger in {shown}"))?),
    };
    SigningKey::parse(&text).map(Some).tried(format_args!("{shown} is no key that signs a ledger"))
}

fn make(config: &Config) -> Result<SigningKey, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| Failure::new(format!("asking for random bytes: {error}")))?;
    let key = SigningKey::from_seed(config.ledger.origin.as_deref(), *seed).tried("naming the key of the ledger")?;
    let text = Zeroizing::new(format!("{}\n", *key.to_private_text()));
    sinkhole::certificates::keep_file(&config.keys, FIRST, text.as_bytes())
        .tried(format_args!("keeping the key that signs the ledger in {}", config.keys.display()))?;
    Ok(key)
}

/// Whoever verifies has the key under its name.
fn check_name(key: &SigningKey, config: &Config) -> Result<(), Failure> {
    let name = key.verifying().name();
    match &config.ledger.origin {
        Some(origin) if origin != name => {
            Err(Failure::new(format!("`ledger.origin` is {origin}, and the key's log is {name}"))
                .hint(format!("set origin = \"{name}\": the name is given once, with the key")))
        }
        _ => Ok(()),
    }
}
