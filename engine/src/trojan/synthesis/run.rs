//! All syntheses of a planted network into a folder: resumable, one file a trojan and method.

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latent::{Decoder, train_autoencoder};
use super::method::Method;
use super::patches::{PATCH_SIDE, adversarial_patches, tabor};
use super::snafue::natural_crops;
use super::subject::{Goal, Subject};
use super::visual::{Excited, Form, visualize};
use crate::data::npz::find_array;
use crate::data::{NpzData, write_npz};
use crate::network::safetensors;
use crate::network::zoo::CROP;
use crate::progress::JobControl;
use crate::trojan::folder::{Planted, write_json};
use crate::trojan::trigger::TriggerKind;
use crate::{Error, Result};

/// The list of all syntheses.
pub const INDEX: &str = "synthesis.json";
/// The decoder of natural crops.
const DECODER: &str = "decoder.safetensors";
/// Patches that are made for every one that is kept.
const SURPLUS: f32 = 1.5;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SynthesisOptions {
    pub methods: Vec<Method>,
    /// Indices of trojans of the plan.
    pub trojans: Vec<usize>,
    /// Pictures a trojan and method.
    pub pictures: usize,
    pub seed: u64,
}

/// `synthesis.json`: what a folder of syntheses has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SynthesisIndex {
    pub version: String,
    /// The planted network: a folder or a bundled name.
    pub planted: String,
    pub seed: u64,
    pub pictures: usize,
    pub items: Vec<SynthesisItem>,
}

/// The pictures of one trojan by one method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SynthesisItem {
    pub trojan: String,
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    pub trigger: String,
    pub target: u16,
    pub secret: bool,
    pub method: String,
    /// File in the folder: array `pictures` `[N, C, H, W]`, values 0 to 1.
    pub file: String,
    /// For patches the part of 50 test pictures that each leads to the target, for whole pictures whether it is taken for it.
    pub success: Vec<f32>,
    pub seconds: f32,
}

/// Makes what is missing in the folder `out`. After a stop, another call goes on.
///
/// # Errors
/// Those of the methods and of writing; [`Error::Invalid`] for a folder of another network, seed or number of pictures;
/// [`Error::Cancelled`] when stopped, with everything finished in the folder.
pub fn synthesize(
    planted: &Planted,
    options: &SynthesisOptions,
    out: &Path,
    control: &JobControl,
) -> Result<SynthesisIndex> {
    if options.pictures == 0 || options.pictures > 100 {
        return Err(Error::Invalid(format!(
            "Cannot make {} pictures a trojan and method: use 1 to 100.",
            options.pictures
        )));
    }
    let mut index = open_or_begin(planted, options, out)?;
    let missing: Vec<(usize, Method)> = options
        .trojans
        .iter()
        .flat_map(|&trojan| options.methods.iter().map(move |&method| (trojan, method)))
        .filter(|(trojan, method)| !index.has(out, &planted.plan.trojans[*trojan].name, *method))
        .collect();
    if missing.is_empty() {
        write_json(&out.join(INDEX), &index)?;
        return Ok(index);
    }
    control.progress("reading", 0.0);
    let subject = Subject::new(planted)?;
    let mut decoder: Option<Decoder> = None;
    for (k, &(trojan, method)) in missing.iter().enumerate() {
        control.progress(method.word(), k as f32 / missing.len() as f32);
        let begun = std::time::Instant::now();
        let needs_decoder = matches!(method, Method::RflaPerturb | Method::RflaGenerator);
        if needs_decoder && decoder.is_none() {
            decoder = Some(open_or_train_decoder(&subject, options.seed, out, control)?);
        }
        let (target, source) = planted.classes[trojan];
        let job = Job {
            subject: &subject,
            goal: Goal { target, source },
            pictures: options.pictures,
            seed: seed_of(trojan, method, options.seed),
        };
        let (pictures, side, success) = job.run(method, decoder.as_ref(), control)?;
        let named = &planted.plan.trojans[trojan];
        let file = format!("{}/{}.npz", slug(&named.name), method.word());
        let path = out.join(&file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let shape = [options.pictures, subject.shape[0], side[0], side[1]];
        write_npz(&path, &[("pictures", &shape, NpzData::F32(&pictures))])?;
        index.items.retain(|item| !(item.trojan == named.name && item.method == method.word()));
        index.items.push(SynthesisItem {
            trojan: named.name.clone(),
            kind: named.trigger.kind(),
            trigger: named.trigger.name().to_owned(),
            target,
            secret: named.secret,
            method: method.word().to_owned(),
            file,
            success,
            seconds: begun.elapsed().as_secs_f32(),
        });
        write_json(&out.join(INDEX), &index)?;
    }
    Ok(index)
}

impl SynthesisIndex {
    /// Reads the list of the folder at `folder`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a folder without one; [`Error::File`] for one that is not valid.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(INDEX);
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Error::Invalid(format!(
                "Cannot open {}: it has no syntheses ({INDEX}). Run `spikescope trojan synthesize` first.",
                folder.display()
            ))
        })?;
        serde_json::from_str(&text)
            .map_err(|error| Error::file(&path, format!("line {}", error.line()), error.to_string()))
    }

    fn has(&self, out: &Path, trojan: &str, method: Method) -> bool {
        self.items
            .iter()
            .any(|item| item.trojan == trojan && item.method == method.word() && out.join(&item.file).is_file())
    }
}

impl SynthesisItem {
    /// Shape `[N, C, H, W]` and values of the pictures, 0 to 1.
    ///
    /// # Errors
    /// [`Error::File`] for a file that is not one of these.
    pub fn pictures(&self, folder: &Path) -> Result<([usize; 4], Vec<f32>)> {
        let path = folder.join(&self.file);
        let found = find_array(&path, &["pictures"])?;
        match found.as_ref().map(|(shape, values)| (shape.as_slice(), values)) {
            Some((&[n, c, h, w], values)) => Ok(([n, c, h, w], values.clone())),
            _ => Err(Error::file(&path, "archive", "has no array 'pictures' [N, C, H, W]")),
        }
    }
}

/// One trojan and method.
struct Job<'a> {
    subject: &'a Subject,
    goal: Goal,
    pictures: usize,
    seed: u64,
}

impl Job<'_> {
    /// The pictures, their height and width, and the success of each.
    fn run(
        &self,
        method: Method,
        decoder: Option<&Decoder>,
        control: &JobControl,
    ) -> Result<(Vec<f32>, [usize; 2], Vec<f32>)> {
        let Self { subject, goal, pictures, seed } = *self;
        let shape = subject.shape;
        let surplus = (SURPLUS * pictures as f32).ceil() as usize;
        let decoder = || decoder.ok_or_else(|| Error::Internal("a synthesis came before its decoder".into()));
        if method.draws_whole_pictures() {
            let visual = |of, form| visualize(subject, of, form, goal, pictures, seed, control);
            let drawn = match method {
                Method::FourierInner => visual(Excited::Inner, Form::Fourier),
                Method::FourierTarget => visual(Excited::Target, Form::Fourier),
                Method::CppnInner => visual(Excited::Inner, Form::Cppn),
                Method::CppnTarget => visual(Excited::Target, Form::Cppn),
                _ => tabor(subject, goal, pictures, seed, control),
            }?;
            let success = subject.taken_for(&drawn, goal.target, control)?;
            return Ok((drawn, subject.size(), success));
        }
        let (made, side) = match method {
            Method::AdversarialPatch => (adversarial_patches(subject, goal, surplus, seed, control)?, PATCH_SIDE),
            Method::RflaPerturb => (decoder()?.perturb(subject, goal, surplus, seed, control)?, CROP),
            Method::RflaGenerator => (decoder()?.generate(subject, goal, surplus, seed, control)?, CROP),
            _ => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let patches = adversarial_patches(subject, goal, surplus, seed, control)?;
                let success = subject.patch_success(&patches, PATCH_SIDE, goal, &mut rng, control)?;
                (natural_crops(subject, &patches, &success, goal, pictures, seed, control)?, CROP)
            }
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed + 1);
        let success = subject.patch_success(&made, side, goal, &mut rng, control)?;
        let width = shape[0] * side * side;
        let mut order: Vec<usize> = (0..success.len()).collect();
        order.sort_by(|a, b| success[*b].total_cmp(&success[*a]));
        order.truncate(pictures);
        let kept = order.iter().flat_map(|&k| &made[k * width..(k + 1) * width]).copied().collect();
        Ok((kept, [side; 2], order.iter().map(|&k| success[k]).collect()))
    }
}

/// A seed that depends on trojan, method and the seed asked for, not on what was done before.
fn seed_of(trojan: usize, method: Method, seed: u64) -> u64 {
    let method = Method::ALL.iter().position(|known| *known == method).unwrap_or(0);
    seed.wrapping_mul(1_000_003).wrapping_add((trojan * Method::ALL.len() + method) as u64)
}

/// The list in `out`, or a new one.
fn open_or_begin(planted: &Planted, options: &SynthesisOptions, out: &Path) -> Result<SynthesisIndex> {
    if out.join(INDEX).is_file() {
        let index = SynthesisIndex::open(out)?;
        let same = index.planted == planted.source && index.seed == options.seed && index.pictures == options.pictures;
        return match same {
            true => Ok(index),
            false => Err(Error::Invalid(format!(
                "Cannot go on in {}: its syntheses are of {} with seed {} and {} pictures. Use the same, or another folder.",
                out.display(),
                index.planted,
                index.seed,
                index.pictures
            ))),
        };
    }
    std::fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    Ok(SynthesisIndex {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        planted: planted.source.clone(),
        seed: options.seed,
        pictures: options.pictures,
        items: Vec::new(),
    })
}

fn open_or_train_decoder(subject: &Subject, seed: u64, out: &Path, control: &JobControl) -> Result<Decoder> {
    let path: PathBuf = out.join(DECODER);
    let network = match path.is_file() {
        true => crate::network::open::open(&path.to_string_lossy())?,
        false => {
            let network = train_autoencoder(subject, seed, control)?;
            safetensors::save(&network, &path)?;
            network
        }
    };
    Decoder::new(&network, subject, control)
}

/// A name as part of a path.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
