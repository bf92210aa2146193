//! LeNet-5, a network with max pools between neurons, on MNIST.

use spikescope::convert::ThresholdRule;
use spikescope::data::spec::Source;
use spikescope::data::{DataSpec, Scaling};
use spikescope::experiment::Settings;
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::cache::Cache;
use spikescope::progress::JobControl;

/// Its settings over `steps` time-steps; `None` without the files.
pub fn lenet(steps: usize, cache: &mut Cache) -> Option<Settings> {
    let (model, data) =
        (super::common::shared("data/models/mnist/lenet5_torch.onnx")?, super::common::shared("data/mnist")?);
    let (images, labels) = (data.join("t10k-images-idx3-ubyte.gz"), data.join("t10k-labels-idx1-ubyte.gz"));
    let settings = Settings {
        model: model.display().to_string(),
        data: DataSpec::from(Source::Idx { images, labels: Some(labels) }).to_string(),
        ..Settings::demo()
    };
    let mut settings = adapt_settings(&settings, Adapt::Network, cache, &JobControl::default()).unwrap();
    settings.samples = 0..20;
    settings.calibrate = 100..164;
    settings.scaling = Scaling::parse("mean=.1307;std=.3081").unwrap();
    settings.recipe.threshold = ThresholdRule::Percentile(99.9);
    settings.recipe.steps = steps;
    Some(settings)
}
