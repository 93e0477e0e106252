//! `bailiwick export`: the ledger for the public, for a partner, or for the court, in a folder that proves itself.
//!
//! Who sees what is decided in `share`; here it is put together. Nothing leaves that does not verify first.

use model::Digest;
use share::{Profile, Showing, showing};
use store::audit::{Audit, AuditError, Disclosed, Entry, Export, names_of, write_export};
use store::log::SigningKey;

use super::audit::{not_whole, of_audit, on_ledger};
use crate::cli::{ExportArgs, ExportProfile, Place};
use crate::config::Config;
use crate::failure::{Done, Failure, code};
use crate::supervise::{now, signing};
use crate::terminal;

/// How a stranger verifies, as it stands in every export.
pub(super) const README: &str = include_str!("export/README.md");

pub(crate) fn run(place: &Place, args: &ExportArgs) -> Done {
    let config = Config::load(place)?;
    let key = signing::key(&config)?;
    let report = on_ledger(&config, async |audit| audit.verify(key.verifying(), &[]).await)?;
    if !report.is_whole() {
        return Err(not_whole(&report));
    }
    let profile = profile(args)?;
    let export = on_ledger(&config, async |audit| gather(audit, &profile, &key).await)?;
    if matches!(profile, Profile::Court(_)) && export.facts.is_empty() {
        return Err(Failure::new("the ledger has no fact of that case").code(code::USAGE));
    }
    let (shown, all) = (export.facts.len(), export.commitments.len());
    let into = format!("exporting into {}", args.folder.display());
    write_export(&args.folder, export, &key).map_err(|error| of_audit(into, &error))?;
    terminal::say(&format!(
        "{} tells of {shown} of {all} facts; the others are withheld, and proven to be there\nwhoever gets it verifies it \
         with the key {}",
        args.folder.display(),
        key.verifying()
    ));
    Ok(())
}

fn profile(args: &ExportArgs) -> Result<Profile, Failure> {
    match (args.profile, &args.case) {
        (ExportProfile::Public, None) => Ok(Profile::Public),
        (ExportProfile::Partner, None) => Ok(Profile::Partner),
        (ExportProfile::Court, Some(case)) => Ok(Profile::Court(case.clone())),
        _ => Err(Failure::new("--case goes with --profile court, and with no other").code(code::USAGE)),
    }
}

/// What the profile is shown, and every name that it may see with it.
async fn gather(audit: &mut Audit, profile: &Profile, key: &SigningKey) -> Result<Export, AuditError> {
    let entries = audit.entries().await?;
    let view = audit.view(&entries).await?;
    let at = now();
    let shown = entries.iter().map(|entry| (entry, showing(&view, &entry.fact, profile, at)));
    let shown: Vec<(&Entry, Showing)> = shown.collect();
    let readme = README.replace("{profile}", profile.as_str()).replace("{key}", &key.verifying().to_string());
    let mut files = vec![("README.md".to_owned(), readme.into_bytes())];
    if matches!(profile, Profile::Court(_)) {
        for names in
            shown.iter().filter(|(_, showing)| *showing == Showing::Whole).flat_map(|(entry, _)| names_of(&entry.fact))
        {
            files.push(set_of_names(audit, names).await?);
        }
    }
    let disclosed = |(entry, showing): &(&Entry, Showing)| match showing {
        Showing::Whole => Some(Disclosed::whole(entry)),
        Showing::Kind => Some(Disclosed::kind(entry)),
        Showing::Nothing => None,
    };
    Ok(Export {
        profile: profile.as_str(),
        checkpoint: audit.checkpoint().await?.unwrap_or_default(),
        commitments: entries.iter().map(|entry| entry.commitment).collect(),
        facts: shown.iter().filter_map(disclosed).collect(),
        files,
    })
}

async fn set_of_names(audit: &mut Audit, names: &Digest) -> Result<(String, Vec<u8>), AuditError> {
    Ok((format!("names/{names}"), audit.lines(names).await?.unwrap_or_default()))
}
