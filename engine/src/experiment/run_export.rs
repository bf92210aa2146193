//! Export of a finished run: writes the format of the file extension.

use std::path::Path;

use super::run::Run;
use crate::error::format_shape;
use crate::export::nir::{NirReader, NirTarget, graph};
use crate::export::{html_report, recording, results_table};
use crate::files::write_bytes;
use crate::network::nir;
use crate::progress::JobControl;
use crate::{Error, Result};

/// File extensions of a run export, and their descriptions.
pub const FORMATS: [(&str, &str); 6] = [
    ("html", "a one-page report"),
    ("nir", "the converted network as a NIR graph"),
    ("npz", "the recording as numpy arrays"),
    ("nirdata", "the recording's spikes as NIRData (HDF5)"),
    ("csv", "all numbers in long format"),
    ("parquet", "the same in Parquet format"),
];

/// First line of the remark with the Python for a reader.
pub const REMARK_PYTHON: &str = "Python that opens it and makes it agree with this run (also in its metadata):";

/// Writes `run` to `path` atomically: a failure or a cancellation leaves no file. Returns remarks for the user, in sentences.
///
/// # Errors
/// [`Error::Invalid`] for an unknown extension, or a network that the format cannot represent, with every reason;
/// [`Error::Io`] if writing fails; [`Error::Cancelled`].
pub fn export_run(run: &Run, path: &Path, target: impl Into<NirTarget>, control: &JobControl) -> Result<Vec<String>> {
    control.check()?;
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "nir" => export_nir(run, path, target.into(), control),
        "npz" => {
            let recording_with_state = run.full_recording(control)?;
            // The values of event recordings change from step to step: all samples and steps come first.
            let mut shape = run.network.program.network().input_shape().to_vec();
            let sample: usize = shape.iter().product();
            shape.insert(0, run.input.len() / sample.max(1));
            let input = (shape.as_slice(), run.input.as_slice());
            recording::write_archive(path, &run.spiking, &recording_with_state, input, control).map(|()| Vec::new())
        }
        "nirdata" | "h5" => {
            let network = run.network.program.network();
            recording::write_nir_data(path, network, &run.spiking, &run.recording, control).map(|()| Vec::new())
        }
        "html" | "htm" => {
            let settings = settings(run);
            let input = html_report::ReportInput {
                title: &run.network.original.name,
                settings: &settings,
                findings: &run.findings,
                report: &run.report,
                sentence: &run.summary(),
            };
            write_bytes(path, html_report::render_report(&input)?.as_bytes()).map(|()| Vec::new())
        }
        "csv" => write_bytes(path, results_table::to_csv(&rows(run)).as_bytes()).map(|()| Vec::new()),
        "parquet" => write_bytes(path, &results_table::to_parquet(&rows(run))?).map(|()| Vec::new()),
        _ => {
            let known: Vec<String> = FORMATS.iter().map(|(extension, what)| format!(".{extension} ({what})")).collect();
            Err(Error::Invalid(format!("Cannot write {}: unknown format. Use {}.", path.display(), known.join(", "))))
        }
    }
}

fn export_nir(run: &Run, path: &Path, target: NirTarget, control: &JobControl) -> Result<Vec<String>> {
    let extra = [
        ("scale".to_owned(), run.settings.scaling.to_string()),
        ("model".to_owned(), run.network.original.name.clone()),
    ];
    let export = graph(run.network.program.network(), &run.spiking, &run.settings.recipe, target, &extra);
    let reader = target.reader;
    let Some(graph) = export.graph else {
        let by = if reader == NirReader::Nir { "NIR" } else { reader.package() };
        let reasons = export.report.reasons.join("; ");
        return Err(Error::Invalid(format!("Cannot write {}: unsupported by {by}: {reasons}.", path.display())));
    };
    control.check()?;
    control.progress("writing", 0.3);
    let bytes = nir::to_bytes(&graph)?;
    control.progress("writing", 0.8);
    control.check()?;
    write_bytes(path, &bytes)?;
    let whom = if reader == NirReader::Nir { String::new() } else { format!(" for {}", reader.package()) };
    let mut remarks = vec![format!("this NIR graph is {}{whom}", export.report.grade.as_str())];
    remarks.extend(export.report.reasons);
    if reader != NirReader::Nir {
        let file = path.file_name().map_or_else(|| "net.nir".into(), |name| name.to_string_lossy());
        let lines: Vec<String> = export.python.iter().map(|line| line.replace("net.nir", &file)).collect();
        remarks.push(format!("{REMARK_PYTHON}\n{}", lines.join("\n")));
    }
    Ok(remarks)
}

fn rows(run: &Run) -> Vec<results_table::Row> {
    results_table::rows(&run.network.original.name, &run.report)
}

/// The settings by their command-line names.
fn settings(run: &Run) -> Vec<(String, String)> {
    let settings = &run.settings;
    let range = |r: &std::ops::Range<usize>| format!("{}..{}", r.start, r.end);
    let mut all = vec![
        ("model".to_owned(), settings.model.clone()),
        ("data".to_owned(), settings.data.clone()),
        (
            "output".to_owned(),
            run.network.answers.and_then(|k| run.network.outputs.get(k).cloned()).unwrap_or_default(),
        ),
        ("input".to_owned(), run.network.stated_input.as_deref().map(format_shape).unwrap_or_default()),
        ("dt".to_owned(), settings.dt.map(|dt| dt.to_string()).unwrap_or_default()),
        ("samples".to_owned(), range(&settings.samples)),
        ("calibrate".to_owned(), range(&settings.calibrate)),
        ("scale".to_owned(), settings.scaling.to_string()),
    ];
    all.retain(|(_, value)| !value.is_empty());
    // The recipe under the names that recipe files use.
    if let Ok(toml::Value::Table(recipe)) = toml::Value::try_from(&settings.recipe) {
        // An empty table (no manual thresholds) is omitted.
        let entries = recipe.into_iter().filter(|(_, value)| value.as_table().is_none_or(|table| !table.is_empty()));
        all.extend(entries.map(|(name, value)| (name, value.to_string().trim_matches('"').to_owned())));
    }
    all
}
