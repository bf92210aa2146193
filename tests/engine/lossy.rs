//! Neurons that lose charge, by a leak or a hard reset: their potential is not v(0) + input − output.

use spikescope::convert::{NeuronModel, Readout, Reset, ThresholdRule, TieRule, expected_spikes};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::run::Run;
use spikescope::experiment::{Settings, pipeline};
use spikescope::progress::JobControl;

fn run(change: impl FnOnce(&mut Settings)) -> std::sync::Arc<Run> {
    let mut settings = Settings { model: "builtin:digits-cnn".into(), samples: 256..264, ..Settings::default() };
    settings.recipe.threshold = ThresholdRule::Percentile(99.0);
    settings.recipe.readout = Readout::Sum;
    settings.recipe.steps = 6;
    change(&mut settings);
    pipeline::run(&settings, &mut Cache::default(), &JobControl::default()).unwrap()
}

#[test]
fn the_first_layer_has_no_propagated_error_and_conditions_read_the_recorded_potential() {
    let lossy: [&dyn Fn(&mut Settings); 3] = [
        &|settings| settings.recipe.neuron = NeuronModel::Lif(500),
        &|settings| settings.recipe.reset = Reset::Hard,
        &|settings| settings.recipe.tie = TieRule::Gt,
    ];
    for change in lossy {
        let run = run(change);
        let first = &run.report.layers[0];
        // The same constant input in both networks; a sum at a tie may round to the other side.
        assert!(first.propagated_by_rerun.abs() < 1e-4 * first.mean_activation, "{}", first.propagated_by_rerun);
        for ((layer, record), report) in run.spiking.layers.iter().zip(&run.recording.layers).zip(&run.report.layers) {
            let (mut over, mut under) = ([0u64; 2], [0u64; 2]);
            for sample in 0..run.recording.samples {
                let mut counts = vec![0; layer.neurons()];
                record.spikes.add_counts(6, sample, &mut counts);
                let (v, means) = (record.potentials(sample).unwrap(), record.mean_inputs(layer, sample).unwrap());
                for neuron in 0..layer.neurons() {
                    let (n, theta) = (counts[neuron], layer.theta_of(neuron));
                    let q = expected_spikes(means[neuron], theta, 6, 1, 0.5);
                    over[usize::from(v[neuron] < 0.0 && n > 0)] += u64::from(n > q);
                    under[usize::from(v[neuron] >= theta && n < 6)] += u64::from(n < q);
                }
            }
            let residual = report.residual;
            assert_eq!([residual.over.missed, residual.over.hits], over, "{}", report.name);
            assert_eq!([residual.under.missed, residual.under.hits], under, "{}", report.name);
        }
    }
}

#[test]
fn traces_leak_before_they_are_charged() {
    let run = run(|settings| settings.recipe.neuron = NeuronModel::Lif(500));
    let currents = spikescope::simulate::membrane_trace::layer_currents(
        &run.network.program,
        &run.spiking,
        &run.input,
        &run.recording,
        0,
        0,
    );
    for neuron in 0..run.spiking.layers[0].neurons() {
        let trace = spikescope::simulate::membrane_trace::trace(&run.spiking, &run.recording, &currents, 0, 0, neuron);
        for (m, fired) in trace.before_reset.iter().zip(&trace.spikes) {
            assert_eq!(*m >= trace.theta, *fired);
        }
    }
}
