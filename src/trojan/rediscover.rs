//! The attribution bench: how well every method finds the trigger's pixels, in the ANN and in the spiking network over T.
//!
//! Maps explain the trojan's target on pictures with the trigger; scores compare them with the trigger's mask. A style covers the
//! whole picture: no map can be right or wrong about it, so styles are left out.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::folder::{Planted, write_json};
use super::survival::{self, SuccessRow, appears_at, survival};
use super::trigger::TriggerKind;
use crate::attack::snn::GradientRule;
use crate::attack::{AnnTarget, PixelSpace, SnnTarget};
use crate::compute::program::Program;
use crate::data::Scaling;
use crate::experiment::attacked::{AttackSubject, Attacked};
use crate::experiment::cache::Cache;
use crate::explain::scores::{Scores, median};
use crate::explain::{ExplainOptions, Explained, Method, Request, explain};
use crate::export::results_table::quoted;
use crate::files::write_bytes;
use crate::network::predicted_class;
use crate::progress::JobControl;
use crate::simulate::Recording;
use crate::{Error, Result};

/// Files of a bench: what was asked for, and the parts; then both tables.
pub const BENCH: &str = "rediscover.json";
pub const SCORES_CSV: &str = "scores.csv";
pub const SUCCESS: &str = "success.json";
pub const SUCCESS_CSV: &str = "success.csv";
const PARTS: &str = "parts";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    pub methods: Vec<Method>,
    pub on: Vec<Attacked>,
    /// Time-steps of the spiking network.
    pub at: Vec<usize>,
    /// The recipe of the spiking network that is explained, as `race` names it.
    pub recipe: String,
    /// The recipes by which success is measured.
    pub recipes: Vec<String>,
    /// Indices of trojans of the plan.
    pub trojans: Vec<usize>,
    /// Pictures with a trigger, for each trojan.
    pub pictures: usize,
    /// Whether maps of the network with random weights, layer by layer, are scored too.
    pub sanity: bool,
    pub seed: u64,
}

/// What parts depend on: a folder has one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchKey {
    pub version: String,
    pub planted: String,
    pub recipe: String,
    pub pictures: usize,
    pub seed: u64,
}

/// The scores of one method on the pictures of one trojan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    pub trojan: String,
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    pub secret: bool,
    /// `ann` or `snn`, and T.
    pub on: String,
    pub steps: Option<usize>,
    pub method: String,
    /// Of every picture.
    pub l1: Vec<f64>,
    pub correlation: Vec<f64>,
    pub median_l1: f64,
    pub median_correlation: f64,
    /// Part of the pictures that the network takes for the target.
    pub success: f64,
    /// Median correlation between the maps of this network and those of the network with random weights from the output down to
    /// the last layer, two thirds, one third, and all of them (sanity checks, Adebayo et al. 2018).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub randomized: Vec<f64>,
    pub seconds: f64,
}

/// A whole bench: `rediscover.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bench {
    #[serde(flatten)]
    pub key: BenchKey,
    pub rows: Vec<ScoreRow>,
    pub success: Vec<SuccessRow>,
    /// The first T at which a trojan reaches half of its success in the ANN; `None`: at none of those measured.
    pub appears: Vec<Appearance>,
    pub seconds: f64,
}

/// When a trojan appears after conversion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appearance {
    pub trojan: String,
    pub recipe: String,
    pub steps: Option<usize>,
}

/// Does what is missing in the folder `out`. After a stop, another call goes on.
///
/// # Errors
/// Those of the methods and of writing; [`Error::Invalid`] for a folder of another bench; [`Error::Cancelled`] when stopped, with
/// everything finished in the folder.
pub fn rediscover(planted: &Planted, options: &BenchOptions, out: &Path, control: &JobControl) -> Result<Bench> {
    check(options)?;
    let begun = Instant::now();
    let key = BenchKey {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        planted: planted.source.clone(),
        recipe: options.recipe.clone(),
        pictures: options.pictures,
        seed: options.seed,
    };
    let parts = out.join(PARTS);
    std::fs::create_dir_all(&parts).map_err(|error| Error::io(&parts, error))?;
    check_key(&parts.join("key.json"), &key)?;
    let success = success_part(planted, options, &parts, control)?;
    let scored: Vec<usize> = options
        .trojans
        .iter()
        .copied()
        .filter(|&trojan| planted.plan.trojans[trojan].trigger.kind() != TriggerKind::Style)
        .collect();
    let mut places: Vec<Option<usize>> = Vec::new();
    if options.on.contains(&Attacked::Ann) {
        places.push(None);
    }
    if options.on.contains(&Attacked::Snn) {
        places.extend(options.at.iter().copied().map(Some));
    }
    let mut rows = Vec::new();
    let whole = (places.len() * scored.len()).max(1) as f32;
    for (k, &steps) in places.iter().enumerate() {
        let path = |trojan: usize, method: Method| {
            let place = steps.map_or_else(|| "ann".to_owned(), |steps| format!("snn-{steps}"));
            parts.join(format!("{place}-{trojan}-{}.json", method.word()))
        };
        let missing =
            |trojan: usize| options.methods.iter().copied().filter(move |&method| !path(trojan, method).is_file());
        if scored.iter().any(|&trojan| missing(trojan).next().is_some()) {
            let place = Place::new(planted, steps, options)?;
            for (done, &trojan) in scored.iter().enumerate() {
                control.progress("attribution", (k * scored.len() + done) as f32 / whole);
                let methods: Vec<Method> = missing(trojan).collect();
                place.score(planted, trojan, &methods, options, control, |method, row| {
                    write_json(&path(trojan, method), &row)
                })?;
            }
        }
        for (trojan, method) in
            scored.iter().flat_map(|&trojan| options.methods.iter().map(move |&method| (trojan, method)))
        {
            rows.push(read_part::<ScoreRow>(&path(trojan, method))?);
        }
    }
    let names = options.trojans.iter().map(|&trojan| planted.plan.trojans[trojan].name.clone());
    let appears = names
        .flat_map(|trojan| options.recipes.iter().map(move |recipe| (trojan.clone(), recipe.clone())))
        .map(|(trojan, recipe)| Appearance { steps: appears_at(&success, &trojan, &recipe), trojan, recipe })
        .collect();
    let bench = Bench { key, rows, success, appears, seconds: begun.elapsed().as_secs_f64() };
    write_bytes(&out.join(SCORES_CSV), bench.scores_csv().as_bytes())?;
    write_bytes(&out.join(SUCCESS_CSV), survival::csv(&bench.success).as_bytes())?;
    write_json(&out.join(SUCCESS), &bench.success)?;
    write_json(&out.join(BENCH), &bench)?;
    Ok(bench)
}

impl Bench {
    /// Reads the bench of the folder at `folder`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a file that is not one.
    pub fn open(folder: &Path) -> Result<Self> {
        read_part(&folder.join(BENCH))
    }

    /// One line a trojan, network and method: medians.
    pub fn scores_csv(&self) -> String {
        let line = |row: &ScoreRow| {
            let steps = row.steps.map_or_else(String::new, |steps| steps.to_string());
            let randomized: Vec<String> = row.randomized.iter().map(|value| format!("{value:.4}")).collect();
            format!(
                "{},{},{},{},{steps},{},{:.5},{:.5},{:.4},{},{:.3}\n",
                quoted(&row.trojan),
                row.kind.word(),
                row.secret,
                row.on,
                row.method,
                row.median_l1,
                row.median_correlation,
                row.success,
                randomized.join(" "),
                row.seconds
            )
        };
        let head = "trojan,type,secret,on,steps,method,l1,correlation,success,randomized,seconds\n";
        self.rows.iter().map(line).fold(head.to_owned(), |text, line| text + &line)
    }

    /// Median over trojans of the median scores of `method` on the ANN (`None`) or the spiking network after `steps`:
    /// distance and correlation.
    pub fn of_method(&self, method: &str, steps: Option<usize>) -> Option<(f64, f64)> {
        let own: Vec<&ScoreRow> = self.rows.iter().filter(|row| row.method == method && row.steps == steps).collect();
        let of = |value: &dyn Fn(&ScoreRow) -> f64| median(&own.iter().map(|row| value(row)).collect::<Vec<_>>());
        (!own.is_empty()).then(|| (of(&|row| row.median_l1), of(&|row| row.median_correlation)))
    }
}

/// One network to be explained: the ANN, or the spiking network after some steps.
struct Place {
    steps: Option<usize>,
    program: Program,
    spiking: Option<AttackSubject>,
    pixels: PixelSpace,
}

impl Place {
    fn new(planted: &Planted, steps: Option<usize>, options: &BenchOptions) -> Result<Self> {
        let pixels = PixelSpace::new(&planted.test.samples, &Scaling::Unit)?;
        let Some(count) = steps else {
            let program = Program::new(Arc::new(planted.network.clone()), &Device::flex());
            return Ok(Self { steps, program, spiking: None, pixels });
        };
        let recipe = survival::recipe(&options.recipe, count).unwrap_or_default();
        let settings = survival::settings(planted, recipe);
        let mut cache = Cache::for_one_run();
        let subject = AttackSubject::load(&settings, Attacked::Snn, &mut cache, &JobControl::default())?;
        Ok(Self { steps, program: subject.model.program.clone(), spiking: Some(subject), pixels })
    }

    /// Calls `go` with this network, as attribution wants it.
    fn with<T>(&self, go: impl FnOnce(&Explained<'_>) -> Result<T>) -> Result<T> {
        let network = self.program.network().clone();
        match self.spiking.as_ref().and_then(|subject| subject.spiking.as_deref()).zip(self.steps) {
            Some((spiking, steps)) => {
                let read = |recording: &Recording, sample: usize| {
                    let sums = recording.readout_at(recording.steps, sample);
                    sums.iter().map(|sum| sum / recording.steps as f32).collect::<Vec<f32>>()
                };
                let target = SnnTarget::new(&self.program, spiking, &self.pixels, steps, GradientRule::Rate, &read)?;
                go(&Explained::snn(&target, network))
            }
            None => go(&Explained::ann(&AnnTarget::new(&self.program, &self.pixels), network)),
        }
    }

    fn score(
        &self,
        planted: &Planted,
        trojan: usize,
        methods: &[Method],
        options: &BenchOptions,
        control: &JobControl,
        mut keep: impl FnMut(Method, ScoreRow) -> Result<()>,
    ) -> Result<()> {
        if methods.is_empty() {
            return Ok(());
        }
        let triggered = planted.triggered(trojan, options.pictures);
        let count = triggered.samples.len();
        let target = usize::from(planted.classes[trojan].0);
        let input = self.pixels.scaled(&self.pixels.pixels(&triggered.samples, 0..count)?);
        let shape = planted.test.shape();
        let zeros = vec![0.0; self.pixels.len()];
        let request = Request {
            input: &input,
            targets: &vec![target; count],
            form: self.pixels.form(),
            baselines: &zeros,
            first: 0,
        };
        let explaining = ExplainOptions { seed: options.seed, ..ExplainOptions::default() };
        let quiet = control.without_events();
        let random = match options.sanity && self.steps.is_none() {
            true => randomized(planted, options.seed),
            false => Vec::new(),
        };
        self.with(|explained| {
            let logits = explained.target().logits(&self.pixels.pixels(&triggered.samples, 0..count)?, &quiet)?;
            let hits = logits.chunks_exact(explained.classes()).filter(|row| predicted_class(row) == target).count();
            for &method in methods {
                control.check()?;
                let begun = Instant::now();
                let maps = explain(method, explained, &request, &explaining, &quiet)?;
                let seconds = begun.elapsed().as_secs_f64();
                let scores = Scores::of(&maps, shape[0], &triggered.masks, shape[1] * shape[2]);
                let mut sanity = Vec::new();
                for program in &random {
                    let target = AnnTarget::new(program, &self.pixels);
                    let explained = Explained::ann(&target, program.network().clone());
                    let other = explain(method, &explained, &request, &explaining, &quiet)?;
                    sanity.push(similarity(&maps, &other, self.pixels.len()));
                }
                let named = &planted.plan.trojans[trojan];
                keep(
                    method,
                    ScoreRow {
                        trojan: named.name.clone(),
                        kind: named.trigger.kind(),
                        secret: named.secret,
                        on: if self.steps.is_some() { "snn" } else { "ann" }.to_owned(),
                        steps: self.steps,
                        method: method.word().to_owned(),
                        median_l1: scores.median.l1,
                        median_correlation: scores.median.correlation,
                        l1: scores.l1,
                        correlation: scores.correlation,
                        success: hits as f64 / count.max(1) as f64,
                        randomized: sanity,
                        seconds,
                    },
                )?;
            }
            Ok(())
        })
    }
}

/// The network with random weights from the output down: the last layer, a third, two thirds, and all layers.
fn randomized(planted: &Planted, seed: u64) -> Vec<Program> {
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    use rand_chacha::ChaCha8Rng;

    use crate::network::{Op, Weights};
    let has_weights = |op: &Op| matches!(op, Op::Conv2d { .. } | Op::Linear { .. } | Op::ConvTranspose2d { .. });
    let layers: Vec<usize> =
        (0..planted.network.nodes.len()).filter(|&id| has_weights(&planted.network.nodes[id].op)).collect();
    let counts = [1, layers.len().div_ceil(3), (2 * layers.len()).div_ceil(3), layers.len()];
    let of = |count: usize| {
        let mut network = planted.network.clone();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for &id in layers.iter().rev().take(count) {
            // Shuffled weights keep their distribution.
            let mut shuffle = |weights: &mut Weights| {
                let mut data = weights.data.to_vec();
                data.shuffle(&mut rng);
                *weights = Weights::new(weights.shape.clone(), data);
            };
            match &mut network.nodes[id].op {
                Op::Conv2d { weight, .. } | Op::Linear { weight, .. } | Op::ConvTranspose2d { weight, .. } => {
                    shuffle(weight);
                }
                _ => {}
            }
        }
        Program::new(Arc::new(network), &Device::flex())
    };
    counts.map(of).into()
}

/// Median over pictures of the correlation of the sizes of two maps, `[N, F]` each.
fn similarity(a: &[f32], b: &[f32], width: usize) -> f64 {
    let sizes = |map: &[f32]| map.iter().map(|value| value.abs()).collect::<Vec<f32>>();
    let each = a.chunks_exact(width).zip(b.chunks_exact(width));
    median(&each.map(|(a, b)| crate::explain::scores::correlation(&sizes(a), &sizes(b))).collect::<Vec<_>>())
}

fn check(options: &BenchOptions) -> Result<()> {
    if options.pictures == 0 || options.on.is_empty() || options.at.contains(&0) {
        return Err(Error::Invalid(
            "Cannot run the bench: pictures and time-steps must be above 0, and --on must name ann or snn.".into(),
        ));
    }
    if options.on.contains(&Attacked::Snn) && options.at.is_empty() {
        return Err(Error::Invalid("Cannot explain the spiking network: no time-steps. Use --at 4,8,16,32.".into()));
    }
    if survival::recipe(&options.recipe, 1).is_none() {
        return Err(survival::unknown_recipe(&options.recipe));
    }
    Ok(())
}

/// The success after conversion, from its part or measured.
fn success_part(
    planted: &Planted,
    options: &BenchOptions,
    parts: &Path,
    control: &JobControl,
) -> Result<Vec<SuccessRow>> {
    #[derive(Serialize, Deserialize)]
    struct Part {
        recipes: Vec<String>,
        at: Vec<usize>,
        trojans: Vec<usize>,
        rows: Vec<SuccessRow>,
    }
    let path = parts.join("success.json");
    if path.is_file() {
        let part: Part = read_part(&path)?;
        if (&part.recipes, &part.at, &part.trojans) == (&options.recipes, &options.at, &options.trojans) {
            return Ok(part.rows);
        }
    }
    let rows = survival(planted, &options.trojans, &options.recipes, &options.at, options.pictures, control)?;
    let part =
        Part { recipes: options.recipes.clone(), at: options.at.clone(), trojans: options.trojans.clone(), rows };
    write_json(&path, &part)?;
    Ok(part.rows)
}

/// Writes the key of the bench, or compares it with the one that is there.
fn check_key(path: &Path, key: &BenchKey) -> Result<()> {
    if !path.is_file() {
        return write_json(path, key);
    }
    let known: BenchKey = read_part(path)?;
    if known == *key {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "Cannot go on with this bench: its parts are of {}, recipe {}, {} pictures and seed {}. Use the same, or another \
         folder for --out.",
        known.planted, known.recipe, known.pictures, known.seed
    )))
}

fn read_part<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    serde_json::from_str(&text).map_err(|error| Error::file(path, format!("line {}", error.line()), error.to_string()))
}
