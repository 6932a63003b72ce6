//! The training loop against one written by hand, and what belongs to it.

use chainrule_core::{Generator, Tensor, evaluate, memory, value_and_grad};
use chainrule_nn::schedules::{Plateau, StepSchedule};
use chainrule_nn::{Adam, BatchNorm, Layer, Linear, Module, Sequential, Sgd};
use chainrule_train::checkpoint::{Checkpoint, Checkpoints};
use chainrule_train::data::{Loader, TensorDataset};
use chainrule_train::flow::GradientFlow;
use chainrule_train::metrics::Accuracy;
use chainrule_train::progress::{JsonReporter, LineReporter};
use chainrule_train::trainer::{Callback, Control, EarlyStop, TrainError, Trainer, View};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Batch = (Tensor, Tensor);

/// Tests that count tensors must not run beside others.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("chainrule-trainer-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn data(examples: usize, batch: usize) -> Loader<Batch> {
    let x = Generator::new(1).normal([examples, 4], 0.0, 1.0);
    let labels = x.argmax(1);
    let data = TensorDataset::new((x, labels)).unwrap();
    Loader::new(data, batch).unwrap().shuffle(2).workers(0)
}

fn net() -> Sequential {
    let generator = Generator::new(3);
    Sequential::new()
        .then(Linear::from_generator(4, 16, &generator))
        .then_function("relu", Tensor::relu)
        .then(Linear::from_generator(16, 4, &generator))
}

fn loss(net: &Sequential, (x, labels): &Batch) -> (Tensor, Tensor, Tensor) {
    let logits = net.forward(x);
    (logits.cross_entropy(labels), logits, labels.clone())
}

fn numbers(net: &impl Module) -> Vec<Vec<f32>> {
    let state = net.named_state();
    state.iter().map(|(_, tensor)| tensor.to_vec()).collect()
}

#[test]
fn the_loop_is_the_one_that_is_written_by_hand() {
    let _alone = alone();
    let data = data(50, 8);
    let mut by_hand = net();
    let mut adam = Adam::new(0.01);
    let mut losses = Vec::new();
    for epoch in 0..3 {
        for batch in data.epoch(epoch) {
            let batch = batch.unwrap();
            let (value, gradients) =
                value_and_grad(|net: &Sequential| loss(net, &batch).0)(&by_hand);
            adam.update(&mut by_hand, &gradients).unwrap();
            evaluate(&by_hand.parameters());
            losses.push(value.item::<f64>());
        }
    }
    let mut trainer = Trainer::new(net(), Adam::new(0.01), loss).epochs(3);
    let outcome = trainer.fit(&data).unwrap();
    assert_eq!((outcome.steps, outcome.epochs), (21, 3));
    let curve: Vec<f64> = trainer
        .history()
        .series("train/loss")
        .map(|(_, loss)| loss)
        .collect();
    assert_eq!(curve, losses);
    assert_eq!(numbers(trainer.model()), numbers(&by_hand));
}

#[test]
fn nothing_of_a_step_is_held_after_it() {
    let _alone = alone();
    let data = data(64, 8);
    let mut trainer = Trainer::new(net(), Adam::new(0.01), loss)
        .metric(Accuracy::new())
        .average(0.9)
        .clip_norm(1.0);
    let mut live = Vec::new();
    for epochs in [2, 4, 20] {
        trainer = trainer.epochs(epochs);
        trainer.fit(&data).unwrap();
        live.push(memory::live_nodes());
    }
    assert_eq!(live[0], live[2], "{live:?}");
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let _alone = alone();
    let mut parts = Trainer::new(net(), Sgd::new(0.1), loss)
        .epochs(2)
        .accumulate(4);
    let mut whole = Trainer::new(net(), Sgd::new(0.1), loss).epochs(2);
    assert_eq!(parts.fit(data(64, 4)).unwrap().steps, 8);
    assert_eq!(whole.fit(data(64, 16)).unwrap().steps, 8);
    for (part, whole) in numbers(parts.model())
        .concat()
        .iter()
        .zip(numbers(whole.model()).concat())
    {
        assert!((part - whole).abs() < 1e-5, "{part} is not {whole}");
    }
}

/// Ends a run after so many steps, as a kill does between two of them.
struct After(u64);

impl<M> Callback<M> for After {
    fn batch_end(&mut self, view: &View<'_, M>) -> Control {
        match view.step == self.0 {
            true => Control::Stop("that was enough".to_owned()),
            false => Control::Continue,
        }
    }
}

fn with_everything<'a>(folder: &PathBuf, resume: bool) -> Trainer<'a, Sequential, Batch> {
    let checkpoints = Checkpoints::new(folder).every(4).keep(100).best("accuracy");
    Trainer::new(net(), Adam::new(0.01), loss)
        .epochs(6)
        .metric(Accuracy::new())
        .validate(data(20, 20))
        .schedule(Plateau::new(0.5, 0))
        .early_stop(EarlyStop::new("accuracy").larger_is_better().patience(50))
        .average(0.9)
        .checkpoints(checkpoints.resume(resume))
}

#[test]
fn a_run_goes_on_from_any_of_its_checkpoints() {
    let _alone = alone();
    let (whole, cut) = (folder("whole"), folder("cut"));
    let mut undisturbed = with_everything(&whole, false);
    undisturbed.fit(data(50, 8)).unwrap();
    // Step 16 is in the middle of an epoch; those behind it are taken away.
    with_everything(&cut, false).fit(data(50, 8)).unwrap();
    for step in 17..=42 {
        let _ = std::fs::remove_dir_all(cut.join(format!("step-{step:08}")));
    }
    let mut resumed = with_everything(&cut, true);
    let outcome = resumed.fit(data(50, 8)).unwrap();
    assert_eq!(outcome.steps, 42);
    assert_eq!(resumed.history(), undisturbed.history());
    assert_eq!(numbers(resumed.model()), numbers(undisturbed.model()));
    assert_eq!(
        numbers(&resumed.averaged()),
        numbers(&undisturbed.averaged())
    );
    let best = Checkpoint::best_of(&cut).unwrap().unwrap();
    let accuracy = best.state().best.as_ref().unwrap().value;
    let all = resumed.history().series("validation/accuracy");
    assert_eq!(accuracy, all.map(|(_, value)| value).fold(0.0, f64::max));
    let loaded = best.averaged(&net()).unwrap().unwrap();
    assert_eq!(loaded.parameter_count(), net().parameter_count());
    // A finished run is finished.
    assert_eq!(
        with_everything(&cut, true).fit(data(50, 8)).unwrap().steps,
        42
    );
    let refused = with_everything(&cut, false).fit(data(50, 8)).unwrap_err();
    assert!(refused.to_string().contains("--resume"), "{refused}");
    for folder in [whole, cut] {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn another_model_or_optimiser_is_refused_with_all_that_differs() {
    let _alone = alone();
    let folder = folder("other");
    let checkpoints = Checkpoints::new(&folder);
    let first = Trainer::new(net(), Adam::new(0.01), loss).checkpoints(checkpoints.clone());
    { first }.fit(data(16, 8)).unwrap();
    let checkpoints = checkpoints.resume(true);
    let small = net().then(Linear::new(4, 4));
    let mut other = Trainer::new(small, Adam::new(0.01), loss).checkpoints(checkpoints.clone());
    let error = other.fit(data(16, 8)).unwrap_err().to_string();
    assert!(
        error.contains("3.weight") && error.contains("3.bias"),
        "{error}"
    );
    let mut other = Trainer::new(net(), Sgd::new(0.01), loss).checkpoints(checkpoints);
    let error = other.fit(data(16, 8)).unwrap_err();
    assert!(matches!(error, TrainError::Optimiser { .. }), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn rotation_keeps_the_last_ones_and_the_best() {
    let _alone = alone();
    let folder = folder("rotation");
    let rate = |schedule: f64| StepSchedule::new(1, schedule);
    let mut trainer = Trainer::new(net(), Sgd::new(0.1), loss)
        .epochs(6)
        // The steps grow until the loss does: the best validation is not the last.
        .schedule_by_epoch(rate(6.0))
        .validate(data(20, 20))
        .checkpoints(Checkpoints::new(&folder).keep(2));
    trainer.fit(data(16, 8)).unwrap();
    let mut kept: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    let best = Checkpoint::best_of(&folder).unwrap().unwrap().state().step;
    assert!(best < 10, "the best one is among the last: {best}");
    let best = format!("step-{best:08}");
    assert_eq!(kept, [best.as_str(), "step-00000010", "step-00000012"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn runs_end_early() {
    let _alone = alone();
    let mut trainer = Trainer::new(net(), Sgd::new(0.1), loss)
        .epochs(100)
        .callback(After(5));
    let outcome = trainer.fit(data(64, 8)).unwrap();
    assert_eq!(
        (outcome.steps, outcome.stopped.as_deref()),
        (5, Some("that was enough"))
    );
    // Nothing improves when nothing is learnt.
    let mut trainer = Trainer::new(net(), Sgd::new(0.0), loss)
        .epochs(100)
        .validate(data(20, 20))
        .early_stop(EarlyStop::new("loss").patience(2));
    let outcome = trainer.fit(data(64, 8)).unwrap();
    assert_eq!(outcome.epochs, 3);
    assert!(
        outcome
            .stopped
            .unwrap()
            .contains("loss has not been better")
    );
}

#[test]
fn validation_leaves_the_model_as_it_was() {
    let _alone = alone();
    let net = Sequential::new()
        .then(BatchNorm::new(4))
        .then(Linear::new(4, 4));
    let mut trainer = Trainer::new(net, Sgd::new(0.1), loss).metric(Accuracy::new());
    trainer.fit(data(16, 8)).unwrap();
    let before = trainer.model().named_state();
    let validation = data(20, 5);
    let measured = trainer.evaluate(&validation).unwrap();
    assert_eq!(measured[0].0, "loss");
    for ((name, before), (_, after)) in before.iter().zip(trainer.model().named_state()) {
        assert_eq!(
            before.cast(chainrule_core::DType::F64).to_vec::<f64>(),
            after.cast(chainrule_core::DType::F64).to_vec::<f64>(),
            "{name}"
        );
    }
    let error = chainrule_core::attempt(|| trainer.fit(data(17, 16)))
        .map(|_| ())
        .err();
    // The first run is over: one epoch is done, and no batch of one has been seen.
    assert!(error.is_none());
    trainer = trainer.epochs(3);
    let error = chainrule_core::attempt(|| trainer.fit(data(17, 16)).map(|_| ())).unwrap_err();
    assert!(error.to_string().contains("more than one value"), "{error}");
}

#[test]
fn what_is_reported_names_loss_accuracy_and_findings() {
    let _alone = alone();
    let (mut lines, mut json) = (Vec::new(), Vec::new());
    let events = folder("events");
    let mut trainer = Trainer::new(net(), Sgd::new(0.1), loss)
        .epochs(2)
        .metric(Accuracy::new())
        .validate(data(20, 20))
        .watch(GradientFlow::new())
        .events(&events)
        .reporter(LineReporter::new(&mut lines));
    trainer.fit(data(64, 8)).unwrap();
    drop(trainer);
    let text = String::from_utf8(lines).unwrap();
    assert!(
        text.contains("epoch 2/2") && text.contains("validation_accuracy"),
        "{text}"
    );
    let files: Vec<_> = std::fs::read_dir(&events).unwrap().collect();
    assert_eq!(files.len(), 1);
    let written = std::fs::read(files[0].as_ref().unwrap().path()).unwrap();
    for tag in [
        "weights/0.weight",
        "gradients/0.weight",
        "gradients/2.bias",
        "validation/loss",
    ] {
        let found = written
            .windows(tag.len())
            .filter(|bytes| *bytes == tag.as_bytes());
        assert_eq!(found.count(), 2, "{tag}: once each epoch");
    }
    std::fs::remove_dir_all(&events).unwrap();
    // A parameter that the loss does not reach is an error that names it.
    let ill = net().then(Linear::new(4, 4));
    let without_last = |net: &Sequential, (x, labels): &Batch| {
        let hidden = net[2].forward(net[1].forward(net[0].forward(x)));
        hidden.cross_entropy(labels)
    };
    let mut trainer =
        Trainer::new(ill, Sgd::new(0.1), without_last).reporter(JsonReporter::new(&mut json));
    let error = trainer.fit(data(64, 8)).unwrap_err().to_string();
    assert!(error.contains("3.weight got no gradient"), "{error}");
}

#[test]
fn mistakes_are_said() {
    let _alone = alone();
    let empty = data(5, 8).drop_last(true);
    let error = Trainer::new(net(), Sgd::new(0.1), loss)
        .fit(&empty)
        .unwrap_err();
    assert!(error.to_string().contains("no batches"), "{error}");
    let only_loss = |net: &Sequential, batch: &Batch| loss(net, batch).0;
    let mut trainer = Trainer::new(net(), Sgd::new(0.1), only_loss)
        .metric(Accuracy::new())
        .validate(data(8, 8));
    let error = trainer.fit(data(8, 8)).unwrap_err().to_string();
    assert!(error.contains("`accuracy` cannot be measured"), "{error}");
    let infinite = |net: &Sequential, batch: &Batch| loss(net, batch).0 / 0.0;
    let error = Trainer::new(net(), Sgd::new(0.1), infinite)
        .fit(data(8, 8))
        .unwrap_err();
    assert!(
        matches!(error, TrainError::NotFinite { step: 1, .. }),
        "{error}"
    );
}
