//! How each source's webhook is registered, with address, header and the variable that holds its secret. What to do at its
//! vendor, its own file in `shared/sources` says.
//!
//! Invariant: every kind of source is told of, as it proves who it is by default.

use std::path::Path;

use sources::{Auth, Kind};

use crate::example::CONFIG;

/// Everything that is said after the files were written.
pub(super) fn lines(url: &str, config: &Path, templates: bool, fresh: &[(String, String)]) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "Secrets are read from the environment; no file holds them. Fresh ones for the sources:".to_owned(),
    ];
    lines.extend(fresh.iter().map(|(name, secret)| format!("  export {name}='{secret}'")));
    lines.push("What the vendors give you; without one, `tocsin local` sends to a stand-in:".to_owned());
    let places = config::secret_places(CONFIG);
    let of_vendors = places.iter().filter(|(path, _)| !path.starts_with("sources."));
    lines.extend(of_vendors.map(|(path, name)| format!("  export {name}=      # {path}")));
    lines.push(String::new());
    lines.push("Register the webhooks of the sources that you have:".to_owned());
    lines.extend(Kind::ALL.iter().flat_map(|kind| registration(*kind, url)));
    lines.push(String::new());
    lines.push("Next:".to_owned());
    let config = config.display();
    let folder = if templates { " --templates templates" } else { "" };
    for (command, does) in [
        (format!("tocsin check {config}"), "every mistake at once"),
        (format!("tocsin route --config {config} --event EVENT.json"), "which rule an event comes to, and why"),
        (format!("tocsin render --config {config} --event EVENT.json --out preview"), "every message, as a page"),
        (format!("tocsin local --config {config}{folder}"), "the whole orchestrator in this process"),
        (format!("tocsin doctor --config {config}"), "whether every vendor is ready"),
    ] {
        lines.push(format!("  {command}    # {does}"));
    }
    lines
}

/// Of one kind, whose source is named as the kind is.
fn registration(kind: Kind, base: &str) -> Vec<String> {
    let (name, auth, variable) = (kind.as_str(), kind.default_auth(), variable(kind));
    let url = format!("{}/alerts/{name}", base.trim_end_matches('/'));
    let said = |line: &str| CONFIG.lines().any(|own| own.starts_with(line));
    let there = match (said(&format!("  {name}:")), said(&format!("  # {name}:"))) {
        (true, _) => String::new(),
        (false, true) => "; take the # from its line in the config".to_owned(),
        (false, false) if auth == Auth::SNS => format!("; add to sources: {name}: {{ auth: {{ topics: [ARN] }} }}"),
        (false, false) => format!("; add to sources: {name}: {{ auth: {{ secrets: [\"${{{variable}}}\"] }} }}"),
    };
    let fill = |line: &&str| format!("    {}", line.replace("{url}", &url).replace("{secret}", &variable));
    let head = format!("  {name} ({auth}{there})");
    std::iter::once(head).chain(kind.registration().iter().map(fill)).collect()
}

/// The variable that holds a source's secret; SNS has none.
fn variable(kind: Kind) -> String {
    format!("TOCSIN_{}_SECRET", kind.as_str().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_source_is_registered_as_it_proves_who_it_is() {
        for kind in Kind::ALL {
            let (name, auth, variable) = (kind.as_str(), kind.default_auth(), variable(*kind));
            assert!(Auth::KINDS.contains(&auth));
            let text = registration(*kind, "https://alerts.acme.example/").join("\n");
            assert!(text.contains(&format!("https://alerts.acme.example/alerts/{name}")), "{text}");
            assert_eq!(text.contains(&format!("${variable}")), auth != Auth::SNS, "{text}");
            assert!(!text.contains("{url}") && !text.contains("{secret}"), "{text}");
            // Where the example config has it, in use or behind its `#`, it names that variable.
            let is_there = CONFIG.contains(&format!("  {name}:")) || CONFIG.contains(&format!("  # {name}:"));
            assert!(auth == Auth::SNS || !is_there || CONFIG.contains(&format!("${{{variable}}}")), "{variable}");
            assert!(is_there != text.contains("add to sources"), "{text}");
        }
    }
}
