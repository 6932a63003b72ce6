//! Where in the user's program a node was made: source line and module scope.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::{LazyLock, Mutex};

/// A source line of the user, and the module (layer) whose forward made the node.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) location: &'static Location<'static>,
    pub(crate) module: ModulePath,
    /// Whether a derivative rule made the node; the line is then that of the node it differentiates.
    pub(crate) derived: bool,
}

/// An interned module path such as `encoder.layers.3`; the empty path outside any module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModulePath(u32);

static MODULE_PATHS: LazyLock<Mutex<Vec<String>>> =
    LazyLock::new(|| Mutex::new(vec![String::new()]));

thread_local! {
    static INHERITED: Cell<Option<Place>> = const { Cell::new(None) };
    static MODULE: Cell<ModulePath> = const { Cell::new(ModulePath(0)) };
    static CALL: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
    static INTERNED: RefCell<Vec<(String, ModulePath)>> = const { RefCell::new(Vec::new()) };
}

impl Place {
    /// The place of a node made now by a call at `caller`: inside a layer the layer's call counts, and nodes of a
    /// derivative inherit the place of the node they differentiate.
    pub(crate) fn current(caller: &'static Location<'static>) -> Place {
        INHERITED.get().unwrap_or_else(|| Place {
            location: CALL.get().unwrap_or(caller),
            module: MODULE.get(),
            derived: false,
        })
    }

    /// The module path as text; empty outside any module.
    pub(crate) fn module_path(&self) -> String {
        let paths = MODULE_PATHS
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        paths[self.module.0 as usize].clone()
    }
}

/// Restores a thread-local cell when the scope ends, also by a panic.
struct Restore<T: Copy + 'static>(&'static std::thread::LocalKey<Cell<T>>, T);

impl<T: Copy + 'static> Drop for Restore<T> {
    fn drop(&mut self) {
        let _ = self.0.try_with(|cell| cell.set(self.1));
    }
}

fn with_cell<T: Copy, R>(
    key: &'static std::thread::LocalKey<Cell<T>>,
    value: T,
    work: impl FnOnce() -> R,
) -> R {
    let _restore = Restore(key, key.replace(value));
    work()
}

/// Runs `work`; nodes it makes get `place`, because they belong to the node made there.
pub(crate) fn with_place<R>(place: Place, work: impl FnOnce() -> R) -> R {
    let inherited = Place {
        derived: true,
        ..place
    };
    with_cell(&INHERITED, Some(inherited), work)
}

/// Runs `work`; nodes it makes get `place` as it is.
pub(crate) fn recorded_at<R>(place: Place, work: impl FnOnce() -> R) -> R {
    with_cell(&INHERITED, Some(place), work)
}

/// Runs `work`; nodes it makes are attributed to the caller's line, not to lines inside `work`.
#[track_caller]
pub fn place_of<R>(work: impl FnOnce() -> R) -> R {
    let caller = CALL.get().unwrap_or(Location::caller());
    with_cell(&CALL, Some(caller), work)
}

/// Runs `work`; nodes it makes are attributed to `location`.
pub(crate) fn placed_at<R>(location: &'static Location<'static>, work: impl FnOnce() -> R) -> R {
    with_cell(&CALL, Some(CALL.get().unwrap_or(location)), work)
}

/// Runs `work` inside the module called `name`: nodes it makes carry the path of all open scopes, such as
/// `encoder.layers.3`, and the line that called the outermost one.
#[track_caller]
pub fn module_scope<R>(name: &str, work: impl FnOnce() -> R) -> R {
    let outer = MODULE.get();
    let path = intern(outer, name);
    place_of(|| with_cell(&MODULE, path, work))
}

fn intern(outer: ModulePath, name: &str) -> ModulePath {
    let mut paths = MODULE_PATHS
        .lock()
        .unwrap_or_else(|broken| broken.into_inner());
    let prefix = &paths[outer.0 as usize];
    let path = if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    };
    INTERNED.with_borrow_mut(|known| {
        if let Some((_, found)) = known.iter().find(|(text, _)| *text == path) {
            return *found;
        }
        let position = paths
            .iter()
            .position(|text| *text == path)
            .unwrap_or_else(|| {
                paths.push(path.clone());
                paths.len() - 1
            });
        let interned = ModulePath(position as u32);
        known.push((path, interned));
        interned
    })
}
