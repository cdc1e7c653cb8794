//! The values of a pickle: they are stored in one list and refer to each other by index.

use super::globals::Global;

/// The index of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// The value of everything that is neither number, text, tuple, dict nor part of a tensor.
pub(super) const INERT: Id = Id(0);

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Inert,
    Int(i64),
    Text(&'a str),
    Global(Global),
    Tuple(Vec<Id>),
    /// Entries in the order of the file; a key may occur twice.
    Dict(Vec<(Id, Id)>),
    /// A call that is not executed.
    Call {
        function: Global,
        arguments: Id,
    },
    /// A persistent id: something outside of the pickle.
    Persistent(Id),
}

/// The values of a pickle.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    pub(super) values: Vec<Value<'a>>,
    pub(super) root: Id,
}

impl<'a> Pickle<'a> {
    pub(super) fn get(&self, id: Id) -> &Value<'a> {
        self.values.get(id.0 as usize).unwrap_or(&Value::Inert)
    }

    /// Returns the members of a tuple.
    pub(super) fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(members) => Some(members),
            _ => None,
        }
    }
}
