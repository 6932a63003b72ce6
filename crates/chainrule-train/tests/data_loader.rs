//! The loader: order, resumption, threads, errors.

use chainrule_core::{Tensor, tensor};
use chainrule_train::data::{
    Chosen, DataError, Dataset, Loader, Random, TensorDataset, Weighted, pad, stack,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// The numbers below `len`; `broken` cannot be read, `panics` panics.
#[derive(Default)]
struct Numbers {
    len: usize,
    broken: Option<usize>,
    panics: Option<usize>,
    slow: bool,
    asked: Arc<AtomicUsize>,
}

impl Numbers {
    fn new(len: usize) -> Numbers {
        Numbers {
            len,
            ..Numbers::default()
        }
    }
}

impl Dataset for Numbers {
    type Example = Tensor;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Result<Tensor, DataError> {
        self.asked.fetch_add(1, SeqCst);
        if self.slow {
            // Later examples are faster, so batches are finished in another order than they were begun.
            std::thread::sleep(Duration::from_millis(if index % 8 < 4 { 3 } else { 0 }));
        }
        if self.broken == Some(index) {
            return Err(DataError::Argument("unreadable".to_owned()));
        }
        assert_ne!(self.panics, Some(index), "a bug");
        Ok(Tensor::from(index as i64))
    }
}

fn numbers(loader: &Loader<Tensor>, epoch: u64) -> Vec<Vec<i64>> {
    let batches = loader.epoch(epoch);
    batches.map(|batch| batch.unwrap().to_vec()).collect()
}

#[test]
fn batches_do_not_depend_on_the_number_of_threads() {
    let make = |workers| {
        let data = Numbers {
            slow: true,
            ..Numbers::new(50)
        };
        let loader = Loader::new(data, 4).unwrap().shuffle(3).workers(workers);
        loader.map(|batch, random| batch * 1000 + random.below(1000) as i32)
    };
    let expected = numbers(&make(0), 5);
    assert_eq!(expected.len(), 13);
    assert_eq!(expected[12].len(), 2);
    for workers in [1, 2, 5] {
        assert_eq!(numbers(&make(workers), 5), expected);
    }
    assert_ne!(numbers(&make(2), 6), expected);
}

#[test]
fn a_shuffled_epoch_has_every_example_once() {
    let loader = Loader::new(Numbers::new(103), 10).unwrap().shuffle(1);
    let mut all = numbers(&loader, 2).concat();
    assert_ne!(all, (0..103).collect::<Vec<i64>>());
    all.sort_unstable();
    assert_eq!(all, (0..103).collect::<Vec<i64>>());
}

#[test]
fn a_resumed_epoch_goes_on_where_it_was() {
    let data = Numbers::new(40);
    let asked = Arc::clone(&data.asked);
    let loader = Loader::new(data, 4).unwrap().shuffle(9);
    let whole = numbers(&loader, 1);
    asked.store(0, SeqCst);
    let rest: Vec<Vec<i64>> = loader
        .epoch(1)
        .skip_to(7)
        .map(|batch| batch.unwrap().to_vec())
        .collect();
    assert_eq!(rest, whole[7..]);
    assert_eq!(asked.load(SeqCst), 12, "skipped batches are not made");
}

#[test]
fn the_queue_is_bounded_and_dropping_it_stops_the_threads() {
    let data = Numbers::new(1000);
    let asked = Arc::clone(&data.asked);
    let loader = Loader::new(data, 1).unwrap().workers(3).prefetch(4);
    let mut batches = loader.epoch(0);
    batches.next();
    std::thread::sleep(Duration::from_millis(100));
    let begun = asked.load(SeqCst);
    assert!((2..=5).contains(&begun), "{begun} batches were made");
    drop(batches);
    assert_eq!(asked.load(SeqCst), begun, "nothing is made after the end");
}

#[test]
fn errors_and_panics_name_the_example_and_the_rest_follows() {
    for workers in [0, 2] {
        let data = Numbers {
            broken: Some(5),
            panics: Some(11),
            ..Numbers::new(16)
        };
        let loader = Loader::new(data, 4).unwrap().workers(workers);
        let batches: Vec<Result<Tensor, DataError>> = loader.epoch(0).collect();
        let texts: Vec<String> = batches
            .iter()
            .filter_map(|batch| batch.as_ref().err().map(DataError::to_string))
            .collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0], "example 5: unreadable");
        assert!(
            texts[1].starts_with("example 11: it panicked: "),
            "{}",
            texts[1]
        );
        assert!(texts[1].contains("a bug"), "{}", texts[1]);
        assert_eq!(
            batches[3].as_ref().unwrap().to_vec::<i64>(),
            [12, 13, 14, 15]
        );
    }
}

#[test]
fn a_panic_in_a_batch_names_the_batch() {
    let loader = Loader::new(Numbers::new(4), 2).unwrap();
    let loader = loader.map(|batch, _| {
        let first: i64 = batch.index(0).item();
        assert!(first < 2, "too large");
        batch
    });
    let outcomes: Vec<Result<Tensor, DataError>> = loader.epoch(0).collect();
    assert!(outcomes[0].is_ok());
    let text = outcomes[1].as_ref().unwrap_err().to_string();
    assert!(
        text.starts_with("batch 1 (examples 2, 3): it panicked: "),
        "{text}"
    );
}

#[test]
fn examples_that_do_not_fit_are_told_apart() {
    let uneven = |x: Tensor| Tensor::zeros([2 + usize::from(x.item::<i64>() == 6)]);
    let loader = Loader::new(Numbers::new(8).map(uneven), 4).unwrap();
    let text = loader.epoch(0).nth(1).unwrap().unwrap_err().to_string();
    assert!(
        text.contains("[3] f32 in example 6 and [2] f32 in example 4"),
        "{text}"
    );
    assert!(text.contains("`pad`"), "{text}");
}

#[test]
fn drop_last_leaves_out_only_a_smaller_batch() {
    let loader = |len| Loader::new(Numbers::new(len), 4).unwrap().drop_last(true);
    assert_eq!((loader(10).len(), loader(10).examples()), (2, 8));
    assert_eq!(numbers(&loader(10), 0).len(), 2);
    assert_eq!(loader(8).len(), 2);
    assert!(loader(3).is_empty());
    assert!(numbers(&loader(3), 0).is_empty());
}

#[test]
fn an_empty_data_set_is_an_error() {
    let error = Loader::new(Numbers::new(0), 4).err().unwrap();
    assert!(matches!(error, DataError::Empty(_)));
    assert!(matches!(
        Loader::new(Numbers::new(4), 0),
        Err(DataError::Argument(_))
    ));
}

#[test]
fn samplers_choose() {
    let chosen = Chosen {
        indices: vec![3, 1],
        seed: None,
    };
    let loader = Loader::new(Numbers::new(4), 4).unwrap().sampler(chosen);
    assert_eq!(numbers(&loader, 0), [[3, 1]]);
    let weights = [1.0, 0.0, 3.0, 0.0];
    let weighted = Weighted::new(&weights, 4000, 1).unwrap();
    let loader = Loader::new(Numbers::new(4), 4000)
        .unwrap()
        .sampler(weighted);
    let drawn = numbers(&loader, 0).concat();
    let count = |number| drawn.iter().filter(|&&one| one == number).count();
    assert_eq!((count(1), count(3)), (0, 0));
    assert!((2850..3150).contains(&count(2)), "{}", count(2));
    assert!(Weighted::new(&[1.0, -1.0], 1, 0).is_err());
    assert!(Weighted::new(&[0.0], 1, 0).is_err());
}

#[test]
fn examples_are_prepared_with_random_numbers_of_their_own() {
    let make = |workers| {
        let prepare =
            |x: Tensor, random: &mut Random| Ok(x * 1_000_000 + random.below(1_000_000) as i32);
        let loader = Loader::from_examples(Numbers::new(9), 4, prepare, |all| stack(&all)).unwrap();
        numbers(&loader.workers(workers), 0).concat()
    };
    let drawn = make(0);
    assert_eq!(make(3), drawn);
    let mut noise: Vec<i64> = drawn.iter().map(|x| x % 1_000_000).collect();
    noise.sort_unstable();
    noise.dedup();
    assert_eq!(noise.len(), 9);
}

#[test]
fn views_agree_with_the_whole_and_keep_the_fast_path() {
    let data = |from: i32| {
        let x = Tensor::arange(6).reshape([3, 2]) + from;
        TensorDataset::new((x, Tensor::arange(3) + from)).unwrap()
    };
    let both = data(0).concat(data(100));
    assert_eq!(both.len(), 6);
    let (x, y) = both.batch(&[5, 0, 3, 2]).unwrap();
    assert_eq!(y.to_vec::<i64>(), [102, 0, 100, 2]);
    assert_eq!(x.to_vec::<i64>(), [104, 105, 0, 1, 100, 101, 4, 5]);
    assert_eq!(both.get(4).unwrap().1.item::<i64>(), 101);
    assert!(matches!(
        both.get(6),
        Err(DataError::Index { index: 6, len: 6 })
    ));
    let few = both.subset(vec![4, 1]).unwrap();
    assert_eq!(few.batch(&[1, 0]).unwrap().1.to_vec::<i64>(), [1, 101]);
    assert!(few.get(2).is_err());
    assert!(data(0).subset(vec![3]).is_err());
    let (first, second) = data(0).split(0.67, 5).unwrap();
    let mut all = [first.indices(), second.indices()].concat();
    all.sort_unstable();
    assert_eq!((first.len(), all), (2, vec![0, 1, 2]));
    assert!(data(0).split(1.5, 5).is_err());
}

#[test]
fn tensors_of_different_length_are_no_data_set() {
    let error = TensorDataset::new((Tensor::zeros([3, 2]), Tensor::zeros(4))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "TensorDataset: tensor `0` has 3 examples, `1` has 4 (shape [4])"
    );
    assert!(TensorDataset::new(Tensor::scalar(1.0)).is_err());
}

#[test]
fn padding_keeps_dtype_and_says_the_lengths() {
    let (batch, lengths) = pad(
        &[
            tensor![[1.0, 2.0]],
            Tensor::zeros([0, 2]),
            tensor![[3.0, 4.0], [5.0, 6.0]],
        ],
        9.0,
    )
    .unwrap();
    assert_eq!(
        batch.to_vec::<f32>(),
        [1.0, 2.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 3.0, 4.0, 5.0, 6.0]
    );
    assert_eq!(lengths.to_vec::<i64>(), [1, 0, 2]);
    assert!(pad(&[tensor![1.0], tensor![[1.0]]], 0.0).is_err());
    assert!(pad(&[tensor![1.0], tensor![1]], 0.0).is_err());
    assert!(pad(&[], 0.0).is_err());
}
