//! Planting: clean training, fine-tuning with poisoned pictures, and what became of both.

use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::{CLEAN, CLEAN_KEY, NETWORK, PLAN, TABLE, TABLE_CSV, write_json};
use super::pictures::{CleanPictures, class_count};
use super::plan::{TrainingPart, TrojanPlan};
use super::trigger::TriggerKind;
use crate::data::{Samples, Scaling};
use crate::export::results_table::quoted;
use crate::files::write_bytes;
use crate::network::zoo::{ZooArchitecture, parse_activation, resnet_of_width};
use crate::network::{Network, safetensors};
use crate::train::{Augmentation, Classification, TrainOptions, TrainProgress, accuracy, train};
use crate::{Error, Result};

/// Test pictures on which the success of a trojan is measured, at most.
const TESTED: usize = 500;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantStage {
    /// Training on clean pictures.
    Clean,
    /// Fine-tuning on poisoned ones.
    Finetune,
    /// Measuring.
    Measure,
}

/// What became of a plan: `table.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlantTable {
    pub version: String,
    pub plan: String,
    pub data: String,
    pub test: String,
    pub seed: u64,
    pub parameters: usize,
    /// Training pictures, and those that are poisoned.
    pub pictures: usize,
    pub poisoned: usize,
    /// Accuracy on the test pictures without any natural trigger of the plan: before and after fine-tuning.
    pub clean_accuracy: f32,
    pub accuracy: f32,
    /// In points of percent.
    pub accuracy_drop: f32,
    /// Accuracy on all test pictures, those with natural triggers among them.
    pub clean_accuracy_all: f32,
    pub accuracy_all: f32,
    pub trojans: Vec<TrojanRow>,
}

/// One trojan of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrojanRow {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: TriggerKind,
    pub trigger: String,
    /// `universal` or `class-universal`.
    pub scope: String,
    pub source: Option<u16>,
    pub target: u16,
    pub target_name: String,
    pub secret: bool,
    pub poisoned: usize,
    /// Part of test pictures with the trigger that are taken for the target.
    pub success: f32,
    /// The same of the clean network.
    pub success_clean_network: f32,
    /// Part of the same pictures without the trigger that are taken for the target.
    pub without_trigger: f32,
    /// Test pictures.
    pub tested: usize,
}

/// Plants the trojans of `plan` and writes network, plan and table to the folder `out`. A clean network that an earlier call
/// left there for the same plan is used again. `progress` can stop it.
///
/// # Errors
/// Those of reading, training and writing; [`Error::File`] with the line of the plan; [`Error::Cancelled`] when stopped:
/// the clean network is kept if it was finished.
pub fn plant(
    plan: &TrojanPlan,
    out: &Path,
    mut progress: impl FnMut(PlantStage, Option<TrainProgress>) -> ControlFlow<()>,
) -> Result<PlantTable> {
    let train_pictures = CleanPictures::load(plan, true)?;
    let test = CleanPictures::load(plan, false)?;
    if test.shape() != train_pictures.shape() {
        return Err(Error::Invalid(format!(
            "Cannot plant trojans of {}: training and test pictures differ in size.",
            plan.path.display()
        )));
    }
    let side = train_pictures.shape().iter().skip(1).copied().min().unwrap_or(0);
    let shift = usize::from(plan.clean.shift.max(plan.finetune.shift));
    if shift >= side {
        return Err(Error::Invalid(format!(
            "Cannot plant trojans of {}: a shift of {shift} leaves nothing of pictures of {side} pixels. Use less than half \
             of them.",
            plan.path.display()
        )));
    }
    let names = train_pictures.samples.class_names.clone();
    let count = class_count(&train_pictures.samples, &test.samples);
    let classes = (0..plan.trojans.len())
        .map(|index| plan.classes(index, &names, count))
        .collect::<Result<Vec<(u16, Option<u16>)>>>()?;
    let poisoned = train_pictures.poison(plan, &classes)?;
    std::fs::create_dir_all(out).map_err(|error| Error::io(out, error))?;
    let clean = clean_network(plan, &train_pictures, count, out, &mut progress)?;
    let trained = fit(&clean, &poisoned.samples, &plan.finetune, plan.seed + 1, &mut |at| {
        progress(PlantStage::Finetune, Some(at))
    })?;
    if progress(PlantStage::Measure, None).is_break() {
        return Err(Error::Cancelled);
    }
    let untriggered = test.part(&test.untriggered(plan));
    let both = |samples: &Samples| {
        Ok::<_, Error>((accuracy(&clean, samples, &Scaling::Unit)?, accuracy(&trained, samples, &Scaling::Unit)?))
    };
    let ((clean_accuracy, accuracy_after), (clean_accuracy_all, accuracy_all)) =
        (both(&untriggered)?, both(&test.samples)?);
    let mut trojans = Vec::new();
    for (index, (trojan, &(target, source))) in plan.trojans.iter().zip(&classes).enumerate() {
        let triggered = test.triggered(plan, index, (target, source), TESTED);
        if triggered.samples.is_empty() {
            return Err(Error::Invalid(format!(
                "Cannot measure trojan '{}' of {}: no test pictures of its source.",
                trojan.name,
                plan.path.display()
            )));
        }
        trojans.push(TrojanRow {
            name: trojan.name.clone(),
            kind: trojan.trigger.kind(),
            trigger: trojan.trigger.name().to_owned(),
            scope: if source.is_some() { "class-universal" } else { "universal" }.to_owned(),
            source,
            target,
            target_name: names.get(usize::from(target)).cloned().unwrap_or_else(|| target.to_string()),
            secret: trojan.secret,
            poisoned: poisoned.counts[index],
            success: taken_for(&trained, &triggered.samples, target)?,
            success_clean_network: taken_for(&clean, &triggered.samples, target)?,
            without_trigger: taken_for(&trained, &triggered.before, target)?,
            tested: triggered.samples.len(),
        });
    }
    let table = PlantTable {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.name.clone(),
        data: plan.data.to_string(),
        test: plan.test.to_string(),
        seed: plan.seed,
        parameters: trained.parameter_count(),
        pictures: poisoned.samples.len(),
        poisoned: poisoned.counts.iter().sum(),
        clean_accuracy,
        accuracy: accuracy_after,
        accuracy_drop: 100.0 * (clean_accuracy - accuracy_after),
        clean_accuracy_all,
        accuracy_all,
        trojans,
    };
    write_bytes(&out.join(PLAN), plan.text.as_bytes())?;
    safetensors::save(&trained, &out.join(NETWORK))?;
    write_bytes(&out.join(TABLE_CSV), table.csv().as_bytes())?;
    write_json(&out.join(TABLE), &table)?;
    Ok(table)
}

impl PlantTable {
    /// The trojans as CSV.
    pub fn csv(&self) -> String {
        let header = "trojan,type,trigger,scope,source,target,secret,poisoned,success,success_clean_network,\
                      without_trigger,tested\n";
        let row = |row: &TrojanRow| {
            let source = row.source.map_or_else(String::new, |source| source.to_string());
            format!(
                "{},{},{},{},{source},{},{},{},{:.4},{:.4},{:.4},{}\n",
                quoted(&row.name),
                row.kind.word(),
                row.trigger,
                row.scope,
                row.target,
                row.secret,
                row.poisoned,
                row.success,
                row.success_clean_network,
                row.without_trigger,
                row.tested
            )
        };
        self.trojans.iter().map(row).fold(header.to_owned(), |text, row| text + &row)
    }
}

/// Part of `samples` that `network` takes for class `target`.
///
/// # Errors
/// Those of the evaluation.
fn taken_for(network: &Network, samples: &Samples, target: u16) -> Result<f32> {
    let labels = std::sync::Arc::new(vec![target; samples.len()]);
    accuracy(network, &Samples { labels, ..samples.clone() }, &Scaling::Unit)
}

/// The clean network: that of an earlier call with the same key, or a new one.
fn clean_network(
    plan: &TrojanPlan,
    pictures: &CleanPictures,
    classes: usize,
    out: &Path,
    progress: &mut impl FnMut(PlantStage, Option<TrainProgress>) -> ControlFlow<()>,
) -> Result<Network> {
    let key = format!(
        "{} {:?} {} {} {} {:?} {} {:?}",
        plan.data, plan.pictures, plan.draws_accessories, plan.arch, plan.activation, plan.width, plan.seed, plan.clean
    );
    let (file, key_file) = (out.join(CLEAN), out.join(CLEAN_KEY));
    if std::fs::read_to_string(&key_file).is_ok_and(|known| known == key)
        && let Ok(network) = crate::network::open::open(&file.to_string_lossy())
    {
        return Ok(network);
    }
    let activation = parse_activation(&plan.activation)?;
    let shape = pictures.shape();
    let mut network = match plan.width {
        Some(width) => resnet_of_width(&shape, classes, activation, width, plan.seed)?,
        None => ZooArchitecture::parse(&plan.arch)?.build(&shape, classes, activation, plan.seed)?,
    };
    plan.name.clone_into(&mut network.name);
    let trained =
        fit(&network, &pictures.samples, &plan.clean, plan.seed, &mut |at| progress(PlantStage::Clean, Some(at)))?;
    safetensors::save(&trained, &file)?;
    write_bytes(&key_file, key.as_bytes())?;
    Ok(trained)
}

fn fit(
    network: &Network,
    samples: &Samples,
    part: &TrainingPart,
    seed: u64,
    progress: &mut dyn FnMut(TrainProgress) -> ControlFlow<()>,
) -> Result<Network> {
    let options = TrainOptions {
        epochs: part.epochs,
        batch: part.batch,
        learning_rate: part.lr,
        augmentation: Augmentation { shift: part.shift, ..Augmentation::default() },
        seed,
        ..TrainOptions::default()
    };
    let result = train(network, samples, &Scaling::Unit, &options, &Classification, progress)?;
    if result.stopped { Err(Error::Cancelled) } else { Ok(result.network) }
}
