//! What belongs to a tree besides its leaves.

use std::any::{Any, type_name};

/// Something in a tree that is no leaf: transforms pass it by, whoever looks after models finds it.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// A module, before its fields. The address tells it from others of its kind while it is borrowed.
    Module {
        /// The name of its type, as [`kind_of`] gives it.
        kind: &'static str,
        /// Where it lies in memory.
        address: *const (),
    },
    /// A value with an identity of its own, such as running statistics; whoever knows its type finds it by a downcast.
    Cell(&'a dyn Any),
}

/// The name of a type without the path to it, such as `Linear` or `Stack<3>`.
///
/// ```
/// assert_eq!(chainrule_core::tree::kind_of::<String>(), "String");
/// ```
pub fn kind_of<T: ?Sized>() -> &'static str {
    let name = type_name::<T>();
    let path_ends = name.find('<').unwrap_or(name.len());
    let start = name[..path_ends].rfind("::").map_or(0, |colons| colons + 2);
    &name[start..]
}
