//! Keeps the structure that reviews would otherwise have to: which crate may import which, how files are named and
//! opened, how long they are, and where the clock is read.
//!
//! Invariant: a rule is a pure function from what was read to the places that break it, each with its mend; an empty
//! list is a pass. Only [`Workspace::read`] touches the disk.

mod floors;
mod manifests;
mod sources;
mod threats;
mod workspace;

pub use floors::{climbs, engines_deployed, impure, unplaced};
pub use manifests::{without_workspace_lints, wrong_at_top};
pub use sources::{banned_names, clock_reads, long_files, long_roofs, unfinished, unopened};
pub use threats::unshown;
pub use workspace::{Dependency, Package, SourceFile, Workspace};
