//! What is explained: the ANN or the spiking network, with its answers, its gradients and its values node by node.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::backward::node_maps::{NodeMaps, logits_of, with_weights};
use super::backward::values::Values;
use crate::Result;
use crate::attack::snn::target::LayerRates;
use crate::attack::{SnnTarget, Target};
use crate::convert::MaxPoolRule;
use crate::convert::rewrite::rewrite_for_conversion;
use crate::network::Network;
use crate::progress::JobControl;

/// A network to explain.
pub struct Explained<'a> {
    target: &'a dyn Target,
    spikes: Option<&'a SnnTarget<'a>>,
    network: Arc<Network>,
    maps: OnceLock<NodeMaps>,
    folded: OnceLock<NodeMaps>,
}

impl<'a> Explained<'a> {
    /// The ANN `network`, whose answers and gradients `target` gives; both end at the logits ([`logits_of`]).
    pub fn ann(target: &'a dyn Target, network: Arc<Network>) -> Self {
        Self { target, spikes: None, network, maps: OnceLock::new(), folded: OnceLock::new() }
    }

    /// The spiking network of `target`, converted from the rewritten `network`.
    pub fn snn(target: &'a SnnTarget<'a>, network: Arc<Network>) -> Self {
        Self { target, spikes: Some(target), network, maps: OnceLock::new(), folded: OnceLock::new() }
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        self.target.classes()
    }

    /// Its answers, and the gradients of the whole.
    pub fn target(&self) -> &'a dyn Target {
        self.target
    }

    /// Whether it is the spiking network.
    pub fn is_spiking(&self) -> bool {
        self.spikes.is_some()
    }

    /// The network's graph.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The network node by node.
    pub fn maps(&self) -> &NodeMaps {
        self.maps.get_or_init(|| NodeMaps::new(logits_of(&self.network)))
    }

    /// The same with scales and shifts folded into the weights before them.
    pub fn folded(&self) -> &NodeMaps {
        self.folded.get_or_init(|| {
            // A network without activations cannot be rewritten, and is used as it is.
            let rewritten = match self.is_spiking() {
                true => None,
                false => rewrite_for_conversion(&self.network, MaxPoolRule::Lateral).ok(),
            };
            NodeMaps::new(rewritten.map_or_else(|| logits_of(&self.network), |(network, _)| Arc::new(network)))
        })
    }

    /// The folded network with other weights.
    pub fn changed(&self, change: impl Fn(&[f32]) -> Vec<f32>) -> NodeMaps {
        NodeMaps::new(Arc::new(with_weights(self.folded().network(), |_, weights| change(weights))))
    }

    /// The mean outputs of the spiking layers for `input` `[N, F]`; none of the ANN.
    ///
    /// # Errors
    /// Those of the simulation.
    pub fn rates(&self, input: &[f32], control: &JobControl) -> Result<Vec<LayerRates>> {
        self.spikes.map_or_else(|| Ok(Vec::new()), |spikes| spikes.layer_rates(input, &control.without_events()))
    }

    /// Calls `map` with the values of all nodes of `maps` for batches of `input` `[N, F]`, in parallel, and joins what it
    /// returns: `per_row` values for each row.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the simulation.
    pub fn in_batches(
        &self,
        maps: &NodeMaps,
        input: &[f32],
        per_row: usize,
        control: &JobControl,
        map: impl Fn(&Values<'_>, Range<usize>) -> Vec<f32> + Sync,
    ) -> Result<Vec<f32>> {
        let width = maps.network().nodes[0].len().max(1);
        let rates = self.rates(input, control)?;
        // Fewer rows at once if that would leave threads without work.
        let most = (input.len() / width).div_ceil(rayon::current_num_threads().max(1)).max(1);
        let rows = maps.rows().min(most);
        let mut out = vec![0.0; input.len() / width * per_row];
        let batches = out.par_chunks_mut(rows * per_row.max(1)).zip(input.par_chunks(rows * width)).enumerate();
        batches.try_for_each(|(k, (out, input))| {
            control.check()?;
            let (first, rows) = (k * rows, input.len() / width);
            let values = Values::new(maps, input, rows, &rates, first);
            out.copy_from_slice(&map(&values, first..first + rows));
            Ok(())
        })?;
        Ok(out)
    }
}
