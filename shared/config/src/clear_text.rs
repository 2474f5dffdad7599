//! Secrets in clear anywhere in the file, comments included, by the form that their vendors give them.
//!
//! Invariant: a mistake names the line and the kind of secret, and repeats nothing of it.

use crate::Mistake;

/// What a secret begins with, how many characters follow at least, and what it is.
const FORMS: [(&str, usize, &str); 14] = [
    ("xoxb-", 10, "a Slack bot token"),
    ("xoxp-", 10, "a Slack token"),
    ("xapp-", 10, "a Slack token"),
    ("hooks.slack.com/services/T", 10, "a Slack webhook's address"),
    ("ghp_", 20, "a GitHub token"),
    ("gho_", 20, "a GitHub token"),
    ("ghs_", 20, "a GitHub token"),
    ("github_pat_", 20, "a GitHub token"),
    ("lin_api_", 20, "a Linear API key"),
    ("lin_oauth_", 20, "a Linear token"),
    ("ATATT", 20, "an Atlassian API token"),
    ("whsec_", 16, "a webhook's signing secret"),
    ("AKIA", 16, "an AWS access key"),
    ("-----BEGIN ", 2, "a private key"),
];

/// A mistake for each line that holds what looks like a secret.
pub(crate) fn mistakes(text: &str) -> Vec<Mistake> {
    let found = text.lines().enumerate().filter_map(|(index, line)| {
        let (_, _, kind) = FORMS.iter().find(|(begins, chars_min, _)| holds(line, begins, *chars_min))?;
        let mend = "remove it, make a new one at its vendor, and write ${NAME} for a variable of the environment";
        Some(Mistake::new("", index + 1, format!("this line holds {kind} in clear"), mend))
    });
    found.collect()
}

fn holds(line: &str, begins: &str, chars_min: usize) -> bool {
    line.match_indices(begins).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let whole_word = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '+' | '=');
        let following = line[at + begins.len()..].chars().take_while(fits).count();
        whole_word && following >= chars_min
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_form_and_a_mention_of_it_is_none() {
        let tail = "0123456789abcdefghijABCDEFGHIJ";
        for (begins, _, kind) in FORMS {
            for line in [format!("  token: {begins}{tail}"), format!("# \"{begins}{tail}\" was it")] {
                let found = mistakes(&format!("sources:\n{line}\n"));
                assert_eq!(found.len(), 1, "{line}");
                assert!(found[0].line == 2 && found[0].what.contains(kind) && !found[0].to_string().contains(tail));
            }
            let mention = format!("a token begins with {begins}, see there; token: ${{{begins}}} x{begins}{tail}");
            assert!(mistakes(&mention).is_empty(), "{begins}");
        }
        assert!(mistakes("receivers: [AKIA, whsec_short]").is_empty());
    }
}
