//! Did you mean: the known name nearest to one that is not known.

/// The name among `known` that needs the fewest edits, if it is near enough to be meant.
///
/// ```
/// use chainrule_core::error::nearest;
/// assert_eq!(nearest("lerning_rate", ["epochs", "learning_rate"]), Some("learning_rate"));
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long strings are no misspelling, and would take long to compare.
    let length = name.chars().count();
    if length > 40 {
        return None;
    }
    // One letter in place of another is another variable, not a misspelling.
    let allowed = if length < 2 { 0 } else { (length / 3).max(1) };
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(edits, candidate)| edits <= allowed && edits < candidate.chars().count().max(2))
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// Damerau-Levenshtein distance (adjacent letters may be swapped), ignoring case.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let differs = usize::from(left[i - 1] != right[j - 1]);
            let mut edits = (last[j - 1] + differs).min(last[j] + 1).min(row[j - 1] + 1);
            let swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if swapped {
                edits = edits.min(before[j - 2] + 1);
            }
            row.push(edits);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn misspellings_find_their_name() {
        let known = ["sigmoid", "sin", "sinh", "softmax", "sum", "max"];
        assert_eq!(nearest("sigmiod", known), Some("sigmoid"));
        assert_eq!(nearest("summ", known), Some("sum"));
        assert_eq!(nearest("Softmax", known), Some("softmax"));
        assert_eq!(nearest("transmogrify", known), None);
        assert_eq!(nearest("q", ["x", "y"]), None);
        assert_eq!(nearest("X", ["x", "y"]), Some("x"));
    }
}
