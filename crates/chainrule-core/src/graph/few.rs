//! Lists that nearly always have at most two elements, such as the inputs of a node.

use std::ops::{Deref, DerefMut};

/// A list that allocates only from three elements on. It is built and copied whole, never pushed to, and that is what
/// it does faster than a general small vector.
#[derive(Clone, Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One([T; 1]),
    Two([T; 2]),
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// The images of all elements, in order.
    pub(crate) fn of<'a, S: 'a>(elements: &'a [S], mut image: impl FnMut(&'a S) -> T) -> Few<T> {
        match elements {
            [] => Few::None,
            [one] => Few::One([image(one)]),
            [first, second] => {
                let first = image(first);
                Few::Two([first, image(second)])
            }
            many => Few::Many(many.iter().map(image).collect()),
        }
    }

    /// `count` times `element`.
    pub(crate) fn filled(count: usize, element: T) -> Few<T>
    where
        T: Clone,
    {
        match count {
            0 => Few::None,
            1 => Few::One([element]),
            2 => Few::Two([element.clone(), element]),
            _ => Few::Many(vec![element; count]),
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(one) => one,
            Few::Two(two) => two,
            Few::Many(many) => many,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::None => &mut [],
            Few::One(one) => one,
            Few::Two(two) => two,
            Few::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn lists_of_every_length_read_as_slices() {
        for count in 0..5 {
            let numbers: Vec<usize> = (0..count).collect();
            let mut doubled = Few::of(&numbers, |number| number * 2);
            assert!(
                doubled
                    .iter()
                    .copied()
                    .eq((0..count).map(|number| number * 2))
            );
            doubled.iter_mut().for_each(|number| *number = 7);
            assert_eq!(doubled[..], Few::filled(count, 7)[..]);
        }
    }
}
