//! The implementations that the macros write.

use crate::fields;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, GenericParam, Generics, Result, parse_quote};

/// The generics with `Tree` required of every type parameter.
fn bounded(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in &mut generics.params {
        if let GenericParam::Type(parameter) = parameter {
            parameter.bounds.push(parse_quote!(::chainrule::tree::Tree));
        }
    }
    generics
}

pub(crate) fn implement(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let generics = bounded(&input.generics);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let mut visit_arms = Vec::new();
    let mut map_arms = Vec::new();
    let mut arm = |constructor: TokenStream, fields: &syn::Fields| -> Result<()> {
        let code = fields::code(fields)?;
        let (pattern, visit, map) = (code.pattern, code.visit, code.map);
        visit_arms.push(quote!(#constructor #pattern => { #visit }));
        map_arms.push(quote!(#constructor #pattern => #constructor #map));
        Ok(())
    };
    match &input.data {
        Data::Struct(data) => arm(quote!(#name), &data.fields)?,
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
        }
    })
}

pub(crate) fn implement_module(input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    let generics = bounded(&input.generics);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::chainrule::nn::Module for #name #type_generics #where_clause {}
    }
}
