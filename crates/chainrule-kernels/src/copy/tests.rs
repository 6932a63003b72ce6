use super::*;

/// A small deterministic generator of test cases.
struct Cases(u64);

impl Cases {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

fn each_index(shape: &[usize], mut visit: impl FnMut(&[usize])) {
    let total: usize = shape.iter().product();
    let mut index = vec![0; shape.len()];
    for flat in 0..total {
        let mut rest = flat;
        for axis in (0..shape.len()).rev() {
            index[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        visit(&index);
    }
}

fn at(offset: usize, index: &[usize], strides: &[isize]) -> usize {
    let offset = index
        .iter()
        .zip(strides)
        .fold(offset as isize, |sum, (&i, &s)| sum + i as isize * s);
    offset as usize
}

/// Random axis order and gaps, some axes reversed, some (where `repeats`) of stride zero.
fn random_view(cases: &mut Cases, shape: &[usize], repeats: bool) -> (usize, Vec<isize>, usize) {
    let mut order: Vec<usize> = (0..shape.len()).collect();
    for index in (1..order.len()).rev() {
        order.swap(index, cases.below(index + 1));
    }
    let mut strides = vec![0isize; shape.len()];
    let mut step = 1 + cases.below(2) as isize;
    let mut offset = cases.below(3);
    for &axis in &order {
        if repeats && cases.below(5) == 0 {
            continue;
        }
        strides[axis] = step;
        step = step * shape[axis].max(1) as isize + cases.below(2) as isize;
        if cases.below(4) == 0 {
            offset += (shape[axis].max(1) - 1) * strides[axis] as usize;
            strides[axis] = -strides[axis];
        }
    }
    (offset, strides, offset + step as usize * 2 + 2)
}

fn check<T: Copy + Send + Sync + PartialEq + std::fmt::Debug>(number: impl Fn(usize) -> T) {
    let mut cases = Cases(1);
    for round in 0..400 {
        let rank = cases.below(5);
        let shape: Vec<usize> = (0..rank)
            .map(|_| match cases.below(8) {
                0 if round % 8 == 0 => 0,
                1 => 1,
                2 => 33,
                _ => 1 + cases.below(9),
            })
            .collect();
        let (offset, strides, length) = random_view(&mut cases, &shape, true);
        let source: Vec<T> = (0..length).map(&number).collect();
        let (out_offset, out_strides, out_length) = random_view(&mut cases, &shape, false);
        let mut out = vec![number(77); out_length];
        let mut expected = out.clone();
        each_index(&shape, |index| {
            expected[at(out_offset, index, &out_strides)] = source[at(offset, index, &strides)];
        });
        copy(
            &shape,
            &source,
            offset,
            &strides,
            &mut out,
            out_offset,
            &out_strides,
        );
        assert_eq!(out, expected, "{shape:?} {strides:?} {out_strides:?}");

        let mut flat = vec![number(3); shape.iter().product()];
        copy_strided(&shape, &source, offset, &strides, &mut flat);
        let mut position = 0;
        each_index(&shape, |index| {
            assert_eq!(flat[position], source[at(offset, index, &strides)]);
            position += 1;
        });
        scatter_strided(&shape, &flat, &mut out, out_offset, &out_strides);
        assert_eq!(out, expected);
    }
}

#[test]
fn random_views_of_every_element_size() {
    check(|x| x as u8);
    check(|x| x as u16);
    check(|x| x as f32);
    check(|x| x as f64);
}

#[test]
fn large_transposes_on_many_threads() {
    let (rows, columns) = (517, 1031);
    let source: Vec<f32> = (0..rows * columns).map(|x| x as f32).collect();
    let mut out = vec![0.0; rows * columns];
    copy_strided(
        &[columns, rows],
        &source,
        0,
        &[1, columns as isize],
        &mut out,
    );
    for column in 0..columns {
        for row in 0..rows {
            assert_eq!(out[column * rows + row], source[row * columns + column]);
        }
    }
}

#[test]
fn fills() {
    let mut out = vec![0u8; 100_001];
    fill(&mut out, 9);
    assert!(out.iter().all(|&x| x == 9));
    fill_strided(&[3, 2], 1, &mut out, 1, &[10, 2]);
    let ones: Vec<usize> = (0..out.len()).filter(|&i| out[i] == 1).collect();
    assert_eq!(ones, [1, 3, 11, 13, 21, 23]);
    fill::<f32>(&mut [], 1.0);
}

#[test]
#[should_panic(expected = "copy source: the view of shape [3, 2]")]
fn a_view_outside_the_source_is_refused() {
    copy_strided(&[3, 2], &[0.0; 5], 0, &[2, 1], &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "may share a place")]
fn an_overlapping_output_is_refused() {
    copy(&[3, 2], &[0.0; 6], 0, &[2, 1], &mut [0.0; 6], 0, &[1, 1]);
}
