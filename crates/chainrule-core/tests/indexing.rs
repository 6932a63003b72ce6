//! Indexing against NumPy's results for the same expressions.

#![allow(
    clippy::reversed_empty_ranges,
    clippy::needless_borrows_for_generic_args
)] // written as NumPy writes it
use chainrule_core::{Ellipsis, NewAxis, Tensor, attempt, grad, steps, tensor};

#[test]
fn agrees_with_numpy() {
    let x = Tensor::from_vec((0..24).map(f64::from).collect(), [2, 3, 4]);
    #[rustfmt::skip]
    let cases: Vec<(&str, Tensor, &[usize], &[i32])> = vec![
        ("x[1]", x.index(1), &[3, 4], &[12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[-1]", x.index(-1), &[3, 4], &[12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[0,2]", x.index((0, 2)), &[4], &[8, 9, 10, 11]),
        ("x[0,2,-1]", x.index((0, 2, -1)), &[], &[11]),
        ("x[:,1:]", x.index((.., 1..)), &[2, 2, 4], &[4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[:,:-1]", x.index((.., ..-1)), &[2, 2, 4], &[0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19]),
        ("x[...,0]", x.index((Ellipsis, 0)), &[2, 3], &[0, 4, 8, 12, 16, 20]),
        ("x[0,...]", x.index((0, Ellipsis)), &[3, 4], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("x[...,::2]", x.index((Ellipsis, steps(.., 2))), &[2, 3, 2], &[0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]),
        ("x[...,::-1]", x.index((Ellipsis, steps(.., -1))), &[2, 3, 4], &[3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20]),
        ("x[:,::-2,1:10]", x.index((.., steps(.., -2), 1..10)), &[2, 2, 3], &[9, 10, 11, 1, 2, 3, 21, 22, 23, 13, 14, 15]),
        ("x[5:]", x.index((5..,)), &[0, 3, 4], &[]),
        ("x[:,2:0:-1]", x.index((.., steps(2..0, -1))), &[2, 2, 4], &[8, 9, 10, 11, 4, 5, 6, 7, 20, 21, 22, 23, 16, 17, 18, 19]),
        ("x[:,-2:]", x.index((.., -2..)), &[2, 2, 4], &[4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[:,None]", x.index((.., NewAxis)), &[2, 1, 3, 4], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[None,...,None]", x.index((NewAxis, Ellipsis, NewAxis)), &[1, 2, 3, 4, 1], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[0,None,1:]", x.index((0, NewAxis, 1..)), &[1, 2, 4], &[4, 5, 6, 7, 8, 9, 10, 11]),
        ("x[[1,0,1]]", x.index(&tensor![1, 0, 1]), &[3, 3, 4], &[12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[:,[2,0]]", x.index((.., &tensor![2, 0])), &[2, 2, 4], &[8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15]),
        ("x[:,[[2,0],[1,1]]]", x.index((.., &tensor![[2, 0], [1, 1]])), &[2, 2, 2, 4], &[8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19, 16, 17, 18, 19]),
        ("x[[0,1],[2,1]]", x.index((&tensor![0, 1], &tensor![2, 1])), &[2, 4], &[8, 9, 10, 11, 16, 17, 18, 19]),
        ("x[[0,1],:,[3,-1]]", x.index((&tensor![0, 1], .., &tensor![3, -1])), &[2, 3], &[3, 7, 11, 15, 19, 23]),
        ("x[:,[0,2],[3,1]]", x.index((.., &tensor![0, 2], &tensor![3, 1])), &[2, 2], &[3, 9, 15, 21]),
        ("x[[[0],[1]],[0,2]]", x.index((&tensor![[0], [1]], &tensor![0, 2])), &[2, 2, 4], &[0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23]),
        ("x[0,:,[1,2]]", x.index((0, .., &tensor![1, 2])), &[2, 3], &[1, 5, 9, 2, 6, 10]),
        ("x[:,0,[1,2]]", x.index((.., 0, &tensor![1, 2])), &[2, 2], &[1, 2, 13, 14]),
        ("x[[1,0],None,:,[2,2]]", x.index((&tensor![1, 0], NewAxis, .., &tensor![2, 2])), &[2, 1, 3], &[14, 18, 22, 2, 6, 10]),
        ("x[1:,[0,2]]", x.index((1.., &tensor![0, 2])), &[1, 2, 4], &[12, 13, 14, 15, 20, 21, 22, 23]),
        ("x[...,[0,3]]", x.index((Ellipsis, &tensor![0, 3])), &[2, 3, 2], &[0, 3, 4, 7, 8, 11, 12, 15, 16, 19, 20, 23]),
        ("x[[True,False]]", x.index(&tensor![true, false]), &[1, 3, 4], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("x[:,[True,False,True]]", x.index((.., &tensor![true, false, true])), &[2, 2, 4], &[0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23]),
        ("x[x>15]", x.index(&x.gt(15.0)), &[8], &[16, 17, 18, 19, 20, 21, 22, 23]),
        ("x[:,np.array([[True]*4,[False]*4,[False,True,False,False]])]", x.index((.., &tensor![[true, true, true, true], [false, false, false, false], [false, true, false, false]])), &[2, 5], &[0, 1, 2, 3, 9, 12, 13, 14, 15, 21]),
        ("x[[True,False],:,[1]]", x.index((&tensor![true, false], .., &tensor![1])), &[1, 3], &[1, 5, 9]),
        ("x[1,[0,2],::2]", x.index((1, &tensor![0, 2], steps(.., 2))), &[2, 2], &[12, 14, 20, 22]),
        ("x[:,1,None,[0,1]]", x.index((.., 1, NewAxis, &tensor![0, 1])), &[2, 2, 1], &[4, 16, 5, 17]),
    ];
    for (expression, part, shape, numbers) in cases {
        assert_eq!(&part.shape()[..], shape, "{expression}");
        let expected: Vec<f64> = numbers.iter().map(|&number| number.into()).collect();
        assert_eq!(part.to_vec::<f64>(), expected, "{expression}");
    }
}

#[test]
fn setting_is_differentiable_in_both() {
    let x = Tensor::from_vec((0..6).map(f64::from).collect(), [2, 3]);
    let value = Tensor::from(vec![10.0, 20.0]);
    let y = x.set((.., 1), &value);
    assert_eq!(y.to_vec::<f64>(), [0.0, 10.0, 2.0, 3.0, 20.0, 5.0]);
    assert_eq!(x.to_vec::<f64>()[1], 1.0);
    let weights = Tensor::from_vec((1..7).map(f64::from).collect(), [2, 3]);
    let loss = |(x, value): &(Tensor, Tensor)| (x.set((.., 1), value) * &weights).sum(..);
    let (dx, dvalue) = grad(loss)(&(x.clone(), value));
    assert_eq!(dx.to_vec::<f64>(), [1.0, 0.0, 3.0, 4.0, 0.0, 6.0]);
    assert_eq!(dvalue.to_vec::<f64>(), [2.0, 5.0]);
    let masked = x.set(&x.gt(3.5), 0.0);
    assert_eq!(masked.to_vec::<f64>(), [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    let chosen = grad(|x: &Tensor| x.index(&tensor![1, 1]).sum(..))(&x);
    assert_eq!(chosen.to_vec::<f64>(), [0.0, 0.0, 0.0, 2.0, 2.0, 2.0]);
}

#[test]
fn mistakes_are_named() {
    let x = Tensor::from_vec((0..6).map(f64::from).collect(), [2, 3]);
    let reason = |work: &dyn Fn() -> Tensor| {
        let message = attempt(work).unwrap_err().message().to_owned();
        message.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        reason(&|| x.index(2)),
        "index: position 2 is outside axis 0, which has extent 2"
    );
    assert_eq!(
        reason(&|| x.index((0, 0, 0))),
        "index: 3 axes are indexed, the tensor has 2"
    );
    assert_eq!(
        reason(&|| x.index((.., &tensor![3]))),
        "index: position 3 is outside axis 1, which has extent 3"
    );
    assert_eq!(
        reason(&|| x.index(steps(.., 0))),
        "index: a step of 0 never moves"
    );
    assert_eq!(
        reason(&|| x.index(&tensor![1.0])),
        "index: an index tensor holds integers or truth values, not f32"
    );
    assert!(x.try_index((0, 7)).is_err());
}
