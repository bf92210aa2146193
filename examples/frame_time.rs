//! Measures CPU time per frame: layout, shapes and tessellation, without a GPU.
//!
//! For each pane: alone, in front in the whole window, and behind another tab; then the window while runs stream.
//!
//! `cargo run --release --example frame_time [MODEL DATA]`

use std::time::{Duration, Instant};

use egui::{Context, Pos2, RawInput, Rect, Ui, Vec2, vec2};
use spikescope::experiment::Settings;
use spikescope::lab::{Lab, Message, Workspace};
use spikescope::ui::shell;
use spikescope::ui::state::frame_times::Summary;
use spikescope::ui::state::window::WindowState;
use spikescope::ui::types::pane::Pane;

const WINDOW: Vec2 = vec2(1280.0, 800.0);
const PANE: Vec2 = vec2(640.0, 400.0);
/// Warm-up frames: layouts and textures settle in a few.
const WARM_UP: usize = 8;
const FRAMES: usize = 60;

fn main() -> spikescope::Result<()> {
    let mut lab = Lab::open(Settings::demo())?;
    let mut arguments = std::env::args().skip(1);
    if let Some(model) = arguments.next() {
        lab.update([Message::OpenModel(model)]);
        lab.update(arguments.next().map(Message::OpenData));
        lab.wait_until_idle();
    }
    lab.update([Message::SetSteps(32), Message::EndGesture]);
    lab.wait_until_idle();
    println!("{}, {} samples, T = {}", lab.settings.model, lab.settings.samples.len(), lab.steps());
    println!("{:<14} {:>16} {:>16} {:>16}", "median / 95 %", "alone", "in front", "behind");
    for pane in Pane::ALL {
        let alone = frames(PANE, |ui| pane.show(ui, &lab, &mut Vec::new()));
        let docked = |front: &[Pane]| {
            let mut window = WindowState::default();
            front.iter().for_each(|&pane| window.layout.docks.add(Workspace::Explore, pane));
            frames(WINDOW, |ui| shell::show(ui, &lab, &mut window, &mut Vec::new()))
        };
        // The pane is behind if the tab of another pane is in front.
        let others = Pane::ALL.into_iter().filter(|&other| other != pane);
        let behind: Vec<Pane> = [pane].into_iter().chain(others.filter(|other| *other != Pane::Bench)).collect();
        println!("{:<14} {:>16} {:>16} {:>16}", pane.name(), alone, docked(&[pane]), docked(&behind));
    }
    while_streaming(&mut lab);
    Ok(())
}

/// Median and 95th percentile of the frames of `ui`, in milliseconds.
fn frames(size: Vec2, mut ui: impl FnMut(&mut Ui)) -> String {
    let ctx = Context::default();
    let times: Vec<f32> = (0..WARM_UP + FRAMES).map(|frame| one_frame(&ctx, size, frame, &mut ui)).collect();
    format_times(&times[WARM_UP..])
}

fn format_times(times: &[f32]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_by(f32::total_cmp);
    let p95 = Summary::of(times.iter().copied()).map_or(0.0, |summary| summary.p95);
    format!("{:.2} / {p95:.2}", sorted.get(sorted.len() / 2).copied().unwrap_or_default())
}

fn one_frame(ctx: &Context, size: Vec2, frame: usize, ui: &mut impl FnMut(&mut Ui)) -> f32 {
    let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, size));
    let input = RawInput { screen_rect, time: Some(frame as f64 / 60.0), ..RawInput::default() };
    let start = Instant::now();
    let output = ctx.run_ui(input, |root| ui(root));
    let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
    std::hint::black_box(primitives);
    start.elapsed().as_secs_f32() * 1e3
}

/// Frames at the ticks of a display, sixty a second, while every core computes runs, one after the other. A frame that is not
/// ready at the next tick is displayed one later.
fn while_streaming(lab: &mut Lab) {
    let (ctx, mut window, mut times) = (Context::default(), WindowState::default(), Vec::new());
    let (mut runs, mut partial, mut late) = (0, 0, 0);
    let (start, mut ticks) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(6) {
        if lab.job.is_none() {
            runs += 1;
            lab.update([Message::SetVInit(0.3 + 0.001 * runs as f32)]);
        }
        lab.poll();
        partial += usize::from(lab.job.as_ref().is_some_and(|job| !job.partial.curve.is_empty()));
        let mut messages = Vec::new();
        times.push(one_frame(&ctx, WINDOW, times.len(), &mut |ui: &mut Ui| {
            shell::show(ui, lab, &mut window, &mut messages);
        }));
        lab.update(messages);
        let before = ticks;
        ticks = (start.elapsed().as_secs_f64() * 60.0) as u32 + 1;
        late += ticks.saturating_sub(before + 1);
        std::thread::sleep(Duration::from_secs_f64(f64::from(ticks) / 60.0).saturating_sub(start.elapsed()));
    }
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    let worst = Summary::of(times.iter().copied()).map_or(0.0, |summary| summary.worst);
    println!(
        "while {runs} runs stream: {rate:.1} frames a second, {} ms, worst {worst:.1} ms, {late} of {} ticks without one, {partial} \
         with a partial curve",
        format_times(&times),
        times.len() + late as usize
    );
}
