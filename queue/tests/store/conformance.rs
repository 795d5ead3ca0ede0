//! Every check of a queue, on the store.

use crate::support::InFolder;

meanwhile_testkit::queue!(InFolder::new);
