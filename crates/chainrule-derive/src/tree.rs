//! The implementations that the macros write.

use crate::fields;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Generics, Result, parse_quote};

/// The generics with `Tree` required of every type parameter that a field with leaves names, and `Clone` of those that
/// only fixed fields name.
fn bounded(input: &DeriveInput) -> Result<Generics> {
    let with_leaves = tokens_of_fields(input, false)?;
    let fixed = tokens_of_fields(input, true)?;
    let mut generics = input.generics.clone();
    for parameter in &mut generics.params {
        if let GenericParam::Type(parameter) = parameter {
            let name = parameter.ident.to_string();
            if mentions(&with_leaves, &name) {
                parameter.bounds.push(parse_quote!(::chainrule::tree::Tree));
            }
            if mentions(&fixed, &name) {
                parameter.bounds.push(parse_quote!(::core::clone::Clone));
            }
        }
    }
    Ok(generics)
}

/// The types of all fields that are, or are not, fixed.
fn tokens_of_fields(input: &DeriveInput, fixed: bool) -> Result<TokenStream> {
    let all: Vec<&Fields> = match &input.data {
        Data::Struct(data) => vec![&data.fields],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| &variant.fields)
            .collect(),
        Data::Union(_) => Vec::new(),
    };
    let mut tokens = TokenStream::new();
    for field in all.into_iter().flatten() {
        if fields::is_fixed(field)? == fixed {
            field.ty.to_tokens(&mut tokens);
        }
    }
    Ok(tokens)
}

fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}

/// `Tree`: every field that is not fixed is visited, in order; a module says before its fields that it is one.
pub(crate) fn implement(input: &DeriveInput, is_module: bool) -> Result<TokenStream> {
    let name = &input.ident;
    let generics = bounded(input)?;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let mut visit_arms = Vec::new();
    let mut map_arms = Vec::new();
    let mut part_arms = Vec::new();
    let mut cell_arms = Vec::new();
    let mut arm = |constructor: TokenStream, fields: &syn::Fields| -> Result<()> {
        let code = fields::code(fields)?;
        let (pattern, visit, map) = (code.pattern, code.visit, code.map);
        let (parts, cells) = (code.visit_parts, code.visit_cells);
        visit_arms.push(quote!(#constructor #pattern => { #visit }));
        part_arms.push(quote!(#constructor #pattern => { #parts }));
        cell_arms.push(quote!(#constructor #pattern => { #cells }));
        map_arms.push(quote!(#constructor #pattern => #constructor #map));
        Ok(())
    };
    match &input.data {
        Data::Struct(data) => arm(quote!(#name), &data.fields)?,
        Data::Enum(data) if data.variants.is_empty() => {
            let message = "an enum without variants has no value, so it cannot be a tree";
            return Err(Error::new_spanned(name, message));
        }
        Data::Enum(data) => {
            for variant in &data.variants {
                let variant_name = &variant.ident;
                arm(quote!(#name::#variant_name), &variant.fields)?;
            }
        }
        Data::Union(_) => {
            let message =
                "a union cannot be a tree: it is not known which field is there; use an enum";
            return Err(Error::new_spanned(name, message));
        }
    }
    let module_part = is_module.then(|| {
        quote! {
            visit(path, ::chainrule::tree::Part::Module {
                kind: ::chainrule::tree::kind_of::<Self>(),
                address: ::core::ptr::from_ref(self).cast(),
            });
        }
    });
    Ok(quote! {
        #[automatically_derived]
        #[allow(unused_variables)]
        impl #impl_generics ::chainrule::tree::Tree for #name #type_generics #where_clause {
            fn visit<'tree>(
                &'tree self,
                path: &mut ::chainrule::tree::Path,
                visit: &mut dyn FnMut(&::chainrule::tree::Path, &'tree ::chainrule::Tensor),
            ) {
                match self { #(#visit_arms)* }
            }

            fn map(
                &self,
                path: &mut ::chainrule::tree::Path,
                replace: &mut dyn FnMut(&::chainrule::tree::Path, &::chainrule::Tensor) -> ::chainrule::Tensor,
            ) -> Self {
                match self { #(#map_arms),* }
            }

            fn visit_parts<'tree>(
                &'tree self,
                path: &mut ::chainrule::tree::Path,
                visit: &mut dyn FnMut(&::chainrule::tree::Path, ::chainrule::tree::Part<'tree>),
            ) {
                #module_part
                match self { #(#part_arms)* }
            }

            fn visit_cells(
                &mut self,
                path: &mut ::chainrule::tree::Path,
                visit: &mut dyn FnMut(&::chainrule::tree::Path, &mut dyn ::core::any::Any),
            ) {
                match self { #(#cell_arms)* }
            }
        }

        #[automatically_derived]
        impl #impl_generics ::chainrule::tree::Blocks for #name #type_generics #where_clause {
            type Each<TreeBlock: ::chainrule::tree::Blocks> = ::std::vec::Vec<TreeBlock>;

            fn each<TreeBlock: ::chainrule::tree::Blocks>(
                &self,
                make: &mut dyn FnMut(&::chainrule::Tensor) -> TreeBlock,
            ) -> ::std::vec::Vec<TreeBlock> {
                ::chainrule::tree::each_leaf(self, make)
            }
        }
    })
}

/// `Module` for a type that [`implement`] makes a tree.
pub(crate) fn implement_module(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let generics = bounded(input)?;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::chainrule::nn::Module for #name #type_generics #where_clause {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(input: DeriveInput) -> String {
        match implement(&input, false) {
            Ok(_) => panic!("the macro accepts this"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_cannot_be_a_tree_is_refused() {
        assert_eq!(
            refused(parse_quote!(union Bits { number: f32, bits: u32 })),
            "a union cannot be a tree: it is not known which field is there; use an enum"
        );
        assert_eq!(
            refused(parse_quote!(
                enum Never {}
            )),
            "an enum without variants has no value, so it cannot be a tree"
        );
    }

    #[test]
    fn unknown_attributes_are_refused() {
        let expected =
            "the only attribute is `#[tree(fixed)]`: the field has no leaves and is cloned";
        assert_eq!(
            refused(parse_quote!(
                struct Model {
                    #[tree(skip)]
                    name: Name,
                }
            )),
            expected
        );
        assert_eq!(
            refused(parse_quote!(
                enum Model {
                    Named(#[tree(fixed, skip)] Name),
                }
            )),
            expected
        );
    }

    #[test]
    fn bounds_follow_the_fields() {
        let input: DeriveInput = parse_quote! {
            struct Model<A, B, C> {
                leaves: Vec<(A, f64)>,
                #[tree(fixed)]
                label: Option<B>,
                marker: fn(C) -> A,
            }
        };
        let generics = bounded(&input).expect("a plain struct");
        let (bounds, _, _) = generics.split_for_impl();
        assert_eq!(
            bounds.to_token_stream().to_string(),
            "< A : :: chainrule :: tree :: Tree , B : :: core :: clone :: Clone , C : :: chainrule :: tree :: Tree >"
        );
    }
}
