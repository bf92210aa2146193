//! Whether something would fit in memory, said before it is begun.

use crate::{Error, Result};

/// Refuses work whose predicted `bytes` exceed 80 % of what the machine has free.
pub fn check_memory(what: &str, bytes: usize, advice: &str) -> Result<()> {
    let free = available();
    if bytes as f64 > free as f64 * 0.8 {
        return Err(Error::Invalid(format!(
            "Cannot {what}: needs {}, {} of memory are free. {advice}.",
            format_bytes(bytes),
            format_bytes(free)
        )));
    }
    Ok(())
}

/// Refuses a run of `samples` samples over `steps` steps as [`check_memory`] does, and says what would fit; `bytes` of
/// samples and steps says what such a run takes and grows with both.
pub fn check_run_memory(samples: usize, steps: usize, bytes: impl Fn(usize, usize) -> usize) -> Result<()> {
    let room = (available() as f64 * 0.8) as usize;
    let need = bytes(samples, steps);
    if need <= room {
        return Ok(());
    }
    check_memory("run", need, &what_would_fit(samples, steps, room, bytes))
}

/// Fewer samples, or fewer steps, with which a run would take no more than `room` bytes, in words.
fn what_would_fit(samples: usize, steps: usize, room: usize, bytes: impl Fn(usize, usize) -> usize) -> String {
    let most = |upto: usize, fits: &dyn Fn(usize) -> bool| {
        let (mut least, mut beyond) = (0, upto + 1);
        while beyond - least > 1 {
            let middle = least.midpoint(beyond);
            if fits(middle) { least = middle } else { beyond = middle }
        }
        least
    };
    let fewer = most(samples, &|samples| bytes(samples, steps) <= room);
    let shorter = most(steps, &|steps| bytes(samples, steps) <= room);
    match (fewer, shorter) {
        (0, 0) => "Use fewer samples and fewer time-steps".to_owned(),
        (fewer, 0) => format!("{} at T = {steps}", fit(fewer)),
        (0, shorter) => format!("T = {shorter} fits with {}", counted(samples)),
        (fewer, shorter) => {
            format!("{} at T = {steps}, or T = {shorter} with {}", fit(fewer), counted(samples))
        }
    }
}

fn fit(samples: usize) -> String {
    if samples == 1 { "1 sample fits".into() } else { format!("{samples} samples fit") }
}

fn counted(samples: usize) -> String {
    if samples == 1 { "1 sample".into() } else { format!("{samples} samples") }
}

/// Free memory in bytes; a careful guess where the system does not tell.
fn available() -> usize {
    let told = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    });
    told.map_or(4 << 30, |kib| kib * 1024)
}

/// Bytes in words: "12.3 MiB".
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
    fn a_run_that_cannot_fit_is_told_what_would() {
        let told = |samples, steps| what_would_fit(samples, steps, 100, |samples, steps| samples * steps);
        assert_eq!(told(50, 20), "5 samples fit at T = 20, or T = 2 with 50 samples");
        assert_eq!(told(1, 1000), "T = 100 fits with 1 sample");
        assert_eq!(told(1000, 64), "1 sample fits at T = 64");
        assert_eq!(told(1000, 1000), "Use fewer samples and fewer time-steps");
        assert!(check_run_memory(1, 1, |_, _| 1).is_ok());
        let error = check_run_memory(2, 2, |samples, _| usize::MAX / 3 * samples).unwrap_err().to_string();
        assert!(error.contains("Cannot run: needs") && error.contains("Use fewer samples"), "{error}");
    }

    #[test]
    fn what_cannot_fit_is_refused_with_advice() {
        let error = check_memory("run", usize::MAX / 2, "Use fewer samples").unwrap_err();
        assert!(error.to_string().contains("Use fewer samples"));
        assert!(check_memory("a byte", 1, "").is_ok());
        assert_eq!(format_bytes(1536), "1.5 KiB");
    }
}
