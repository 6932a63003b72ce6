//! Derive macros of Chainrule: `#[derive(Tree)]` and `#[derive(Module)]`.
//!
//! Both name everything through `::chainrule`, the crate that users add.

mod fields;
mod tree;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct or enum a tree of tensors: its leaves are those of its fields, named by field path.
///
/// A field marked `#[tree(fixed)]` has no leaves and is cloned.
#[proc_macro_derive(Tree, attributes(tree))]
pub fn derive_tree(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    tree::implement(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes a struct a module: a tree (see `Tree`) whose leaves are parameters.
#[proc_macro_derive(Module, attributes(tree))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let tree = tree::implement(&input);
    let module = tree::implement_module(&input);
    tree.map(|tree| quote::quote!(#tree #module))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
