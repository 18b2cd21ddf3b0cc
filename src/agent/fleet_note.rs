//! The hosts of the environment, as the last deploy here knew them: a host that is taken out of the
//! manifest goes on serving, and only what is remembered can name it.

use super::{Layout, careful, disk};
use crate::wire::FleetMember;

/// The longest that the note may be, bytes.
const LONGEST: u64 = 1 << 20;

const NAME: &str = "fleet.json";

/// The hosts that are noted; none where there is no note that can be read.
#[must_use]
pub fn read(layout: &Layout) -> Vec<FleetMember> {
    careful::json(&layout.state_file(NAME), LONGEST).unwrap_or_default()
}

/// Notes the hosts. Without the note a host that leaves is only not named, so that it cannot be
/// written is no failure.
pub fn keep(layout: &Layout, fleet: &[FleetMember]) {
    if read(layout) == fleet {
        return;
    }
    if let Ok(text) = serde_json::to_vec(fleet) {
        let _ = disk::write_atomic(&layout.state_file(NAME), &text, 0o600);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_remembered_and_damage_is_no_word() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::at(root.path());
        std::fs::create_dir_all(layout.state()).unwrap();
        assert_eq!(read(&layout), []);
        let member = |name: &str| FleetMember {
            name: name.try_into().unwrap(),
        };
        keep(&layout, &[member("deploy@web1"), member("deploy@web2")]);
        keep(&layout, &[member("deploy@web2")]);
        assert_eq!(read(&layout), [member("deploy@web2")]);
        std::fs::write(layout.state_file(NAME), "{").unwrap();
        assert_eq!(read(&layout), []);
    }
}
