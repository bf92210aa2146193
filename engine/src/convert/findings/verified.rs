//! Finding from comparing the network with reference outputs stored beside its file.

use super::Finding;
use crate::Result;
use crate::compute::verify::Verification;

/// The comparison as a finding: a note if the network reproduces its stored outputs, a warning if it does not or if the
/// stored values cannot be compared.
pub fn verified(outcome: &Result<Verification>) -> Finding {
    let kind = "verification";
    match outcome {
        Ok(found) => {
            let name = found.source.file_name().unwrap_or_default().to_string_lossy();
            let compared = format!(
                "compared with the {} stored sample(s) of {name}: the largest difference is {:.2e} in output '{}' (values up to {:.3})",
                found.samples, found.largest, found.output, found.scale
            );
            match found.agrees() {
                true => Finding::note(kind, None, format!("verified: {compared}")),
                false => Finding::warning(
                    kind,
                    None,
                    format!("the network does not reproduce its stored outputs: {compared}"),
                ),
            }
        }
        Err(error) => {
            Finding::warning(kind, None, format!("the stored outputs next to the network cannot be compared: {error}"))
        }
    }
}
