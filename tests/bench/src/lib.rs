//! Benchmarks of the whole way.
