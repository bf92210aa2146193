//! Runs samples through a network, many at once, and hands their values to an observer.

use super::dense::tensor_to_vec;
use super::program::Program;
use crate::Result;
use crate::network::NodeId;
use crate::progress::JobControl;

impl Program {
    /// Runs the samples of `input` (`[N, F]`, scaled) through the network, in parallel.
    ///
    /// `observe(state, node, sample, values)` gets the values (`[F]` of one sample) of every node in `targets`, in the
    /// order of the network within a sample. Each worker has its own `state`; which samples share a worker is
    /// undefined. `stage` names the work in progress events. Values do not depend on the number of threads.
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
