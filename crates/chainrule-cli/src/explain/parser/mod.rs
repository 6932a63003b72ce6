//! From tokens to the syntax tree: operator precedence with the open operators and brackets on a stack of our own, so
//! that ten thousand parentheses are no danger to the program's.

mod complaints;

use super::lexer::{Token, tokens};
use super::problem::{Problem, Span};
use super::syntax::{
    Argument, Binding, Expression, ExpressionId, IndexPart, Kind, Operator, Program, Statement,
};

/// Reads a program: statements `name = value` or `value`, separated by `;` or the ends of lines.
pub fn parse(text: &str) -> Result<Program, Problem> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        expressions: Vec::new(),
        open: Vec::new(),
    };
    let mut statements = Vec::new();
    loop {
        while matches!(parser.peek(), Token::LineEnd | Token::Symbol(";")) {
            parser.next += 1;
        }
        if *parser.peek() == Token::End {
            break;
        }
        statements.push(parser.statement()?);
    }
    if statements.is_empty() {
        let span = Span::new(text.len(), text.len());
        return Err(Problem::at(span, "there is no expression").help("such as \"x * y\" x=2 y=3"));
    }
    Ok(Program {
        expressions: parser.expressions,
        statements,
    })
}

/// What waits for an operand or for its closing bracket.
enum Open {
    Sign {
        negative: bool,
        place: Span,
    },
    Operator {
        operator: Operator,
        place: Span,
        left: ExpressionId,
    },
    Group {
        place: Span,
    },
    List {
        place: Span,
        items: Vec<ExpressionId>,
    },
    Call {
        function: String,
        place: Span,
        bracket: Span,
        arguments: Vec<Argument>,
        keyword: Option<(String, Span)>,
    },
    Index {
        base: ExpressionId,
        bracket: Span,
        parts: Vec<IndexPart>,
        range: Range,
    },
}

/// The part of an index that is being read.
#[derive(Default)]
struct Range {
    bounds: [Option<ExpressionId>; 3],
    colons: usize,
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    next: usize,
    expressions: Vec<Expression>,
    open: Vec<Open>,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn place(&self) -> Span {
        self.tokens[self.next].1
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn push(&mut self, kind: Kind, span: Span) -> ExpressionId {
        self.expressions.push(Expression { kind, span });
        self.expressions.len() - 1
    }

    fn span(&self, id: ExpressionId) -> Span {
        self.expressions[id].span
    }

    fn statement(&mut self) -> Result<Statement, Problem> {
        let name = self.keyword();
        let value = self.expression()?;
        match self.peek() {
            Token::LineEnd | Token::End | Token::Symbol(";") => Ok(Statement { name, value }),
            _ => Err(self.unexpected_after(value)),
        }
    }

    /// `name =` at this place, which gives a name to a statement's value or to an argument.
    fn keyword(&mut self) -> Option<(String, Span)> {
        let (Token::Name(name), place) = self.tokens[self.next].clone() else {
            return None;
        };
        if self.tokens[self.next + 1].0 != Token::Symbol("=") {
            return None;
        }
        self.next += 2;
        Some((name, place))
    }

    /// One expression, up to a token that cannot belong to it.
    fn expression(&mut self) -> Result<ExpressionId, Problem> {
        loop {
            // An operand is due.
            let Some(mut value) = self.operand()? else {
                continue;
            };
            // An operand is there; what follows it?
            loop {
                if self.is(".T") {
                    let span = self.span(value).to(self.place());
                    self.next += 1;
                    value = self.push(Kind::Transpose(value), span);
                } else if self.is("[") {
                    self.open.push(Open::Index {
                        base: value,
                        bracket: self.place(),
                        parts: Vec::new(),
                        range: Range::default(),
                    });
                    self.next += 1;
                    break;
                } else if let Some(operator) = self.operator() {
                    let left = self.applied(value, operator.binding())?;
                    let place = self.place();
                    self.refuse_chain(operator, left)?;
                    self.next += 1;
                    self.open.push(Open::Operator {
                        operator,
                        place,
                        left,
                    });
                    break;
                } else {
                    value = self.applied(value, Binding::Comparison)?;
                    if self.open.is_empty() {
                        return Ok(value);
                    }
                    match self.inside_bracket(value)? {
                        Some(closed) => value = closed,
                        None => break,
                    }
                }
            }
        }
    }

    fn operator(&self) -> Option<Operator> {
        match self.peek() {
            Token::Symbol(symbol) => Operator::of(symbol),
            _ => None,
        }
    }

    /// Reads an operand, or something that opens and waits for one (then the result is `None`).
    fn operand(&mut self) -> Result<Option<ExpressionId>, Problem> {
        if let Some(Open::Call { keyword, .. }) = self.open.last()
            && keyword.is_none()
        {
            let found = self.keyword();
            if let Some(Open::Call { keyword, .. }) = self.open.last_mut() {
                *keyword = found;
            }
        }
        let place = self.place();
        let token = self.peek().clone();
        match token {
            Token::Number(number) => {
                self.next += 1;
                Ok(Some(self.push(Kind::Number(number), place)))
            }
            Token::Name(name) => {
                self.next += 1;
                if !self.is("(") {
                    return Ok(Some(self.push(Kind::Name(name), place)));
                }
                let bracket = self.place();
                self.next += 1;
                if self.is(")") {
                    let span = place.to(self.place());
                    self.next += 1;
                    let kind = Kind::Call {
                        function: name,
                        place,
                        arguments: Vec::new(),
                    };
                    return Ok(Some(self.push(kind, span)));
                }
                self.open.push(Open::Call {
                    function: name,
                    place,
                    bracket,
                    arguments: Vec::new(),
                    keyword: None,
                });
                Ok(None)
            }
            Token::Symbol(symbol @ ("+" | "-")) => {
                self.next += 1;
                self.open.push(Open::Sign {
                    negative: symbol == "-",
                    place,
                });
                Ok(None)
            }
            Token::Symbol("(") => {
                self.next += 1;
                self.open.push(Open::Group { place });
                Ok(None)
            }
            Token::Symbol("[") => {
                self.next += 1;
                self.open.push(Open::List {
                    place,
                    items: Vec::new(),
                });
                Ok(None)
            }
            Token::Symbol(":" | "]" | ",") if self.in_range() => self.empty_bound(),
            _ => Err(self.no_operand()),
        }
    }

    /// Whether a part of an index is being read, with nothing between its colons yet.
    fn in_range(&self) -> bool {
        match self.open.last() {
            Some(Open::Index { range, .. }) => self.is(":") || range.colons > 0,
            _ => false,
        }
    }

    /// A bound that is left out, as in `x[:3]`; the bracket may close here.
    fn empty_bound(&mut self) -> Result<Option<ExpressionId>, Problem> {
        if self.is(":") {
            self.colon()?;
            return Ok(None);
        }
        self.finish_part();
        self.next_part_or_close()
    }

    /// Applies the signs and operators that wait and bind at least as tightly as `binding`.
    fn applied(&mut self, value: ExpressionId, binding: Binding) -> Result<ExpressionId, Problem> {
        let mut value = value;
        loop {
            match self.open.last() {
                // `^` groups to the right: an equal one waits.
                Some(Open::Operator { operator, .. })
                    if operator.binding() > binding
                        || (operator.binding() == binding && binding != Binding::Power) => {}
                Some(Open::Sign { .. }) if Binding::Sign >= binding => {}
                _ => return Ok(value),
            }
            value = match self.open.pop() {
                Some(Open::Operator {
                    operator,
                    place,
                    left,
                }) => {
                    let span = self.span(left).to(self.span(value));
                    let kind = Kind::Binary {
                        operator,
                        place,
                        left,
                        right: value,
                    };
                    self.push(kind, span)
                }
                Some(Open::Sign { negative, place }) => {
                    let span = place.to(self.span(value));
                    if negative {
                        self.push(Kind::Negate(value), span)
                    } else {
                        value
                    }
                }
                _ => unreachable!("only operators and signs are applied"),
            };
        }
    }

    /// What the token behind `value` means in the innermost bracket: the bracket's own value if it closes.
    fn inside_bracket(&mut self, value: ExpressionId) -> Result<Option<ExpressionId>, Problem> {
        let place = self.place();
        match self.open.last_mut() {
            Some(Open::Group { place: opened })
                if self.tokens[self.next].0 == Token::Symbol(")") =>
            {
                // The parentheses belong to the place of what they hold.
                self.expressions[value].span = opened.to(place);
                self.open.pop();
                self.next += 1;
                Ok(Some(value))
            }
            Some(Open::List { items, .. })
                if matches!(self.tokens[self.next].0, Token::Symbol("," | "]")) =>
            {
                items.push(value);
                self.list_item_or_close()
            }
            Some(Open::Call {
                arguments, keyword, ..
            }) if matches!(self.tokens[self.next].0, Token::Symbol("," | ")")) => {
                let name = keyword.take();
                arguments.push(Argument { name, value });
                self.argument_or_close()
            }
            Some(Open::Index { range, .. })
                if matches!(self.tokens[self.next].0, Token::Symbol("," | "]" | ":")) =>
            {
                range.bounds[range.colons] = Some(value);
                if self.is(":") {
                    self.colon()?;
                    return Ok(None);
                }
                self.finish_part();
                self.next_part_or_close()
            }
            _ => Err(self.unexpected_after(value)),
        }
    }

    fn list_item_or_close(&mut self) -> Result<Option<ExpressionId>, Problem> {
        let place = self.place();
        self.next += 1;
        if self.tokens[self.next - 1].0 == Token::Symbol(",") && !self.is("]") {
            return Ok(None);
        }
        // `[1, 2,]` is a list as well.
        let end = if self.tokens[self.next - 1].0 == Token::Symbol(",") {
            self.next += 1;
            self.tokens[self.next - 1].1
        } else {
            place
        };
        match self.open.pop() {
            Some(Open::List { place, items }) => {
                Ok(Some(self.push(Kind::List(items), place.to(end))))
            }
            _ => unreachable!("the innermost bracket is the list's"),
        }
    }

    fn argument_or_close(&mut self) -> Result<Option<ExpressionId>, Problem> {
        let end = self.place();
        self.next += 1;
        if self.tokens[self.next - 1].0 == Token::Symbol(",") {
            return Ok(None);
        }
        match self.open.pop() {
            Some(Open::Call {
                function,
                place,
                arguments,
                ..
            }) => {
                let kind = Kind::Call {
                    function,
                    place,
                    arguments,
                };
                Ok(Some(self.push(kind, place.to(end))))
            }
            _ => unreachable!("the innermost bracket is the call's"),
        }
    }

    fn colon(&mut self) -> Result<(), Problem> {
        let place = self.place();
        self.next += 1;
        match self.open.last_mut() {
            Some(Open::Index { range, .. }) if range.colons < 2 => {
                range.colons += 1;
                Ok(())
            }
            _ => Err(Problem::at(place, "a range has at most two colons")
                .help("`x[start:end:step]`, each of which may be left out")),
        }
    }

    fn finish_part(&mut self) {
        if let Some(Open::Index { parts, range, .. }) = self.open.last_mut() {
            let range = std::mem::take(range);
            parts.push(match (range.colons, range.bounds[0]) {
                (0, Some(position)) => IndexPart::At(position),
                _ => IndexPart::Range(range.bounds),
            });
        }
    }

    fn next_part_or_close(&mut self) -> Result<Option<ExpressionId>, Problem> {
        let end = self.place();
        let closes = self.is("]");
        self.next += 1;
        if !closes {
            return Ok(None);
        }
        match self.open.pop() {
            Some(Open::Index { base, parts, .. }) => {
                let span = self.span(base).to(end);
                Ok(Some(self.push(Kind::Index { base, parts }, span)))
            }
            _ => unreachable!("the innermost bracket is the index's"),
        }
    }
}
