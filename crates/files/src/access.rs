//! Who else may read a file that holds a secret.

use std::path::Path;

use rustix::fs::{getxattr, stat};
use rustix::io::Errno;
use rustix::process::{Gid, getegid, geteuid, getgroups};

use super::FileError;

const ROOT: u32 = 0;
/// Rights of everybody but the owner.
const NOT_THE_OWNER_S: u32 = 0o077;
/// What a service manager gives the files that it hands over.
const HANDED_OVER: u32 = 0o440;

/// A file that others can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposed {
    /// The nine permission bits.
    pub mode: u32,
    /// Group id.
    pub group: u32,
}

/// Whether others can read a file: `None` where it belongs to its owner alone, and where it was handed over, which is
/// read-only, root's or our own, and for a group of ours or by its access list for nobody but us.
///
/// # Errors
/// [`FileError::Read`].
pub fn exposed(path: &Path) -> Result<Option<Exposed>, FileError> {
    let fault = |errno: Errno| FileError::Read { path: path.to_owned(), source: errno.into() };
    let us = Identity::of_this_process().map_err(fault)?;
    let access = Access::of(path).map_err(fault)?;
    Ok((!access.is_private(&us)).then_some(Exposed { mode: access.mode, group: access.group }))
}

/// Who a process is to the file system.
#[derive(Debug, Clone)]
struct Identity {
    user: u32,
    groups: Vec<u32>,
}

impl Identity {
    fn of_this_process() -> Result<Self, Errno> {
        let groups = std::iter::once(getegid()).chain(getgroups()?);
        Ok(Self { user: geteuid().as_raw(), groups: groups.map(Gid::as_raw).collect() })
    }
}

/// Who may do what with a file.
#[derive(Debug, Clone)]
struct Access {
    /// The nine permission bits. With an access list, the group's are its mask.
    mode: u32,
    owner: u32,
    group: u32,
    list: Option<Readers>,
}

/// Whom an access list lets read, beside the owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Readers {
    users: Vec<u32>,
    /// The file's own included, where the list lets it read.
    groups: Vec<u32>,
}

impl Access {
    fn of(path: &Path) -> Result<Self, Errno> {
        const LIST: &str = "system.posix_acl_access";
        const MAX_LIST_BYTES: usize = 4096;
        let status = stat(path)?;
        let mut list = [0; MAX_LIST_BYTES];
        let list = match getxattr(path, LIST, &mut list) {
            Ok(length) => Some(Readers::parse(&list[..length], status.st_gid).ok_or(Errno::INVAL)?),
            Err(Errno::NODATA | Errno::NOTSUP) => None,
            Err(errno) => return Err(errno),
        };
        Ok(Self { mode: status.st_mode & 0o777, owner: status.st_uid, group: status.st_gid, list })
    }

    fn is_private(&self, us: &Identity) -> bool {
        if self.mode & NOT_THE_OWNER_S == 0 {
            return true;
        }
        let is_handed_over = self.mode == HANDED_OVER && [ROOT, us.user].contains(&self.owner);
        is_handed_over
            && match &self.list {
                None => us.groups.contains(&self.group),
                Some(readers) => {
                    readers.users.iter().all(|user| [ROOT, us.user].contains(user))
                        && readers.groups.iter().all(|group| us.groups.contains(group))
                }
            }
    }
}

impl Readers {
    /// Reads an access list as the system keeps it: a version, then a tag, permissions and an id for each entry. `None`
    /// for what makes no sense.
    fn parse(list: &[u8], group: u32) -> Option<Self> {
        const VERSION: [u8; 4] = [2, 0, 0, 0];
        const READ: u8 = 4;
        const OWNER: u8 = 1;
        const USER: u8 = 2;
        const OWN_GROUP: u8 = 4;
        const GROUP: u8 = 8;
        const MASK: u8 = 16;
        const OTHERS: u8 = 32;
        let (entries, []) = list.strip_prefix(&VERSION)?.as_chunks::<8>() else { return None };
        let mut readers = Self::default();
        for &[tag, high_tag, permissions, _, a, b, c, d] in entries {
            let (may_read, id) = (permissions & READ != 0, u32::from_le_bytes([a, b, c, d]));
            match tag {
                _ if high_tag != 0 => return None,
                USER if may_read => readers.users.push(id),
                GROUP if may_read => readers.groups.push(id),
                OWN_GROUP if may_read => readers.groups.push(group),
                OWNER | USER | OWN_GROUP | GROUP | MASK | OTHERS => {}
                _ => return None,
            }
        }
        Some(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mode: u32, owner: u32, group: u32) -> Access {
        Access { mode, owner, group, list: None }
    }

    #[test]
    fn a_secret_that_systemd_hands_over_is_private() {
        let us = Identity { user: 990, groups: vec![990, 1001] };
        for private in [file(0o600, 990, 100), file(0o400, 990, 100), file(0o440, 0, 990), file(0o440, 990, 1001)] {
            assert!(private.is_private(&us), "{private:?}");
        }
        let exposed = [
            file(0o440, 0, 100),
            file(0o440, 5, 990),
            file(0o640, 0, 990),
            file(0o460, 0, 990),
            file(0o444, 0, 990),
            file(0o441, 0, 990),
        ];
        for exposed in exposed {
            assert!(!exposed.is_private(&us), "{exposed:?}");
        }
        // With an access list, the group's bits are a mask and say nothing of the group.
        let listed = |users: &[u32], groups: &[u32]| Access {
            list: Some(Readers { users: users.to_vec(), groups: groups.to_vec() }),
            ..file(0o440, 0, 0)
        };
        assert!(listed(&[990], &[]).is_private(&us) && listed(&[], &[1001]).is_private(&us));
        assert!(!listed(&[990, 991], &[]).is_private(&us) && !listed(&[990], &[0]).is_private(&us));
    }

    #[test]
    fn an_access_list_names_who_may_read() {
        let list = |entries: &[[u8; 8]]| [&[2, 0, 0, 0], entries.as_flattened()].concat();
        let all = [255; 4];
        let entry = |tag: u8, permissions: u8, [a, b, c, d]: [u8; 4]| [tag, 0, permissions, 0, a, b, c, d];
        // As systemd writes it for user 990: nothing for the group.
        let systemd = list(&[
            entry(1, 4, all),
            entry(2, 4, [222, 3, 0, 0]),
            entry(4, 0, all),
            entry(16, 4, all),
            entry(32, 0, all),
        ]);
        assert_eq!(Readers::parse(&systemd, 7), Some(Readers { users: vec![990], groups: vec![] }));
        let groups = list(&[entry(4, 6, all), entry(8, 4, [5, 0, 0, 0]), entry(8, 2, [6, 0, 0, 0])]);
        assert_eq!(Readers::parse(&groups, 7), Some(Readers { users: vec![], groups: vec![7, 5] }));
        for wrong in [&[][..], &[1, 0, 0, 0], &systemd[..11], &list(&[entry(3, 4, all)])] {
            assert_eq!(Readers::parse(wrong, 7), None);
        }
    }
}
