//! Arrays of the command: maps that are written.

use std::path::Path;

use super::report::Report;
use crate::Result;
use crate::attack::ImageForm;
use crate::data::write_npz_with;

/// Writes one array `[N, C, H, W]` for each method; with several T their names end in `_t4`, `_t8`, ….
pub fn write_maps(path: &Path, form: ImageForm, report: &Report<'_>) -> Result<()> {
    write_npz_with(path, |npz| {
        for at in &report.at {
            let count = at.explanation.targets.len();
            let shape = [count, form.channels, form.height, form.width];
            for of_method in &at.explanation.maps {
                let name = match (report.at.len(), at.steps) {
                    (2.., Some(steps)) => format!("{}_t{steps}", of_method.method.array()),
                    _ => of_method.method.array(),
                };
                npz.array(&name, &shape, &form.channels_first(&of_method.maps))?;
            }
        }
        Ok(())
    })
}
