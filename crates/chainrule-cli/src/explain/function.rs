//! The expression as a function of its variables: its value, derivatives, and central differences to compare them with.

use super::evaluate::{Evaluated, evaluate, evaluate_moved};
use super::options::Options;
use super::parser::parse;
use super::problem::{Problem, Span};
use super::syntax::Program;
use super::value::{from_numbers, numbers};
use super::variables::variables;
use chainrule::error::nearest;
use chainrule::view::Array;
use chainrule::{DType, Error, ErrorKind, Tensor};

/// A program, the values of its variables, and which of them count.
pub struct Function {
    pub program: Program,
    pub text: String,
    pub names: Vec<String>,
    pub inputs: Vec<Tensor>,
    /// Positions of the variables to differentiate by.
    pub wrt: Vec<usize>,
}

impl Function {
    /// Reads the expression and the variables.
    pub fn read(options: &Options) -> Result<Function, Problem> {
        let text = options.expression.clone();
        let program = parse(&text).map_err(|problem| problem.within(&text))?;
        let (names, inputs): (Vec<String>, Vec<Tensor>) =
            variables(&options.variables)?.into_iter().unzip();
        let wrt = chosen(&options.wrt, &names)?;
        Ok(Function {
            program,
            text,
            names,
            inputs,
            wrt,
        })
    }

    /// Evaluates the program, with what was recorded on the way.
    pub fn evaluated(&self, inputs: &[Tensor]) -> Result<Evaluated, Problem> {
        evaluate(&self.program, &self.text, &self.named(inputs))
    }

    fn named(&self, inputs: &[Tensor]) -> Vec<(String, Tensor)> {
        self.names
            .iter()
            .cloned()
            .zip(inputs.iter().cloned())
            .collect()
    }

    /// The result alone; a truth value counts 1 or 0.
    pub fn value(&self, inputs: &[Tensor]) -> Result<Tensor, Problem> {
        Ok(self.evaluated(inputs)?.result.tensor().cast(DType::F64))
    }

    /// As [`Function::evaluated`] with numbers added to what is computed, for programs that are known to evaluate.
    pub fn moved(&self, inputs: &[Tensor], moves: &[Tensor]) -> Evaluated {
        match evaluate_moved(&self.program, &self.text, &self.named(inputs), moves) {
            Ok(evaluated) => evaluated,
            Err(problem) => self.give_up(&problem),
        }
    }

    /// Leaves the engine, inside `attempt`, which hands the problem on.
    pub fn give_up(&self, problem: &Problem) -> ! {
        chainrule::error::raise(Error::new(ErrorKind::Argument, problem.to_string()))
    }

    /// Where the result stands in the text.
    pub fn result_span(&self) -> Span {
        let last = self.program.statements.last();
        last.map_or(Span::new(0, 0), |statement| {
            self.program.expressions[statement.value].span
        })
    }

    /// The complaint that nobody said how to weigh the elements of the result.
    pub fn needs_cotangent(&self, value: &Tensor) -> Problem {
        Problem::at(self.result_span(), format!("the result has shape {}, it is no single number", value.shape()))
            .within(&self.text)
            .help(
                "give --cotangent, the derivative of what follows by the result (--cotangent 1 differentiates the \
                 sum), or ask for the --jacobian",
            )
    }

    /// Central differences of the result, times the cotangent, by each element of an input.
    ///
    /// The step is the cube root of the smallest relative difference, which balances rounding against the next term.
    pub fn differences(&self, input: usize, cotangent: &Array) -> Result<Array, Problem> {
        let at = array(&self.inputs[input]);
        let mut slopes = at.clone();
        for element in 0..at.elements.len() {
            let x = at.elements[element];
            let step = f64::EPSILON.cbrt() * x.abs().max(1.0);
            // The step that is really made, after rounding.
            let (above, below) = (x + step, x - step);
            let moved = |to: f64| -> Result<f64, Problem> {
                let mut elements = at.elements.clone();
                elements[element] = to;
                let mut inputs = self.inputs.clone();
                inputs[input] = from_numbers(elements, self.inputs[input].shape());
                let result = numbers(&self.value(&inputs)?);
                Ok(result
                    .iter()
                    .zip(&cotangent.elements)
                    .map(|(y, c)| y * c)
                    .sum())
            };
            slopes.elements[element] = (moved(above)? - moved(below)?) / (above - below);
        }
        Ok(slopes)
    }
}

/// The positions of the names after `--wrt`; all if there are none.
fn chosen(wanted: &[String], names: &[String]) -> Result<Vec<usize>, Problem> {
    if wanted.is_empty() {
        return Ok((0..names.len()).collect());
    }
    let position = |name: &String| {
        names.iter().position(|known| known == name).ok_or_else(|| {
            let short: String = name.chars().take(24).collect();
            let problem = Problem::new(format!("--wrt: there is no variable `{short}`"));
            match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("give it a value: {short}=1")),
            }
        })
    };
    let mut found: Vec<usize> = wanted
        .iter()
        .map(|name| position(&name.trim().to_owned()))
        .collect::<Result<_, _>>()?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// A tensor's numbers.
pub fn array(tensor: &Tensor) -> Array {
    Array {
        shape: tensor.shape().iter().copied().collect(),
        elements: numbers(tensor),
        truth: tensor.dtype() == chainrule::DType::Bool,
        elided: None,
    }
}

/// What the engine refuses is a problem of the user's expression.
pub fn refused(error: &Error) -> Problem {
    Problem::new(error.message().lines().next().unwrap_or_default())
}
