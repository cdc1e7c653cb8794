//! Pickle's stack machine, reduced to data: nothing is imported, called or built.
//!
//! It knows the opcodes that `torch.save` writes with the protocols 2 to 5
//! ([`pickletools.py`](https://github.com/python/cpython/blob/3.11/Lib/pickletools.py) describes them). Values are
//! stored in one list and refer to each other by index, so that deep and cyclic values do no harm. Floats, lists,
//! instances of unknown classes and everything else that is no part of a tensor become one inert value.

use super::globals::Global;
use super::input::{Input, Step, small_integer};
use super::opcodes as op;
use super::values::{INERT, Id, Pickle, Value};
use std::collections::HashMap;

/// Most opcodes of a pickle. A ViT-L training checkpoint has a hundred thousand.
const MAX_OPCODES: usize = 1 << 21;

impl<'a> Pickle<'a> {
    /// Reads a pickle.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let mut machine = Machine {
            input: Input { bytes, at: 0 },
            values: vec![Value::Inert],
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        for _ in 0..MAX_OPCODES {
            let at = machine.input.at;
            let step = machine.input.byte().and_then(|opcode| machine.step(opcode));
            if let Some(root) = step.map_err(|what| format!("{what}, at byte {at}"))? {
                return Ok(Self { values: machine.values, root });
            }
        }
        Err(format!("it has more than {MAX_OPCODES} opcodes"))
    }
}

/// The state of the machine. An opcode creates at most one value and pushes at most one, so the number of opcodes
/// bounds its size.
struct Machine<'a> {
    input: Input<'a>,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    /// Executes one opcode. Returns the root value at the end of the pickle.
    fn step(&mut self, opcode: u8) -> Step<Option<Id>> {
        match opcode {
            op::STOP => return self.pop().map(Some),
            op::PROTO => self.protocol()?,
            op::FRAME => self.input.skip(8)?,
            op::MARK => self.marks.push(self.stack.len()),
            op::POP => self.pop_value_or_mark()?,
            op::POP_MARK => drop(self.pop_to_mark()?),
            op::DUP => self.stack.push(self.top()?),

            op::NONE | op::NEW_TRUE | op::NEW_FALSE => self.stack.push(INERT),
            op::EMPTY_LIST | op::EMPTY_SET => self.stack.push(INERT),
            op::BIN_FLOAT => self.skip_inert(8)?,
            op::BIN_INT1 | op::BIN_INT2 | op::BIN_INT | op::LONG1 | op::LONG4 => self.integer(opcode)?,
            op::SHORT_BIN_UNICODE | op::BIN_UNICODE | op::BIN_UNICODE8 => self.text(opcode)?,
            op::SHORT_BIN_BYTES | op::BIN_BYTES | op::BIN_BYTES8 | op::BYTE_ARRAY8 => self.bytes(opcode)?,

            op::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new())),
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.short_tuple(usize::from(opcode - op::TUPLE1) + 1)?,
            op::TUPLE => {
                let members = self.pop_to_mark()?;
                self.push(Value::Tuple(members));
            }
            op::FROZEN_SET | op::LIST => {
                self.pop_to_mark()?;
                self.stack.push(INERT);
            }
            op::EMPTY_DICT => self.push(Value::Dict(Vec::new())),
            op::DICT => {
                let entries = self.pop_entries()?;
                self.push(Value::Dict(entries));
            }
            op::SET_ITEM => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(vec![(key, value)])?;
            }
            op::SET_ITEMS => {
                let entries = self.pop_entries()?;
                self.extend_dict(entries)?;
            }
            // Lists and sets are inert, and so are their items.
            op::APPEND => drop(self.pop()?),
            op::APPENDS | op::ADD_ITEMS => drop(self.pop_to_mark()?),

            op::GLOBAL => self.global()?,
            op::STACK_GLOBAL => self.stack_global()?,
            op::REDUCE | op::NEW_OBJ => self.call()?,
            op::NEW_OBJ_EX => {
                self.pop()?;
                self.call()?;
            }
            // The state of an instance is ignored.
            op::BUILD => {
                self.pop()?;
                self.top()?;
            }
            op::BIN_PERSID => {
                let name = self.pop()?;
                self.push(Value::Persistent(name));
            }

            op::BIN_PUT | op::LONG_BIN_PUT | op::MEMOIZE => self.memorize(opcode)?,
            op::BIN_GET | op::LONG_BIN_GET => self.recall(opcode)?,
            _ => return Err(format!("opcode {opcode:#04x} is none that torch.save writes")),
        }
        Ok(None)
    }

    fn protocol(&mut self) -> Step {
        match self.input.byte()? {
            2..=5 => Ok(()),
            other => Err(format!("protocol {other}, expected 2 to 5")),
        }
    }

    fn push(&mut self, value: Value<'a>) {
        self.stack.push(Id(self.values.len() as u32));
        self.values.push(value);
    }

    /// Returns the height of the stack at the last mark; values below it cannot be popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Step<Id> {
        let top = self.stack.get(self.floor()..).and_then(<[Id]>::last);
        top.copied().ok_or_else(|| "a value is missing on the stack".into())
    }

    fn pop(&mut self) -> Step<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_value_or_mark(&mut self) -> Step {
        if self.stack.len() > self.floor() {
            return self.pop().map(drop);
        }
        self.marks.pop().map(drop).ok_or_else(|| "the stack is empty".into())
    }

    fn pop_to_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("there is no mark on the stack")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn pop_entries(&mut self) -> Step<Vec<(Id, Id)>> {
        let (entries, rest) = {
            let items = self.pop_to_mark()?;
            let (pairs, rest) = items.as_chunks::<2>();
            (pairs.iter().map(|&[key, value]| (key, value)).collect(), rest.len())
        };
        if rest == 0 { Ok(entries) } else { Err("a dict's key without a value".into()) }
    }

    fn short_tuple(&mut self, length: usize) -> Step {
        let start = self.stack.len().checked_sub(length).filter(|&start| start >= self.floor());
        let members = self.stack.split_off(start.ok_or("a tuple's members are missing on the stack")?);
        self.push(Value::Tuple(members));
        Ok(())
    }

    fn extend_dict(&mut self, entries: Vec<(Id, Id)>) -> Step {
        let Id(dict) = self.top()?;
        match self.values.get_mut(dict as usize) {
            Some(Value::Dict(known)) => known.extend(entries),
            Some(Value::Inert) => {} // an instance that takes items, of a class that we do not know
            _ => return Err("items for what is no dict".into()),
        }
        Ok(())
    }

    fn integer(&mut self, opcode: u8) -> Step {
        let value = match opcode {
            op::BIN_INT1 => i64::from(self.input.byte()?),
            op::BIN_INT2 => i64::from(u16::from_le_bytes(self.input.array()?)),
            op::BIN_INT => i64::from(i32::from_le_bytes(self.input.array()?)),
            _ => {
                let length = match opcode {
                    op::LONG1 => self.input.byte()?.into(),
                    _ => self.input.u32()?,
                };
                let digits = self.input.take(u64::from(length))?;
                let Some(value) = small_integer(digits) else {
                    self.stack.push(INERT);
                    return Ok(());
                };
                value
            }
        };
        self.push(Value::Int(value));
        Ok(())
    }

    fn text(&mut self, opcode: u8) -> Step {
        let length = self.length(opcode)?;
        match std::str::from_utf8(self.input.take(length)?) {
            Ok(text) => self.push(Value::Text(text)),
            // Python writes lone surrogates, too; no name has one.
            Err(_) => self.stack.push(INERT),
        }
        Ok(())
    }

    fn bytes(&mut self, opcode: u8) -> Step {
        let length = self.length(opcode)?;
        self.skip_inert(length)
    }

    /// Reads the length of a text or of bytes; the opcode tells its width.
    fn length(&mut self, opcode: u8) -> Step<u64> {
        Ok(match opcode {
            op::SHORT_BIN_UNICODE | op::SHORT_BIN_BYTES => self.input.byte()?.into(),
            op::BIN_UNICODE | op::BIN_BYTES => self.input.u32()?.into(),
            _ => u64::from_le_bytes(self.input.array()?),
        })
    }

    fn skip_inert(&mut self, n_bytes: u64) -> Step {
        self.input.skip(n_bytes)?;
        self.stack.push(INERT);
        Ok(())
    }

    fn global(&mut self) -> Step {
        let (module, name) = (self.input.line()?, self.input.line()?);
        self.push_global(module, name);
        Ok(())
    }

    fn stack_global(&mut self) -> Step {
        let (name, module) = (self.pop()?, self.pop()?);
        let text = |Id(place): Id| match self.values.get(place as usize) {
            Some(Value::Text(text)) => Ok(*text),
            _ => Err("a class whose name is no text"),
        };
        let (module, name) = (text(module)?, text(name)?);
        self.push_global(module, name);
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) {
        match Global::named(module, name) {
            Some(global) => self.push(Value::Global(global)),
            None => self.stack.push(INERT),
        }
    }

    fn call(&mut self) -> Step {
        let (arguments, Id(function)) = (self.pop()?, self.pop()?);
        match self.values.get(function as usize) {
            Some(Value::Global(Global::Dict)) => self.push(Value::Dict(Vec::new())),
            Some(&Value::Global(function)) => self.push(Value::Call { function, arguments }),
            _ => self.stack.push(INERT),
        }
        Ok(())
    }

    fn memorize(&mut self, opcode: u8) -> Step {
        let index = match opcode {
            op::BIN_PUT => self.input.byte()?.into(),
            op::LONG_BIN_PUT => self.input.u32()?,
            _ => self.memo.len() as u32,
        };
        self.memo.insert(index, self.top()?);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Step {
        let index = match opcode {
            op::BIN_GET => self.input.byte()?.into(),
            _ => self.input.u32()?,
        };
        let known = self.memo.get(&index).ok_or_else(|| format!("nothing was memorized as {index}"))?;
        self.stack.push(*known);
        Ok(())
    }
}
