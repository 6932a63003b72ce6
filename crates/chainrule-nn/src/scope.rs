//! Which layer is running: the scope that every layer opens, the names that scopes get, and watching what layers put out.

use chainrule_core::Tensor;
use chainrule_core::graph::{module_scope, place_of};
use chainrule_core::tree::{Part, Path, Tree, kind_of, leaves};
use std::cell::RefCell;

/// What one call of a layer put out.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The layer's path in the model, such as `encoder.layers.3`; empty for the model itself.
    pub path: String,
    /// The layer's type, such as `Linear`.
    pub kind: &'static str,
    /// The tensors it returned.
    pub outputs: Vec<Tensor>,
}

/// A module of the tree that gives names at present.
struct NamedModule {
    address: *const (),
    kind: &'static str,
    path: String,
}

#[derive(Default)]
struct State {
    /// The modules that names are looked up in, by address; the innermost tree last.
    names: Vec<Vec<NamedModule>>,
    /// The paths of the scopes that are open.
    open: Vec<String>,
    /// What was put out since observing began, for each observer.
    observed: Vec<Vec<Observation>>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::default());
}

/// Undoes one step when a scope ends, also by a panic.
struct Undo(fn(&mut State));

impl Drop for Undo {
    fn drop(&mut self) {
        let _ = STATE.try_with(|state| self.0(&mut state.borrow_mut()));
    }
}

/// The path of the layer that is running; empty outside any.
pub fn current_path() -> String {
    STATE.with_borrow(|state| state.open.last().cloned().unwrap_or_default())
}

/// Runs `work`, in which every layer of `model` is called by its field path: in errors, graphs and observations.
///
/// A layer's own [`forward`](crate::Layer::forward) does this for what is inside it; this is for models whose forward
/// function is not that of a layer.
pub fn named<T: Tree, R>(model: &T, work: impl FnOnce() -> R) -> R {
    let mut modules = Vec::new();
    model.visit_parts(&mut Path::new(), &mut |path, part| {
        if let Part::Module { kind, address } = part {
            modules.push(NamedModule {
                address,
                kind,
                path: path.to_string(),
            });
        }
    });
    modules.sort_by_key(|module| module.address);
    STATE.with_borrow_mut(|state| state.names.push(modules));
    let _undo = Undo(|state| {
        state.names.pop();
    });
    work()
}

/// Runs `work`; returns with its result what every layer put out meanwhile, in the order in which they finished.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{observe, Layer, Linear};
/// let layer = Linear::new(3, 2);
/// let (_, seen) = observe(|| layer.forward(Tensor::ones([5, 3])));
/// assert_eq!(seen[0].kind, "Linear");
/// assert_eq!(seen[0].outputs[0].shape().to_string(), "[5, 2]");
/// ```
pub fn observe<R>(work: impl FnOnce() -> R) -> (R, Vec<Observation>) {
    struct Observer;
    impl Drop for Observer {
        fn drop(&mut self) {
            let _ = STATE.try_with(|state| state.borrow_mut().observed.pop());
        }
    }
    STATE.with_borrow_mut(|state| state.observed.push(Vec::new()));
    let observer = Observer;
    let result = work();
    let seen = STATE.with_borrow_mut(|state| state.observed.pop().unwrap_or_default());
    std::mem::forget(observer);
    (result, seen)
}

/// Runs the forward function of a layer: nodes it makes carry the layer's path and the line that called it.
///
/// [`Layer::forward`](crate::Layer::forward) calls this. A layer with other arguments than one tensor calls it in its own
/// forward function.
#[track_caller]
pub fn layer_scope<M: Tree, R: Tree>(layer: &M, work: impl FnOnce() -> R) -> R {
    let kind = kind_of::<M>();
    let address = std::ptr::from_ref(layer).cast::<()>();
    place_of(|| match known_path(kind, address) {
        Known::Path(path) => enter(kind, path, work),
        Known::Stranger => enter(kind, inside_of_open(&kind.to_lowercase()), work),
        // The outermost layer: its parts are called by their paths in it, and a layer without parts by its type.
        Known::Nothing => named(layer, || {
            let alone =
                STATE.with_borrow(|state| state.names.last().is_some_and(|all| all.len() <= 1));
            let path = if alone {
                kind.to_lowercase()
            } else {
                String::new()
            };
            enter(kind, path, work)
        }),
    })
}

enum Known {
    /// The layer belongs to the tree that gives names.
    Path(String),
    /// It does not.
    Stranger,
    /// No tree gives names.
    Nothing,
}

fn known_path(kind: &'static str, address: *const ()) -> Known {
    STATE.with_borrow(|state| {
        let Some(modules) = state.names.last() else {
            return Known::Nothing;
        };
        let start = modules.partition_point(|module| module.address < address);
        let here = modules[start..].iter();
        let mut here = here.take_while(|module| module.address == address);
        here.find(|module| module.kind == kind)
            .map_or(Known::Stranger, |module| Known::Path(module.path.clone()))
    })
}

fn inside_of_open(name: &str) -> String {
    match current_path().as_str() {
        "" => name.to_owned(),
        outer => format!("{outer}.{name}"),
    }
}

/// Runs `work` in the scope at `path`.
fn enter<R: Tree>(kind: &'static str, path: String, work: impl FnOnce() -> R) -> R {
    let outer = current_path();
    let inner = match outer.as_str() {
        "" => path.as_str(),
        outer => path
            .strip_prefix(outer)
            .map_or(path.as_str(), |rest| rest.trim_start_matches('.')),
    };
    STATE.with_borrow_mut(|state| state.open.push(path.clone()));
    let _undo = Undo(|state| {
        state.open.pop();
    });
    let result = match inner {
        "" => work(),
        inner => module_scope(inner, work),
    };
    STATE.with_borrow_mut(|state| {
        if let Some(observed) = state.observed.last_mut() {
            observed.push(Observation {
                path,
                kind,
                outputs: leaves(&result).into_iter().cloned().collect(),
            });
        }
    });
    result
}
