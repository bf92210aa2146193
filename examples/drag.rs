//! Scripted drag: counts the pictures that panes show while a control moves, without a display.
//!
//! The window draws 60 frames a second, as a display would ask for; the control moves 30 times a second. A picture counts if
//! the pane looks different and shows another result; a line that follows the pointer alone does not.
//!
//! `cargo run --release --example drag -- MODEL DATA [--scale S] [--control threshold|percentile|steps|v-init] [--seconds 4]
//! [--json]`

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use egui::{Context, Pos2, RawInput, Rect, Vec2, vec2};
use spikescope::convert::ThresholdRule;
use spikescope::data::Scaling;
use spikescope::experiment::Settings;
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::cache::Cache;
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::progress::JobControl;
use spikescope::ui::shell;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::pane::Pane;

const WINDOW: Vec2 = vec2(1600.0, 1000.0);
const STEPS: usize = 32;
/// The panes whose pictures are counted.
const PANES: [Pane; 4] = [Pane::TCurve, Pane::Ledger, Pane::Membrane, Pane::Threshold];
/// Time between two moves, in seconds.
const MOVE: f64 = 1.0 / 30.0;
const FRAME: f64 = 1.0 / 60.0;

/// The control that moves.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Control {
    /// The threshold line of the layer in focus.
    Threshold,
    /// The percentile of the threshold rule.
    Percentile,
    /// T, downward from the largest.
    Steps,
    /// v(0).
    VInit,
}

#[derive(Parser)]
struct Args {
    model: String,
    data: String,
    /// Input scaling, as for `spikescope run`.
    #[arg(long)]
    scale: Option<String>,
    #[arg(long, value_enum, default_value = "percentile")]
    control: Control,
    /// Duration of the drag.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    #[arg(long)]
    json: bool,
}

/// What one pane showed.
#[derive(Clone, Debug, Default)]
struct Seen {
    picture: u64,
    result: u64,
    count: usize,
    first: Option<f64>,
    last: Option<f64>,
}

fn main() {
    let args = Args::parse();
    if let Err(error) = drag(&args) {
        eprintln!("{error}");
        std::process::exit(2);
    }
}

fn drag(args: &Args) -> spikescope::Result<()> {
    let settings = Settings { model: args.model.clone(), data: args.data.clone(), ..Settings::demo() };
    let mut settings = adapt_settings(&settings, Adapt::Network, &mut Cache::default(), &JobControl::default())?;
    if let Some(scale) = &args.scale {
        settings.scaling = Scaling::parse(scale)?;
    }
    settings.recipe.threshold = ThresholdRule::Percentile(99.9);
    settings.recipe.steps = STEPS;
    let lab = Lab::open(settings)?;
    let mut window = WindowState::default();
    window.layout.docks.add_beside(Workspace::Tune, Pane::Membrane, Pane::Mismatch);
    let mut desk = Desk { lab, window, ctx: Context::default(), frames: 0, seen: Default::default(), began: None };
    desk.lab.update([Message::SetWorkspace(Workspace::Tune)]);
    while desk.frames < 30 || desk.lab.busy() {
        desk.frame();
    }
    let Some(run) = desk.lab.run.clone() else { return Ok(()) };
    let focused = &run.spiking.layers[desk.lab.view.layer.min(run.spiking.layers.len() - 1)];
    let (layer, theta) = (focused.name.clone(), focused.theta[0]);
    let moves = (args.seconds / MOVE) as usize;
    let message = |k: usize| {
        // There and back, so that no setting comes twice in a row.
        let share = |k: usize| 1.0 - ((k % 120) as f32 / 60.0 - 1.0).abs();
        match args.control {
            Control::Percentile => {
                Message::SetThreshold(ThresholdRule::Percentile(99.9 - 0.8 * f64::from(share(k + 1)) - 1e-6 * k as f64))
            }
            Control::VInit => Message::SetVInit(0.1 + 0.8 * share(k + 1) + 1e-6 * k as f32),
            Control::Threshold => Message::SetLayerThreshold {
                layer: layer.clone(),
                theta: Some(theta * (0.6 + 0.8 * share(k + 1) + 1e-6 * k as f32)),
            },
            Control::Steps => Message::SetSteps((STEPS - 1).saturating_sub(k * (STEPS - 2) / moves.max(1)).max(1)),
        }
    };
    let start = Instant::now();
    desk.began = Some(start);
    desk.seen.iter_mut().for_each(|seen| seen.count = 0);
    let mut made = 0;
    while made < moves {
        let due = ((start.elapsed().as_secs_f64() / MOVE) as usize + 1).min(moves);
        if made < due {
            // Of several moves between two frames a window sees the last.
            desk.lab.update([message(due - 1)]);
            made = due;
        }
        desk.frame();
    }
    let (end, during) = (start.elapsed().as_secs_f64(), desk.seen.clone());
    desk.lab.update([Message::EndGesture]);
    while desk.lab.busy() || start.elapsed().as_secs_f64() < end + 0.2 {
        desk.frame();
    }
    let settled = desk.seen.iter().filter_map(|seen| seen.last).fold(end, f64::max) - end;
    report(args, &desk.lab, &during, end, settled);
    Ok(())
}

/// The window, and what its panes showed.
struct Desk {
    lab: Lab,
    window: WindowState,
    ctx: Context,
    frames: usize,
    seen: [Seen; 4],
    /// Start of the drag.
    began: Option<Instant>,
}

impl Desk {
    /// Draws a frame, looks at the panes, and waits for the next tick of the display.
    fn frame(&mut self) {
        let start = Instant::now();
        self.lab.poll();
        let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, WINDOW));
        let input = RawInput { screen_rect, time: Some(self.frames as f64 * FRAME), ..RawInput::default() };
        let mut messages = Vec::new();
        let output = self.ctx.run_ui(input, |ui| shell::show(ui, &self.lab, &mut self.window, &mut messages));
        self.lab.update(messages);
        let primitives = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        self.frames += 1;
        let at = self.began.map(|began| began.elapsed().as_secs_f64());
        for (pane, seen) in PANES.into_iter().zip(&mut self.seen) {
            let Some(rect) = self.window.layout.docks.rect(Workspace::Tune, pane) else { continue };
            let (picture, result) = (picture_in(&primitives, rect), result_of(&self.lab, pane));
            if picture != seen.picture && result != seen.result {
                seen.result = result;
                seen.count += 1;
                seen.first = seen.first.or(at);
                seen.last = at.or(seen.last);
            }
            seen.picture = picture;
        }
        std::thread::sleep(Duration::from_secs_f64(FRAME).saturating_sub(start.elapsed()));
    }
}

/// The triangles inside `rect`, as one number.
fn picture_in(primitives: &[egui::ClippedPrimitive], rect: Rect) -> u64 {
    let mut hasher = DefaultHasher::new();
    for primitive in primitives.iter().filter(|primitive| primitive.clip_rect.intersects(rect)) {
        let egui::epaint::Primitive::Mesh(mesh) = &primitive.primitive else { continue };
        for vertex in mesh.vertices.iter().filter(|vertex| rect.contains(vertex.pos)) {
            (vertex.pos.x.to_bits(), vertex.pos.y.to_bits(), vertex.color.to_array()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A number of the result that `pane` shows.
fn result_of(lab: &Lab, pane: Pane) -> u64 {
    let mut hasher = DefaultHasher::new();
    match pane {
        Pane::TCurve => {
            let partial = lab.job.as_ref().map_or(0, |job| job.partial.samples);
            let prefix = lab.prefix_run().map(|_| lab.settings.recipe.steps);
            let run = lab.run.as_ref().map(|run| std::sync::Arc::as_ptr(run).addr());
            (partial, prefix, run.filter(|_| prefix.is_none())).hash(&mut hasher);
        }
        _ => lab.snapshot.as_ref().map(|snapshot| snapshot.id).hash(&mut hasher),
    }
    hasher.finish()
}

fn report(args: &Args, lab: &Lab, seen: &[Seen], seconds: f64, settled: f64) {
    let rate = |seen: &Seen| seen.count as f64 / seconds;
    let first = |seen: &Seen| seen.first.map(|first| (first * 1e3).round());
    if args.json {
        let panes: serde_json::Map<_, _> = PANES
            .into_iter()
            .zip(seen)
            .map(|(pane, seen)| {
                let value = serde_json::json!({"per_second": rate(seen), "first_ms": first(seen)});
                (pane.name().to_owned(), value)
            })
            .collect();
        let text = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "model": args.model,
            "data": args.data,
            "control": format!("{:?}", args.control).to_lowercase(),
            "samples": lab.settings.samples.len(),
            "steps": STEPS,
            "panes": panes,
            "settled_ms": (settled * 1e3).round(),
        });
        println!("{text}");
        return;
    }
    println!("{}, {} samples, T = {STEPS}, {:?}", args.model, lab.settings.samples.len(), args.control);
    for (pane, seen) in PANES.into_iter().zip(seen) {
        let first = first(seen).map_or("never".to_owned(), |first| format!("after {first:.0} ms"));
        println!("  {:<10} {:.1} pictures a second, the first {first}", pane.name(), rate(seen));
    }
    println!("  settled after {:.0} ms", settled * 1e3);
}
