//! Command `shot`: draws the window, or one pane, into a file.
//!
//! Needs neither a display nor a graphics card.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::experiment::{Settings, SnapshotParts};
use crate::lab::{Lab, Message, Session, Workspace};
use crate::lesson::bundled::{LESSONS, PREFIX};
use crate::ui::export::OffscreenPane;
use crate::ui::export::jobs::write;
use crate::ui::state::pane_export::PaneExportProgress;
use crate::ui::state::window::WindowState;
use crate::ui::types::export_format::ExportFormat;
use crate::ui::types::pane::Pane;
use crate::{Error, Result};

/// Maximum width and height of the image, in pixels.
const MAX_SIDE: f32 = 8192.0;

/// Write the window, or one pane, to a file: an image (.png), vector graphics (.svg), the pane's numbers (.csv), or an
/// animation over time-steps (.gif).
#[derive(Clone, Debug, clap::Args)]
pub struct ShotArgs {
    /// Output file; its extension selects the format: png, svg, csv or gif.
    #[arg(value_name = "OUT.png")]
    pub out: PathBuf,
    /// Write this pane only.
    #[arg(long, value_name = "NAME")]
    pub pane: Option<String>,
    /// Session file to show instead of the bundled demo.
    #[arg(long, value_name = "FILE")]
    pub session: Option<PathBuf>,
    /// Output that answers, of a network with several; that of the session by default.
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    /// Size of the window in points.
    #[arg(long, default_value = "1280x800", value_name = "WIDTHxHEIGHT")]
    pub size: String,
    /// Theme: dark or light; the session's theme by default.
    #[arg(long)]
    pub theme: Option<String>,
    /// Pixels per point.
    #[arg(long, default_value_t = 1.0)]
    pub scale: f32,
    /// Workspace: explore, teach or tune.
    #[arg(long)]
    pub workspace: Option<String>,
    /// Show a lesson: the name of a bundled one, or a file.
    #[arg(long, value_name = "NAME")]
    pub lesson: Option<String>,
    /// The step of the lesson.
    #[arg(long, default_value_t = 1)]
    pub step: usize,
}

/// Runs the command.
///
/// # Errors
/// Those of reading the session and of its run; [`Error::Invalid`] for invalid sizes and unknown names.
pub fn run(args: ShotArgs) -> Result<()> {
    let pane = args.pane.as_deref().map(parse_pane).transpose()?;
    let format = format_of(&args.out)?;
    let (width, height) = parse_size(&args.size)?;
    if !(0.5..=8.0).contains(&args.scale) || width.max(height) * args.scale > MAX_SIDE {
        return Err(Error::Invalid(format!(
            "Cannot draw an image of {} at scale {}: the scale must be 0.5 to 8 and each side at most {MAX_SIDE} \
             pixels.",
            args.size, args.scale
        )));
    }
    let dark = match args.theme.as_deref() {
        None => None,
        Some("dark") => Some(true),
        Some("light") => Some(false),
        Some(other) => {
            return Err(Error::Invalid(format!("Cannot use theme '{other}': unknown name. Use dark or light.")));
        }
    };
    let mut lab = match &args.session {
        Some(path) => {
            let mut session = Session::load(path)?;
            session.settings.output = args.output.clone().or(session.settings.output);
            Lab::from_session(session)
        }
        None => Lab::new(Settings { output: args.output.clone(), ..Settings::demo() }),
    };
    // What is made beside the snapshot is made only for a pane that shows it.
    let parts = pane.and_then(Pane::part).into_iter().fold(SnapshotParts::ALL, SnapshotParts::with);
    lab.update([Message::SetSnapshotParts(parts)]);
    lab.wait_until_idle();
    if lab.run.is_none() {
        let reason = lab.notifications.last().map_or("nothing was computed", |notification| notification.text.as_str());
        return Err(Error::Invalid(reason.to_owned()));
    }
    let mut window = WindowState::default();
    if let Some(workspace) = args.workspace.as_deref() {
        lab.update([Message::SetWorkspace(parse_workspace(workspace)?)]);
    }
    if let Some(lesson) = args.lesson.as_deref() {
        open_lesson(lesson, args.step, &mut lab, &mut window)?;
    }
    lab.view.dark = dark.unwrap_or(lab.view.dark);
    let mut offscreen =
        OffscreenPane::new(pane, egui::vec2(width, height), args.scale).in_window(window, crate::ui::shell::show);
    write(&mut offscreen, &mut lab, format, &args.out, &PaneExportProgress::default())
}

/// Opens a lesson at step `step` (counted from 1) in lab and window.
fn open_lesson(lesson: &str, step: usize, lab: &mut Lab, window: &mut WindowState) -> Result<()> {
    let is_bundled = LESSONS.iter().any(|(name, _)| *name == lesson);
    if !is_bundled && !std::path::Path::new(lesson).exists() {
        let names: Vec<&str> = LESSONS.iter().map(|(name, _)| *name).collect();
        let text = format!(
            "Cannot open lesson '{lesson}': neither a file nor a bundled lesson. Use one of {}.",
            names.join(", ")
        );
        return Err(Error::Invalid(text));
    }
    let source = if is_bundled { format!("{PREFIX}{lesson}") } else { lesson.to_owned() };
    let mut messages = Vec::new();
    window.lesson.open(&source, lab, serde_json::Value::Null, &mut messages);
    if let Some(error) = window.lesson.error.take() {
        return Err(Error::Invalid(error));
    }
    let steps = window.lesson.player.as_ref().map_or(0, |player| player.lesson().steps.len());
    if step == 0 || step > steps {
        return Err(Error::Invalid(format!(
            "Cannot show step {step} of lesson '{lesson}': it has steps 1 to {steps}."
        )));
    }
    window.lesson.go(step - 1, &mut messages);
    lab.update(messages);
    lab.wait_until_idle();
    Ok(())
}

fn parse_workspace(name: &str) -> Result<Workspace> {
    Workspace::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name)).map_err(|_| {
        Error::Invalid(format!("Cannot show workspace '{name}': unknown name. Use explore, teach or tune."))
    })
}

/// The export format of the extension of `path`.
fn format_of(path: &Path) -> Result<ExportFormat> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let known = [ExportFormat::Png, ExportFormat::Svg, ExportFormat::Csv, ExportFormat::Gif];
    known.into_iter().find(|format| format.ending() == extension).ok_or_else(|| {
        Error::Invalid(format!(
            "Cannot write '{}': unknown format. Name a .png, .svg, .csv or .gif file.",
            path.display()
        ))
    })
}

/// The pane called `name`; the error lists the known names.
fn parse_pane(name: &str) -> Result<Pane> {
    Pane::ALL.into_iter().find(|pane| pane.name() == name).ok_or_else(|| {
        let known: Vec<_> = Pane::ALL.iter().map(|pane| pane.name()).collect();
        Error::Invalid(format!("Cannot show pane '{name}': unknown name. Use one of {}.", known.join(", ")))
    })
}

/// Parses `1280x800` as width and height in points, each at least 64.
fn parse_size(text: &str) -> Result<(f32, f32)> {
    let bad =
        || Error::Invalid(format!("Cannot use size '{text}': not a size. Use WIDTHxHEIGHT, for example 1280x800."));
    let (width, height) = text.split_once(['x', '×']).ok_or_else(bad)?;
    let side = |side: &str| side.trim().parse::<u16>().ok().filter(|&side| side >= 64).map(f32::from).ok_or_else(bad);
    Ok((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_formats_panes_and_sizes_are_refused() {
        assert!(format_of(Path::new("a.PNG")).is_ok() && format_of(Path::new("a.jpg")).is_err());
        assert!(parse_pane("leger").unwrap_err().to_string().contains("ledger"));
        assert_eq!(parse_size("1280x800").unwrap(), (1280.0, 800.0));
        for bad in ["1280", "0x10", "axb", "-5x100", "99999x99999"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
