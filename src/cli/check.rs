//! Command `check MODEL`: reports the findings about a network, its data and a recipe without a run.
//!
//! Exit code 0: notes or nothing; 1: warnings or errors; 2: the network or its data cannot be opened.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::progress::Progress;
use crate::convert::findings::{FindingGroup, group_by_kind};
use crate::convert::{Finding, Severity};
use crate::experiment::Settings;
use crate::experiment::cache::Cache;
use crate::experiment::diagnose::diagnose;
use crate::experiment::load::load_network;
use crate::experiment::options::{
    RunArgs, check_theta, fit_default_ranges, settings_from_args, use_stated_scaling, with_config,
};
use crate::network::architecture_draft::{ArchitectureDraft, needs_draft};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Diagnose a network, its data and a recipe before a run.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 notes only, 1 warnings or errors found, 2 the network or data cannot be opened.")]
pub struct CheckArgs {
    /// Network: a file, or builtin:NAME
    #[arg(value_name = "MODEL")]
    pub network: Option<String>,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Write an architecture file to begin with, for weights of an unknown architecture
    #[arg(long, value_name = "FILE")]
    pub write_arch: Option<PathBuf>,
    #[command(flatten)]
    pub options: RunArgs,
}

/// The output of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    model: &'a str,
    /// Absent if the network alone was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    /// note, warning or error; null without findings.
    worst: Option<Severity>,
    findings: &'a [Finding],
}

/// Runs the command.
///
/// # Errors
/// Those of opening the network or the data; [`Error::Invalid`] for bad options.
pub fn run(args: CheckArgs) -> Result<ExitCode> {
    let mut options = with_config(args.options)?;
    if args.network.is_some() && options.model.is_some() {
        return Err(Error::Invalid("Cannot check: the network is named twice. Give MODEL or --model.".into()));
    }
    options.model = args.network.or(options.model);
    let mut settings = settings_from_args(&options)?;
    if let Some(file) = &args.write_arch {
        return write_architecture(&settings.model, file);
    }
    // A network file has no default data: without --data its graph alone is checked.
    let has_data = options.data.is_some() || settings.model.starts_with(crate::network::open::BUILTIN_PREFIX);
    if !has_data {
        settings.data = String::new();
    }
    let mut cache = Cache::default();
    let opened = use_stated_scaling(&mut settings, &options, &mut cache)
        .and_then(|()| load_network(&settings, &mut cache, &JobControl::default()).map(drop));
    if let Err(error) = &opened
        && !args.json
        && needs_draft(error)
    {
        // Weights of an unknown architecture: print a template, so that `check NAME.pt > NAME.arch.toml` writes it.
        let draft = ArchitectureDraft::open(&settings.model).ok().filter(|draft| draft.known_text().is_none());
        let text = draft.and_then(|draft| draft.template());
        text.iter().for_each(|text| print!("{text}"));
    }
    opened?;
    check_theta(&settings, &options, &mut cache)?;
    let progress = Progress::new();
    let result = match has_data {
        true => {
            let control = progress.control(false);
            fit_default_ranges(&mut settings, &options, &mut cache, &control)?;
            diagnose(&settings, &mut cache, &control)
        }
        false => check_graph(&settings, &mut cache),
    };
    progress.clear();
    let findings = result?;
    let worst = findings.iter().map(|finding| finding.severity).max();
    if args.json {
        let data = has_data.then_some(settings.data.as_str());
        let report =
            Report { version: env!("CARGO_PKG_VERSION"), model: &settings.model, data, worst, findings: &findings };
        println!("{}", serde_json::to_string_pretty(&report).map_err(|e| Error::Internal(e.to_string()))?);
    } else {
        group_by_kind(&findings).iter().for_each(|group| println!("{}", line(group)));
        let count_text = |severity: Severity| {
            let count = findings.iter().filter(|finding| finding.severity == severity).count();
            format!("{count} {}{}", severity.as_str(), if count == 1 { "" } else { "s" })
        };
        println!(
            "{}: {}, {}, {}{}",
            settings.model,
            count_text(Severity::Error),
            count_text(Severity::Warning),
            count_text(Severity::Note),
            if has_data { "" } else { "; add --data to check thresholds and input as well" }
        );
    }
    Ok(ExitCode::from(exit_code(worst)))
}

/// Writes an architecture file to begin with for the weights `source`.
fn write_architecture(source: &str, file: &Path) -> Result<ExitCode> {
    let text = ArchitectureDraft::open(source)?.template().ok_or_else(|| {
        let reason = "its keys are those of a known architecture. Open it without an architecture file.";
        Error::Invalid(format!("Cannot write an architecture file for {source}: {reason}"))
    })?;
    ArchitectureDraft::write_new(file, &text)?;
    println!("{}: complete what is marked with (?), then check {source} again", file.display());
    Ok(ExitCode::SUCCESS)
}

/// The exit code for the most serious finding.
fn exit_code(worst: Option<Severity>) -> u8 {
    u8::from(worst > Some(Severity::Note))
}

/// The findings about the graph, which need no data.
fn check_graph(settings: &Settings, cache: &mut Cache) -> Result<Vec<Finding>> {
    let model = load_network(settings, cache, &JobControl::default())?;
    let mut findings = crate::convert::findings::check_network(model.program.network(), &settings.recipe);
    findings.extend(model.notes.iter().cloned());
    crate::convert::findings::sort(&mut findings);
    Ok(findings)
}

/// A group of equal findings as a line of text.
pub(super) fn line(group: &FindingGroup<'_>) -> String {
    let options = group.finding.fix.as_ref().map(|fix| fix.cli_options()).filter(|options| !options.is_empty());
    let fix = options.map_or(String::new(), |options| format!(" [{options}]"));
    format!("{}: {group}{fix}", group.finding.severity.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Fix;
    use crate::data::Scaling;

    #[test]
    fn notes_exit_with_0_and_fixes_are_shown_as_options() {
        assert_eq!(
            [None, Some(Severity::Note), Some(Severity::Warning), Some(Severity::Error)].map(exit_code),
            [0, 0, 1, 1]
        );
        let finding = Finding::warning("input scaling", Some("conv1"), "odd").with_fix(Fix::Scaling(Scaling::Bytes));
        assert_eq!(line(&group_by_kind(std::slice::from_ref(&finding))[0]), "warning: conv1: odd [--scale \"0..255\"]");
        let report =
            Report { version: "1", model: "m", data: None, worst: Some(Severity::Warning), findings: &[finding] };
        let json = serde_json::to_value(report).unwrap();
        assert_eq!((&json["worst"], &json["findings"][0]["layer"]), (&"warning".into(), &"conv1".into()));
        assert!(json["findings"][0]["mend"]["scaling"].is_string(), "{json}");
    }
}
