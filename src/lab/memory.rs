//! Whether something would fit in memory, said before it is begun.

use crate::{Error, Result};

/// Refuses work whose predicted `bytes` exceed 80 % of what the machine has free.
pub fn refuse_if_too_large(what: &str, bytes: usize, advice: &str) -> Result<()> {
    let free = available();
    if bytes as f64 > free as f64 * 0.8 {
        return Err(Error::Invalid(format!(
            "{what} would need {} but only {} of memory are free; {advice}",
            human_bytes(bytes),
            human_bytes(free)
        )));
    }
    Ok(())
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
pub fn human_bytes(bytes: usize) -> String {
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
    fn what_cannot_fit_is_refused_with_advice() {
        let error = refuse_if_too_large("the recording", usize::MAX / 2, "use fewer samples").unwrap_err();
        assert!(error.to_string().contains("use fewer samples"));
        assert!(refuse_if_too_large("a byte", 1, "").is_ok());
        assert_eq!(human_bytes(1536), "1.5 KiB");
    }
}
