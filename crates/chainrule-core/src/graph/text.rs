//! Small graphs as expressions: what a partial derivative reads like.

use super::walk::recorded_below;
use crate::tensor::Tensor;
use std::collections::HashMap;

/// How tightly an expression binds; an operand that binds less needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
    Atom,
}

use Binding::{Atom, Comparison, Power, Product, Sign, Sum};

#[derive(Clone)]
struct Text {
    text: String,
    binding: Binding,
}

impl Text {
    fn new(text: impl Into<String>, binding: Binding) -> Text {
        Text {
            text: text.into(),
            binding,
        }
    }

    /// The text where something that binds at least as tightly as `least` is needed.
    fn at_least(&self, least: Binding) -> String {
        if self.binding >= least {
            self.text.clone()
        } else {
            format!("({})", self.text)
        }
    }
}

/// The expression that computes `result` from the named tensors, such as `y * (1 - y)`.
pub(crate) fn expression(result: &Tensor, names: &[(&Tensor, &str)]) -> String {
    let mut texts: HashMap<(u64, u32), Text> = names
        .iter()
        .map(|(tensor, name)| (tensor.key(), Text::new(*name, Atom)))
        .collect();
    let ends: Vec<Tensor> = names.iter().map(|(tensor, _)| (*tensor).clone()).collect();
    for step in recorded_below(&ends, std::slice::from_ref(result)) {
        let outputs = step.outputs();
        let text = match outputs[0].known_fill() {
            Some(number) => number_text(number),
            None => {
                let operands: Vec<Text> = step
                    .inputs
                    .iter()
                    .map(|input| texts[&input.key()].clone())
                    .collect();
                operation_text(step.node.operation.name(), &operands)
            }
        };
        for output in &outputs {
            texts.insert(output.key(), text.clone());
        }
    }
    texts
        .remove(&result.key())
        .map_or_else(String::new, |text| text.text)
}

fn number_text(number: f64) -> Text {
    // Constants are kept in the dtype of their partners, often `f32`; its shortest digits read best.
    let text = format!("{}", number as f32);
    Text::new(text, if number < 0.0 { Sign } else { Atom })
}

fn operation_text(name: &str, operands: &[Text]) -> Text {
    let infix = |symbol: &str, binding: Binding, right: Binding| {
        let text = format!(
            "{} {symbol} {}",
            operands[0].at_least(binding),
            operands[1].at_least(right)
        );
        Text::new(text, binding)
    };
    match name {
        "add" => infix("+", Sum, Sum),
        "sub" => infix("-", Sum, Product),
        "mul" => infix("*", Product, Product),
        "div" => infix("/", Product, Sign),
        "eq" => infix("==", Comparison, Sum),
        "ne" => infix("!=", Comparison, Sum),
        "lt" => infix("<", Comparison, Sum),
        "le" => infix("<=", Comparison, Sum),
        "gt" => infix(">", Comparison, Sum),
        "ge" => infix(">=", Comparison, Sum),
        "pow" => infix("^", Power, Power),
        "neg" => Text::new(format!("-{}", operands[0].at_least(Sign)), Sign),
        "square" => Text::new(format!("{}^2", operands[0].at_least(Atom)), Power),
        "reciprocal" => Text::new(format!("1 / {}", operands[0].at_least(Sign)), Product),
        "expand" | "reshape" | "identity" | "stop_gradient" => operands[0].clone(),
        _ => {
            let arguments: Vec<&str> = operands
                .iter()
                .map(|operand| operand.text.as_str())
                .collect();
            Text::new(format!("{name}({})", arguments.join(", ")), Atom)
        }
    }
}
