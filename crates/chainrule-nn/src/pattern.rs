//! Names of parameters by pattern.

/// Whether `name` is what `pattern` describes: `*` stands for any characters, dots and none included.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    // Between the ends the earliest place of each piece leaves the most for those behind it.
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a.b"),
            ("a.b", "a.b"),
            ("*.bias", "layers.3.bias"),
            ("encoder.*", "encoder.layers.0.weight"),
            ("*.norm*.weight", "block.norm2.weight"),
            ("a*b*c", "aXbXbXc"),
            ("a*a", "aa"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("a.b", "a.bc"),
            ("*.bias", "bias"),
            ("encoder.*", "decoder.encoder.weight"),
            ("a*a", "a"),
            ("a*b*b", "ab"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
