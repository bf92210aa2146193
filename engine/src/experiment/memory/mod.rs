//! Memory checks: refuses work whose estimated size exceeds the free memory.

pub mod freed;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Error, Result};

/// Limit that the user set, in bytes.
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Limits all later work of this process to `bytes`, also if more is free.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// What work may take, in bytes.
fn usable_bytes() -> usize {
    ((available_bytes() as f64 * 0.8) as usize).min(LIMIT.load(Ordering::Relaxed))
}

/// Refuses work whose estimated `bytes` exceed 80 % of the free memory.
///
/// # Errors
/// [`Error::Invalid`] with both sizes and `advice`.
pub fn check_memory(what: &str, bytes: usize, advice: &str) -> Result<()> {
    let limit = LIMIT.load(Ordering::Relaxed);
    if bytes > limit {
        return Err(Error::Invalid(format!(
            "Cannot {what}: needs {}, but memory is limited to {}. {advice}.",
            format_bytes(bytes),
            format_bytes(limit)
        )));
    }
    let free = available_bytes();
    if bytes as f64 > free as f64 * 0.8 {
        return Err(Error::Invalid(format!(
            "Cannot {what}: needs {}, but {} may be used, 80 % of the {} of memory that are free. {advice}.",
            format_bytes(bytes),
            format_bytes((free as f64 * 0.8) as usize),
            format_bytes(free)
        )));
    }
    Ok(())
}

/// Refuses a run of `samples` samples over `steps` steps as [`check_memory`] does, and names sizes that fit. `bytes(samples,
/// steps)` estimates the size of a run and grows with both.
///
/// # Errors
/// [`Error::Invalid`] with both sizes and what fits.
pub fn check_run_memory(samples: usize, steps: usize, bytes: impl Fn(usize, usize) -> usize) -> Result<()> {
    let limit = usable_bytes();
    let need = bytes(samples, steps);
    if need <= limit {
        return Ok(());
    }
    check_memory(
        &format!("run {} over T = {steps}", format_samples(samples)),
        need,
        &describe_what_fits(samples, steps, limit, bytes),
    )
}

/// Advice: the largest number of samples, or of steps, with which a run takes at most `limit` bytes.
fn describe_what_fits(samples: usize, steps: usize, limit: usize, bytes: impl Fn(usize, usize) -> usize) -> String {
    let max_fitting = |upto: usize, fits: &dyn Fn(usize) -> bool| {
        let (mut fitting, mut too_large) = (0, upto + 1);
        while too_large - fitting > 1 {
            let middle = fitting.midpoint(too_large);
            if fits(middle) { fitting = middle } else { too_large = middle }
        }
        fitting
    };
    let fewer = max_fitting(samples, &|samples| bytes(samples, steps) <= limit);
    let shorter = max_fitting(steps, &|steps| bytes(samples, steps) <= limit);
    match (fewer, shorter) {
        (0, 0) => "Use fewer samples and fewer time-steps".to_owned(),
        (fewer, 0) => format!("{} at T = {steps}", format_fitting(fewer)),
        (0, shorter) => format!("T = {shorter} fits with {}", format_samples(samples)),
        (fewer, shorter) => {
            format!("{} at T = {steps}, or T = {shorter} with {}", format_fitting(fewer), format_samples(samples))
        }
    }
}

fn format_fitting(samples: usize) -> String {
    if samples == 1 { "1 sample fits".into() } else { format!("{samples} samples fit") }
}

fn format_samples(samples: usize) -> String {
    if samples == 1 { "1 sample".into() } else { format!("{samples} samples") }
}

/// Free memory in bytes; 4 GiB if the system does not report it.
fn available_bytes() -> usize {
    let reported = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    });
    reported.map_or(4 << 30, |kib| kib * 1024)
}

/// Formats a number of bytes: "12.3 MiB".
pub fn format_bytes(bytes: usize) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_does_not_fit_gets_sizes_that_fit() {
        let advice = |samples, steps| describe_what_fits(samples, steps, 100, |samples, steps| samples * steps);
        assert_eq!(advice(50, 20), "5 samples fit at T = 20, or T = 2 with 50 samples");
        assert_eq!(advice(1, 1000), "T = 100 fits with 1 sample");
        assert_eq!(advice(1000, 64), "1 sample fits at T = 64");
        assert_eq!(advice(1000, 1000), "Use fewer samples and fewer time-steps");
        assert!(check_run_memory(1, 1, |_, _| 1).is_ok());
        let error = check_run_memory(2, 2, |samples, _| usize::MAX / 3 * samples).unwrap_err().to_string();
        assert!(
            error.contains("Cannot run 2 samples over T = 2: needs") && error.contains("Use fewer samples"),
            "{error}"
        );
    }

    #[test]
    fn work_that_does_not_fit_is_refused_with_advice() {
        let error = check_memory("run", usize::MAX / 2, "Use fewer samples").unwrap_err();
        assert!(error.to_string().contains("Use fewer samples"));
        assert!(check_memory("a byte", 1, "").is_ok());
        assert_eq!(format_bytes(1536), "1.5 KiB");
    }
}
