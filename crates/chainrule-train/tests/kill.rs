//! A run that is killed at random moments, again and again, ends with the weights and the curve of one that was left in
//! peace, bit for bit.
//!
//! `CHAINRULE_KILLS=50` kills that often; 8 times is what the test suite has time for. The program starts itself as the run.

use chainrule::Module;
use chainrule_core::{DType, Generator, Tensor, manual_seed};
use chainrule_nn::schedules::Cosine;
use chainrule_nn::{AdamW, BatchNorm, Layer, Linear, Mode};
use chainrule_train::checkpoint::Checkpoints;
use chainrule_train::data::{Loader, Random, TensorDataset};
use chainrule_train::metrics::Accuracy;
use chainrule_train::trainer::{EarlyStop, TrainError, Trainer};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Everything that a run may carry along: running statistics, random draws, an optimiser with a state.
#[derive(Module)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    last: Linear,
    mode: Mode,
}

impl Layer for Net {
    fn compute(&self, x: &Tensor) -> Tensor {
        let hidden = self.norm.forward(self.first.forward(x)).tanh();
        let hidden = match self.mode.is_training() {
            true => &hidden * Tensor::bernoulli(hidden.shape().clone(), 0.8) / 0.8,
            false => hidden,
        };
        self.last.forward(hidden)
    }
}

fn train(folder: &Path) -> Result<(), TrainError> {
    let generator = Generator::new(5);
    let x = generator.normal([90, 6], 0.0, 1.0);
    let labels = x.narrow(1, 0, 3).argmax(1).cast(DType::I64);
    let data = Loader::new(TensorDataset::new((x, labels))?, 8)?.shuffle(3);
    let net = Net {
        first: Linear::from_generator(6, 16, &generator),
        norm: BatchNorm::new(16),
        last: Linear::from_generator(16, 3, &generator),
        mode: Mode::Train,
    };
    manual_seed(11);
    let loss = |net: &Net, (x, labels): &(Tensor, Tensor)| {
        let logits = net.forward(x);
        (logits.cross_entropy(labels), logits, labels.clone())
    };
    let checkpoints = Checkpoints::new(folder).every(5).keep(2);
    let mut trainer = Trainer::new(net, AdamW::new(0.01), loss)
        .epochs(20)
        .schedule(Cosine::new(240))
        .clip_norm(1.0)
        .accumulate(2)
        .metric(Accuracy::new())
        .validate(data.clone())
        .early_stop(EarlyStop::new("loss").patience(1000))
        .checkpoints(checkpoints.resume(true));
    trainer.fit(&data)?;
    Ok(())
}

/// The files of the last checkpoint that a run leaves.
fn result(folder: &Path) -> [Vec<u8>; 3] {
    let last = folder.join("step-00000120");
    [
        "weights.safetensors",
        "optimiser.safetensors",
        "history.jsonl",
    ]
    .map(|file| fs::read(last.join(file)).expect("the run is over"))
}

fn start(folder: &Path) -> Child {
    let this = std::env::current_exe().expect("the program has a path");
    Command::new(this)
        .env("CHAINRULE_KILLED_RUN", folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("the program can be started")
}

fn finish(folder: &Path) -> Duration {
    let begun = Instant::now();
    let status = start(folder).wait().expect("it was started");
    assert!(status.success(), "the run in {} failed", folder.display());
    begun.elapsed()
}

fn main() {
    if let Some(folder) = std::env::var_os("CHAINRULE_KILLED_RUN") {
        if let Err(error) = train(&PathBuf::from(folder)) {
            eprintln!("{error}");
            std::process::exit(1);
        }
        return;
    }
    let wanted: usize = std::env::var("CHAINRULE_KILLS").map_or(8, |number| {
        number.parse().expect("CHAINRULE_KILLS is a number")
    });
    let root = std::env::temp_dir().join(format!("chainrule-kill-{}", std::process::id()));
    let undisturbed = root.join("undisturbed");
    let whole = finish(&undisturbed);
    let expected = result(&undisturbed);
    let seed =
        std::env::var("CHAINRULE_KILL_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut random = Random::new(seed);
    let (mut kills, mut runs, mut while_writing) = (0, 0, 0);
    while kills < wanted {
        runs += 1;
        let folder = root.join(format!("run-{runs}"));
        // Each part of a run is killed after a moment that is a third of a whole run on average.
        while kills < wanted {
            let mut child = start(&folder);
            std::thread::sleep(whole.mul_f64(random.unit() * 0.67));
            child.kill().expect("the child is ours");
            let status = child.wait().expect("it was started");
            if status.success() {
                break;
            }
            assert_eq!(status.code(), None, "the run failed by itself");
            kills += 1;
            while_writing += usize::from(folder.join("unfinished").exists());
        }
        finish(&folder);
        assert!(
            result(&folder) == expected,
            "run {runs} differs (seed {seed})"
        );
    }
    assert!(
        wanted < 50 || while_writing > 0,
        "no kill came in the middle of writing: kill more often"
    );
    println!("killed {kills} times in {runs} runs, {while_writing} times while writing: ok");
    fs::remove_dir_all(&root).expect("the folder is ours");
}
