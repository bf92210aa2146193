//! The values and operators of a graph, and the evaluation of single elements of a value.

use std::cell::{Cell, RefCell};

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
        let last = match &value.source {
            Source::Stored(stored) => return Ok(indices.iter().map(|&index| stored.at(index)).collect()),
            Source::Computed(step) => *step + 1,
            Source::Given => 0,
        };
        let demands: Vec<RefCell<Demand>> = self.values.iter().map(|_| RefCell::default()).collect();
        indices.iter().for_each(|&index| demands[id].borrow_mut().add(index));
        let mut known: Vec<Numbers> = self.values.iter().map(|_| Numbers::default()).collect();
        // Elements that the caller gives, by value.
        let mut is_given: Vec<Vec<bool>> = self.values.iter().map(|_| Vec::new()).collect();
        let fetches = Cell::new(0u64);
        for step in self.steps[..last].iter().rev() {
            for (output, &operand) in step.operands[step.inputs..].iter().enumerate() {
                let Some(result) = operand.filter(|&id| !demands[id].borrow().is_empty()) else { continue };
                let mut numbers = Numbers::new(demands[result].take());
                let Value { name, is_constant, .. } = self.values[result];
                let is_asked = result != id && !name.is_empty() && !is_constant;
                let read = |k: usize, index: usize| {
                    fetches.set(fetches.get() + 1);
                    if let Some(id) = step.operands.get(k).copied().flatten()
                        && !matches!(self.values[id].source, Source::Stored(_))
                    {
                        demands[id].borrow_mut().add(index);
                    }
                    1.0
                };
                let fetch = Fetch { read: &read, inputs: step.inputs };
                let mut stops = vec![false; numbers.indices.len()];
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
                (known[result], is_given[result]) = (numbers, stops);
            }
        }
        for (id, value) in self.values.iter().enumerate().filter(|(_, v)| matches!(v.source, Source::Given)) {
            let mut numbers = Numbers::new(demands[id].take());
            for (number, &index) in numbers.numbers.iter_mut().zip(&numbers.indices) {
                let supplied = given(value.name, index);
                *number =
                    supplied.map(f64::from).ok_or_else(|| fail(value.name, format!("element {index} is missing")))?;
            }
            known[id] = numbers;
        }
        for step in &self.steps[..last] {
            for (output, &operand) in step.operands[step.inputs..].iter().enumerate().rev() {
                let Some(result) = operand.filter(|&id| !known[id].indices.is_empty()) else { continue };
                let mut numbers = std::mem::take(&mut known[result].numbers);
                let read = |k: usize, index: usize| match step.operands.get(k).copied().flatten() {
                    Some(id) => match &self.values[id].source {
                        Source::Stored(stored) => stored.at(index),
                        _ => known[id].get(index),
                    },
                    None => f64::NAN,
                };
                let fetch = Fetch { read: &read, inputs: step.inputs };
                let data_type = self.values[result].kind.data_type;
                for (k, &index) in known[result].indices.iter().enumerate().filter(|(k, _)| !is_given[result][*k]) {
                    numbers[k] = data_type.round((step.element)(output, index, &fetch));
                }
                known[result].numbers = numbers;
            }
        }
        Ok(indices.iter().map(|&index| known[id].get(index)).collect())
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

    fn is_empty(&self) -> bool {
        self.pages.is_empty()
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
