//! A call in PyTorch's signature: arguments are taken one by one, and all must have been understood.

use crate::case::Argument;
use chainrule::{Scalar, Tensor};

/// The case cannot be expressed here.
pub struct NotSupported;

/// What an operation makes of a call.
pub type Outputs = Result<Vec<Tensor>, NotSupported>;

/// The arguments that have not been taken yet.
#[derive(Clone)]
pub struct Call {
    /// The input, then the positional arguments; a taken one is gone.
    positional: Vec<Option<Argument>>,
    named: Vec<(String, Argument)>,
    /// The case's outputs: decompositions are turned to their signs, which the definition leaves free.
    reference: Vec<Tensor>,
}

impl Call {
    pub fn new(
        input: Argument,
        arguments: Vec<Argument>,
        named: Vec<(String, Argument)>,
        reference: Vec<Tensor>,
    ) -> Call {
        Call {
            positional: std::iter::once(input).chain(arguments).map(Some).collect(),
            named,
            reference,
        }
    }

    /// The case's output at `position`.
    pub fn reference(&self, position: usize) -> Result<&Tensor, NotSupported> {
        self.reference.get(position).ok_or(NotSupported)
    }

    /// Replaces every tensor, in the order input, positional, named.
    pub fn replace(&self, replace: &mut dyn FnMut(&Tensor) -> Tensor) -> Call {
        fn replaced(argument: &Argument, replace: &mut dyn FnMut(&Tensor) -> Tensor) -> Argument {
            match argument {
                Argument::Tensor(tensor) => Argument::Tensor(replace(tensor)),
                Argument::List(list) => {
                    Argument::List(list.iter().map(|entry| replaced(entry, replace)).collect())
                }
                other => other.clone(),
            }
        }
        let positional = self
            .positional
            .iter()
            .map(|entry| entry.as_ref().map(|entry| replaced(entry, replace)))
            .collect();
        let named = self
            .named
            .iter()
            .map(|(name, entry)| (name.clone(), replaced(entry, replace)))
            .collect();
        Call {
            positional,
            named,
            reference: self.reference.clone(),
        }
    }

    /// Takes the argument at `position` (the input is 0) or called `name`.
    pub fn take(&mut self, position: usize, name: &str) -> Option<Argument> {
        let positional = self.positional.get_mut(position).and_then(Option::take);
        positional.or_else(|| {
            let at = self.named.iter().position(|(known, _)| known == name)?;
            Some(self.named.remove(at).1)
        })
    }

    /// Whether the argument at `position` or called `name` is given, and not `None`.
    pub fn gives(&self, position: usize, name: &str) -> bool {
        !matches!(
            self.clone().take(position, name),
            None | Some(Argument::None)
        )
    }

    /// Whether every argument was taken.
    pub fn finish(&self) -> Result<(), NotSupported> {
        let done = self.positional.iter().all(Option::is_none) && self.named.is_empty();
        if done { Ok(()) } else { Err(NotSupported) }
    }

    pub fn tensor(&mut self, position: usize, name: &str) -> Result<Tensor, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Tensor(tensor)) => Ok(tensor),
            _ => Err(NotSupported),
        }
    }

    pub fn optional_tensor(
        &mut self,
        position: usize,
        name: &str,
    ) -> Result<Option<Tensor>, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Tensor(tensor)) => Ok(Some(tensor)),
            None | Some(Argument::None) => Ok(None),
            _ => Err(NotSupported),
        }
    }

    /// A tensor, or a number as one like `partner`.
    pub fn operand(
        &mut self,
        position: usize,
        name: &str,
        partner: &Tensor,
    ) -> Result<Tensor, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Tensor(tensor)) => Ok(tensor),
            Some(Argument::Number(number)) => {
                Ok(Tensor::full_as((), Scalar::Float(number), partner.dtype()))
            }
            Some(Argument::Integer(number)) => Ok(Tensor::full_as(
                (),
                Scalar::Integer(number),
                partner.dtype(),
            )),
            _ => Err(NotSupported),
        }
    }

    pub fn tensors(&mut self, position: usize, name: &str) -> Result<Vec<Tensor>, NotSupported> {
        let Some(Argument::List(list)) = self.take(position, name) else {
            return Err(NotSupported);
        };
        list.into_iter()
            .map(|entry| match entry {
                Argument::Tensor(tensor) => Ok(tensor),
                _ => Err(NotSupported),
            })
            .collect()
    }

    pub fn integer(&mut self, position: usize, name: &str) -> Result<i64, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Integer(number)) => Ok(number),
            _ => Err(NotSupported),
        }
    }

    pub fn integer_or(
        &mut self,
        position: usize,
        name: &str,
        default: i64,
    ) -> Result<i64, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Integer(number)) => Ok(number),
            None => Ok(default),
            _ => Err(NotSupported),
        }
    }

    pub fn number_or(
        &mut self,
        position: usize,
        name: &str,
        default: f64,
    ) -> Result<f64, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Integer(number)) => Ok(number as f64),
            Some(Argument::Number(number)) => Ok(number),
            None => Ok(default),
            _ => Err(NotSupported),
        }
    }

    pub fn number(&mut self, position: usize, name: &str) -> Result<f64, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Integer(number)) => Ok(number as f64),
            Some(Argument::Number(number)) => Ok(number),
            _ => Err(NotSupported),
        }
    }

    pub fn truth_or(
        &mut self,
        position: usize,
        name: &str,
        default: bool,
    ) -> Result<bool, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Truth(truth)) => Ok(truth),
            None => Ok(default),
            _ => Err(NotSupported),
        }
    }

    pub fn text_or(
        &mut self,
        position: usize,
        name: &str,
        default: &str,
    ) -> Result<String, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Text(text)) => Ok(text),
            None => Ok(default.to_owned()),
            _ => Err(NotSupported),
        }
    }

    /// One integer or a list of them.
    pub fn integers(
        &mut self,
        position: usize,
        name: &str,
    ) -> Result<Option<Vec<i64>>, NotSupported> {
        match self.take(position, name) {
            Some(Argument::Integer(number)) => Ok(Some(vec![number])),
            Some(Argument::List(list)) => {
                let entry = |entry: Argument| match entry {
                    Argument::Integer(number) => Ok(number),
                    _ => Err(NotSupported),
                };
                Ok(Some(list.into_iter().map(entry).collect::<Result<_, _>>()?))
            }
            None | Some(Argument::None) => Ok(None),
            _ => Err(NotSupported),
        }
    }

    /// Axes to reduce over: all where none or an empty list is given.
    pub fn axes(
        &mut self,
        position: usize,
        name: &str,
        rank: usize,
    ) -> Result<Vec<isize>, NotSupported> {
        let axes = self.integers(position, name)?.unwrap_or_default();
        if rank == 0 {
            // PyTorch lets a 0-dimensional tensor be reduced along axis 0 or -1.
            let known = axes.iter().all(|axis| (-1..=0).contains(axis));
            return if known {
                Ok(Vec::new())
            } else {
                Err(NotSupported)
            };
        }
        Ok(match axes.is_empty() {
            true => (0..rank as isize).collect(),
            false => axes.into_iter().map(|axis| axis as isize).collect(),
        })
    }

    /// Takes `dtype=float64` and `device="cpu"`, which change nothing here.
    pub fn ignore_float64(&mut self) -> Result<(), NotSupported> {
        match self.take(usize::MAX, "dtype") {
            None | Some(Argument::None) => {}
            Some(Argument::DType(name)) if name == "float64" => {}
            _ => return Err(NotSupported),
        }
        match self.take(usize::MAX, "device") {
            None | Some(Argument::None) => Ok(()),
            Some(Argument::Text(device)) if device == "cpu" => Ok(()),
            _ => Err(NotSupported),
        }
    }
}
