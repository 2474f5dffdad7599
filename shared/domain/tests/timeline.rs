//! The timeline's hash chain.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use tocsin_domain::{Entry, Event, Reason, TimelineHead, Timestamp, verify};

fn entries() -> Vec<Entry> {
    let mut head = TimelineHead::default();
    (0..4)
        .map(|i| {
            let event = Event::Suppressed { reason: Reason::Duplicate };
            head.append(&event, Timestamp::from_second(i).expect("in range")).expect("writable")
        })
        .collect()
}

#[track_caller]
fn check_broken(change: impl FnOnce(&mut Vec<Entry>), seq: u32) {
    let mut entries = entries();
    change(&mut entries);
    assert_eq!(verify(&entries).expect_err("must not hold").seq, seq);
}

#[test]
fn an_untouched_chain_holds() {
    verify(&entries()).expect("holds");
}

#[test]
fn a_changed_entry_breaks_it() {
    check_broken(|e| e[1].body = e[1].body.replace("duplicate", "cleared"), 1);
    check_broken(|e| e[2].at = Timestamp::from_second(99).expect("in range"), 2);
}

#[test]
fn a_missing_or_moved_entry_breaks_it() {
    check_broken(|e| drop(e.remove(1)), 1);
    check_broken(|e| e.swap(2, 3), 2);
    check_broken(|e| drop(e.remove(0)), 0);
}
