//! From text to tokens.

use super::problem::{Problem, Span};

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Number(f64),
    Name(String),
    /// An operator or a bracket, as it is written.
    Symbol(&'static str),
    /// The end of a line outside all brackets, which ends a statement as `;` does.
    LineEnd,
    /// The end of the text.
    End,
}

/// The symbols, longer ones before their beginnings.
const SYMBOLS: [&str; 23] = [
    "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "^", "@", "<", ">", "=", "(", ")", "[", "]",
    ",", ";", ":", ".T", ".",
];

/// The tokens of `text` with their places; the last is [`Token::End`].
pub fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Problem> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = if character == '\n' && depth == 0 {
            (Some(Token::LineEnd), 1)
        } else if character.is_whitespace() {
            (None, character.len_utf8())
        } else if begins_number(rest) {
            let length = number_length(rest);
            (Some(number(&rest[..length], at)?), length)
        } else if character.is_alphabetic() || character == '_' {
            let length = name_length(rest);
            (Some(Token::Name(rest[..length].to_owned())), length)
        } else {
            let symbol = symbol(rest).ok_or_else(|| unknown(character, at))?;
            match symbol {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            (Some(Token::Symbol(symbol)), symbol.len())
        };
        if let Some(token) = token {
            found.push((token, Span::new(at, at + length)));
        }
        at += length;
    }
    found.push((Token::End, Span::new(text.len(), text.len())));
    Ok(found)
}

fn begins_number(rest: &str) -> bool {
    let mut characters = rest.chars();
    match characters.next() {
        Some('.') => characters.next().is_some_and(|next| next.is_ascii_digit()),
        Some(first) => first.is_ascii_digit(),
        None => false,
    }
}

/// The length of the number at the beginning: digits, a point, digits, an exponent.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        let count = bytes[from..].iter().take_while(|b| b.is_ascii_digit());
        from + count.count()
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && !bytes.get(end + 1).is_some_and(|&b| b == b'T' || b == b'.')
    {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

fn number(text: &str, at: usize) -> Result<Token, Problem> {
    let span = Span::new(at, at + text.len());
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Token::Number(value)),
        Ok(_) => Err(Problem::at(
            span,
            "the number is larger than the largest of 64 bits, about 1.8e308",
        )),
        Err(_) => Err(Problem::at(span, format!("`{text}` is not a number"))),
    }
}

fn name_length(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len())
}

fn symbol(rest: &str) -> Option<&'static str> {
    SYMBOLS.into_iter().find(|symbol| {
        // `.T` is a symbol of its own, not the beginning of `.Times`.
        rest.starts_with(symbol) && (*symbol != ".T" || name_length(&rest[1..]) == 1)
    })
}

fn unknown(character: char, at: usize) -> Problem {
    let span = Span::new(at, at + character.len_utf8());
    let shown: String = character.escape_debug().collect();
    let problem = Problem::at(span, format!("`{shown}` has no meaning here"));
    match character {
        '−' | '–' => problem.help("the minus sign is `-`"),
        '×' | '·' | '⋅' => problem.help("multiplication is `*`, the product of matrices `@`"),
        '÷' => problem.help("division is `/`"),
        '{' | '}' => problem.help("parentheses are `(` and `)`, lists are `[` and `]`"),
        '!' => problem.help("not equal is `!=`"),
        '%' => problem.help("the remainder is `rem(x, y)`"),
        '&' | '|' => problem.help("choose by a condition with `where(condition, a, b)`"),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        let tokens = tokens(text).unwrap();
        tokens.into_iter().map(|(token, _)| token).collect()
    }

    #[test]
    fn numbers_points_and_transposes() {
        use Token::{End, Name, Number, Symbol};
        assert_eq!(kinds("1.5e-3"), [Number(0.0015), End]);
        assert_eq!(kinds(".5"), [Number(0.5), End]);
        assert_eq!(kinds("2."), [Number(2.0), End]);
        assert_eq!(kinds("2.T"), [Number(2.0), Symbol(".T"), End]);
        assert_eq!(kinds("2e"), [Number(2.0), Name("e".into()), End]);
        assert_eq!(
            kinds("x**-y.T"),
            [
                Name("x".into()),
                Symbol("**"),
                Symbol("-"),
                Name("y".into()),
                Symbol(".T"),
                End
            ]
        );
    }

    #[test]
    fn lines_end_statements_outside_brackets_only() {
        let ends = |text| {
            let kinds = kinds(text);
            kinds.iter().filter(|t| **t == Token::LineEnd).count()
        };
        assert_eq!(ends("a = 1\na"), 1);
        assert_eq!(ends("(a\n+ b)"), 0);
    }

    #[test]
    fn what_is_no_token_is_named() {
        let problem = tokens("x × y").unwrap_err().within("x × y").to_string();
        assert!(problem.contains("`×` has no meaning here"), "{problem}");
        assert!(problem.contains("multiplication is `*`"), "{problem}");
        assert!(tokens("1e999").is_err());
    }
}
