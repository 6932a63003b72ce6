//! Forward mode holds a few states, reverse mode all of them, or with checkpoints few again.

use chainrule_core::{Tensor, checkpoint, evaluate, grad, jvp, memory};

const STATE: usize = 1 << 13;

fn step(x: &Tensor) -> Tensor {
    (x.sin() + 0.1) * x
}

fn chain(x: &Tensor, steps: usize) -> Tensor {
    (0..steps).fold(x.clone(), |x, _| step(&x)).sum(..)
}

/// The most states of 64 KB held while `work` runs.
fn states(work: impl FnOnce(&Tensor) -> Tensor) -> usize {
    let x = Tensor::from(vec![0.5f64; STATE]);
    memory::reset_peak();
    let before = memory::live_bytes();
    evaluate(&[&work(&x)]);
    (memory::peak_bytes() - before) / (8 * STATE)
}

#[test]
fn memory_by_mode() {
    let v = Tensor::from(vec![1.0f64; STATE]);
    let forward = |steps| states(|x| jvp(|x: &Tensor| chain(x, steps), x, &v).1);
    let reverse = |steps| states(grad(move |x: &Tensor| chain(x, steps)));
    let segmented = |x: &Tensor| {
        let segment = checkpoint(|x: &Tensor| (0..30).fold(x.clone(), |x, _| step(&x)));
        (0..30).fold(x.clone(), |x, _| segment(&x)).sum(..)
    };
    assert_eq!(forward(300), forward(3000));
    assert!(forward(3000) < 300, "{}", forward(3000));
    assert!(reverse(900) > 850, "{}", reverse(900));
    let checkpointed = states(grad(segmented));
    assert!(checkpointed < 120, "{checkpointed}");
}
