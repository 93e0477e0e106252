//! Becomes the configured user for good, and believes it only when the kernel says so.
//!
//! Runs while there is one thread: what the kernel says of this thread then holds for all that it starts.

use nix::unistd::{Uid, User};

use crate::config::Config;
use crate::failure::{Done, Failure, Tried};

/// Where the kernel says who we are (proc_pid_status(5)).
const STATUS: &str = "/proc/self/status";

/// Becomes the configured user, for good; without one stays who it is. Nobody gains anything by `exec` from now on.
pub(crate) fn drop_privileges(config: &Config) -> Done {
    let user = config.user.as_deref().map(become_user).transpose()?;
    nix::sys::prctl::set_no_new_privs().tried("giving up new privileges")?;
    let status = std::fs::read_to_string(STATUS).tried(format_args!("reading {STATUS}"))?;
    let standing = Standing::read(&status)?;
    standing.check(user.as_ref().map(|user| (user.uid.as_raw(), user.gid.as_raw())))?;
    let Standing { uids, gids, cap_effective, .. } = &standing;
    tracing::info!(uid = uids[0], gid = gids[0], cap_effective, "privileges are as the configuration says");
    Ok(())
}

fn become_user(name: &str) -> Result<User, Failure> {
    if !Uid::effective().is_root() {
        return Err(Failure::new(format!("becoming user `{name}` needs root"))
            .hint("start as root, or take `user` out of the configuration"));
    }
    let user = User::from_name(name).tried(format_args!("looking up user `{name}`"))?;
    let Some(user) = user else { return Err(Failure::new(format!("there is no user `{name}`"))) };
    nix::unistd::setgroups(&[user.gid]).tried("dropping groups")?;
    nix::unistd::setgid(user.gid).tried("dropping the group")?;
    nix::unistd::setuid(user.uid).tried("dropping the user")?;
    Ok(user)
}

//----------- Standing ---------------------------------------------------------------------------------------------

/// Who we are by the kernel's word.
#[derive(Debug, Eq, PartialEq)]
struct Standing {
    /// Real, effective, saved and that of the file system.
    uids: Vec<u32>,
    gids: Vec<u32>,
    cap_permitted: String,
    cap_effective: String,
    no_new_privileges: bool,
}

impl Standing {
    fn read(status: &str) -> Result<Self, Failure> {
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.map(str::trim).ok_or_else(|| Failure::new(format!("{STATUS} does not say `{name}`")))
        };
        let ids = |name: &str| {
            let ids = field(name)?.split_whitespace().map(str::parse).collect::<Result<Vec<u32>, _>>();
            ids.tried(format_args!("reading `{name}` of {STATUS}")).and_then(|ids| four(ids, name))
        };
        Ok(Self {
            uids: ids("Uid")?,
            gids: ids("Gid")?,
            cap_permitted: field("CapPrm")?.to_owned(),
            cap_effective: field("CapEff")?.to_owned(),
            no_new_privileges: field("NoNewPrivs")? == "1",
        })
    }

    /// Whether it is what was asked for; of a process that was to stay who it was, nothing is expected but the end of
    /// new privileges.
    fn check(&self, expected: Option<(u32, u32)>) -> Done {
        let refuse = |what: &str| {
            Err(Failure::new(format!("privileges are not dropped: {what} ({self:?})"))
                .hint("nothing was read from the network; a container or a security module may stand in the way"))
        };
        if !self.no_new_privileges {
            return refuse("new privileges can still be gained");
        }
        let Some((uid, gid)) = expected else { return Ok(()) };
        if self.uids.iter().any(|&one| one != uid) || self.gids.iter().any(|&one| one != gid) {
            return refuse("an id is not the configured user's");
        }
        let has_capabilities = [&self.cap_permitted, &self.cap_effective].iter().any(|set| set.contains(|c| c != '0'));
        if uid != 0 && has_capabilities {
            return refuse("a capability is left");
        }
        Ok(())
    }
}

fn four(ids: Vec<u32>, name: &str) -> Result<Vec<u32>, Failure> {
    if ids.len() == 4 { Ok(ids) } else { Err(Failure::new(format!("{STATUS} does not name four of `{name}`"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROPPED: &str =
        "Name:\tb\nUid:\t9\t9\t9\t9\nGid:\t8\t8\t8\t8\nCapInh:\t0000\nCapPrm:\t0000\nCapEff:\t0000\nNoNewPrivs:\t1\n";

    fn judged(status: &str, expected: Option<(u32, u32)>) -> Option<String> {
        let done = Standing::read(status).and_then(|standing| standing.check(expected));
        done.err().map(|failure| format!("{failure:?}"))
    }

    #[test]
    fn dropped_is_only_what_the_kernel_calls_so() {
        assert_eq!(judged(DROPPED, Some((9, 8))), None);
        for (good, bad, why) in [
            ("9\t9\t9\t9", "9\t9\t0\t9", "an id is not"),
            ("8\t8\t8\t8", "8\t8\t0\t8", "an id is not"),
            ("9\t9\t9\t9", "9\t9\t9", "does not name four"),
            ("CapPrm:\t0000", "CapPrm:\t0400", "a capability is left"),
            ("CapEff:\t0000", "CapEff:\t0400", "a capability is left"),
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "new privileges"),
            ("NoNewPrivs:\t1", "", "does not say `NoNewPrivs`"),
        ] {
            let said = judged(&DROPPED.replacen(good, bad, 1), Some((9, 8))).unwrap();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn who_stays_who_they_were_may_keep_a_capability() {
        assert_eq!(judged(&DROPPED.replace("CapEff:\t0000", "CapEff:\t0400"), None), None);
    }
}
