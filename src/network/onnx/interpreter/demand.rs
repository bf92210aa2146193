//! Sets of elements of a value, with a place for the number of each.

/// Elements of a page, and 64-bit words in it.
const PAGE: usize = 1 << 12;
const WORDS: usize = PAGE / 64;

/// A set of indices. Memory grows with the pages that have one, not with the value.
#[derive(Default)]
pub struct Demand {
    pages: Vec<Option<Box<[u64; WORDS]>>>,
}

impl Demand {
    /// Adds `index`.
    pub fn add(&mut self, index: usize) {
        let page = index / PAGE;
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let words = self.pages[page].get_or_insert_with(|| Box::new([0; WORDS]));
        words[index % PAGE / 64] |= 1 << (index % 64);
    }

    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }
}

/// The indices of a [`Demand`] in order, each with a number.
#[derive(Default)]
pub struct Numbers {
    /// Of each page: its words, and the number of indices before each word.
    pages: Vec<Option<Box<Page>>>,
    pub indices: Vec<usize>,
    pub numbers: Vec<f64>,
}

struct Page {
    words: [u64; WORDS],
    before: [u32; WORDS],
}

impl Numbers {
    /// A place for every index of `demand`.
    pub fn new(demand: Demand) -> Self {
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
    pub fn get(&self, index: usize) -> f64 {
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
