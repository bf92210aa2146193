//! Map with a fixed capacity.

use std::collections::VecDeque;

/// Map with a fixed capacity that discards the least recently used entry.
#[derive(Debug)]
pub struct LruMap<K, V> {
    capacity: usize,
    items: VecDeque<(K, V)>,
}

impl<K: PartialEq, V: Clone> LruMap<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, items: VecDeque::new() }
    }
    pub fn get(&mut self, key: &K) -> Option<V> {
        let at = self.items.iter().position(|(k, _)| k == key)?;
        let item = self.items.remove(at)?;
        self.items.push_front(item);
        self.items.front().map(|(_, value)| value.clone())
    }
    /// Discards all entries.
    pub fn clear(&mut self) {
        self.items.clear();
    }
    /// Inserts the entries of `older` whose keys are unknown here.
    pub fn insert_older(&mut self, older: Self) {
        for (key, value) in older.items {
            if !self.items.iter().any(|(known, _)| *known == key) {
                self.items.push_back((key, value));
            }
        }
        self.items.truncate(self.capacity);
    }
    pub fn insert(&mut self, key: K, value: V) {
        self.items.retain(|(k, _)| *k != key);
        self.items.push_front((key, value));
        self.items.truncate(self.capacity);
    }
    /// The entries, the one used last first.
    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.items.iter()
    }
    /// Discards the entries that `keep` refuses.
    pub fn retain(&mut self, keep: impl FnMut(&(K, V)) -> bool) {
        self.items.retain(keep);
    }
    /// Keeps the entries before the first that `keep` refuses, given its index.
    pub fn keep_first(&mut self, keep: impl FnMut(usize, &(K, V)) -> bool) {
        keep_first(&mut self.items, keep);
    }
}

/// Keeps the items before the first that `keep` refuses.
pub fn keep_first<T>(items: &mut VecDeque<T>, mut keep: impl FnMut(usize, &T) -> bool) {
    let kept = items.iter().enumerate().position(|(k, item)| !keep(k, item));
    items.truncate(kept.unwrap_or(items.len()));
}
