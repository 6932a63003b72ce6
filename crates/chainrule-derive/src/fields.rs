//! The fields of a struct or of one variant, and how their leaves are reached.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Field, Fields, Result};

/// Code over the fields of one struct or variant, all bound by name.
pub(crate) struct FieldCode {
    /// The pattern that binds every field by reference.
    pub(crate) pattern: TokenStream,
    /// Statements that visit every leaf.
    pub(crate) visit: TokenStream,
    /// Statements that visit every part.
    pub(crate) visit_parts: TokenStream,
    /// Statements that visit every cell, to change it.
    pub(crate) visit_cells: TokenStream,
    /// The fields of the rebuilt value, in braces or parentheses.
    pub(crate) map: TokenStream,
}

/// The functions of the trait, over `fields`.
pub(crate) fn code(fields: &Fields) -> Result<FieldCode> {
    let mut bindings = Vec::new();
    let mut visits = Vec::new();
    let mut parts = Vec::new();
    let mut cells = Vec::new();
    let mut maps = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        // Not the field's own name: one called `path` or `visit` would hide the arguments.
        let name = format_ident!("field_{index}");
        let segment = match &field.ident {
            Some(ident) => {
                let text = ident.to_string();
                let text = text.trim_start_matches("r#").to_owned();
                quote!(::chainrule::tree::Segment::Field(#text))
            }
            None => quote!(::chainrule::tree::Segment::Index(#index)),
        };
        let mapped = if is_fixed(field)? {
            quote!(::core::clone::Clone::clone(#name))
        } else {
            let within = |method: TokenStream| {
                quote! {
                    path.within(#segment, |path| ::chainrule::tree::Tree::#method(#name, path, visit));
                }
            };
            visits.push(within(quote!(visit)));
            parts.push(within(quote!(visit_parts)));
            cells.push(within(quote!(visit_cells)));
            quote!(path.within(#segment, |path| ::chainrule::tree::Tree::map(#name, path, replace)))
        };
        maps.push(match &field.ident {
            Some(ident) => quote!(#ident: #mapped),
            None => mapped,
        });
        bindings.push(match &field.ident {
            Some(ident) => quote!(#ident: #name),
            None => quote!(#name),
        });
    }
    let (pattern, map) = match fields {
        Fields::Named(_) => (quote!({ #(#bindings),* }), quote!({ #(#maps),* })),
        Fields::Unnamed(_) => (quote!(( #(#bindings),* )), quote!(( #(#maps),* ))),
        Fields::Unit => (quote!(), quote!()),
    };
    Ok(FieldCode {
        pattern,
        visit: quote!(#(#visits)*),
        visit_parts: quote!(#(#parts)*),
        visit_cells: quote!(#(#cells)*),
        map,
    })
}

/// Whether a field is marked `#[tree(fixed)]`.
pub(crate) fn is_fixed(field: &Field) -> Result<bool> {
    let mut fixed = false;
    for attribute in &field.attrs {
        if !attribute.path().is_ident("tree") {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("fixed") {
                fixed = true;
                Ok(())
            } else {
                Err(meta.error(
                    "the only attribute is `#[tree(fixed)]`: the field has no leaves and is cloned",
                ))
            }
        })?;
    }
    Ok(fixed)
}
