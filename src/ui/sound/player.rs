//! Spikes as clicks, while time plays: those of the neuron in focus, or of the one on the bench where that is in sight.
//! Off until someone turns it on; a thread of its own talks to the sound server, so that no frame ever waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::Context;

use crate::lab::{Lab, Message, Notification, NotificationLevel};
use crate::ui::texts;

/// More clicks than these at once are a noise that says nothing.
pub(super) const MOST: usize = 8;

/// Something that makes clicks audible.
pub trait AudioOutput: Send + Sync {
    /// Plays the clicks that come through `wanted`, so many at once, until its other end is closed.
    ///
    /// # Errors
    /// Why nothing can be heard, as the end of a sentence.
    fn play(&self, wanted: &Receiver<usize>) -> Result<(), String>;
}

/// The sound of the system.
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

/// What sounds, and what was heard last.
pub struct Sound {
    speaker: Arc<dyn AudioOutput>,
    player: Option<Player>,
    heard: Option<LastPlayed>,
}

/// Where time stood in a frame, and for which neuron.
#[derive(Clone, PartialEq)]
struct LastPlayed {
    of: Source,
    step: usize,
    playing: bool,
}

/// Whose spikes are heard.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Bench,
    /// A neuron by its layer, sample and index.
    Network([usize; 3]),
}

impl Default for Sound {
    fn default() -> Self {
        Self::with_output(System)
    }
}

impl Sound {
    /// Sound that comes out of `speaker`.
    pub fn with_output(speaker: impl AudioOutput + 'static) -> Self {
        Self { speaker: Arc::new(speaker), player: None, heard: None }
    }

    /// No sound until it is asked for again. The thread ends by itself.
    fn stop(&mut self) {
        (self.player, self.heard) = (None, None);
    }
}

/// The thread that plays.
struct Player {
    clicks: Sender<usize>,
    trouble: Receiver<String>,
}

impl Player {
    /// Begins to play; `ctx` is woken when it cannot.
    fn start(speaker: &Arc<dyn AudioOutput>, ctx: &Context) -> Self {
        let ((clicks, wanted), (sad, trouble)) = (channel(), channel());
        let (speaker, ctx) = (speaker.clone(), ctx.clone());
        std::thread::spawn(move || {
            if let Err(reason) = speaker.play(&wanted) {
                // A closed ear means that it was turned off in the meantime.
                let _ = sad.send(reason);
                ctx.request_repaint();
            }
        });
        Self { clicks, trouble }
    }
}

/// Lets the steps sound that the playing cursor has gone over since the last frame; to be called with every frame.
///
/// `clicks` says whether spikes are heard, and is cleared where the machine has no sound; `bench` whether the neuron bench is
/// visible.
pub fn play_passed_spikes(
    ctx: &Context,
    lab: &Lab,
    sound: &mut Sound,
    clicks: &mut bool,
    bench: bool,
    out: &mut Vec<Message>,
) {
    if !*clicks {
        sound.stop();
        return;
    }
    let player = sound.player.get_or_insert_with(|| Player::start(&sound.speaker, ctx));
    if let Ok(reason) = player.trouble.try_recv() {
        out.push(Message::Notify(Notification {
            level: NotificationLevel::Error,
            text: texts::sound::silent(&reason),
        }));
        *clicks = false;
        sound.stop();
        return;
    }
    let Some(of) = source(lab, bench) else { return };
    let now = LastPlayed { of, step: lab.cursor(), playing: lab.view.playing };
    let Some(before) = sound.heard.replace(now.clone()) else { return };
    let steps = passed(&before, &now);
    let count = if steps.is_empty() { 0 } else { spikes(lab, of, steps) };
    if count > 0 {
        // A thread that has ended says why through the other channel.
        let _ = player.clicks.send(count.min(MOST));
    }
}

/// Whose spikes there are to hear.
fn source(lab: &Lab, bench: bool) -> Option<Source> {
    let network = |focus: &crate::experiment::Focus| Source::Network([focus.layer, focus.sample, focus.neuron]);
    if bench { Some(Source::Bench) } else { lab.snapshot.as_ref().map(|snapshot| network(&snapshot.focus)) }
}

/// The steps, counted from 0, that playing has gone over between two frames: the first one as well, where it begins.
fn passed(before: &LastPlayed, now: &LastPlayed) -> std::ops::Range<usize> {
    match (before.playing, now.playing) {
        // The last step ends the playing.
        (true, _) if before.of == now.of && now.step > before.step => before.step..now.step,
        (false, true) => now.step.saturating_sub(1)..now.step,
        _ => 0..0,
    }
}

/// Spikes in `steps`, of either sign.
fn spikes(lab: &Lab, of: Source, steps: std::ops::Range<usize>) -> usize {
    let count = |sent: &[i32]| {
        let steps = steps.start.min(sent.len())..steps.end.min(sent.len());
        sent[steps].iter().map(|count| count.unsigned_abs() as usize).sum()
    };
    match of {
        Source::Bench => count(&lab.view.bench.run().emitted),
        Source::Network(_) => lab.snapshot.as_ref().map_or(0, |snapshot| count(&snapshot.trace.sent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playing_goes_over_every_step_once() {
        let at = |step, playing| LastPlayed { of: Source::Bench, step, playing };
        assert_eq!(passed(&at(16, false), &at(1, true)), 0..1, "the first step of a new round");
        assert_eq!(passed(&at(1, true), &at(1, true)), 0..0);
        assert_eq!(passed(&at(1, true), &at(3, true)), 1..3);
        assert_eq!(passed(&at(15, true), &at(16, false)), 15..16, "and the last");
        assert_eq!(passed(&at(4, false), &at(9, false)), 0..0, "scrubbing is silent");
        let other = LastPlayed { of: Source::Network([0, 1, 2]), ..at(3, true) };
        assert_eq!(passed(&at(1, true), &other), 0..0, "another neuron begins with its next step");
    }
}
