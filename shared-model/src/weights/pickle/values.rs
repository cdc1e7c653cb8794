//! What a pickle holds: values that name each other by their place in one list.

use super::globals::Global;

/// The place of a value among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// What is neither number, text, tuple, dict nor part of a tensor.
pub(super) const INERT: Id = Id(0);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Inert,
    Int(i64),
    Text(&'a str),
    Global(Global),
    Tuple(Vec<Id>),
    /// In the order of writing; a key may come twice.
    Dict(Vec<(Id, Id)>),
    /// What calling `function` would give.
    Call {
        function: Global,
        arguments: Id,
    },
    /// What lies outside of the pickle under this name.
    Persistent(Id),
}

/// A pickle's values.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    pub(super) values: Vec<Value<'a>>,
    pub(super) root: Id,
}

impl<'a> Pickle<'a> {
    pub(super) fn get(&self, id: Id) -> &Value<'a> {
        self.values.get(id.0 as usize).unwrap_or(&Value::Inert)
    }

    /// The members of a tuple.
    pub(super) fn tuple(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(members) => Some(members),
            _ => None,
        }
    }
}
