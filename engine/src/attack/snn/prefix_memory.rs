//! Prefix memory: one simulation answers for several numbers of steps, since a shorter one is its beginning.
//!
//! Methods that explain a network after 4, 8, 16 and 32 steps ask about the same changed images each time. The first question
//! simulates the longest time, and its answers after all steps are kept; recordings are kept where they are
//! small, and the gradients that the other numbers of steps will ask for where they are not.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::simulate::Recording;

/// Bytes of answers, of recordings and of gradients that are kept.
const MAX_ANSWERS: usize = 256 << 20;
const MAX_RECORDINGS: usize = 256 << 20;
const MAX_GRADIENTS: usize = 512 << 20;

/// A block of images: its length and two hashes.
type Key = (usize, [u64; 2]);

/// What is known of one spiking network.
pub struct PrefixMemory {
    /// The numbers of steps that are asked for, ascending.
    at: Vec<usize>,
    /// Bytes of recordings that are kept.
    room: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    answers: HashMap<(Key, usize), Vec<f32>>,
    answer_bytes: usize,
    recordings: HashMap<Key, Arc<Recording>>,
    recording_bytes: usize,
    /// Gradients after some steps, by the images and by the slopes of their logits.
    gradients: HashMap<(Key, Key, usize), Vec<f32>>,
    gradient_bytes: usize,
}

impl PrefixMemory {
    /// A memory for the numbers of steps `at`.
    pub fn new(mut at: Vec<usize>) -> Self {
        at.sort_unstable();
        at.dedup();
        Self { at, room: MAX_RECORDINGS, known: Mutex::default() }
    }

    /// The same with at most `bytes` of recordings.
    pub fn with_room(self, bytes: usize) -> Self {
        Self { room: bytes, ..self }
    }

    /// The steps of a simulation that is asked for `steps` steps; `None` if the memory is of no use to it.
    pub fn longest(&self, steps: usize) -> Option<usize> {
        self.at.contains(&steps).then(|| self.at.last().copied())?
    }

    /// The numbers of steps that are asked for.
    pub fn at(&self) -> &[usize] {
        &self.at
    }

    /// Forgets everything: other images come.
    pub fn clear(&self) {
        *self.lock() = Known::default();
    }

    /// The answers for `input` after `steps` steps.
    pub fn answers(&self, input: &[f32], steps: usize) -> Option<Vec<f32>> {
        self.lock().answers.get(&(key(input), steps)).cloned()
    }

    /// Keeps answers while there is room.
    pub fn keep_answers(&self, input: &[f32], steps: usize, answers: Vec<f32>) {
        let mut known = self.lock();
        let bytes = size_of_val(answers.as_slice());
        if known.answer_bytes + bytes <= MAX_ANSWERS && known.answers.insert((key(input), steps), answers).is_none() {
            known.answer_bytes += bytes;
        }
    }

    /// The recording of `input` over the longest time.
    pub fn recording(&self, input: &[f32]) -> Option<Arc<Recording>> {
        self.lock().recordings.get(&key(input)).cloned()
    }

    /// The gradient for `input` after `steps` steps where the logits have `slopes`; it is asked for once.
    pub fn take_gradient(&self, input: &[f32], steps: usize, slopes: &[f32]) -> Option<Vec<f32>> {
        let mut known = self.lock();
        let gradient = known.gradients.remove(&(key(input), key(slopes), steps))?;
        known.gradient_bytes -= size_of_val(gradient.as_slice());
        Some(gradient)
    }

    /// Whether gradients of `bytes` would be kept.
    pub fn has_room_for_gradients(&self, bytes: usize) -> bool {
        self.lock().gradient_bytes + bytes <= MAX_GRADIENTS
    }

    /// Keeps a gradient while there is room.
    pub fn keep_gradient(&self, input: &[f32], steps: usize, slopes: &[f32], gradient: Vec<f32>) {
        let mut known = self.lock();
        let bytes = size_of_val(gradient.as_slice());
        let place = (key(input), key(slopes), steps);
        if known.gradient_bytes + bytes <= MAX_GRADIENTS && known.gradients.insert(place, gradient).is_none() {
            known.gradient_bytes += bytes;
        }
    }

    /// Whether a recording of `bytes` would be kept.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.lock().recording_bytes + bytes <= self.room
    }

    /// Keeps a recording.
    pub fn keep_recording(&self, input: &[f32], recording: Arc<Recording>) {
        let mut known = self.lock();
        known.recording_bytes += recording.bytes();
        known.recordings.insert(key(input), recording);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(input: &[f32]) -> Key {
    let of = |seed: u64| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(seed);
        input.iter().for_each(|value| hasher.write_u32(value.to_bits()));
        hasher.finish()
    };
    (input.len(), [of(1), of(2)])
}
