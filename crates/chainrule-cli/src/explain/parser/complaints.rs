//! What is said about text that is no program, and where.

use super::{Open, Parser};
use crate::explain::lexer::Token;
use crate::explain::problem::{Problem, Span};
use crate::explain::syntax::{Binding, ExpressionId, Kind, Operator};

impl Parser {
    fn found(&self) -> String {
        match self.peek() {
            Token::Number(number) => format!("the number {number}"),
            Token::Name(name) => {
                let short: String = name.chars().take(24).collect();
                format!("the name `{short}`")
            }
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::LineEnd => "the end of the line".to_owned(),
            Token::End => "the end".to_owned(),
        }
    }

    /// `a < b < c` would compare a truth value with a number.
    pub(super) fn refuse_chain(
        &self,
        operator: Operator,
        left: ExpressionId,
    ) -> Result<(), Problem> {
        match self.expressions[left].kind {
            Kind::Binary {
                operator: before, ..
            } if operator.binding() == Binding::Comparison
                && before.binding() == Binding::Comparison
                && !self.is_grouped(left) =>
            {
                Err(Problem::at(self.place(), "comparisons do not chain")
                    .help("multiply two comparisons to ask for both: `(a < b) * (b < c)`"))
            }
            _ => Ok(()),
        }
    }

    /// Whether an expression's place includes parentheses of its own.
    fn is_grouped(&self, id: ExpressionId) -> bool {
        match self.expressions[id].kind {
            Kind::Binary { left, .. } => self.span(left).start > self.span(id).start,
            _ => false,
        }
    }

    pub(super) fn no_operand(&self) -> Problem {
        let problem = Problem::at(
            self.place(),
            format!("a value is expected here, not {}", self.found()),
        );
        match (self.peek(), self.open.last()) {
            (Token::End, Some(Open::Group { place })) => never_closed(*place, "("),
            (Token::End, Some(Open::Call { bracket, .. })) => never_closed(*bracket, "("),
            (Token::End, Some(Open::List { place, .. })) => never_closed(*place, "["),
            (Token::End, Some(Open::Index { bracket, .. })) => never_closed(*bracket, "["),
            (Token::Symbol("]"), Some(Open::List { .. })) => {
                problem.help("a list has at least one element")
            }
            (Token::Symbol("]"), Some(Open::Index { .. })) => {
                problem.help("`x[0]` is an element, `x[1:3]` a range, `x[:]` everything")
            }
            (Token::Symbol("*"), Some(Open::Operator { .. })) => {
                problem.help("a power is `^` or `**`")
            }
            _ => problem,
        }
    }

    pub(super) fn unexpected_after(&self, value: ExpressionId) -> Problem {
        let place = self.place();
        let bracket = self.open.iter().rev().find_map(|open| match open {
            Open::Group { place } => Some((*place, "(", ")")),
            Open::Call { bracket, .. } => Some((*bracket, "(", ")")),
            Open::List { place, .. } => Some((*place, "[", "]")),
            Open::Index { bracket, .. } => Some((*bracket, "[", "]")),
            _ => None,
        });
        match (self.peek(), bracket) {
            (Token::End | Token::Symbol(";"), Some((opened, symbol, _))) => {
                never_closed(opened, symbol)
            }
            (Token::Symbol(found @ (")" | "]")), None) => {
                Problem::at(place, format!("`{found}` closes nothing"))
            }
            (Token::Symbol(found @ (")" | "]")), Some((opened, symbol, closing))) => Problem::at(
                opened.to(place),
                format!("`{symbol}` is closed by `{found}`"),
            )
            .help(format!("close it by `{closing}`")),
            (Token::Symbol("="), _) => {
                Problem::at(place, "`=` gives a name to a value: `a = x * y; a + 1`")
                    .help("to compare, write `==`")
            }
            (Token::Symbol("("), _) => Problem::at(place, "an operator is missing before `(`")
                .help("multiplication is `*`"),
            (Token::Symbol("."), _) => Problem::at(place, "`.` has no meaning here")
                .help("`x.T` is the transpose; functions are called as `sum(x)`"),
            (Token::Symbol(","), None) => Problem::at(place, "`,` stands in lists and calls only")
                .help("a list is `[1, 2]`; statements are separated by `;`"),
            (Token::Number(_) | Token::Name(_), _) => {
                let problem = Problem::at(
                    place,
                    format!("an operator is missing before {}", self.found()),
                );
                match self.expressions[value].kind {
                    Kind::Number(number) => match self.peek() {
                        Token::Name(name) => problem.help(format!("write `{number}*{name}`")),
                        _ => problem,
                    },
                    _ => problem.help("multiplication is `*`; statements are separated by `;`"),
                }
            }
            _ => Problem::at(
                place,
                format!(
                    "an operator or the end is expected here, not {}",
                    self.found()
                ),
            ),
        }
    }
}

fn never_closed(place: Span, symbol: &str) -> Problem {
    Problem::at(place, format!("`{symbol}` is never closed"))
}
