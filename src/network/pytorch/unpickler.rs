//! Unpickler for state dicts (protocols 2 to 5): a stack machine that cannot execute code.
//!
//! It has a stack, marks and a memo, as the format defines them. Containers are entries of tables, and values are indices
//! into them. So sharing is free, nesting needs no recursion, and memory grows with the number of opcodes alone.

use std::collections::HashMap;

use super::pickle_cursor::{Cursor, long};
use super::pickle_globals::Global;
use super::pickle_value::{Pickle, PickleValue, Tables};

/// Maximum number of instructions and copied values of a pickle; PyTorch writes about forty instructions per tensor.
const MAX_OPERATIONS: usize = 4_000_000;

/// Reads the pickle at the start of `bytes`; the second value is its length in bytes.
///
/// # Errors
/// A sentence with the byte position, for an invalid pickle and for anything that state dicts do not need.
pub(super) fn run(bytes: &[u8]) -> Result<(Pickle<'_>, usize), String> {
    let mut unpickler = Unpickler {
        cursor: Cursor { bytes, at: 0 },
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        tables: Tables::default(),
        budget: MAX_OPERATIONS,
    };
    loop {
        let at = unpickler.cursor.at;
        let step = unpickler.spend(1).and_then(|()| unpickler.step());
        if let Some(root) = step.map_err(|reason| format!("pickle byte {at}: {reason}"))? {
            return Ok((Pickle { root, tables: unpickler.tables }, unpickler.cursor.at));
        }
    }
}

struct Unpickler<'a> {
    cursor: Cursor<'a>,
    stack: Vec<PickleValue<'a>>,
    /// Stack heights at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, PickleValue<'a>>,
    tables: Tables<'a>,
    /// Remaining instructions and copies before the pickle is refused.
    budget: usize,
}

impl<'a> Unpickler<'a> {
    fn spend(&mut self, amount: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(amount).ok_or("the pickle is longer than that of any state dict")?;
        Ok(())
    }

    /// Executes one instruction; returns the root value after the last one.
    fn step(&mut self) -> Result<Option<PickleValue<'a>>, String> {
        let value = match self.cursor.byte()? {
            // PROTO, FRAME
            0x80 => return self.protocol(),
            0x95 => return self.cursor.take(8).map(|_| None),
            b'.' => return self.pop().map(Some),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(None);
            }
            b'0' => return self.pop().map(|_| None),
            b'1' => return self.pop_to_mark().map(|_| None),
            b'2' => self.top()?,
            b'N' => PickleValue::None,
            0x88 => PickleValue::Bool(true),
            0x89 => PickleValue::Bool(false),
            b'J' => PickleValue::Int(i32::from_le_bytes(self.cursor.array()?).into()),
            b'K' => PickleValue::Int(self.cursor.byte()?.into()),
            b'M' => PickleValue::Int(u16::from_le_bytes(self.cursor.array()?).into()),
            0x8a => integer(self.cursor.counted(1)?),
            0x8b => integer(self.cursor.counted(4)?),
            b'G' => PickleValue::Float(f64::from_be_bytes(self.cursor.array()?)),
            // Texts; 'U' and 'T' are the byte strings of Python 2, which it used for text.
            0x8c | b'U' => PickleValue::Text(self.cursor.text(1)?),
            b'X' | b'T' => PickleValue::Text(self.cursor.text(4)?),
            0x8d => PickleValue::Text(self.cursor.text(8)?),
            b'C' => PickleValue::Bytes(self.cursor.counted(1)?),
            b'B' => PickleValue::Bytes(self.cursor.counted(4)?),
            0x8e => PickleValue::Bytes(self.cursor.counted(8)?),
            b']' => self.list(Vec::new()),
            b')' => self.tuple(Vec::new()),
            b'}' => self.dictionary(Vec::new()),
            b'l' => self.pop_to_mark().map(|items| self.list(items))?,
            b't' => self.pop_to_mark().map(|items| self.tuple(items))?,
            b'd' => {
                let items = self.pop_to_mark()?;
                self.dictionary(pairs(&items)?)
            }
            count @ 0x85..=0x87 => {
                let mut items = vec![PickleValue::None; usize::from(count - 0x84)];
                for item in items.iter_mut().rev() {
                    *item = self.pop()?;
                }
                self.tuple(items)
            }
            b'a' => {
                let item = self.pop()?;
                return self.append(&[item]);
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                return self.append(&items);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.set(&[key, value]);
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                return self.set(&items);
            }
            b'q' => return self.cursor.byte().and_then(|at| self.memoize(at.into())),
            b'r' => return self.cursor.array().and_then(|at| self.memoize(u32::from_le_bytes(at))),
            0x94 => return self.memoize(self.memo.len() as u32),
            b'h' => self.cursor.byte().and_then(|at| self.recall(at.into()))?,
            b'j' => self.cursor.array().and_then(|at| self.recall(u32::from_le_bytes(at)))?,
            b'c' => {
                let (module, name) = (self.cursor.line()?, self.cursor.line()?);
                PickleValue::Global(Global::find(module, name)?)
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (PickleValue::Text(name), PickleValue::Text(module)) => {
                    PickleValue::Global(Global::find(module, name)?)
                }
                _ => return Err("a global whose name is not a string".into()),
            },
            // REDUCE, NEWOBJ
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.rebuild(callable, arguments)?
            }
            b'b' => return self.build(),
            b'Q' => {
                let id = self.pop()?;
                self.tables.storages.push(self.tables.storage(id)?);
                PickleValue::Storage(self.tables.storages.len() - 1)
            }
            code @ (b'I' | b'L' | b'F' | b'V' | b'S' | b'g' | b'p' | b'P') => {
                return Err(format!(
                    "instruction '{}' of pickle protocol 0 or 1. Save with protocol 2 or later.",
                    code as char
                ));
            }
            code => return Err(format!("instruction {code:#04x} is not used in state dicts, or the file is damaged")),
        };
        self.stack.push(value);
        Ok(None)
    }

    fn protocol(&mut self) -> Result<Option<PickleValue<'a>>, String> {
        match self.cursor.byte()? {
            2..=5 => Ok(None),
            other => Err(format!("pickle protocol {other}; 2 to 5 are supported")),
        }
    }

    fn pop(&mut self) -> Result<PickleValue<'a>, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("the stack is empty at an instruction; the file is damaged".into());
        }
        self.stack.pop().ok_or_else(|| "the stack is empty".into())
    }

    fn top(&self) -> Result<PickleValue<'a>, String> {
        self.stack.last().copied().ok_or_else(|| "the stack is empty at an instruction; the file is damaged".into())
    }

    /// Removes the last mark and everything above it; returns the values.
    fn pop_to_mark(&mut self) -> Result<Vec<PickleValue<'a>>, String> {
        let mark = self.marks.pop().ok_or("a mark is missing; the file is damaged")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn list(&mut self, items: Vec<PickleValue<'a>>) -> PickleValue<'a> {
        self.tables.lists.push(items);
        PickleValue::List(self.tables.lists.len() - 1)
    }

    fn tuple(&mut self, items: Vec<PickleValue<'a>>) -> PickleValue<'a> {
        self.tables.lists.push(items);
        PickleValue::Tuple(self.tables.lists.len() - 1)
    }

    fn dictionary(&mut self, entries: Vec<(PickleValue<'a>, PickleValue<'a>)>) -> PickleValue<'a> {
        self.tables.dicts.push(entries);
        PickleValue::Dict(self.tables.dicts.len() - 1)
    }

    fn append(&mut self, items: &[PickleValue<'a>]) -> Result<Option<PickleValue<'a>>, String> {
        match self.top()? {
            PickleValue::List(id) => self.tables.lists[id].extend(items),
            other => return Err(format!("appends to {}", other.kind())),
        }
        Ok(None)
    }

    fn set(&mut self, items: &[PickleValue<'a>]) -> Result<Option<PickleValue<'a>>, String> {
        match self.top()? {
            PickleValue::Dict(id) => self.tables.dicts[id].extend(pairs(items)?),
            other => return Err(format!("sets entries of {}", other.kind())),
        }
        Ok(None)
    }

    fn memoize(&mut self, at: u32) -> Result<Option<PickleValue<'a>>, String> {
        let top = self.top()?;
        self.memo.insert(at, top);
        Ok(None)
    }

    fn recall(&self, at: u32) -> Result<PickleValue<'a>, String> {
        self.memo.get(&at).copied().ok_or_else(|| format!("recalls memo {at}, which was never set"))
    }

    /// The result of calling an allowed global.
    fn rebuild(&mut self, callable: PickleValue<'a>, arguments: PickleValue<'a>) -> Result<PickleValue<'a>, String> {
        let PickleValue::Global(global) = callable else {
            return Err(format!("calls {}", callable.kind()));
        };
        self.spend(self.tables.items(arguments).len())?;
        let items = self.tables.items(arguments).to_vec();
        match global {
            Global::OrderedDict => {
                let mut entries = Vec::new();
                self.spend(items.first().map_or(0, |&list| self.tables.items(list).len()))?;
                for &pair in items.first().map_or(&[][..], |&list| self.tables.items(list)) {
                    match self.tables.items(pair) {
                        &[key, value] => entries.push((key, value)),
                        _ => return Err("an ordered dictionary whose entries are not pairs".into()),
                    }
                }
                Ok(self.dictionary(entries))
            }
            Global::Tensor => {
                self.tables.tensors.push(self.tables.view(&items)?);
                Ok(PickleValue::Tensor(self.tables.tensors.len() - 1))
            }
            Global::Parameter => match items.first() {
                Some(&tensor @ PickleValue::Tensor(_)) => Ok(tensor),
                _ => Err("a parameter without its tensor".into()),
            },
            Global::Size => Ok(PickleValue::Tuple(match items.first() {
                Some(&(PickleValue::List(id) | PickleValue::Tuple(id))) => id,
                _ => return Err("a size without numbers".into()),
            })),
            Global::Storage(_) | Global::Inert => Ok(PickleValue::Inert),
        }
    }

    /// BUILD sets attributes: allowed for ordered dictionaries alone, whose attribute `_metadata` is ignored.
    fn build(&mut self) -> Result<Option<PickleValue<'a>>, String> {
        self.pop()?;
        match self.top()? {
            PickleValue::Dict(_) => Ok(None),
            other => Err(format!("sets attributes of {}, which is not supported", other.kind())),
        }
    }
}

fn integer(bytes: &[u8]) -> PickleValue<'_> {
    long(bytes).map_or(PickleValue::Long(bytes), PickleValue::Int)
}

/// Pairs of alternating keys and values.
fn pairs<'a>(items: &[PickleValue<'a>]) -> Result<Vec<(PickleValue<'a>, PickleValue<'a>)>, String> {
    if !items.len().is_multiple_of(2) {
        return Err("a dictionary entry without its value".into());
    }
    Ok(items.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}
