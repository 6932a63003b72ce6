//! Derive macros of Chainrule: `#[derive(Tree)]` and `#[derive(Module)]`.
//!
//! Both name everything through `::chainrule`, the crate that users add.

mod fields;
mod tree;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct or enum a tree of tensors: its leaves are those of its fields, named by field path.
///
/// Every field is a tree itself (tensors, numbers, containers and other derived types are), or is marked
/// `#[tree(fixed)]`: then it has no leaves and is cloned.
///
/// ```text
/// #[derive(Tree)]
/// struct Orbit {
///     position: Tensor,
///     velocity: Tensor,
///     #[tree(fixed)]
///     name: Name,
/// }
/// ```
#[proc_macro_derive(Tree, attributes(tree))]
pub fn derive_tree(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    tree::implement(&input, false)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a struct a module: a tree (see [`Tree`](derive@Tree)) whose leaves are parameters.
#[proc_macro_derive(Module, attributes(tree))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let both = tree::implement(&input, true).and_then(|mut both| {
        both.extend(tree::implement_module(&input)?);
        Ok(both)
    });
    both.unwrap_or_else(syn::Error::into_compile_error).into()
}
