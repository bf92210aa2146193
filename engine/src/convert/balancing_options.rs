//! Options of local threshold balancing: batches, step size, update order and cap.

use crate::{Error, Result};

/// Constants of local threshold balancing ([`super::threshold_balancing`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BalancingOptions {
    pub batches: usize,
    /// Samples in a batch; batches wrap around the calibration samples.
    pub size: usize,
    /// Step size η.
    pub step: f32,
    /// Clip with θ before the update (the paper's listing) instead of after it (its program).
    pub clip_first: bool,
    /// Limit θ to the largest activation so far.
    pub cap: bool,
}

impl Default for BalancingOptions {
    fn default() -> Self {
        Self { batches: 64, size: 32, step: 1.0, clip_first: false, cap: false }
    }
}

impl BalancingOptions {
    /// Parses `8x32`, followed by any of `,step=0.5`, `,clip-first`, `,cap`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::Invalid(format!(
                "threshold 'balance:{text}': {why}; write balance:BATCHESxSIZE[,step=1][,clip-first][,cap]"
            ))
        };
        let mut parts = text.split(',').map(str::trim);
        let (batches, size) = parts.next().and_then(|p| p.split_once('x')).ok_or_else(|| bad("no BATCHESxSIZE"))?;
        let number = |t: &str| t.trim().parse::<usize>().map_err(|_| bad("batches and size must be whole numbers"));
        let mut balance = Self { batches: number(batches)?, size: number(size)?, ..Self::default() };
        for part in parts {
            match part.split_once('=') {
                None if part == "clip-first" => balance.clip_first = true,
                None if part == "cap" => balance.cap = true,
                Some(("step", step)) => balance.step = step.parse().map_err(|_| bad("the step must be a number"))?,
                _ => return Err(bad(&format!("'{part}' is not known"))),
            }
        }
        balance.check()?;
        Ok(balance)
    }

    /// Checks the constants.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the allowed range.
    pub fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        if self.batches == 0 || self.size == 0 || self.batches > 100_000 || self.size > 65_536 {
            return refuse("balancing needs 1 to 100000 batches of 1 to 65536 samples".into());
        }
        if !(self.step > 0.0 && self.step <= 2.0) {
            return refuse(format!("the balancing step is {}; it must be above 0 and at most 2", self.step));
        }
        Ok(())
    }

    /// Updates one threshold by the pre-activations `z` of a batch; `largest` is the running maximum.
    pub(super) fn update(&self, theta: f32, z: impl Iterator<Item = f32>, largest: &mut f32) -> f32 {
        let (mut sum, mut count) = (0.0f64, 0usize);
        for z in z {
            count += 1;
            *largest = largest.max(z);
            if z > theta {
                sum += 2.0 * f64::from(z - theta);
            }
        }
        let raised = theta + self.step * (sum / count.max(1) as f64) as f32;
        // The cap limits an increase; it never lowers θ.
        if self.cap { raised.min(largest.max(theta)) } else { raised }
    }
}

impl std::fmt::Display for BalancingOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.batches, self.size)?;
        if self.step != 1.0 {
            write!(f, ",step={}", self.step)?;
        }
        if self.clip_first {
            f.write_str(",clip-first")?;
        }
        if self.cap { f.write_str(",cap") } else { Ok(()) }
    }
}
