//! Forward pass on slices: each sample through all layers while its values lie in the cache.
//!
//! [`schedule`] puts nodes together into steps (a convolution, its bias, the addition of a residual, the activation) and
//! gives each value a buffer. [`worker`] runs the steps for one sample after the other, or for a few at once where
//! weights outweigh values. [`super::prepared`] holds a node's kernel; [`super::linear`], [`pooling`] and [`operations`] are the kernels
//! beside [`super::convolution`]. Operations without one run on Burn tensors.
//!
//! The values of a sample do not depend on the number of threads, on the samples beside it, or on the nodes observed.
//! Other backends than burn-flex run node by node ([`Program::try_run`]).

pub mod kept;
pub mod node;
pub mod operations;
pub mod pooling;
pub mod schedule;
#[cfg(test)]
mod tests;
pub mod worker;

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

pub use self::kept::{Kept, SamplePlaces, sample_places};
use self::schedule::Schedule;
use self::worker::{Group, Worker};
use super::dense::tensor_to_vec;
use super::prepared::Prepared;
use super::program::Program;
use crate::Result;
use crate::network::NodeId;
use crate::progress::JobControl;

impl Program {
    /// Runs the samples of `input` (`[N, F]`, scaled) through the network, in parallel.
    ///
    /// `observe(state, node, sample, values)` gets the values (`[F]` of one sample) of every node in `targets`, each
    /// node after those that it reads. Each worker has its own `state`; which samples share a worker is undefined.
    /// `stage` names the work in progress events. Values do not depend on the number of threads.
    ///
    /// Returns the output of the network, `[N, classes]`, and the states of all workers.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled, or an error of `observe`.
    pub fn run_samples<S: Send>(
        &self,
        input: &[f32],
        targets: &[NodeId],
        stage: &'static str,
        control: &JobControl,
        state: impl Fn() -> S + Sync,
        observe: impl Fn(&mut S, NodeId, usize, &[f32]) -> Result<()> + Sync,
    ) -> Result<(Vec<f32>, Vec<S>)> {
        if !self.runs_on_slices() {
            return self.run_node_by_node(input, targets, stage, control, state, observe);
        }
        let observe =
            |state: &mut S, node: NodeId, sample: usize, values: &mut [f32]| observe(state, node, sample, values);
        self.run_on_slices(input, targets, &[], stage, control, state, observe)
    }

    /// The output of the network for the samples of `input` (`[N, F]`, scaled), `[N, classes]`, as [`Program::run_samples`]
    /// returns it; the values of some nodes are stored in `kept`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn run_samples_keeping(
        &self,
        input: &[f32],
        kept: &[Kept],
        stage: &'static str,
        control: &JobControl,
    ) -> Result<Vec<f32>> {
        if self.runs_on_slices() {
            return Ok(self.run_on_slices(input, &[], kept, stage, control, || (), |_, _, _, _| Ok(()))?.0);
        }
        let nodes: Vec<NodeId> = kept.iter().map(|kept| kept.node).collect();
        let store = |_: &mut (), node, sample: usize, values: &[f32]| {
            kept.iter().for_each(|kept| kept.take(node, sample, values));
            Ok(())
        };
        Ok(self.run_node_by_node(input, &nodes, stage, control, || (), store)?.0)
    }

    /// Like [`Program::run_samples`], but `observe` may replace the values that the nodes behind read. Only for
    /// programs that [run on slices](Program::runs_on_slices).
    ///
    /// # Errors
    /// As [`Program::run_samples`].
    pub fn run_samples_replacing<S: Send>(
        &self,
        input: &[f32],
        targets: &[NodeId],
        stage: &'static str,
        control: &JobControl,
        state: impl Fn() -> S + Sync,
        observe: impl Fn(&mut S, NodeId, usize, &mut [f32]) -> Result<()> + Sync,
    ) -> Result<(Vec<f32>, Vec<S>)> {
        self.run_on_slices(input, targets, &[], stage, control, state, observe)
    }

    #[expect(clippy::too_many_arguments, reason = "what all ways to run samples pass on")]
    fn run_on_slices<S: Send>(
        &self,
        input: &[f32],
        targets: &[NodeId],
        kept: &[Kept],
        stage: &'static str,
        control: &JobControl,
        state: impl Fn() -> S + Sync,
        observe: impl Fn(&mut S, NodeId, usize, &mut [f32]) -> Result<()> + Sync,
    ) -> Result<(Vec<f32>, Vec<S>)> {
        let network = self.network();
        let observed: HashSet<NodeId> = targets.iter().copied().collect();
        let targets: HashSet<NodeId> = targets.iter().copied().chain(kept.iter().map(|kept| kept.node)).collect();
        let (width, classes) = (network.nodes[0].len().max(1), network.classes().max(1));
        let rows = input.len() / width;
        // Fewer samples at once if that would leave threads without work.
        let most = rows.div_ceil(rayon::current_num_threads().max(1)).max(1);
        let schedule = Schedule::new(network, &targets, most, |id| Prepared::samples(network, id));
        let mut outputs = vec![0.0; rows * classes];
        let idle: Mutex<Vec<(Worker, S)>> = Mutex::default();
        let take = || idle.lock().map_or(None, |mut idle| idle.pop());
        let done = AtomicUsize::new(0);
        outputs.par_chunks_mut(schedule.group * classes).enumerate().try_for_each(|(k, outputs)| {
            let (mut worker, mut state) = take().unwrap_or_else(|| (Worker::new(&schedule), state()));
            let (first, samples) = (k * schedule.group, outputs.len() / classes);
            let input = &input[first * width..(first + samples) * width];
            let (targets, observed) = (&targets, &observed);
            let group =
                Group { program: self, schedule: &schedule, targets, observed, kept, input, first, samples, control };
            let tell = |state: &mut S, node: NodeId, sample: usize, values: &mut [f32]| {
                kept.iter().for_each(|kept| kept.take(node, sample, values));
                if observed.contains(&node) { observe(state, node, sample, values) } else { Ok(()) }
            };
            if network.output == 0 {
                outputs.copy_from_slice(input);
            }
            for sample in (0..samples).filter(|_| targets.contains(&0)) {
                // The input itself is not replaced.
                tell(&mut state, 0, first + sample, &mut input[sample * width..][..width].to_vec())?;
            }
            worker.run(&group, |node, sample, values| {
                if node == network.output {
                    outputs[(sample - first) * classes..][..classes].copy_from_slice(values);
                }
                tell(&mut state, node, sample, values)
            })?;
            let done = done.fetch_add(samples, Ordering::Relaxed) + samples;
            control.progress(stage, done as f32 / rows as f32);
            if let Ok(mut idle) = idle.lock() {
                idle.push((worker, state));
            }
            Ok(())
        })?;
        let states = idle.into_inner().unwrap_or_default().into_iter().map(|(_, state)| state).collect();
        Ok((outputs, states))
    }

    /// The outputs of the network for the samples of `input` (`[N, F]`, scaled), `[N, classes]`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn outputs(&self, input: &[f32], control: &JobControl) -> Result<Vec<f32>> {
        let control = control.without_events();
        Ok(self.run_samples(input, &[], "running the network", &control, || (), |(), _, _, _| Ok(()))?.0)
    }

    /// [`Program::run_samples`] on Burn tensors, in batches.
    fn run_node_by_node<S: Send>(
        &self,
        input: &[f32],
        targets: &[NodeId],
        stage: &'static str,
        control: &JobControl,
        state: impl Fn() -> S + Sync,
        observe: impl Fn(&mut S, NodeId, usize, &[f32]) -> Result<()> + Sync,
    ) -> Result<(Vec<f32>, Vec<S>)> {
        let width = self.network().nodes[0].len().max(1);
        let rows = input.len() / width;
        let block = self.batch_rows();
        let mut outputs = Vec::with_capacity(rows * self.network().classes());
        let mut states = vec![state()];
        for start in (0..rows).step_by(block) {
            control.progress(stage, start as f32 / rows as f32);
            let end = (start + block).min(rows);
            let x = self.tensor(input[start * width..end * width].to_vec(), end - start);
            let output = self.try_run(x, |id, value| {
                if targets.contains(&id) {
                    let values = tensor_to_vec(value.clone());
                    let samples = values.chunks(self.network().nodes[id].len());
                    samples.enumerate().try_for_each(|(k, values)| observe(&mut states[0], id, start + k, values))?;
                }
                control.check()
            })?;
            outputs.extend(tensor_to_vec(output));
        }
        Ok((outputs, states))
    }
}
