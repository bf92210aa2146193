//! `spikescope shot`: draws the screen, or one pane, into a PNG file. Needs neither a display nor a graphics card.

use std::path::PathBuf;

use crate::lab::{Lab, Session, Settings};
use crate::ui::panes::Pane;
use crate::ui::shot;
use crate::{Error, Result};

/// The largest picture that is drawn, in pixels along a side.
const MAX_SIDE: f32 = 8192.0;

/// Draw the screen, or one pane, into a PNG file without a window.
#[derive(Clone, Debug, clap::Args)]
pub struct ShotArgs {
    /// Where to write the picture.
    #[arg(value_name = "OUT.png")]
    pub out: PathBuf,
    /// Only this pane.
    #[arg(long, value_name = "NAME")]
    pub pane: Option<String>,
    /// Draw what this session shows instead of what the program starts with.
    #[arg(long, value_name = "FILE")]
    pub session: Option<PathBuf>,
    /// Size of the screen in points.
    #[arg(long, default_value = "1280x800", value_name = "WIDTHxHEIGHT")]
    pub size: String,
    /// dark or light; that of the session by default.
    #[arg(long)]
    pub theme: Option<String>,
    /// Pixels a point.
    #[arg(long, default_value_t = 1.0)]
    pub scale: f32,
}

/// Draws the picture that `args` ask for.
///
/// # Errors
/// What reading the session or computing its run gives; senseless sizes, unknown panes.
pub fn run(args: ShotArgs) -> Result<()> {
    let pane = args.pane.as_deref().map(pane_named).transpose()?;
    let (width, height) = parse_size(&args.size)?;
    if !(0.5..=8.0).contains(&args.scale) || width.max(height) * args.scale > MAX_SIDE {
        return Err(Error::Invalid(format!(
            "a picture of {} at scale {} is not drawn; the scale is 0.5 to 8 and no side is longer than {MAX_SIDE} pixels",
            args.size, args.scale
        )));
    }
    let dark = match args.theme.as_deref() {
        None => None,
        Some("dark") => Some(true),
        Some("light") => Some(false),
        Some(other) => return Err(Error::Invalid(format!("theme '{other}' is not known; use dark or light"))),
    };
    let mut lab = match &args.session {
        Some(path) => Lab::from_session(Session::load(path)?),
        None => Lab::new(Settings::first_start()),
    };
    lab.settle();
    if lab.run.is_none() {
        let reason = lab.notices.last().map_or("nothing was computed", |notice| notice.text.as_str());
        return Err(Error::Invalid(reason.to_owned()));
    }
    lab.view.dark = dark.unwrap_or(lab.view.dark);
    shot::write_png(&shot::draw(&lab, pane, egui::vec2(width, height), args.scale), &args.out)
}

/// The pane of that name; lists the names there are when it is none of them.
fn pane_named(name: &str) -> Result<Pane> {
    Pane::ALL.into_iter().find(|pane| pane.name() == name).ok_or_else(|| {
        let known: Vec<_> = Pane::ALL.iter().map(|pane| pane.name()).collect();
        Error::Invalid(format!("pane '{name}' is not known; use one of {}", known.join(", ")))
    })
}

/// Reads `1280x800`.
fn parse_size(text: &str) -> Result<(f32, f32)> {
    let bad = || Error::Invalid(format!("size '{text}' is not understood; use WIDTHxHEIGHT, for example 1280x800"));
    let (width, height) = text.split_once(['x', '×']).ok_or_else(bad)?;
    let side = |side: &str| side.trim().parse::<u16>().ok().filter(|&side| side >= 64).map(f32::from).ok_or_else(bad);
    Ok((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_drawn_is_refused_with_what_can() {
        assert!(pane_named("leger").unwrap_err().to_string().contains("ledger"));
        assert_eq!(parse_size("1280x800").unwrap(), (1280.0, 800.0));
        for bad in ["1280", "0x10", "axb", "-5x100", "99999x99999"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
