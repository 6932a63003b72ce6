//! The list at the top of each family's file, and what it makes of every declaration.

use super::{OperationRef, Sample};

/// Marks a declaration that is named in its family's list.
///
/// Implemented by [`family!`](crate::family) and by nothing else, so a declaration that is missing from the list does
/// not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is declared but not registered",
    label = "not in any `family!` list",
    note = "add `{Self}` to the `family! {{ .. }}` list at the top of its file"
)]
pub trait Registered {}

/// What the checks and the documentation know of a declaration.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The operation's name, or its type's.
    pub name: fn() -> &'static str,
    /// Instances and inputs to try it on.
    pub samples: fn() -> Vec<Sample>,
}

/// A declaration of any kind `K` (elementwise, primitive, composite); the compiler infers the kind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a declaration",
    note = "implement `Elementwise<N>`, `Primitive` or `Composite` for it"
)]
pub trait Declared<K>: Registered {
    /// Its row in the registry.
    const ENTRY: Entry;
    /// The declaration as the object that nodes hold.
    fn into_operation(self) -> OperationRef;
}

/// The registry's row of a declaration.
pub const fn entry<T: Declared<K>, K>() -> Entry {
    T::ENTRY
}

/// Registers the declarations of a file: `family! { Sin, Cos, Tan }` stands at the top and defines `ALL`.
#[macro_export]
macro_rules! family {
    ($($name:ident),+ $(,)?) => {
        $(impl $crate::declare::Registered for $name {})+
        /// Every declaration of this family.
        pub(crate) const ALL: &[$crate::declare::Entry] = &[$($crate::declare::entry::<$name, _>()),+];
    };
}
