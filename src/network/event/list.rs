//! Events: which inputs of a map spike at each step, as lists of input indices in the order of the weights.

use std::ops::Range;

use rayon::prelude::*;

use super::feed::{Grid, Map, SourcePool, Term, Windows};

/// The spikes of one sample of a layer: `[T]` steps of `planes` bit fields, channels innermost.
pub trait Spikes: Sync {
    /// The words of one plane at step `t`; bit `p·C + c` is channel c at place p.
    fn plane(&self, t: usize, plane: usize) -> &[u64];
    /// What a bit of each plane counts.
    fn weights(&self) -> &[i32];
}

/// The events of one sample at one step, for one group of input channels: indices `p·C + c` of the map's input, C being the
/// group's channels.
#[derive(Debug, Default)]
pub struct Step {
    /// First event of each place, and one past the last.
    offsets: Vec<u32>,
    events: Vec<u32>,
}

/// Events that count alike.
#[derive(Debug)]
pub struct List {
    pub count: f32,
    pub steps: Vec<Step>,
}

/// The events of one sample for one term: `[group]`, each with one list for every plane.
#[derive(Debug)]
pub struct Lists(pub Vec<Vec<List>>);

impl Step {
    /// The events of places `from..to`.
    #[inline(always)]
    pub fn between(&self, from: usize, to: usize) -> &[u32] {
        &self.events[self.offsets[from] as usize..self.offsets[to] as usize]
    }
    /// Events of all places.
    pub fn len(&self) -> usize {
        self.events.len()
    }
    /// Whether nothing spikes.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl Lists {
    /// The events of steps `0..steps` for `term`; empty for shortcuts, which read the bits themselves.
    pub fn of(term: &Term, spikes: &impl Spikes, steps: usize) -> Self {
        let Map::Rows(rows) = &term.map else { return Self(Vec::new()) };
        let group = |g: usize| -> Vec<List> {
            let channels = term.from.channels / rows.groups;
            let channels = g * channels..(g + 1) * channels;
            if let Some(SourcePool::Lateral(windows)) = term.pool {
                return lateral(term.from, rows.input, windows, channels, spikes, steps);
            }
            let pool = match term.pool {
                Some(SourcePool::Mean(windows)) => Some(windows),
                _ if rows.groups == 1 => None,
                _ => Some(Windows::POINT),
            };
            let inside: Option<Vec<Vec<usize>>> = pool.map(|windows| {
                let places = 0..rows.input.places();
                let width = rows.input.width;
                places.map(|place| windows.places(term.from, place / width, place % width).collect()).collect()
            });
            let plane = |(plane, &count): (usize, &i32)| {
                let step = |t: usize| {
                    let words = spikes.plane(t, plane);
                    match &inside {
                        Some(inside) => pooled(term.from, inside, &channels, words),
                        None => whole(term.from, words),
                    }
                };
                List { count: count as f32, steps: (0..steps).into_par_iter().with_min_len(8).map(step).collect() }
            };
            spikes.weights().iter().enumerate().map(plane).collect()
        };
        Self((0..rows.groups).map(group).collect())
    }

    /// Events of all groups, planes and steps.
    pub fn len(&self) -> usize {
        self.0.iter().flatten().flat_map(|list| &list.steps).map(Step::len).sum()
    }
    /// Whether nothing spikes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Every spike of a layer, in the order of its bits.
fn whole(grid: Grid, words: &[u64]) -> Step {
    let spikes: u32 = words.iter().map(|word| word.count_ones()).sum();
    let mut step = Step { offsets: Vec::with_capacity(grid.places() + 1), events: Vec::with_capacity(spikes as usize) };
    let mut edge = 0;
    for (w, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            let bit = w * 64 + rest.trailing_zeros() as usize;
            rest &= rest - 1;
            while bit >= edge {
                step.offsets.push(step.events.len() as u32);
                edge += grid.channels;
            }
            step.events.push(bit as u32);
        }
    }
    step.offsets.resize(grid.places() + 1, step.events.len() as u32);
    step
}

/// The spikes of `channels` at the places `inside` each window: every one is an event of the window's place.
fn pooled(from: Grid, inside: &[Vec<usize>], channels: &Range<usize>, words: &[u64]) -> Step {
    let mut step = Step { offsets: Vec::with_capacity(inside.len() + 1), events: Vec::new() };
    for (place, inside) in inside.iter().enumerate() {
        step.offsets.push(step.events.len() as u32);
        for source in inside {
            let first = source * from.channels;
            each_bit(words, first + channels.start..first + channels.end, |c| {
                step.events.push((place * channels.len() + c) as u32);
            });
        }
    }
    step.offsets.push(step.events.len() as u32);
    step
}

/// LIPooling (Li & Zeng, IJCAI 2022): each place sends by how much the largest count of its window has grown since the
/// step before. Rises are events that count 1, falls (after negative spikes) count −1.
fn lateral(
    from: Grid,
    to: Grid,
    windows: Windows,
    channels: Range<usize>,
    spikes: &impl Spikes,
    steps: usize,
) -> Vec<List> {
    let mut counts = vec![0i32; from.places() * channels.len()];
    let mut sent = vec![0i32; to.places() * channels.len()];
    let mut lists = [1.0, -1.0].map(|count| List { count, steps: Vec::with_capacity(steps) });
    for t in 0..steps {
        for place in 0..from.places() {
            let first = place * from.channels;
            for (plane, &weight) in spikes.weights().iter().enumerate() {
                each_bit(spikes.plane(t, plane), first + channels.start..first + channels.end, |c| {
                    counts[place * channels.len() + c] += weight;
                });
            }
        }
        let mut step = [Step::default(), Step::default()];
        for place in 0..to.places() {
            step.iter_mut().for_each(|step| step.offsets.push(step.events.len() as u32));
            for c in 0..channels.len() {
                let inputs = windows.places(from, place / to.width, place % to.width);
                let most = inputs.map(|source| counts[source * channels.len() + c]).max().unwrap_or(0);
                let index = place * channels.len() + c;
                let grown = most - std::mem::replace(&mut sent[index], most);
                let side = usize::from(grown < 0);
                step[side].events.extend(std::iter::repeat_n(index as u32, grown.unsigned_abs() as usize));
            }
        }
        for (list, mut step) in lists.iter_mut().zip(step) {
            step.offsets.push(step.events.len() as u32);
            list.steps.push(step);
        }
    }
    lists.into()
}

/// Calls `visit` with the index in `range` of every set bit there.
#[inline(always)]
pub fn each_bit(words: &[u64], range: Range<usize>, mut visit: impl FnMut(usize)) {
    let mut at = range.start;
    while at < range.end {
        let length = (64 - at % 64).min(range.end - at);
        let mut rest = words[at / 64] >> (at % 64);
        if length < 64 {
            rest &= (1 << length) - 1;
        }
        while rest != 0 {
            visit(at - range.start + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
        at += length;
    }
}

/// Up to 64 bits of `words` from bit `start` on, the first in the lowest place; bits past the end are zero.
#[inline(always)]
pub fn bits_at(words: &[u64], start: usize, length: usize) -> u64 {
    let low = words.get(start / 64).copied().unwrap_or(0) >> (start % 64);
    let high = match start % 64 {
        0 => 0,
        used => words.get(start / 64 + 1).copied().unwrap_or(0) << (64 - used),
    };
    let bits = low | high;
    if length < 64 { bits & ((1 << length) - 1) } else { bits }
}
