//! The small sets that `cargo test` uses: one of each kind that the large ones have many of, and some that they lack.
//!
//! Invariant: written for this project; names and meaning as in the large sets.

use crate::json_bodies::Case;

/// Bodies by name: `y_` is JSON, `n_` is none, `i_` is left to the reader.
#[must_use]
pub fn json_bodies() -> Vec<Case> {
    let texts: [(&str, &[u8]); 44] = [
        ("y_empty_object", b"{}"),
        ("y_empty_array", b"[]"),
        ("y_null", b"null"),
        ("y_text_alone", b"\"text\""),
        ("y_number_alone", b"-0.5e-3"),
        ("y_white_space_around", b" \t\r\n[ 1 , 2 ]\n"),
        ("y_escapes", br#"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]"#),
        ("y_nul_escaped", br#"{"\u0000":"\u0000"}"#),
        ("y_noncharacters", "[\"\u{fffe}\u{10ffff}\u{7f}\"]".as_bytes()),
        ("y_same_key_twice", br#"{"a":1,"a":2}"#),
        ("y_same_key_twice_escaped", br#"{"a":1,"\u0061":2}"#),
        ("y_many_digits", b"[123456789012345678901234567890.00000000000000000001]"),
        ("y_line_separator", "[\"\u{2028}\u{2029}\"]".as_bytes()),
        ("y_key_empty", br#"{"":{"":""}}"#),
        ("n_empty", b""),
        ("n_white_space", b" \n"),
        ("n_two_values", b"{}{}"),
        ("n_comma_at_end", b"[1,]"),
        ("n_comma_alone", b"[,]"),
        ("n_colon_missing", br#"{"a" 1}"#),
        ("n_unclosed_object", br#"{"a":1"#),
        ("n_unclosed_text", b"[\"a]"),
        ("n_single_quotes", b"['a']"),
        ("n_no_quotes", b"{a:1}"),
        ("n_comment", b"[1] // one"),
        ("n_block_comment", b"[/**/1]"),
        ("n_leading_zero", b"[012]"),
        ("n_plus", b"[+1]"),
        ("n_bare_point", b"[1.]"),
        ("n_hexadecimal", b"[0x1]"),
        ("n_nan_in_lower_case", b"[nan]"),
        ("n_control_in_text", b"[\"a\x01b\"]"),
        ("n_line_break_in_text", b"[\"a\nb\"]"),
        ("n_nul_after", b"[1]\0"),
        ("n_wrong_escape", br#"["\x41"]"#),
        ("n_short_escape", br#"["\u12"]"#),
        ("n_not_utf8", b"[\"\xff\"]"),
        ("n_overlong_utf8", b"[\"\xc0\xaf\"]"),
        ("n_surrogate_in_utf8", b"[\"\xed\xa0\x80\"]"),
        ("n_byte_order_mark_alone", b"\xef\xbb\xbf"),
        ("n_python_true", b"[True]"),
        ("i_byte_order_mark", b"\xef\xbb\xbf{}"),
        ("i_lone_surrogate", br#"["\ud800"]"#),
        ("i_huge_number", b"[1e400,-1e400]"),
    ];
    let mut cases: Vec<Case> =
        texts.iter().map(|(name, bytes)| Case { name: (*name).to_owned(), bytes: bytes.to_vec() }).collect();
    let nested = |open: &str, close: &str, depth: usize| [open.repeat(depth), close.repeat(depth)].concat();
    cases.push(Case { name: "y_nested_60".to_owned(), bytes: nested("[", "]", 60).into_bytes() });
    cases.push(Case { name: "i_nested_500".to_owned(), bytes: nested("[", "]", 500).into_bytes() });
    cases.push(Case { name: "n_opened_100000".to_owned(), bytes: nested("[", "", 100_000).into_bytes() });
    cases.push(Case { name: "n_opened_objects".to_owned(), bytes: nested("[{\"\":", "", 50_000).into_bytes() });
    cases
}

/// Texts that were made to break what reads or shows them.
#[must_use]
pub fn naughty() -> Vec<String> {
    let texts = [
        "",
        "   ",
        "null",
        "NaN",
        "-1e999",
        "true",
        "0x7f",
        "1;DROP TABLE incidents",
        "' OR 1=1 -- ",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "https://user:password@evil.example/",
        "https://evil.example/<!channel>|here",
        "<!channel>",
        "<!here|here>",
        "@here @channel @everyone",
        "<@U0123ABCD> <#C0123ABCD> <!subteam^S0123>",
        "&lt;!channel&gt; &amp;amp;",
        "*bold* _it_ ~gone~ `code` ```block```",
        "**bold** [a](https://evil.example) ![b](x)",
        "# Title\n---\n~ note\n- item\n1. step",
        "{{service}} {{{severity}}} {{#each labels}}x{{/each}} {{> x}}",
        "${HOSTILE_SLACK_TOKEN} $(whoami) `id` %s%n",
        "../../../etc/passwd\u{0}.png",
        "a\r\nx-injected: yes\r\n\r\nbody",
        "\u{0}\u{1}\u{1b}[31mred\u{7f}\u{85}",
        "\u{202e}txet\u{202c} \u{2066}x\u{2069} \u{200f}y\u{200e}z\u{61c}",
        "\u{feff}\u{200b}\u{ad}",
        "Z\u{336}\u{353}a\u{35f}\u{489}l\u{334}g\u{322}o\u{31b}",
        "👩‍👩‍👧‍👦 🇺🇸🇷 ﷽ 𝔘𝔫𝔦",
        "社會科學院語學研究所 ΩÅ ｶﾀｶﾅ",
        "\u{fffe}\u{ffff}\u{e000}\u{10ffff}",
        "İIiı ß ﬁ",
    ];
    let long = ["x".repeat(5000), "🔥".repeat(1500), "&<>".repeat(2000), "\\".repeat(3000)];
    texts.into_iter().map(str::to_owned).chain(long).collect()
}
