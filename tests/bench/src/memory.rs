//! A process's memory, as Linux tells it.
//!
//! Invariant: what cannot be read is an error, never nought.

use anyhow::Context;

/// Resident memory now, in MiB.
pub(crate) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    read(pid, "VmRSS:")
}

/// The most resident memory that the process had so far, in MiB.
pub(crate) fn peak_mib(pid: u32) -> anyhow::Result<f64> {
    read(pid, "VmHWM:")
}

fn read(pid: u32, name: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("memory is read on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("/proc/{pid}/status has no {name}"))?;
    let kib: u32 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(f64::from(kib) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_had_no_less() -> anyhow::Result<()> {
        let own = std::process::id();
        let (resident, peak) = (resident_mib(own)?, peak_mib(own)?);
        assert!(resident > 0.5 && peak >= resident, "{resident} {peak}");
        assert!(read(own, "VmNothing:").is_err());
        Ok(())
    }
}
