//! Agreement with a reader: how its neurons differ from a run, and the Python that makes them equal.
//!
//! Every difference was observed in the version that [`NirReader::package`] names. `benches/peers/readers.py` runs the Python.

use super::reader::NirReader;
use crate::convert::{Correction, NeuronModel, Readout, Recipe, Reset, SpikingNetwork, TieRule};
use crate::export::{Fidelity, FidelityReport};

/// What a reader must be told about a run.
#[derive(Clone, Debug)]
pub(super) struct Agreement {
    pub report: FidelityReport,
    /// Python that opens the file `net.nir` as `net` and makes its neurons those of the run.
    pub python: Vec<String>,
}

/// Facts about the dynamics of a run.
struct Dynamics {
    is_soft: bool,
    fires_at_threshold: bool,
    /// v(0) as a share of θ; `None` if it differs between neurons.
    start: Option<f32>,
}

impl Dynamics {
    fn new(spiking: &SpikingNetwork, recipe: &Recipe) -> Self {
        let first = spiking.layers.first().map_or(0.0, |layer| layer.v_init);
        let is_same = spiking.layers.iter().all(|layer| layer.v_init_values.is_none() && layer.v_init == first);
        Self {
            is_soft: recipe.reset == Reset::Soft,
            fires_at_threshold: recipe.tie == TieRule::Ge,
            start: is_same.then_some(first),
        }
    }

    fn starts_at_zero(&self) -> bool {
        self.start == Some(0.0)
    }
}

/// The agreement of `reader` with a run by `recipe`.
pub(super) fn agreement(spiking: &SpikingNetwork, recipe: &Recipe, reader: NirReader) -> Agreement {
    let dynamics = Dynamics::new(spiking, recipe);
    let mut report = FidelityReport::faithful();
    for difference in differences(&dynamics, reader) {
        report.downgrade(Fidelity::Approximate, difference);
    }
    if recipe.neuron != NeuronModel::If {
        report.downgrade_first(Fidelity::Unsupported, format!("NIR has no '{}' neuron", recipe.neuron));
    }
    if recipe.correction != Correction::None {
        report.downgrade_first(
            Fidelity::Unsupported,
            "a correction (SRP, COS) depends on the sample, which a graph cannot express. Export without it",
        );
    }
    if let Readout::EarlyExit(_) | Readout::Delayed(_) = recipe.readout {
        report.downgrade(
            Fidelity::Approximate,
            "the readout skips steps or exits early; the graph's output is the current of every step",
        );
    }
    if dynamics.start.is_none() {
        report.downgrade(
            Fidelity::Approximate,
            "v(0) differs between neurons, and NIR has no field for it: the counts of a reader differ. Export with \
             --v-init and one value",
        );
    }
    Agreement { report, python: python(&dynamics, reader) }
}

fn differences(dynamics: &Dynamics, reader: NirReader) -> Vec<String> {
    let name = reader.package();
    let mut all: Vec<String> = Vec::new();
    match reader {
        NirReader::Nir if dynamics.is_soft => all.push(
            "NIR has no reset by subtraction: its IF neuron resets to v_reset. Readers that subtract anyway (sinabs) \
             reproduce this run; those that reset to 0 lose the remainder above the threshold"
                .into(),
        ),
        NirReader::SpikingJelly | NirReader::Norse if dynamics.is_soft => {
            all.push(format!("{name} resets to 0, this run by subtraction"));
        }
        NirReader::SnnTorch => {
            all.push(format!(
                "{name} does not run a graph with IF neurons as it opens it (they return a pair), gives them a leak of 0.9, and \
                 omits spikes where a potential above twice the threshold remains"
            ));
            if !dynamics.is_soft {
                all.push(format!("{name} resets by subtraction, this run to 0"));
            }
        }
        NirReader::Sinabs => {
            all.push(format!(
                "{name} emits several spikes a step and cuts potentials off at -θ; this run does neither"
            ));
            if !dynamics.is_soft {
                all.push(format!("{name} resets by subtraction, this run to 0"));
            }
        }
        _ => {}
    }
    if !dynamics.starts_at_zero() {
        all.push(match reader {
            NirReader::Nir => {
                "NIR has no initial potential: v(0) is in the metadata (v_init, as a share of θ) and must be \
                               set in the reader"
                    .into()
            }
            _ => format!("NIR has no initial potential: {name} starts at 0"),
        });
    }
    match (reader, dynamics.fires_at_threshold) {
        (NirReader::Nir, true) => all.push(
            "here a potential exactly at θ fires, in NIR it does not: with quantized currents spike counts differ by one"
                .into(),
        ),
        (NirReader::SnnTorch | NirReader::Norse, true) => {
            all.push(format!("here a potential exactly at θ fires, in {name} it does not"));
        }
        (NirReader::SpikingJelly | NirReader::Sinabs, false) => {
            all.push(format!("here a potential exactly at θ does not fire, in {name} it does"));
        }
        _ => {}
    }
    all
}

/// Python for `reader`: opens `net.nir` as `net`, then one loop over its neurons.
fn python(dynamics: &Dynamics, reader: NirReader) -> Vec<String> {
    let start = dynamics.start.unwrap_or(0.0);
    let comparison = if dynamics.fires_at_threshold { ">=" } else { ">" };
    let (imports, open, class): (&[&str], &str, &str) = match reader {
        NirReader::Nir => return vec!["import nir".into(), "graph = nir.read(\"net.nir\")".into()],
        NirReader::SpikingJelly => (
            &["import nir", "from spikingjelly.activation_based import neuron, nir_exchange"],
            "net = nir_exchange.import_from_nir(graph)",
            "neuron.IFNode",
        ),
        NirReader::SnnTorch => (
            &["import nir, snntorch, torch", "from snntorch.import_nir import import_from_nir"],
            "net = import_from_nir(graph)",
            "snntorch.Leaky",
        ),
        NirReader::Sinabs => (
            &["import nir, torch, sinabs.activation, sinabs.layers", "from sinabs.nir import from_nir"],
            "net = from_nir(graph, batch_size=1)",
            "sinabs.layers.IAFSqueeze",
        ),
        NirReader::Norse => (
            &["import nir, norse.torch", "from norse.torch.functional.iaf import IAFFeedForwardState"],
            "net = norse.torch.from_nir(graph)",
            "norse.torch.IAFCell",
        ),
    };
    let mut lines: Vec<String> = imports.iter().map(ToString::to_string).collect();
    lines.push("graph = nir.read(\"net.nir\")".into());
    lines.push(open.into());
    let mut changes: Vec<String> = Vec::new();
    match reader {
        NirReader::Nir => {}
        NirReader::SpikingJelly => {
            if dynamics.is_soft {
                changes.push("m.v_reset = None".into());
            }
            if start != 0.0 || dynamics.is_soft {
                changes.push(format!("m.v = {start} * m.v_threshold"));
            }
            if !dynamics.fires_at_threshold {
                changes.push("m.surrogate_function.forward = lambda x: (x > 0).to(x)".into());
            }
        }
        NirReader::SnnTorch => {
            changes.push("m.init_hidden = m.reset_delay = True".into());
            changes.push("m.beta.fill_(1)".into());
            if !dynamics.is_soft {
                changes.push("m.state_function = m._base_zero".into());
            }
            if dynamics.fires_at_threshold {
                changes.push("m.spike_grad = lambda x: (x >= 0).to(x)".into());
            }
        }
        NirReader::Sinabs => {
            changes.push("m.min_v_mem = None".into());
            changes.push(match dynamics.fires_at_threshold {
                true => "m.spike_fn = sinabs.activation.SingleSpike".into(),
                false => "m.spike_fn = Above".into(),
            });
            if !dynamics.fires_at_threshold {
                lines.push(
                    "Above = type(\"Above\", (), {\"required_states\": [\"v_mem\"], \"apply\": staticmethod(lambda v, theta, \
                     _: (v > theta).float())})"
                        .into(),
                );
            }
            if !dynamics.is_soft {
                changes.push("m.reset_fn = sinabs.activation.MembraneReset()".into());
            }
            if start != 0.0 {
                changes.push(format!("m.v_mem = {start} * m.spike_threshold.data[None]"));
            }
        }
        NirReader::Norse => {
            if dynamics.is_soft || dynamics.fires_at_threshold || start != 0.0 {
                let reset = if dynamics.is_soft { "v - z * p.v_th" } else { "v * (1 - z)" };
                lines.push(format!(
                    "step = lambda x, s, p, dt: (lambda v: (lambda z: (z, IAFFeedForwardState({reset})))((v {comparison} \
                     p.v_th).float()))(s.v + x)"
                ));
                changes.push("m.activation = step".into());
            }
            if start != 0.0 {
                changes.push(format!("m.p = m.p._replace(v_reset={start} * m.p.v_th)"));
            }
        }
    }
    if !changes.is_empty() {
        lines.push("for m in net.modules():".into());
        lines.push(format!("    if isinstance(m, {class}): {}", changes.join("; ")));
    }
    if reader == NirReader::SnnTorch && start != 0.0 {
        // Its potentials take the shape of the first input.
        lines.push("net(torch.zeros(1, *graph.input_type[\"input\"]))".into());
        lines.push("for m in net.modules():".into());
        lines.push(format!("    if isinstance(m, {class}): m.mem = torch.full_like(m.mem, {start}) * m.threshold"));
    }
    lines
}

impl Agreement {
    /// Adds the topological order of the nodes for readers that execute them depth first.
    pub(super) fn tell_order(&mut self, reader: NirReader) {
        self.report.downgrade(
            Fidelity::Approximate,
            format!(
                "nirtorch.load, which {} uses, executes nodes depth first: where branches meet, all but the first are lost. The \
                 metadata have the order of the nodes",
                reader.package()
            ),
        );
        self.python.push("order = str(graph.metadata[\"order\"]).split()".into());
        self.python.push("net.execution_order.sort(key=lambda node: order.index(node.name))".into());
    }

    /// Opens the graph without the type check of `nir`.
    pub(super) fn tell_unchecked(&mut self) {
        self.report.downgrade(
            Fidelity::Approximate,
            "a kernel has an even side beside an odd one, which the type check of nir 1.0.8 refuses: read it with \
             nir.read(\"net.nir\", type_check=False)"
                .to_owned(),
        );
        for line in &mut self.python {
            *line = line.replace("nir.read(\"net.nir\")", "nir.read(\"net.nir\", type_check=False)");
        }
    }
}

/// Metadata of the conversion, stored in the graph.
pub(super) fn metadata(recipe: &Recipe, agreement: &Agreement, reader: NirReader) -> Vec<(String, String)> {
    let tie = if recipe.tie == TieRule::Ge { "m >= theta" } else { "m > theta" };
    let reset = if recipe.reset == Reset::Soft { "subtract" } else { "zero" };
    let report = &agreement.report;
    let entries = [
        ("source", concat!("spikescope ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("reader", reader.package().into()),
        ("dt", reader.dt().to_string()),
        ("T", recipe.steps.to_string()),
        ("v_init", recipe.v_init.to_string()),
        ("tie", tie.into()),
        ("reset", reset.into()),
        ("readout", recipe.readout.to_string()),
        ("grade", report.grade.as_str().into()),
        ("reasons", report.reasons.join("\n")),
        ("python", agreement.python.join("\n")),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
