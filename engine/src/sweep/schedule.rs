//! Order of the rows: those that share a network, a calibration or a run one after the other.

use std::collections::BTreeMap;

use super::plan::{RowSettings, Work};
use crate::convert::Recipe;
use crate::experiment::Settings;

/// Rows that one run gives: they differ in the number of steps alone. An attack or explanation of the
/// spiking network is a group of its own.
#[derive(Clone, Debug)]
pub struct Group {
    /// The rows by their number of steps, ascending: row numbers and address.
    pub rows: Vec<GroupRow>,
}

/// A row that is to run.
#[derive(Clone, Debug)]
pub struct GroupRow {
    pub number: usize,
    pub address: String,
    pub row: RowSettings,
}

/// Groups `rows`, in the order in which the cache serves them best.
pub fn groups(rows: Vec<GroupRow>) -> Vec<Group> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for row in rows {
        groups.entry(Key::new(&row)).or_insert_with(|| Group { rows: Vec::new() }).rows.push(row);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.rows.sort_by_key(|row| row.row.settings.recipe.steps));
    groups
}

/// What rows have in common, the most expensive to change first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    network: String,
    samples: String,
    calibration: String,
    thresholds: String,
    recipe: String,
    work: String,
}

impl Key {
    fn new(row: &GroupRow) -> Self {
        let Settings {
            model,
            output,
            input,
            dt,
            data,
            calibration_data,
            scaling,
            samples,
            calibrate,
            recipe,
            backend,
            head,
            score_at,
        } = &row.row.settings;
        // Steps are not part of it, unless the spiking network depends on them.
        let is_prefix_of_longer = match row.row.work {
            Work::Run => !recipe.depends_on_steps(),
            // The ANN has no steps.
            _ => !row.row.work.is_spiking(),
        };
        let steps = if is_prefix_of_longer { 0 } else { recipe.steps };
        let args = &row.row.args;
        Self {
            network: format!("{model} {output:?} {input:?} {dt:?} {backend:?} {head:?} {:?}", recipe.pooling),
            samples: format!("{data} {scaling} {samples:?} {:?} {:?}", args.scale, args.samples),
            calibration: format!("{calibration_data:?} {calibrate:?} {:?}", args.calibrate),
            thresholds: format!("{:?} {:?}", recipe.threshold, recipe.granularity),
            recipe: format!("{:?} {score_at:?}", Recipe { steps, ..recipe.clone() }),
            work: format!("{:?}", row.row.work),
        }
    }
}
