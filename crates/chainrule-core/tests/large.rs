//! Graphs of hundreds of thousands of nodes are built, differentiated, evaluated, printed and dropped on a small stack.

use chainrule_core::{Tensor, evaluate};

const NODES: usize = 300_000;

/// The gradients by `x` and `c` of what `build` makes of them; the stack is too small to recurse over the nodes.
fn gradients(build: fn(&Tensor, &Tensor) -> Tensor) -> (f64, f64) {
    let work = move || {
        let (x, c) = (
            Tensor::from(0.5).tracked(),
            Tensor::from(1.0 + 1e-6).tracked(),
        );
        let y = build(&x, &c);
        let gradients = y.backward();
        let (dx, dc) = (gradients.of(&x), gradients.of(&c));
        evaluate(&[&y, &dx, &dc]);
        assert!(
            y.to_string()
                .starts_with(|first: char| first.is_ascii_digit())
        );
        (dx.item::<f64>(), dc.item::<f64>())
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    thread
        .spawn(work)
        .expect("a thread starts")
        .join()
        .expect("the work succeeds")
}

fn assert_close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() < 1e-6 * expected.abs(),
        "{actual} is not {expected}"
    );
}

#[test]
fn a_long_chain_of_products() {
    let (dx, dc) = gradients(|x, c| (0..NODES).fold(x.clone(), |y, _| y * c));
    let power = (1.0f64 + 1e-6).powi(NODES as i32);
    assert_close(dx, power);
    assert_close(dc, 0.5 * NODES as f64 * power / (1.0 + 1e-6));
}

#[test]
fn a_long_chain_of_functions() {
    let (dx, dc) = gradients(|x, _| (0..NODES).fold(x.clone(), |y, _| y.sin()));
    let (mut y, mut slope) = (0.5f64, 1.0);
    for _ in 0..NODES {
        (y, slope) = (y.sin(), slope * y.cos());
    }
    assert_close(dx, slope);
    assert_eq!(dc, 0.0);
}

#[test]
fn a_wide_sum() {
    let (dx, dc) = gradients(|x, c| {
        let mut terms: Vec<Tensor> = (0..NODES / 4).map(|_| x * c).collect();
        while terms.len() > 1 {
            let pairs = terms.chunks(2);
            terms = pairs
                .map(|pair| pair.iter().skip(1).fold(pair[0].clone(), |a, b| a + b))
                .collect();
        }
        terms.swap_remove(0)
    });
    assert_close(dx, (NODES / 4) as f64 * (1.0 + 1e-6));
    assert_close(dc, (NODES / 4) as f64 * 0.5);
}
