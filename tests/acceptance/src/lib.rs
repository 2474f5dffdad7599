//! Acceptance tests: the whole way of an alert.
