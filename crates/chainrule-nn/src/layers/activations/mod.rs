//! Activation functions as layers, one a file, with PyTorch's definitions and defaults.

/// Declares an activation: `Name "name" { parameter = default, .. } |x, layer| value` with its documentation.
macro_rules! activation {
    (
        $(#[$about:meta])*
        $layer:ident $name:literal { $($(#[$meaning:meta])* $parameter:ident = $default:expr),* $(,)? }
        |$x:ident $(, $this:ident)?| $value:expr
    ) => {
        crate::catalogue! { $layer }

        $(#[$about])*
        #[derive(Clone, Debug, chainrule_derive::Module)]
        pub struct $layer {
            $($parameter: f64,)*
            // Layers are told apart by their addresses, and what has no size has none of its own.
            addressed: bool,
        }

        impl $layer {
            /// The layer with its defaults.
            pub fn new() -> $layer {
                $layer {
                    $($parameter: $default,)*
                    addressed: true,
                }
            }

            $(
                $(#[$meaning])*
                pub fn $parameter(self, $parameter: f64) -> $layer {
                    $layer { $parameter, ..self }
                }
            )*
        }

        impl Default for $layer {
            fn default() -> $layer {
                $layer::new()
            }
        }

        impl crate::Layer for $layer {
            #[track_caller]
            fn compute(&self, $x: &chainrule_core::Tensor) -> chainrule_core::Tensor {
                $(let $this = self;)?
                $value
            }
        }

        impl crate::layers::catalogue::Declared for $layer {
            const NAME: &'static str = $name;

            fn declared(
                arguments: &mut crate::Arguments,
                _input: &chainrule_core::Shape,
            ) -> Result<$layer, crate::ArgumentError> {
                let (layer, _) = ($layer::new(), &arguments);
                $(let layer = layer.$parameter(arguments.optional(stringify!($parameter), $default)?);)*
                Ok(layer)
            }
        }
    };
}

/// Names the files, and collects their rows of the catalogue.
macro_rules! files {
    ($($file:ident $layer:ident;)*) => {
        $(pub use $file::$layer;)*

        /// The declared layers of these files.
        pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] = &[$($file::CATALOGUE),*];
    };
}

mod celu;
mod elu;
mod gelu;
mod glu;
mod hard_shrink;
mod hard_sigmoid;
mod hard_swish;
mod hard_tanh;
mod leaky_relu;
mod log_sigmoid;
mod log_softmax;
mod mish;
mod prelu;
mod relu;
mod relu6;
mod rrelu;
mod selu;
mod sigmoid;
mod silu;
mod soft_shrink;
mod softmax;
mod softmin;
mod softplus;
mod softsign;
mod tanh;
mod tanh_shrink;
mod threshold;

files! {
    celu Celu;
    elu Elu;
    gelu Gelu;
    glu Glu;
    hard_shrink HardShrink;
    hard_sigmoid HardSigmoid;
    hard_swish HardSwish;
    hard_tanh HardTanh;
    leaky_relu LeakyRelu;
    log_sigmoid LogSigmoid;
    log_softmax LogSoftmax;
    mish Mish;
    prelu PRelu;
    relu Relu;
    relu6 Relu6;
    rrelu RRelu;
    selu Selu;
    sigmoid Sigmoid;
    silu Silu;
    soft_shrink SoftShrink;
    softmax Softmax;
    softmin Softmin;
    softplus Softplus;
    softsign Softsign;
    tanh Tanh;
    tanh_shrink TanhShrink;
    threshold Threshold;
}
