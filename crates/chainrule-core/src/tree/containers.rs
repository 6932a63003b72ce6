//! The standard containers as trees.

use super::{Blocks, Part, Path, Segment, Tree};
use crate::tensor::Tensor;
use std::any::Any;
use std::collections::BTreeMap;

impl<T: Tree> Tree for Vec<T> {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        for (index, inner) in self.iter().enumerate() {
            path.within(Segment::Index(index), |path| inner.visit(path, visit));
        }
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Vec<T> {
        let inner = self.iter().enumerate();
        inner
            .map(|(index, inner)| {
                path.within(Segment::Index(index), |path| inner.map(path, replace))
            })
            .collect()
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        for (index, inner) in self.iter().enumerate() {
            path.within(Segment::Index(index), |path| inner.visit_parts(path, visit));
        }
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        for (index, inner) in self.iter_mut().enumerate() {
            path.within(Segment::Index(index), |path| inner.visit_cells(path, visit));
        }
    }
}

impl<T: Tree, const N: usize> Tree for [T; N] {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        for (index, inner) in self.iter().enumerate() {
            path.within(Segment::Index(index), |path| inner.visit(path, visit));
        }
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> [T; N] {
        std::array::from_fn(|index| {
            path.within(Segment::Index(index), |path| self[index].map(path, replace))
        })
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        for (index, inner) in self.iter().enumerate() {
            path.within(Segment::Index(index), |path| inner.visit_parts(path, visit));
        }
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        for (index, inner) in self.iter_mut().enumerate() {
            path.within(Segment::Index(index), |path| inner.visit_cells(path, visit));
        }
    }
}

impl<T: Tree> Tree for Option<T> {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        if let Some(inner) = self {
            inner.visit(path, visit);
        }
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Option<T> {
        self.as_ref().map(|inner| inner.map(path, replace))
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        if let Some(inner) = self {
            inner.visit_parts(path, visit);
        }
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        if let Some(inner) = self {
            inner.visit_cells(path, visit);
        }
    }
}

impl<T: Tree> Tree for Box<T> {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        (**self).visit(path, visit);
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Box<T> {
        Box::new((**self).map(path, replace))
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        (**self).visit_parts(path, visit);
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        (**self).visit_cells(path, visit);
    }
}

impl<T: Tree> Tree for BTreeMap<String, T> {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        for (key, inner) in self {
            path.within(Segment::Key(key.clone()), |path| inner.visit(path, visit));
        }
    }

    fn map(
        &self,
        path: &mut Path,
        replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor,
    ) -> BTreeMap<String, T> {
        self.iter()
            .map(|(key, inner)| {
                let mapped =
                    path.within(Segment::Key(key.clone()), |path| inner.map(path, replace));
                (key.clone(), mapped)
            })
            .collect()
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        for (key, inner) in self {
            path.within(Segment::Key(key.clone()), |path| {
                inner.visit_parts(path, visit);
            });
        }
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        for (key, inner) in self {
            path.within(Segment::Key(key.clone()), |path| {
                inner.visit_cells(path, visit);
            });
        }
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<$($name: Tree),+> Tree for ($($name,)+) {
            fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
                $(path.within(Segment::Index($index), |path| self.$index.visit(path, visit));)+
            }

            fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Self {
                ($(path.within(Segment::Index($index), |path| self.$index.map(path, replace)),)+)
            }

            fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
                $(path.within(Segment::Index($index), |path| self.$index.visit_parts(path, visit));)+
            }

            fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
                $(path.within(Segment::Index($index), |path| self.$index.visit_cells(path, visit));)+
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

macro_rules! without_leaves {
    ($($type:ty),*) => {$(
        impl Tree for $type {
            fn visit<'a>(&'a self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, &'a Tensor)) {}

            fn map(&self, _path: &mut Path, _replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Self {
                self.clone()
            }
        }

        impl Blocks for $type {
            type Each<R: Blocks> = $type;

            fn each<R: Blocks>(&self, _make: &mut dyn FnMut(&Tensor) -> R) -> $type {
                self.clone()
            }
        }
    )*};
}

without_leaves!(
    (),
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    isize,
    u8,
    u16,
    u32,
    u64,
    usize,
    bool,
    char,
    String,
    &'static str,
    chainrule_kernels::DType,
    crate::shape::Shape
);

impl Tree for fn(&Tensor) -> Tensor {
    fn visit<'a>(&'a self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, &'a Tensor)) {}

    fn map(&self, _path: &mut Path, _replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Self {
        *self
    }
}
