//! Opens a Unix socket where another program shall find it, and nobody else's file is touched.
//!
//! A socket's file outlives its process. It is removed only if it is a socket and nobody listens behind it; anything
//! else in its place is somebody's, and the start is refused. The file has its mode and group before the socket
//! listens, so nobody comes in by the umask.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::unistd::{Group, chown};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::failure::{Failure, Tried};

/// Senders that wait to be accepted: a sensor has few.
const BACKLOG: i32 = 64;

pub(super) fn open(path: &Path, mode: u32, group: Option<&str>) -> Result<UnixListener, Failure> {
    make_room(path)?;
    let shown = path.display();
    let group = group.map(gid).transpose()?;
    let open = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        if let Some(group) = group {
            chown(path, None, Some(group))?;
        }
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|error: io::Error| {
        Failure::of(format_args!("opening the socket {shown}"), &error)
            .hint("its folder must exist and be writable for whoever starts the program")
    })
}

fn gid(name: &str) -> Result<nix::unistd::Gid, Failure> {
    let group = Group::from_name(name).tried(format_args!("looking up group `{name}`"))?;
    Ok(group.ok_or_else(|| Failure::new(format!("there is no group `{name}`")))?.gid)
}

/// Removes what an earlier run left.
fn make_room(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.tried(format_args!("looking at {shown}"))?,
    };
    if !found.file_type().is_socket() {
        return Err(Failure::new(format!("{shown} is in the way, and is no socket"))
            .hint("name another path, or move the file away"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).tried(format_args!("removing the socket {shown} that nobody listens on"))
        }
        Err(error) => Err(error).tried(format_args!("asking whether somebody listens on {shown}")),
        Ok(_) => Err(Failure::new(format!("another program listens on {shown}"))
            .hint(format!("`ss -lxp src {shown}` shows which"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_that_nobody_listens_on_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let first = open(&path, 0o600, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let taken = open(&path, 0o600, None).unwrap_err();
        assert!(format!("{taken:?}").contains("another program listens"), "{taken:?}");
        drop(first);
        open(&path, 0o666, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
        let file = folder.path().join("f");
        fs::write(&file, "mine").unwrap();
        let failure = open(&file, 0o600, None).unwrap_err();
        assert!(format!("{failure:?}").contains("is no socket"), "{failure:?}");
        assert_eq!(fs::read(&file).unwrap(), b"mine");
    }
}
