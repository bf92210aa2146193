//! The values and operators of a graph, and the evaluation of single elements of a value.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::data_type::DataType;
use super::index::count;
use super::operator::{Element, Fetch, Kind};
use super::stored::Stored;

/// Maximum number of elements that one evaluation reads.
const MAX_FETCHES: u64 = 1 << 28;

/// Why a value is not known: the node that gives it, or one before it, is not understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// Name of the node, or of the stored tensor.
    pub node: String,
    pub reason: String,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}': {}", self.node, self.reason)
    }
}

/// A value of the graph.
pub struct Value<'a> {
    /// Empty for an intermediate result of a node.
    pub name: &'a str,
    pub kind: Kind,
    pub source: Source<'a>,
    /// Whether it does not depend on an input of the graph.
    pub is_constant: bool,
}

/// Where the elements of a value come from.
pub enum Source<'a> {
    /// The caller: an input of the graph.
    Given,
    Stored(Stored<'a>),
    /// The step with this number.
    Computed(usize),
}

/// A node that is understood.
pub struct Step<'a> {
    pub name: &'a str,
    /// Numbers of the values that it reads: inputs (`None` for one that is left out), then its own outputs.
    pub operands: Vec<Option<usize>>,
    pub inputs: usize,
    pub element: Element,
}

/// Values and steps in topological order.
#[derive(Default)]
pub struct Plan<'a> {
    pub values: Vec<Value<'a>>,
    pub steps: Vec<Step<'a>>,
    /// Whether 16-bit floats are computed with 32 bits.
    pub widens_halves: bool,
}

/// Supplies elements at which evaluation stops: `(name, index)`.
pub type Given<'g> = &'g dyn Fn(&str, usize) -> Option<f32>;

impl Plan<'_> {
    /// Elements `indices` of value `id`.
    ///
    /// Backwards through the steps it is noted which elements are read, then they are computed forwards.
    ///
    /// # Errors
    /// [`Unknown`] for an index outside the value, for an input that is not given, and for too much work.
    pub fn evaluate(&self, id: usize, indices: &[usize], given: Given) -> Result<Vec<f64>, Unknown> {
        let fail = |name: &str, reason: String| Unknown { node: name.to_owned(), reason };
        let value = &self.values[id];
        let size = count(&value.kind.shape);
        if let Some(index) = indices.iter().find(|&&index| index >= size) {
            return Err(fail(value.name, format!("element {index} of {size}")));
        }
        if let Source::Stored(stored) = &value.source {
            return Ok(indices.iter().map(|&index| stored.at(index)).collect());
        }
        let demands = Demands::default();
        indices.iter().for_each(|&index| demands.add(self, id, index));
        let mut known: HashMap<usize, Known> = HashMap::new();
        let mut computed = Vec::new();
        let fetches = Cell::new(0u64);
        while let Some((result, demand)) = demands.next() {
            let mut numbers = Numbers::new(demand);
            let mut stops = vec![false; numbers.indices.len()];
            let Value { name, is_constant, ref source, .. } = self.values[result];
            let &Source::Computed(step) = source else {
                for (number, &index) in numbers.numbers.iter_mut().zip(&numbers.indices) {
                    let supplied = given(name, index);
                    *number =
                        supplied.map(f64::from).ok_or_else(|| fail(name, format!("element {index} is missing")))?;
                }
                known.insert(result, Known { numbers, stops });
                continue;
            };
            let is_asked = result != id && !name.is_empty() && !is_constant;
            let (step, output) = (&self.steps[step], self.output(step, result));
            let read = |k: usize, index: usize| {
                fetches.set(fetches.get() + 1);
                if let Some(id) = step.operands.get(k).copied().flatten()
                    && !matches!(self.values[id].source, Source::Stored(_))
                {
                    demands.add(self, id, index);
                }
                1.0
            };
            let fetch = Fetch { read: &read, inputs: step.inputs };
            for (k, &index) in numbers.indices.iter().enumerate() {
                let supplied = if is_asked { given(name, index) } else { None };
                if let Some(number) = supplied {
                    (numbers.numbers[k], stops[k]) = (f64::from(number), true);
                    continue;
                }
                (step.element)(output, index, &fetch);
                if fetches.get() > MAX_FETCHES {
                    return Err(fail(step.name, format!("more than {MAX_FETCHES} numbers would be read")));
                }
            }
            computed.push((result, step, output));
            known.insert(result, Known { numbers, stops });
        }
        for (result, step, output) in computed.into_iter().rev() {
            let Some(mut own) = known.remove(&result) else { continue };
            let read = |k: usize, index: usize| match step.operands.get(k).copied().flatten() {
                Some(id) => match &self.values[id].source {
                    Source::Stored(stored) => stored.at(index),
                    _ => known.get(&id).map_or(f64::NAN, |known| known.numbers.get(index)),
                },
                None => f64::NAN,
            };
            let fetch = Fetch { read: &read, inputs: step.inputs };
            let data_type = match self.values[result].kind.data_type {
                DataType::F16 | DataType::Bf16 if self.widens_halves => DataType::F32,
                other => other,
            };
            for (k, &index) in own.numbers.indices.iter().enumerate().filter(|(k, _)| !own.stops[*k]) {
                own.numbers.numbers[k] = data_type.round((step.element)(output, index, &fetch));
            }
            known.insert(result, own);
        }
        Ok(indices.iter().map(|&index| known.get(&id).map_or(f64::NAN, |known| known.numbers.get(index))).collect())
    }

    /// Which output of step `step` value `id` is.
    fn output(&self, step: usize, id: usize) -> usize {
        let step = &self.steps[step];
        step.operands[step.inputs..].iter().position(|&operand| operand == Some(id)).unwrap_or(0)
    }
}

/// Numbers of a value, and which of them the caller gave.
struct Known {
    numbers: Numbers,
    stops: Vec<bool>,
}

/// Elements that are read, of few values whatever the size of the graph; those of the last step come first, and of its
/// outputs the first, which may read the others.
#[derive(Default)]
struct Demands(RefCell<BTreeMap<Order, (usize, Demand)>>);

/// One more than the step of a value, and which of its outputs it is.
type Order = (usize, Reverse<usize>);

impl Demands {
    fn add(&self, plan: &Plan, id: usize, index: usize) {
        let key = match plan.values[id].source {
            Source::Computed(step) => (step + 1, Reverse(plan.output(step, id))),
            _ => (0, Reverse(id)),
        };
        self.0.borrow_mut().entry(key).or_insert_with(|| (id, Demand::default())).1.add(index);
    }
    fn next(&self) -> Option<(usize, Demand)> {
        self.0.borrow_mut().pop_last().map(|(_, demand)| demand)
    }
}

/// Elements of a page, and 64-bit words in it.
const PAGE: usize = 1 << 12;
const WORDS: usize = PAGE / 64;

/// A set of indices. Memory grows with the pages that have one, not with the value.
#[derive(Default)]
struct Demand {
    pages: Vec<Option<Box<[u64; WORDS]>>>,
}

impl Demand {
    /// Adds `index`.
    fn add(&mut self, index: usize) {
        let page = index / PAGE;
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let words = self.pages[page].get_or_insert_with(|| Box::new([0; WORDS]));
        words[index % PAGE / 64] |= 1 << (index % 64);
    }
}

/// The indices of a [`Demand`] in order, each with a number.
#[derive(Default)]
struct Numbers {
    /// Of each page: its words, and the number of indices before each word.
    pages: Vec<Option<Box<Page>>>,
    indices: Vec<usize>,
    numbers: Vec<f64>,
}

struct Page {
    words: [u64; WORDS],
    before: [u32; WORDS],
}

impl Numbers {
    /// A place for every index of `demand`.
    fn new(demand: Demand) -> Self {
        let mut indices = Vec::new();
        let mut pages = Vec::with_capacity(demand.pages.len());
        for (number, words) in demand.pages.into_iter().enumerate() {
            pages.push(words.map(|words| {
                let mut page = Page { words: *words, before: [0; WORDS] };
                for (k, &word) in words.iter().enumerate() {
                    page.before[k] = indices.len() as u32;
                    let mut rest = word;
                    while rest != 0 {
                        indices.push(number * PAGE + k * 64 + rest.trailing_zeros() as usize);
                        rest &= rest - 1;
                    }
                }
                Box::new(page)
            }));
        }
        let numbers = vec![f64::NAN; indices.len()];
        Self { pages, indices, numbers }
    }

    /// The number of element `index`; NaN if it is not in the set.
    fn get(&self, index: usize) -> f64 {
        let Some(Some(page)) = self.pages.get(index / PAGE) else { return f64::NAN };
        let (word, bit) = (index % PAGE / 64, index % 64);
        if page.words[word] >> bit & 1 == 0 {
            return f64::NAN;
        }
        let before = page.before[word] + (page.words[word] & ((1 << bit) - 1)).count_ones();
        self.numbers.get(before as usize).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_its_own_number() {
        let mut demand = Demand::default();
        let wanted = [0, 63, 64, 65, 4095, 4096, 1 << 20, (1 << 20) + 1];
        for index in wanted.iter().rev().chain(&wanted) {
            demand.add(*index);
        }
        let mut numbers = Numbers::new(demand);
        assert_eq!(numbers.indices, wanted);
        numbers.numbers = numbers.indices.iter().map(|&i| i as f64).collect();
        assert!(wanted.iter().all(|&index| numbers.get(index) == index as f64));
        assert!([1, 66, 4097, 1 << 21].iter().all(|&index| numbers.get(index).is_nan()));
    }
}
