//! How long to wait before a delivery is tried again.
//!
//! Invariant: never shorter than the vendor asked for, and the same delivery's same attempt always waits equally long.

use domain::DeliveryId;

/// The longest wait between two attempts, unless the vendor asks for more.
const WAIT_SECS_MAX: u64 = 300;

/// A vendor's wish is honoured up to an hour; SQS can hide a message for twelve.
const VENDOR_WAIT_SECS_MAX: u64 = 3600;

/// Seconds before the next attempt: doubling from 2 to [`WAIT_SECS_MAX`], of which half is spread by the delivery's id
/// so that deliveries that failed together do not come back together; at least what the vendor asked for.
pub(crate) fn wait_secs(id: &DeliveryId, attempts: u32, vendor_secs: Option<u64>) -> u32 {
    let ceiling = 2_u64.saturating_pow(attempts.max(1)).min(WAIT_SECS_MAX);
    let seed = id.to_string().bytes().fold(u64::from(attempts), |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    let spread = fastrand::Rng::with_seed(seed).u64(0..=ceiling / 2);
    let wished = vendor_secs.unwrap_or(0).min(VENDOR_WAIT_SECS_MAX);
    u32::try_from((ceiling - spread).max(wished)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(receiver: &str) -> DeliveryId {
        let incident = domain::IncidentId::try_from("abc-1-2".to_owned()).unwrap();
        DeliveryId { incident, receiver: receiver.to_owned(), seq: 0 }
    }

    #[test]
    fn it_grows_to_its_ceiling_and_stays_there() {
        for attempts in 1..60 {
            let wait = u64::from(wait_secs(&id("on-call"), attempts, None));
            let ceiling = 2_u64.saturating_pow(attempts).min(WAIT_SECS_MAX);
            assert!((ceiling / 2..=ceiling).contains(&wait), "{attempts}: {wait}");
        }
    }

    #[test]
    fn the_vendor_is_heard_within_reason() {
        assert_eq!(wait_secs(&id("on-call"), 1, Some(30)), 30);
        assert_eq!(u64::from(wait_secs(&id("on-call"), 1, Some(u64::MAX))), VENDOR_WAIT_SECS_MAX);
    }

    #[test]
    fn deliveries_do_not_come_back_together() {
        let waits: std::collections::BTreeSet<u32> =
            (0..50).map(|n| wait_secs(&id(&format!("receiver-{n}")), 8, None)).collect();
        assert!(waits.len() > 25);
    }
}
