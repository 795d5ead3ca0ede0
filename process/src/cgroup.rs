//! A control group for each task, where the system lets this process make some: the one mark that a process
//! cannot take off.

use std::fs;
use std::path::PathBuf;

use meanwhile_core::TaskId;
use rustix::process::Pid;

/// Where groups for tasks can be made: below the group of this process.
#[derive(Debug)]
pub(crate) struct Parent {
    folder: PathBuf,
}

/// The group of one task. It is removed when it is dropped, if nobody is in it any more; else the next process
/// that makes groups here does it.
#[derive(Debug)]
pub(crate) struct Cgroup {
    folder: PathBuf,
}

impl Parent {
    const PREFIX: &str = "meanwhile-";

    /// `None` if there is no cgroup v2 here, or none that this user may make groups in.
    #[cfg(target_os = "linux")]
    pub(crate) fn find() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let folder = own_group(&mounts, &groups)?;
        let may_write = rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK).is_ok();
        let parent = may_write.then_some(Self { folder })?;
        parent.remove_empty();
        Some(parent)
    }

    /// There are none on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn find() -> Option<Self> {
        None
    }

    /// Makes a group and moves a leader that was just spawned into it. What it spawned before stays outside; it
    /// can still be found by the other marks. `None` if the system refuses.
    pub(crate) fn adopt(&self, leader: Pid, id: TaskId) -> Option<Cgroup> {
        let folder = self.folder_of(id);
        fs::create_dir(&folder).ok()?;
        let cgroup = Cgroup { folder };
        fs::write(cgroup.folder.join("cgroup.procs"), leader.to_string()).ok()?;
        Some(cgroup)
    }

    /// The group of a task whose supervisor was in the same group as this process, if it is there still.
    pub(crate) fn find_group(&self, id: TaskId) -> Option<Cgroup> {
        let folder = self.folder_of(id);
        folder.is_dir().then_some(Cgroup { folder })
    }

    fn folder_of(&self, id: TaskId) -> PathBuf {
        self.folder.join(format!("{}{id}", Self::PREFIX))
    }

    /// Removes what processes before this one left. The kernel refuses where somebody is still inside.
    #[cfg(target_os = "linux")]
    fn remove_empty(&self) {
        let Ok(groups) = fs::read_dir(&self.folder) else {
            return;
        };
        for group in groups.flatten() {
            if group
                .file_name()
                .to_string_lossy()
                .starts_with(Self::PREFIX)
            {
                let _ = fs::remove_dir(group.path());
            }
        }
    }
}

impl Cgroup {
    /// The ids of all that are in it, zombies not counted.
    pub(crate) fn members(&self) -> Vec<i32> {
        let list = fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        list.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Kills all that are in it or in groups below, at once; nobody can fork away.
    pub(crate) fn kill(&self) {
        // Before Linux 5.14 there is no such file, and each is killed by itself.
        let _ = fs::write(self.folder.join("cgroup.kill"), "1");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The folder of the group that this process is in: `mountinfo` says where cgroup v2 is mounted, and which of
/// its groups is the root there; `cgroup` says which is ours.
#[cfg(target_os = "linux")]
fn own_group(mounts: &str, groups: &str) -> Option<PathBuf> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        // `id parent device root point options [tags] - type source options`
        let (place, kind) = line.split_once(" - ")?;
        if kind.split(' ').next()? != "cgroup2" {
            return None;
        }
        let mut fields = place.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below_root = if root == "/" {
            group
        } else {
            group.strip_prefix(root)?
        };
        Some(PathBuf::from(point).join(below_root.trim_start_matches('/')))
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_below_its_mount() {
        let hybrid =
            "34 24 0:29 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw\n";
        let groups = "9:name=systemd:/x\n0::/user.slice/a.scope\n";
        let folder = own_group(hybrid, groups).expect("a group");
        assert_eq!(
            folder,
            PathBuf::from("/sys/fs/cgroup/unified/user.slice/a.scope")
        );

        let container = "30 24 0:26 /user.slice /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
        let folder = own_group(container, groups).expect("a group");
        assert_eq!(folder, PathBuf::from("/sys/fs/cgroup/a.scope"));

        assert_eq!(own_group(hybrid, "9:name=systemd:/x\n"), None);
        assert_eq!(
            own_group("24 1 8:1 / / rw - ext4 /dev/sda rw\n", groups),
            None
        );
    }
}
