//! What a manifest must say, and what may lie beside the root one.
//!
//! Invariant: no package has lints of its own, so that a lint is loosened for all or for one named line.

use crate::Package;

/// What may lie at the top besides dotfiles, licences and what `.gitignore` names.
const TOP_LEVEL: [&str; 9] =
    ["Cargo.lock", "Cargo.toml", "README.md", "events", "functions", "infra", "shared", "templates", "tests"];

/// What `.gitignore` names: build output, and where `tocsin local --data` writes.
const IGNORED: [&str; 2] = ["data", "target"];

/// Packages whose manifest does not take the workspace's lints.
#[must_use]
pub fn without_workspace_lints(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| !takes_workspace_lints(&package.manifest))
        .map(|package| {
            format!(
                "{}/Cargo.toml: does not take the workspace's lints; write `[lints]` and below it `workspace = true`",
                package.folder
            )
        })
        .collect()
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]")
        && lines.take_while(|line| !line.starts_with('[')).any(|l| l == "workspace = true")
}

/// Files and folders that may not lie at the top.
#[must_use]
pub fn wrong_at_top(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| !may_lie_at_top(name))
        .map(|name| format!("{name}: may not lie at the top; move it into the folder that its reader opens"))
        .collect()
}

fn may_lie_at_top(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("LICENSE-") || TOP_LEVEL.contains(&name) || IGNORED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(manifest: &str) -> Package {
        Package {
            name: "tocsin-web".to_owned(),
            folder: "shared/web".to_owned(),
            dependencies: Vec::new(),
            manifest: manifest.to_owned(),
        }
    }

    #[test]
    fn lints_are_taken_only_by_the_section_that_takes_them() {
        for (manifest, broken) in [
            ("[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n", 0),
            ("[lints]\n\n[dependencies]\nworkspace = true\n", 1),
            ("[lints.rust]\nunsafe_code = \"allow\"\n", 1),
            ("[lints]\nworkspace = false\n", 1),
            ("[package]\nname = \"x\"\n", 1),
        ] {
            assert_eq!(without_workspace_lints(&[package(manifest)]).len(), broken, "{manifest}");
        }
    }

    #[test]
    fn the_top_holds_what_is_listed_and_nothing_else() {
        let names = [".github", "Cargo.toml", "LICENSE-MIT", "NOTES.md", "scripts", "target", "tests"];
        let broken = wrong_at_top(&names.map(str::to_owned));
        assert_eq!(broken.len(), 2, "{broken:#?}");
        assert!(broken.iter().zip(["NOTES.md: ", "scripts: "]).all(|(found, start)| found.starts_with(start)));
    }
}
