//! The nodes of the model: from the records of an evaluation to what each value is called, made of, and came from.

use super::evaluate::{Evaluated, Record};
use super::function::{Function, array};
use super::functions::{self, Apply};
use super::syntax::{ExpressionId, Kind as Syntax, Operator, Program};
use super::value::Value;
use chainrule::Tensor;
use chainrule::view::local::is_elementwise;
use chainrule::view::number_text;
use chainrule::view::{Kind, Node};
use std::collections::{HashMap, HashSet};

/// The nodes, and how they hang together with the evaluation.
pub struct Recorded {
    pub nodes: Vec<Node>,
    pub result: usize,
    /// For each computed node its expression and those of its inputs, in the order of recording.
    pub computed: Vec<Computed>,
}

/// A node that an expression computed.
pub struct Computed {
    pub node: usize,
    pub expression: ExpressionId,
    pub operands: Vec<ExpressionId>,
    /// The values of the operands, in the shapes in which they are used.
    pub values: Vec<Value>,
    pub tensor: Tensor,
    /// Whether it is an operand brought to another shape or dtype.
    pub adapts: bool,
}

/// Makes the nodes: the variables as they were given, then constants and operations as they are used.
pub fn recorded(function: &Function, evaluated: &Evaluated) -> Recorded {
    let mut building = Building {
        function,
        evaluated,
        nodes: Vec::new(),
        of_tensor: HashMap::new(),
        adapted: HashMap::new(),
        computed: Vec::new(),
    };
    for (name, tensor) in function.names.iter().zip(&function.inputs) {
        building.variable(name, tensor);
    }
    for record in &evaluated.records {
        match (record.expression, record.adapted) {
            (Some(expression), Some(operand)) => building.adapted(record, expression, operand),
            (Some(expression), None) => building.operation(record, expression),
            (None, _) => {}
        }
    }
    let result = match &evaluated.result {
        Value::Tensor(tensor) => building.of_tensor[&tensor.id()],
        constant => {
            let tensor = constant.tensor();
            let text = array(&tensor).text(12);
            building.push(Kind::Constant, text, "constant", Vec::new(), &tensor)
        }
    };
    let mut nodes = building.nodes;
    label(&mut nodes, result);
    Recorded {
        nodes,
        result,
        computed: building.computed,
    }
}

struct Building<'a> {
    function: &'a Function,
    evaluated: &'a Evaluated,
    nodes: Vec<Node>,
    of_tensor: HashMap<u64, usize>,
    /// The operands of the next operation that were brought to its shape: their nodes and values.
    adapted: HashMap<ExpressionId, (usize, Tensor)>,
    computed: Vec<Computed>,
}

impl Building<'_> {
    fn push(
        &mut self,
        kind: Kind,
        label: String,
        primitive: &str,
        inputs: Vec<usize>,
        tensor: &Tensor,
    ) -> usize {
        self.nodes.push(Node {
            kind,
            name: None,
            label,
            primitive: primitive.to_owned(),
            detail: String::new(),
            inputs,
            dtype: tensor.dtype(),
            value: array(tensor),
            derivative: None,
            locals: Vec::new(),
            kept: false,
            span: None,
            place: None,
            module: String::new(),
        });
        self.nodes.len() - 1
    }

    fn variable(&mut self, name: &str, tensor: &Tensor) {
        let node = self.push(Kind::Variable, name.to_owned(), "input", Vec::new(), tensor);
        self.nodes[node].name = Some(name.to_owned());
        self.of_tensor.insert(tensor.id(), node);
    }

    fn operation(&mut self, record: &Record, expression: ExpressionId) {
        let program = &self.function.program;
        let mut operands = operands(program, expression, &self.evaluated.values);
        if record.tensor.operation_name() == "square" {
            // The exponent is in the name.
            operands.truncate(1);
        }
        let (inputs, values) = operands.iter().map(|&operand| self.used(operand)).unzip();
        self.adapted.clear();
        let primitive = primitive(program, expression, &record.tensor);
        let node = self.push(
            Kind::Operation,
            String::new(),
            &primitive,
            inputs,
            &record.tensor,
        );
        self.nodes[node].name = record.name.clone();
        self.nodes[node].detail = self.detail(expression, &operands);
        self.nodes[node].span = Some(program.expressions[expression].span);
        self.of_tensor.insert(record.tensor.id(), node);
        self.computed.push(Computed {
            node,
            expression,
            operands,
            values,
            tensor: record.tensor.clone(),
            adapts: false,
        });
    }

    /// An operand that is repeated, or a truth value that counts as a number.
    fn adapted(&mut self, record: &Record, expression: ExpressionId, operand: ExpressionId) {
        let (input, value) = self.used(operand);
        let primitive = if value.shape() == *record.tensor.shape() {
            "cast"
        } else {
            "expand"
        };
        let node = self.push(
            Kind::Operation,
            String::new(),
            primitive,
            vec![input],
            &record.tensor,
        );
        let shape = self.nodes[node].value.shape.clone();
        if primitive == "expand" {
            self.nodes[node].detail = format!("{shape:?}");
        }
        self.nodes[node].span = Some(self.function.program.expressions[operand].span);
        self.adapted.insert(operand, (node, record.tensor.clone()));
        self.computed.push(Computed {
            node,
            expression,
            operands: vec![operand],
            values: vec![value],
            tensor: record.tensor.clone(),
            adapts: true,
        });
    }

    /// The node and the value of an operand as it is used.
    fn used(&mut self, operand: ExpressionId) -> (usize, Value) {
        match self.adapted.get(&operand) {
            Some((node, tensor)) => (*node, Value::Tensor(tensor.clone())),
            None => (
                self.operand(operand),
                self.evaluated.values[operand].clone(),
            ),
        }
    }

    /// What is written in an index's brackets, or behind a function's operands.
    fn detail(&self, expression: ExpressionId, operands: &[ExpressionId]) -> String {
        let expressions = &self.function.program.expressions;
        let text =
            |start: usize, end: usize| self.function.text.get(start..end).unwrap_or_default();
        match &expressions[expression].kind {
            Syntax::Index { base, .. } => {
                let detail = text(
                    expressions[*base].span.end,
                    expressions[expression].span.end,
                );
                // An index in parentheses has them at its end.
                detail.trim_end_matches(')').trim().to_owned()
            }
            Syntax::Call { arguments, .. } => {
                let others = arguments
                    .iter()
                    .filter(|argument| !operands.contains(&argument.value));
                let others = others.map(|argument| {
                    let span = expressions[argument.value].span;
                    let name = argument.name.as_ref().map(|(name, _)| format!("{name}="));
                    format!(
                        ", {}{}",
                        name.unwrap_or_default(),
                        text(span.start, span.end)
                    )
                });
                others.collect()
            }
            _ => String::new(),
        }
    }

    /// The node of an operand; a constant gets one of its own wherever it is used.
    fn operand(&mut self, expression: ExpressionId) -> usize {
        match &self.evaluated.values[expression] {
            Value::Tensor(tensor) => self.of_tensor[&tensor.id()],
            constant => {
                let tensor = constant.tensor();
                let span = self.function.program.expressions[expression].span;
                let text = self
                    .function
                    .text
                    .get(span.start..span.end)
                    .unwrap_or_default();
                let text = match constant {
                    Value::Number(number) if text.chars().count() > 12 => number_text(*number),
                    _ if text.chars().count() > 12 => array(&tensor).shape_text(),
                    _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
                };
                let node = self.push(Kind::Constant, text, "constant", Vec::new(), &tensor);
                self.nodes[node].span = Some(span);
                node
            }
        }
    }
}

/// The expressions whose values an expression is computed from; axes and positions are none of them.
fn operands(program: &Program, expression: ExpressionId, values: &[Value]) -> Vec<ExpressionId> {
    match &program.expressions[expression].kind {
        Syntax::Number(_) | Syntax::Name(_) => Vec::new(),
        Syntax::Negate(operand) | Syntax::Transpose(operand) => vec![*operand],
        Syntax::Binary { left, right, .. } => vec![*left, *right],
        Syntax::List(items) => items.clone(),
        Syntax::Index { base, .. } => vec![*base],
        Syntax::Call {
            function,
            arguments,
            ..
        } => {
            let takes_constants = functions::find(function).is_some_and(|function| {
                !matches!(function.apply, Apply::Arguments(_))
                    || functions::of_operands(function.name)
            });
            let given = arguments.iter().filter(|argument| {
                let constant = values[argument.value].is_constant();
                !constant || (takes_constants && argument.name.is_none())
            });
            given.map(|argument| argument.value).collect()
        }
    }
}

/// What an expression does to its operands: the primitive where it is one, else the function's name.
fn primitive(program: &Program, expression: ExpressionId, tensor: &Tensor) -> String {
    let operation = tensor.operation_name();
    let name = match &program.expressions[expression].kind {
        Syntax::Negate(_) => "neg",
        Syntax::Transpose(_) => "permute",
        Syntax::List(_) => "stack",
        Syntax::Index { .. } if operation == "index_select" || operation == "gather" => operation,
        Syntax::Index { .. } => "slice",
        Syntax::Binary { operator, .. } => match operator {
            Operator::MatrixProduct => "matmul",
            // A power of two is a square.
            _ => operation,
        },
        Syntax::Call { function, .. } => match (function.as_str(), operation) {
            ("max", "maximum") | ("min", "minimum") | ("pow", "square") => operation,
            ("transpose", _) => "permute",
            (function, _) => function,
        },
        Syntax::Number(_) | Syntax::Name(_) => operation,
    };
    name.to_owned()
}

/// Names for the operations that have none: `f` the result, `v1`, `v2` and so on the others.
fn label(nodes: &mut [Node], result: usize) {
    let taken: HashSet<String> = nodes.iter().filter_map(|node| node.name.clone()).collect();
    let mut count = 0;
    for (at, node) in nodes.iter_mut().enumerate() {
        if node.kind != Kind::Operation {
            continue;
        }
        node.label = match &node.name {
            Some(name) => name.clone(),
            None if at == result => {
                let free = ["f", "result", "output"]
                    .into_iter()
                    .find(|name| !taken.contains(*name));
                free.unwrap_or("(result)").to_owned()
            }
            None => loop {
                count += 1;
                let label = format!("v{count}");
                if !taken.contains(&label) {
                    break label;
                }
            },
        };
    }
}

/// Whether each element of a node depends on the same element of its input at `position`.
pub fn is_diagonal(nodes: &[Node], at: usize, position: usize) -> bool {
    let node = &nodes[at];
    let by_elements = is_elementwise(&node.primitive)
        || node.primitive == "where"
        || functions::find(&node.primitive)
            .is_some_and(|function| matches!(function.apply, Apply::One(_) | Apply::Two(_)));
    by_elements && nodes[node.inputs[position]].value.shape == node.value.shape
}
