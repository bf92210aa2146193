//! Unpickler for weights and what is saved with them (protocols 2 to 5): a stack machine that cannot execute code.
//!
//! It has a stack, marks and a memo, as the format defines them. Containers and objects are entries of tables, and values are
//! indices into them. So sharing is free, nesting needs no recursion, and memory grows with the number of opcodes alone.

use std::collections::HashMap;

use super::cursor::{Cursor, long};
use super::rebuild::Budget;
use super::value::{Pickle, PickleValue, Tables};

/// Number of instructions and copied values that any pickle may have; PyTorch writes about forty instructions per tensor.
const MIN_OPERATIONS: usize = 4_000_000;
/// Maximum number of instructions and copied values; below it, a pickle may have one per byte.
const MAX_OPERATIONS: usize = 32_000_000;

/// Reads the pickle at the start of `bytes`; the second value is its length in bytes.
///
/// # Errors
/// A sentence with the byte position, for an invalid pickle.
pub(crate) fn run(bytes: &[u8]) -> Result<(Pickle<'_>, usize), String> {
    let operations = bytes.len().clamp(MIN_OPERATIONS, MAX_OPERATIONS);
    let mut unpickler = Unpickler {
        cursor: Cursor { bytes, at: 0 },
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        tables: Tables::default(),
        budget: Budget { operations, bytes: bytes.len() },
    };
    loop {
        let at = unpickler.cursor.at;
        let step = unpickler.budget.spend(1).and_then(|()| unpickler.step());
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
    budget: Budget,
}

impl<'a> Unpickler<'a> {
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
            b'0' if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
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
            0x8c => PickleValue::Text(self.cursor.text(1)?),
            b'X' => PickleValue::Text(self.cursor.text(4)?),
            0x8d => PickleValue::Text(self.cursor.text(8)?),
            // The byte strings of Python 2, which it used for text as well.
            b'U' => text_or_bytes(self.cursor.counted(1)?),
            b'T' => text_or_bytes(self.cursor.counted(4)?),
            b'C' => PickleValue::Bytes(self.cursor.counted(1)?),
            b'B' => PickleValue::Bytes(self.cursor.counted(4)?),
            0x8e | 0x96 => PickleValue::Bytes(self.cursor.counted(8)?),
            // EMPTY_LIST, EMPTY_SET
            b']' | 0x8f => self.tables.list(Vec::new()),
            b')' => self.tables.tuple(Vec::new()),
            b'}' => self.tables.dictionary(Vec::new()),
            // LIST, FROZENSET
            b'l' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.tables.list(items)
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.tables.tuple(items)
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.tables.dictionary(pairs(&items)?)
            }
            count @ 0x85..=0x87 => {
                let mut items = vec![PickleValue::None; usize::from(count - 0x84)];
                for item in items.iter_mut().rev() {
                    *item = self.pop()?;
                }
                self.tables.tuple(items)
            }
            b'a' => {
                let item = self.pop()?;
                return self.append(&[item]);
            }
            // APPENDS, ADDITEMS
            b'e' | 0x90 => {
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
                self.tables.global(module, name)
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (PickleValue::Text(name), PickleValue::Text(module)) => self.tables.global(module, name),
                _ => return Err("a global whose name is not a string".into()),
            },
            // REDUCE, NEWOBJ
            b'R' | 0x81 => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.tables.call(callable, arguments, &mut self.budget)?
            }
            // NEWOBJ_EX: named arguments are left out.
            0x92 => {
                let (_, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.tables.call(class, arguments, &mut self.budget)?
            }
            // OBJ, INST
            b'o' => {
                let mut items = self.pop_to_mark()?;
                if items.is_empty() {
                    return Err("an object without its class".into());
                }
                let class = items.remove(0);
                let arguments = self.tables.tuple(items);
                self.tables.call(class, arguments, &mut self.budget)?
            }
            b'i' => {
                let (module, name) = (self.cursor.line()?, self.cursor.line()?);
                let class = self.tables.global(module, name);
                let items = self.pop_to_mark()?;
                let arguments = self.tables.tuple(items);
                self.tables.call(class, arguments, &mut self.budget)?
            }
            b'b' => return self.build(),
            b'Q' => {
                let id = self.pop()?;
                self.tables.persistent(id)?
            }
            0x97 => return Err("has parts outside the file (out-of-band buffers)".into()),
            0x98 => return self.top().map(|_| None),
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

    fn append(&mut self, items: &[PickleValue<'a>]) -> Result<Option<PickleValue<'a>>, String> {
        match self.top()? {
            PickleValue::List(id) | PickleValue::Tuple(id) => self.tables.lists[id].extend(items),
            PickleValue::Object(id) => self.tables.objects[id].items.extend(items),
            other => return Err(format!("appends to {}", other.kind())),
        }
        Ok(None)
    }

    fn set(&mut self, items: &[PickleValue<'a>]) -> Result<Option<PickleValue<'a>>, String> {
        match self.top()? {
            PickleValue::Dict(id) => self.tables.dicts[id].extend(pairs(items)?),
            PickleValue::Object(id) => self.tables.objects[id].entries.extend(pairs(items)?),
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

    /// BUILD sets attributes. They are kept for objects, and ignored for dictionaries (`_metadata`) and tensors.
    fn build(&mut self) -> Result<Option<PickleValue<'a>>, String> {
        let state = self.pop()?;
        match self.top()? {
            PickleValue::Object(id) => self.tables.objects[id].state = state,
            PickleValue::Dict(_) | PickleValue::Tensor(_) | PickleValue::Storage(_) => {}
            other => return Err(format!("sets attributes of {}, which is not supported", other.kind())),
        }
        Ok(None)
    }
}

fn text_or_bytes(bytes: &[u8]) -> PickleValue<'_> {
    std::str::from_utf8(bytes).map_or(PickleValue::Bytes(bytes), PickleValue::Text)
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
