//! The arguments of a call, read one by one: tensors, axes, numbers.

use super::problem::{Problem, Span};
use super::value::{Value, numbers};
use chainrule::{Axes, Tensor};

/// One argument.
pub struct Given {
    pub name: Option<(String, Span)>,
    pub value: Value,
    pub span: Span,
}

/// The arguments that are not read yet.
pub struct Arguments<'a> {
    given: Vec<Given>,
    /// How the function is used, for messages.
    usage: &'a str,
    /// Where the call stands.
    call: Span,
}

impl<'a> Arguments<'a> {
    pub fn new(given: Vec<Given>, usage: &'a str, call: Span) -> Arguments<'a> {
        Arguments { given, usage, call }
    }

    /// How many arguments without a name are left.
    pub fn positional(&self) -> usize {
        self.given
            .iter()
            .filter(|given| given.name.is_none())
            .count()
    }

    /// The next argument without a name.
    fn next(&mut self) -> Option<Given> {
        let at = self.given.iter().position(|given| given.name.is_none())?;
        Some(self.given.remove(at))
    }

    /// The argument called `name`, or else the next without a name.
    fn named(&mut self, name: &str) -> Option<Given> {
        let by_name = self
            .given
            .iter()
            .position(|given| given.name.as_ref().is_some_and(|(found, _)| found == name));
        match by_name {
            Some(at) => Some(self.given.remove(at)),
            None => self.next(),
        }
    }

    /// The next operand.
    pub fn operand(&mut self) -> Result<Value, Problem> {
        match self.next() {
            Some(given) => Ok(given.value),
            None => Err(Problem::at(self.call, "an argument is missing")
                .help(format!("it is used as `{}`", self.usage))),
        }
    }

    /// The axes given as `axis=1` or `axis=[0, 1]`; all if there are none.
    pub fn axes(&mut self) -> Result<Axes, Problem> {
        match self.named("axis") {
            None => Ok(Axes::All),
            Some(given) => Ok(Axes::These(integers(&given, "an axis")?)),
        }
    }

    /// One axis, with what it is when it is left out.
    pub fn axis(&mut self, default: isize) -> Result<isize, Problem> {
        self.integer("axis", default)
    }

    /// A whole number, with what it is when it is left out.
    pub fn integer(&mut self, name: &str, default: isize) -> Result<isize, Problem> {
        let Some(given) = self.named(name) else {
            return Ok(default);
        };
        match integers(&given, name)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(Problem::at(given.span, format!("one {name} is expected"))),
        }
    }

    /// A number, with what it is when it is left out.
    pub fn number(&mut self, name: &str, default: f64) -> Result<f64, Problem> {
        match self.named(name) {
            None => Ok(default),
            Some(Given {
                value: Value::Number(number),
                ..
            }) => Ok(number),
            Some(given) => Err(Problem::at(
                given.span,
                format!("{name} has to be a number that depends on no variable"),
            )),
        }
    }

    /// A shape: `[2, 3]`, or the numbers one after the other.
    pub fn extents(&mut self) -> Result<Vec<isize>, Problem> {
        let mut extents = Vec::new();
        while let Some(given) = self.named("shape") {
            extents.extend(integers(&given, "an extent")?);
        }
        Ok(extents)
    }

    /// Complains about what was not read.
    pub fn finish(self) -> Result<(), Problem> {
        let Some(left) = self.given.into_iter().next() else {
            return Ok(());
        };
        let problem = match left.name {
            Some((name, span)) => {
                let short: String = name.chars().take(24).collect();
                Problem::at(span, format!("there is no argument called `{short}`"))
            }
            None => Problem::at(left.span, "one argument too many"),
        };
        Err(problem.help(format!("it is used as `{}`", self.usage)))
    }
}

/// The whole numbers of a constant: one, or a list.
pub fn integers(given: &Given, what: &str) -> Result<Vec<isize>, Problem> {
    let found = match &given.value {
        Value::Number(number) => vec![*number],
        Value::Constant(tensor) if tensor.rank() == 1 => numbers(tensor),
        Value::Constant(_) => {
            let message = format!("{what} is a whole number, or a list of them");
            return Err(Problem::at(given.span, message));
        }
        Value::Tensor(_) => {
            return Err(
                Problem::at(given.span, format!("{what} cannot depend on a variable"))
                    .help("write it as a number"),
            );
        }
    };
    found
        .into_iter()
        .map(|number| {
            if number.fract() == 0.0 && number.abs() < 1e15 {
                Ok(number as isize)
            } else {
                let message = format!("{what} has to be a whole number, not {number}");
                Err(Problem::at(given.span, message))
            }
        })
        .collect()
}

/// Two operands as tensors, numbers in the shape of the other.
pub fn pair(left: &Value, right: &Value) -> (Tensor, Tensor) {
    (left.beside(right), right.beside(left))
}
