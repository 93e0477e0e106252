//! `bailiwick accounts`: a key for account names, and the names themselves for whoever holds its private half.
//!
//! Opening is made for another machine than the one that answers: it reads a copy of the journal and the private key,
//! and neither the ledger nor the configuration's keys. Names are printed for the person who warns victims; nothing is
//! written.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use model::contact::What;
use model::id::ContactId;
use model::name::defang;
use serde::Serialize;
use sinkhole::sealed::{NotOpened, OpeningKey};
use store::journal::{Frame, read_all};
use zeroize::Zeroizing;

use crate::cli::{AccountsCommand, AccountsKeyCommand, OpenAccountsArgs, Place};
use crate::config::Config;
use crate::failure::{Done, Failure, Tried, code};
use crate::on_disk::JOURNAL;
use crate::terminal::{self, table};

pub(crate) fn run(place: &Place, command: AccountsCommand) -> Done {
    match command {
        AccountsCommand::Key(AccountsKeyCommand::New { private, public }) => new_key(&private, &public),
        AccountsCommand::Open(args) => open(&Config::load(place)?.data.join(JOURNAL), &args),
    }
}

//----------- accounts key new -------------------------------------------------------------------------------------

fn new_key(private: &Path, public: &Path) -> Done {
    let key = OpeningKey::generate();
    let sealing = key.sealing();
    write_new(private, 0o600, &key.to_text())?;
    if let Err(failure) = write_new(public, 0o644, &sealing.to_string()) {
        let _ = std::fs::remove_file(private);
        return Err(failure);
    }
    terminal::line(&format!("key {}", sealing.id()))?;
    terminal::say(&format!(
        "{} seals account names: name it as `account_key` in [trap]\n{} opens them: move it to a machine that answers \
         no callers, keep a copy apart, and delete it here; whoever loses it loses the names",
        public.display(),
        private.display()
    ));
    Ok(())
}

fn write_new(file: &Path, mode: u32, text: &str) -> Done {
    let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let mut file = open.tried(format_args!("making the key file {}", file.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .tried("writing the key file")
}

//----------- accounts open ----------------------------------------------------------------------------------------

/// A name that was opened, and whose contact it came with.
#[derive(Serialize)]
struct Opened {
    contact: ContactId,
    account: String,
}

fn open(journal: &Path, args: &OpenAccountsArgs) -> Done {
    let key = read_key(&args.private)?;
    let found = sealed_of(journal, &args.contacts)?;
    let mut opened = Vec::new();
    let mut closed = BTreeSet::new();
    for (contact, sealed) in &found {
        match key.open(sealed) {
            Ok(name) => opened.push(Opened { contact: *contact, account: String::from_utf8_lossy(&name).into_owned() }),
            Err(why) => _ = closed.insert(reason(*contact, why)),
        }
    }
    show(&opened, args.out.json)?;
    let is_missing = |id: &&ContactId| found.iter().all(|(contact, _)| contact != *id);
    let missing = args.contacts.iter().filter(is_missing).map(|id| format!("{id} has no account name in this journal"));
    let closed: Vec<String> = closed.into_iter().chain(missing).collect();
    if closed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("some names stay sealed: {}", closed.join("; "))).hint("every other one was printed"))
}

fn read_key(file: &Path) -> Result<OpeningKey, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).tried(format_args!("reading the private key in {shown}"))?;
    OpeningKey::parse(&Zeroizing::new(text))
        .map_err(|why| Failure::new(format!("{shown} is no private key of accounts: {why}")).code(code::USAGE))
}

/// What is sealed in the journal for these contacts, in the order of the journal.
fn sealed_of(journal: &Path, contacts: &[ContactId]) -> Result<Vec<(ContactId, Vec<u8>)>, Failure> {
    let wanted: BTreeSet<&ContactId> = contacts.iter().collect();
    let mut found = Vec::new();
    read_all(journal, &mut |frame| {
        let (of, sealed) = match &frame {
            Frame::Outcome(outcome) => (outcome.of, &outcome.accounts),
            Frame::Contact(contact) => match &contact.what {
                What::Message(message) => (contact.id, &message.accounts),
                _ => return,
            },
            _ => return,
        };
        if wanted.contains(&of) {
            found.extend(sealed.iter().map(|sealed| (of, sealed.to_vec())));
        }
    })
    .tried(format_args!("reading the journal in {}", journal.display()))?;
    Ok(found)
}

fn reason(contact: ContactId, why: NotOpened) -> String {
    format!("{contact}: {why}")
}

/// As JSON the names are as they were given; on a terminal nobody can click them.
fn show(opened: &[Opened], json: bool) -> Done {
    if json {
        return terminal::json(&opened);
    }
    let mut rows = vec![["contact", "account"].map(str::to_owned).to_vec()];
    rows.extend(
        opened.iter().map(|one| vec![one.contact.to_string(), terminal::inert(&defang(&one.account).to_string())]),
    );
    terminal::line(&table(&rows))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn both_halves_are_written_once_and_the_private_one_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let (private, public) = (home.path().join("private"), home.path().join("public"));
        new_key(&private, &public).unwrap();
        assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        let key = read_key(&private).unwrap();
        assert_eq!(std::fs::read_to_string(&public).unwrap(), format!("{}\n", key.sealing()));
        assert!(new_key(&private, &home.path().join("other")).is_err(), "nothing is replaced");
        assert!(new_key(&home.path().join("another"), &public).is_err());
        assert!(!home.path().join("other").exists() && !home.path().join("another").exists(), "no half is left");
        assert!(read_key(&home.path().join("nowhere")).is_err());
    }
}
