//! Player of spike clicks: finds the spikes between two frames and sends them to a thread.
//!
//! The neuron is the one in focus, or that of the neuron bench while it is visible. The sound is off by default. A
//! thread of its own talks to the sound server, so that no frame blocks on it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::Context;

use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::texts;

/// Maximum number of simultaneous clicks; more are indistinguishable noise.
pub(super) const MAX_CLICKS: usize = 8;

/// An audio output for clicks.
pub trait AudioOutput: Send + Sync {
    /// Plays the click counts received from `wanted`, one per message, until the channel closes.
    ///
    /// # Errors
    /// If there is no sound: the reason, as the end of a sentence.
    fn play(&self, wanted: &Receiver<usize>) -> Result<(), String>;
}

/// The audio output of the system.
struct System;

impl AudioOutput for System {
    #[cfg(all(unix, not(target_os = "macos")))]
    fn play(&self, wanted: &Receiver<usize>) -> Result<(), String> {
        super::pulse::play(super::pulse::connect()?, wanted)
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn play(&self, _wanted: &Receiver<usize>) -> Result<(), String> {
        Err(texts::sound::NOT_HERE.into())
    }
}

/// The audio output, its thread, and the position played last.
pub struct Sound {
    speaker: Arc<dyn AudioOutput>,
    player: Option<Player>,
    last_played: Option<LastPlayed>,
}

/// Step and neuron of a frame.
#[derive(Clone, PartialEq)]
struct LastPlayed {
    of: SpikeSource,
    step: usize,
    playing: bool,
}

/// Source of the spikes.
#[derive(Clone, Copy, PartialEq)]
enum SpikeSource {
    Bench,
    /// A neuron by layer, sample and index.
    Network([usize; 3]),
}

impl Default for Sound {
    fn default() -> Self {
        Self::with_output(System)
    }
}

impl Sound {
    /// Plays through `speaker`.
    pub fn with_output(speaker: impl AudioOutput + 'static) -> Self {
        Self { speaker: Arc::new(speaker), player: None, last_played: None }
    }

    /// Stops the sound until it is requested again. The thread ends by itself.
    fn stop(&mut self) {
        (self.player, self.last_played) = (None, None);
    }
}

/// Handle of the thread that plays.
struct Player {
    clicks: Sender<usize>,
    error: Receiver<String>,
}

impl Player {
    /// Starts the thread. `ctx` is repainted if it fails.
    fn start(speaker: &Arc<dyn AudioOutput>, ctx: &Context) -> Self {
        let ((clicks, wanted), (error_sender, error)) = (channel(), channel());
        let (speaker, ctx) = (speaker.clone(), ctx.clone());
        std::thread::spawn(move || {
            if let Err(reason) = speaker.play(&wanted) {
                // The receiver is gone: the sound was turned off in the meantime.
                let _ = error_sender.send(reason);
                ctx.request_repaint();
            }
        });
        Self { clicks, error }
    }
}

/// Plays the spikes of the steps that the playing cursor has passed since the last frame. Called once per frame.
///
/// `clicks` says whether the sound is on, and is cleared if the machine has no sound. `bench` says whether the neuron
/// bench is visible.
pub fn play_passed_spikes(
    ctx: &Context,
    lab: &Lab,
    sound: &mut Sound,
    clicks: &mut bool,
    bench: bool,
    messages: &mut Vec<Message>,
) {
    if !*clicks {
        sound.stop();
        return;
    }
    let player = sound.player.get_or_insert_with(|| Player::start(&sound.speaker, ctx));
    if let Ok(reason) = player.error.try_recv() {
        messages.push(Message::Notify(Notification {
            level: NotificationLevel::Error,
            text: texts::sound::silent(&reason),
        }));
        *clicks = false;
        sound.stop();
        return;
    }
    let Some(of) = source(lab, bench) else { return };
    let now = LastPlayed { of, step: lab.cursor(), playing: lab.view.playing };
    let Some(before) = sound.last_played.replace(now.clone()) else { return };
    let steps = passed_steps(&before, &now);
    let count = if steps.is_empty() { 0 } else { spikes(lab, of, steps) };
    if count > 0 {
        // A thread that has ended reports its reason through the other channel.
        let _ = player.clicks.send(count.min(MAX_CLICKS));
    }
}

/// The source of spikes to play.
fn source(lab: &Lab, bench: bool) -> Option<SpikeSource> {
    let network = |focus: &crate::experiment::Focus| SpikeSource::Network([focus.layer, focus.sample, focus.neuron]);
    if bench { Some(SpikeSource::Bench) } else { lab.snapshot.as_ref().map(|snapshot| network(&snapshot.focus)) }
}

/// Steps, counted from 0, that the cursor has passed between two frames. Includes the first step when playing starts.
fn passed_steps(before: &LastPlayed, now: &LastPlayed) -> std::ops::Range<usize> {
    match (before.playing, now.playing) {
        // Playing ends at the last step.
        (true, _) if before.of == now.of && now.step > before.step => before.step..now.step,
        (false, true) => now.step.saturating_sub(1)..now.step,
        _ => 0..0,
    }
}

/// Number of spikes in `steps`, of either sign.
fn spikes(lab: &Lab, of: SpikeSource, steps: std::ops::Range<usize>) -> usize {
    let count = |sent: &[i32]| {
        let steps = steps.start.min(sent.len())..steps.end.min(sent.len());
        sent[steps].iter().map(|count| count.unsigned_abs() as usize).sum()
    };
    match of {
        SpikeSource::Bench => count(&lab.view.bench.run().emitted),
        SpikeSource::Network(_) => lab.snapshot.as_ref().map_or(0, |snapshot| count(&snapshot.trace.sent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playing_passes_every_step_exactly_once() {
        let at = |step, playing| LastPlayed { of: SpikeSource::Bench, step, playing };
        assert_eq!(passed_steps(&at(16, false), &at(1, true)), 0..1, "the first step of a new round");
        assert_eq!(passed_steps(&at(1, true), &at(1, true)), 0..0);
        assert_eq!(passed_steps(&at(1, true), &at(3, true)), 1..3);
        assert_eq!(passed_steps(&at(15, true), &at(16, false)), 15..16, "and the last");
        assert_eq!(passed_steps(&at(4, false), &at(9, false)), 0..0, "scrubbing is silent");
        let other = LastPlayed { of: SpikeSource::Network([0, 1, 2]), ..at(3, true) };
        assert_eq!(passed_steps(&at(1, true), &other), 0..0, "another neuron begins with its next step");
    }
}
