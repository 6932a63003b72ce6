//! From the syntax tree to tensors, and which part of the text each of them came from.

use super::arguments::{Arguments, Given, integers};
use super::functions::{self, Apply};
use super::operators::{binary, common, pair_of};
use super::problem::{Problem, Span};
use super::syntax::{Expression, ExpressionId, IndexPart, Kind, Program};
use super::value::{Value, from_numbers, numbers};
use chainrule::error::nearest;
use chainrule::{DType, Error, Index, Shape, Tensor, attempt};
use std::borrow::Cow;
use std::collections::HashMap;

/// A tensor that was recorded, and where it came from.
#[derive(Clone)]
pub struct Record {
    pub tensor: Tensor,
    /// The expression; `None` for variables.
    pub expression: Option<ExpressionId>,
    /// The operand of the expression that this is, in the shape or dtype it is needed in; `None` for the expression's
    /// own value.
    pub adapted: Option<ExpressionId>,
    /// The name of a variable, or the one that a statement gave.
    pub name: Option<String>,
}

/// A program's result, with what was recorded on the way.
pub struct Evaluated {
    pub result: Value,
    /// In the order of recording, so by ascending id; variables first.
    pub records: Vec<Record>,
    /// The values of all expressions.
    pub values: Vec<Value>,
}

/// More axes than this are a mistake.
const MOST_AXES: usize = 16;

/// Evaluates `program`, whose text is `text`, with these variables.
pub fn evaluate(
    program: &Program,
    text: &str,
    variables: &[(String, Tensor)],
) -> Result<Evaluated, Problem> {
    evaluate_moved(program, text, variables, &[])
}

/// As [`evaluate`], with a number added to each value that is computed: the derivative by it is that value's adjoint.
pub fn evaluate_moved(
    program: &Program,
    text: &str,
    variables: &[(String, Tensor)],
    moves: &[Tensor],
) -> Result<Evaluated, Problem> {
    let mut evaluation = Evaluation {
        program,
        text,
        values: Cow::Owned(Vec::with_capacity(program.expressions.len())),
        instead: Vec::new(),
        names: HashMap::new(),
        records: Vec::new(),
        moves: moves.iter(),
    };
    for (name, tensor) in variables {
        let value = Value::Tensor(tensor.clone());
        evaluation.names.insert(name.clone(), value);
        evaluation.records.push(Record {
            tensor: tensor.clone(),
            expression: None,
            adapted: None,
            name: Some(name.clone()),
        });
    }
    evaluation.records.sort_by_key(|record| record.tensor.id());
    let mut result = Value::Number(0.0);
    for statement in &program.statements {
        // Operands stand before what uses them, so one pass from front to back is enough.
        while evaluation.values.len() <= statement.value {
            let id = evaluation.values.len();
            evaluation.adapt_operands(id);
            let value = evaluation
                .value(&program.expressions[id])
                .map_err(|problem| problem.within(text))?;
            evaluation.instead.clear();
            let value = evaluation.remembered(id, None, value);
            evaluation.values.to_mut().push(value);
        }
        result = evaluation.operand(statement.value).clone();
        if let Some((name, _)) = &statement.name {
            evaluation.name(name, &result);
            evaluation.names.insert(name.clone(), result.clone());
        }
    }
    Ok(Evaluated {
        result,
        records: evaluation.records,
        values: evaluation.values.into_owned(),
    })
}

/// The value of one expression, with a value in place of that of one of its operands.
pub fn evaluate_one(
    program: &Program,
    text: &str,
    expression: ExpressionId,
    values: &[Value],
    instead: (ExpressionId, Value),
) -> Result<Value, Problem> {
    let evaluation = Evaluation {
        program,
        text,
        values: Cow::Borrowed(values),
        instead: vec![instead],
        names: HashMap::new(),
        records: Vec::new(),
        moves: [].iter(),
    };
    evaluation.value(&program.expressions[expression])
}

/// The value of a text without variables, as the user gives for a variable: `-2`, `[1, 2]`, `pi / 2`.
pub fn constant(text: &str) -> Result<Tensor, Problem> {
    let read = || {
        let program = super::parser::parse(text)?;
        evaluate(&program, text, &[])
    };
    Ok(read()
        .map_err(|problem| problem.within(text))?
        .result
        .tensor())
}

struct Evaluation<'a> {
    program: &'a Program,
    text: &'a str,
    /// The values of the expressions so far.
    values: Cow<'a, [Value]>,
    /// Values that stand in place of those of some expressions.
    instead: Vec<(ExpressionId, Value)>,
    names: HashMap<String, Value>,
    records: Vec<Record>,
    /// What is added to the values that are still to be computed.
    moves: std::slice::Iter<'a, Tensor>,
}

impl Evaluation<'_> {
    /// The value of an earlier expression.
    fn operand(&self, id: ExpressionId) -> &Value {
        let instead = self.instead.iter().find(|(replaced, _)| *replaced == id);
        instead.map_or(&self.values[id], |(_, value)| value)
    }

    /// Brings the two operands of an elementwise operation to one shape, and truth values among them to numbers, as
    /// values of their own: so that where an adjoint is summed because a value was repeated, that is seen.
    fn adapt_operands(&mut self, id: ExpressionId) {
        let Some((operands, numbers)) = pair_of(&self.program.expressions[id].kind) else {
            return;
        };
        let shapes = operands.map(|operand| self.values[operand].shape());
        let Some(shape) = common(&shapes[0], &shapes[1]) else {
            return;
        };
        for operand in operands {
            let Value::Tensor(tensor) = self.values[operand].clone() else {
                continue;
            };
            let mut value = Value::Tensor(tensor.clone());
            if numbers && tensor.dtype() == DType::Bool {
                let cast = Value::Tensor(tensor.cast(DType::F64));
                value = self.remembered(id, Some(operand), cast);
            }
            if *tensor.shape() != shape {
                let expanded = Value::Tensor(value.tensor().expand(&shape));
                value = self.remembered(id, Some(operand), expanded);
            }
            self.instead.push((operand, value));
        }
    }

    /// Takes note of a value that was recorded for this expression.
    fn remembered(
        &mut self,
        expression: ExpressionId,
        adapted: Option<ExpressionId>,
        value: Value,
    ) -> Value {
        let Value::Tensor(tensor) = &value else {
            return value;
        };
        if self
            .records
            .last()
            .is_some_and(|last| last.tensor.id() >= tensor.id())
        {
            return value;
        }
        let tensor = match self.moves.next() {
            Some(by) if tensor.dtype().is_floating() => tensor.add(by),
            _ => tensor.clone(),
        };
        self.records.push(Record {
            tensor: tensor.clone(),
            expression: Some(expression),
            adapted,
            name: None,
        });
        Value::Tensor(tensor)
    }

    /// Gives a name to what a statement computed; a second name for the same tensor changes nothing.
    fn name(&mut self, name: &str, value: &Value) {
        let Value::Tensor(tensor) = value else { return };
        let found = self
            .records
            .binary_search_by_key(&tensor.id(), |record| record.tensor.id());
        if let Ok(at) = found {
            self.records[at].name.get_or_insert_with(|| name.to_owned());
        }
    }

    fn value(&self, expression: &Expression) -> Result<Value, Problem> {
        match &expression.kind {
            Kind::Number(number) => Ok(Value::Number(*number)),
            Kind::Name(name) => self.variable(name, expression.span),
            Kind::Negate(operand) => match self.operand(*operand) {
                Value::Number(number) => Ok(Value::Number(-number)),
                value => self.recorded(&[*operand], expression.span, || Ok(value.tensor().neg())),
            },
            Kind::Binary {
                operator,
                place,
                left,
                right,
            } => {
                let (a, b) = (self.operand(*left), self.operand(*right));
                self.recorded(&[*left, *right], *place, || Ok(binary(*operator, a, b)))
            }
            Kind::List(items) => self.list(items, expression.span),
            Kind::Call {
                function,
                place,
                arguments,
            } => {
                let ids: Vec<ExpressionId> = arguments.iter().map(|a| a.value).collect();
                let given = arguments
                    .iter()
                    .map(|argument| Given {
                        name: argument.name.clone(),
                        value: self.operand(argument.value).clone(),
                        span: self.program.expressions[argument.value].span,
                    })
                    .collect();
                self.call(function, *place, given, &ids, expression.span)
            }
            Kind::Transpose(operand) => {
                let value = self.operand(*operand);
                if value.shape().rank() < 2 {
                    return Ok(value.clone());
                }
                self.recorded(&[*operand], expression.span, || Ok(value.tensor().t()))
            }
            Kind::Index { base, parts } => {
                let parts = self.index_parts(parts)?;
                let value = self.operand(*base);
                self.recorded(&[*base], expression.span, || {
                    Ok(value.tensor().index(parts))
                })
            }
        }
    }

    fn variable(&self, name: &str, span: Span) -> Result<Value, Problem> {
        if let Some(value) = self.names.get(name) {
            return Ok(value.clone());
        }
        match name {
            "pi" => return Ok(Value::Number(std::f64::consts::PI)),
            "inf" => return Ok(Value::Number(f64::INFINITY)),
            "nan" => return Ok(Value::Number(f64::NAN)),
            _ => {}
        }
        let short: String = name.chars().take(24).collect();
        let problem = Problem::at(span, format!("`{short}` has no value"));
        if functions::find(name).is_some() {
            return Err(problem.help(format!("`{name}` is a function: `{name}(…)`")));
        }
        let mut known: Vec<&str> = self.names.keys().map(String::as_str).collect();
        known.sort_unstable();
        Err(match nearest(name, known) {
            Some(near) => problem.help(format!("did you mean `{near}`? Or give it: {short}=…")),
            None if let Some(near) = nearest(name, functions::names()) => {
                problem.help(format!("did you mean the function `{near}(…)`?"))
            }
            None => problem.help(format!(
                "give it one behind the expression: {short}=1.5 or {short}=[1, 2]"
            )),
        })
    }

    fn call(
        &self,
        name: &str,
        place: Span,
        mut given: Vec<Given>,
        ids: &[ExpressionId],
        span: Span,
    ) -> Result<Value, Problem> {
        let Some(function) = functions::find(name) else {
            let short: String = name.chars().take(24).collect();
            let problem = Problem::at(place, format!("there is no function `{short}`"));
            return Err(if self.names.contains_key(name) {
                problem.help(format!(
                    "`{short}` is a variable; multiplication is `*`, as in `{short} * (…)`"
                ))
            } else if let Some(near) = nearest(name, functions::names()) {
                problem.help(format!("did you mean `{near}`?"))
            } else {
                problem
                    .help("there are exp, log, sin, sigmoid, relu, sum, max, softmax and many more")
            });
        };
        // A number where an array is due, as in `relu(2)`, is one of no axes.
        self.recorded(ids, span, || {
            let mut arguments = Arguments::new(std::mem::take(&mut given), function.usage, span);
            let tensor = match function.apply {
                Apply::One(apply) => apply(&arguments.operand()?.tensor()),
                Apply::Two(apply) => {
                    let (x, y) = (arguments.operand()?, arguments.operand()?);
                    apply(&x.beside(&y), &y.beside(&x))
                }
                Apply::Arguments(apply) => apply(&mut arguments)?,
            };
            arguments.finish()?;
            Ok(tensor)
        })
    }

    /// What `record` records; computed at once if no operand depends on a variable. The engine's complaints become
    /// ours, with the operands' shapes.
    fn recorded(
        &self,
        operands: &[ExpressionId],
        span: Span,
        record: impl FnOnce() -> Result<Tensor, Problem>,
    ) -> Result<Value, Problem> {
        let constant = operands.iter().all(|&id| self.operand(id).is_constant());
        let work = || {
            record().map(|tensor| match constant {
                true => Value::folded(&tensor),
                false => Value::Tensor(tensor),
            })
        };
        attempt(work).unwrap_or_else(|error| Err(self.complaint(&error, operands, span)))
    }

    fn complaint(&self, error: &Error, operands: &[ExpressionId], span: Span) -> Problem {
        let reason = error.message().lines().next().unwrap_or_default();
        let mut problem = Problem::at(span, reason);
        let texts: Vec<String> = operands.iter().map(|&id| self.short_text(id)).collect();
        let width = texts.iter().map(|text| text.chars().count()).max();
        for (&id, text) in operands.iter().zip(&texts) {
            let shape = match self.operand(id).shape() {
                shape if shape.rank() == 0 => "one number".to_owned(),
                shape => format!("shape {shape}"),
            };
            problem = problem.note(format!(
                "{text:width$}  {shape}",
                width = width.unwrap_or(0)
            ));
        }
        if reason.starts_with("matmul") && operands.len() == 2 {
            problem = self.transposed_help(problem, operands, &texts);
        }
        problem
    }

    /// A transpose that makes a product fit, if one does.
    fn transposed_help(
        &self,
        problem: Problem,
        operands: &[ExpressionId],
        texts: &[String],
    ) -> Problem {
        let shape = |id: ExpressionId| self.operand(id).shape();
        let (a, b) = (shape(operands[0]), shape(operands[1]));
        if a.rank() == 0 || b.rank() == 0 {
            return problem.help("multiply by a number with `*`");
        }
        let inner = b[b.rank().saturating_sub(2)];
        if a.rank() == 2 && a[0] == inner {
            problem.help(format!("`{}.T @ {}` fits", texts[0], texts[1]))
        } else if b.rank() == 2 && b[1] == a[a.rank() - 1] {
            problem.help(format!("`{} @ {}.T` fits", texts[0], texts[1]))
        } else {
            problem
        }
    }

    fn short_text(&self, id: ExpressionId) -> String {
        let span = self.program.expressions[id].span;
        let text = self.text.get(span.start..span.end).unwrap_or_default();
        let mut short: String = text.chars().take(24).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        short
    }

    fn list(&self, items: &[ExpressionId], span: Span) -> Result<Value, Problem> {
        let shape = self.operand(items[0]).shape();
        if shape.rank() + 1 > MOST_AXES {
            let message = format!("lists are nested more than {MOST_AXES} deep");
            return Err(Problem::at(span, message));
        }
        if let Some(&odd) = items.iter().find(|&&id| self.operand(id).shape() != shape) {
            let describe = |shape: &Shape| match shape.rank() {
                0 => "a number".to_owned(),
                _ => format!("of shape {shape}"),
            };
            let message = format!(
                "the elements of a list have equal shapes: the first is {}, this one {}",
                describe(&shape),
                describe(&self.operand(odd).shape())
            );
            return Err(Problem::at(self.program.expressions[odd].span, message));
        }
        if items.iter().any(|&id| !self.operand(id).is_constant()) {
            return self.recorded(items, span, || {
                let tensors: Vec<Tensor> =
                    items.iter().map(|&id| self.operand(id).tensor()).collect();
                Ok(Tensor::stack(&tensors, 0))
            });
        }
        let mut elements = Vec::new();
        for &id in items {
            match self.operand(id) {
                Value::Number(number) => elements.push(*number),
                value => elements.extend(numbers(&value.tensor())),
            }
        }
        let shape: Shape = [items.len()]
            .into_iter()
            .chain(shape.iter().copied())
            .collect();
        Ok(Value::Constant(from_numbers(elements, &shape)))
    }

    fn index_parts(&self, parts: &[IndexPart]) -> Result<Vec<Index>, Problem> {
        let whole = |id: ExpressionId| -> Result<Vec<isize>, Problem> {
            let given = Given {
                name: None,
                value: self.operand(id).clone(),
                span: self.program.expressions[id].span,
            };
            integers(&given, "a position")
        };
        let one = |id: Option<ExpressionId>| -> Result<Option<isize>, Problem> {
            let Some(id) = id else { return Ok(None) };
            match whole(id)?.as_slice() {
                [position] => Ok(Some(*position)),
                _ => {
                    let span = self.program.expressions[id].span;
                    Err(Problem::at(span, "one position is expected"))
                }
            }
        };
        let part = |part: &IndexPart| match part {
            IndexPart::At(id) if matches!(self.operand(*id), Value::Constant(_)) => {
                let positions = whole(*id)?
                    .into_iter()
                    .map(|p| p as i64)
                    .collect::<Vec<i64>>();
                Ok(Index::By(Tensor::from_vec(
                    positions.clone(),
                    [positions.len()],
                )))
            }
            IndexPart::At(id) => Ok(Index::At(one(Some(*id))?.unwrap_or(0))),
            IndexPart::Range([start, end, step]) => {
                let (start, end) = (one(*start)?, one(*end)?);
                let step = match (one(*step)?, step) {
                    (Some(0), Some(id)) => {
                        let span = self.program.expressions[*id].span;
                        return Err(Problem::at(span, "the step of a range cannot be 0"));
                    }
                    (step, _) => step.unwrap_or(1),
                };
                Ok(Index::Span { start, end, step })
            }
        };
        parts.iter().map(part).collect()
    }
}
