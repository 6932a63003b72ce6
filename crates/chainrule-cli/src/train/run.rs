//! Running a plan, and measuring what a run left.

use super::data::Task;
use super::objective::Precision;
use super::options::{EvaluateOptions, TrainOptions};
use super::plan::{Batch, Overrides, Plan, plan, trainer};
use super::settings::Average;
use super::{TrainProblem, shown};
use chainrule::data::Loader;
use chainrule::nn::Sequential;
use chainrule::nn::precision::LossScaler;
use chainrule::prelude::*;
use chainrule_train::checkpoint::{Checkpoint, Checkpoints};
use chainrule_train::flow::GradientFlow;
use chainrule_train::progress;
use chainrule_train::trainer::{EarlyStop, Outcome, Source, Trainer};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The configuration that is kept beside the checkpoints.
const KEPT: &str = "config.toml";

/// `chainrule train CONFIG.toml`.
pub fn train(options: &TrainOptions) -> Result<(), TrainProblem> {
    let (path, text) = match (&options.config, &options.resume) {
        (Some(path), _) => (path.clone(), read(path)?),
        (None, Some(run)) => kept_config(run)?,
        (None, None) => return Err(TrainProblem::Request("name a configuration".to_owned())),
    };
    train_text(&path.display().to_string(), &text, options).map(drop)
}

/// Trains what a configuration describes; `name` is what messages call it.
pub fn train_text(
    name: &str,
    text: &str,
    options: &TrainOptions,
) -> Result<Option<Outcome>, TrainProblem> {
    let overrides = Overrides {
        data: options.data.clone(),
        seed: options.seed,
        epochs: options.epochs,
        report: options.report.clone(),
        checkpoints: options.resume.clone(),
    };
    let plan = plan(name, text, &overrides)?;
    if options.dry_run {
        describe(&plan, options.json)?;
        return Ok(None);
    }
    if let Some(path) = &plan.settings.report {
        check_folder_of(path)?;
    }
    let leaves_one = !plan.settings.drop_last
        && plan.data.training.len() % plan.settings.batch == 1
        && plan.data.training.len() > 1;
    // Mistakes that the engine finds in a network or a batch are the user's: they are shown, not panicked with.
    let outcome = attempt(|| fit(plan, options)).map_err(|error| {
        if !leaves_one || !error.message().contains("more than one value") {
            return TrainProblem::Engine(error);
        }
        let help = "the last batch of an epoch has one example: take another `batch_size`, or leave it out with \
                    `drop_last = true`";
        TrainProblem::Request(format!("{error}\n    help: {help}"))
    });
    outcome?.map(Some)
}

/// A report that cannot be written should be known before the training, not after it.
fn check_folder_of(report: &Path) -> Result<(), TrainProblem> {
    let folder = report
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(TrainProblem::Request(format!(
            "the report cannot be written to {}: there is no folder {}",
            report.display(),
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// `--dry-run`.
fn describe(plan: &Plan, json: bool) -> Result<(), TrainProblem> {
    let summary = plan.summary();
    let settings = &plan.settings;
    let examples = plan.data.training.len();
    let batches = match settings.drop_last {
        true => examples / settings.batch,
        false => examples.div_ceil(settings.batch),
    };
    let steps = settings.total_steps(batches);
    let mut out = std::io::stdout().lock();
    if json {
        let object = json!({
            "event": "plan",
            "parameters": summary.parameters,
            "multiply_adds": summary.multiply_adds,
            "training_examples": plan.data.training.len(),
            "test_examples": plan.data.test.len(),
            "outputs": plan.data.task.outputs(),
            "loss": plan.objective.loss.name(),
            "optimiser": plan.optimiser.name(),
            "steps": steps,
            "batch_size": settings.batch,
        });
        writeln!(out, "{object}")?;
        return Ok(());
    }
    write!(out, "{summary}")?;
    let what = match &plan.data.task {
        Task::Classes(names) => format!("{} classes", names.len()),
        Task::Numbers(count) => format!("{count} targets"),
    };
    writeln!(
        out,
        "data: {} examples to learn from, {} to test on, {what}",
        plan.data.training.len(),
        plan.data.test.len()
    )?;
    writeln!(
        out,
        "run: {steps} steps of {} examples by {}",
        settings.batch * settings.accumulate,
        plan.optimiser.name()
    )?;
    writeln!(out, "loss: {}", plan.objective.loss.name())?;
    if let Some((schedule, _)) = &plan.schedule {
        writeln!(out, "schedule: {schedule:?}")?;
    }
    if let Some(folder) = &settings.checkpoints {
        writeln!(out, "checkpoints: {}", folder.display())?;
    }
    writeln!(out, "nothing was done: this was a dry run")?;
    Ok(())
}

fn fit(mut plan: Plan, options: &TrainOptions) -> Result<Outcome, TrainProblem> {
    let summary = plan.summary();
    let (training, test) = (plan.training()?, plan.test()?);
    let mut trainer = equipped(&mut plan, test.clone(), training.batches())?
        .summary(summary.to_string())
        .reporter(progress::reporter(options.json));
    if let Some(folder) = &plan.settings.checkpoints {
        keep_config(folder, &plan.text)?;
        trainer = trainer.checkpoints(checkpoints(&plan, options.resume.is_some()));
    }
    let outcome = trainer.fit(&training);
    if let Some(path) = &plan.settings.report {
        shown::write(
            path,
            &plan,
            &trainer,
            &test,
            &summary,
            outcome.as_ref().ok(),
        )?;
    }
    Ok(outcome?)
}

/// The trainer with everything that the configuration asks for.
fn equipped(
    plan: &mut Plan,
    test: Loader<Batch>,
    batches: usize,
) -> Result<Trainer<'static, Sequential, Batch>, TrainProblem> {
    let mut trainer = trainer(plan)?;
    let settings = &plan.settings;
    trainer = match settings.steps {
        Some(steps) => trainer.steps(steps),
        None => trainer.epochs(settings.epochs),
    };
    trainer = trainer.accumulate(settings.accumulate).validate(test);
    trainer = match plan.schedule.take() {
        Some((schedule, true)) => trainer.schedule_by_epoch(schedule),
        Some((schedule, false)) => trainer.schedule(schedule),
        None => trainer,
    };
    trainer = trainer.schedule_watches(settings.monitor.clone());
    if let Some(regulariser) = plan.regulariser.take() {
        trainer = trainer.penalty(move |model: &Sequential| regulariser.of(model));
    }
    if let Some(norm) = settings.clip_norm {
        trainer = trainer.clip_norm(norm);
    }
    if let Some(value) = settings.clip_value {
        trainer = trainer.clip_value(value);
    }
    trainer = match settings.average {
        Some(Average::Exponential(decay)) => trainer.average(decay),
        Some(Average::Mean { from, every }) => {
            let (total, epoch) = (
                settings.total_steps(batches),
                batches.div_ceil(settings.accumulate) as u64,
            );
            trainer.average_from(from.unwrap_or(total * 3 / 4), every.unwrap_or(epoch))
        }
        None => trainer,
    };
    if plan.objective.precision == Precision::F16 {
        trainer = trainer.scale_loss(LossScaler::new());
    }
    if let Some(steps) = settings.validate_every {
        trainer = trainer.validate_every(steps);
    }
    if let Some(patience) = settings.early_stop {
        let stop = EarlyStop::new(settings.monitor.clone()).patience(patience);
        trainer = trainer.early_stop(match settings.monitor.as_str() {
            "loss" => stop,
            _ => stop.larger_is_better(),
        });
    }
    if settings.watch > 0 {
        trainer = trainer.watch(GradientFlow::new().every(settings.watch));
    }
    if let Some(folder) = &settings.tensorboard {
        trainer = trainer.events(folder);
    }
    Ok(trainer)
}

fn checkpoints(plan: &Plan, resume: bool) -> Checkpoints {
    let settings = &plan.settings;
    let folder = settings.checkpoints.clone().unwrap_or_default();
    let mut checkpoints = Checkpoints::new(folder).keep(settings.keep).resume(resume);
    if let Some(steps) = settings.checkpoint_every {
        checkpoints = checkpoints.every(steps);
    }
    match settings.monitor.as_str() {
        "loss" => checkpoints.best_smallest("loss"),
        other => checkpoints.best(other),
    }
}

/// The configuration that a run left beside its checkpoints.
fn kept_config(run: &Path) -> Result<(PathBuf, String), TrainProblem> {
    let path = run.join(KEPT);
    if !path.exists() {
        return Err(TrainProblem::Request(format!(
            "{} is no folder of a run: it has no {KEPT}; name the configuration too, or the folder that `--resume` or \
             `checkpoints` named",
            run.display()
        )));
    }
    let text = read(&path)?;
    Ok((path, text))
}

fn keep_config(folder: &Path, text: &str) -> Result<(), TrainProblem> {
    let path = folder.join(KEPT);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
    written.map_err(|source| TrainProblem::File { path, source })
}

/// `chainrule evaluate DIR`.
pub fn evaluate(options: &EvaluateOptions) -> Result<(), TrainProblem> {
    let (mut plan, checkpoint) = reopened(&options.run, options.data.clone())?;
    let test = plan.test()?;
    let mut trainer = trainer(&mut plan)?;
    let numbers = attempt(|| trainer.evaluate(&test)).map_err(TrainProblem::Engine)??;
    let step = checkpoint.state().step;
    let mut out = std::io::stdout().lock();
    if options.json {
        let metrics: serde_json::Map<String, serde_json::Value> = numbers
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        writeln!(
            out,
            "{}",
            json!({ "event": "evaluation", "step": step, "metrics": metrics })
        )?;
    } else {
        writeln!(out, "{} (step {step})", checkpoint.folder().display())?;
        for (name, value) in numbers {
            writeln!(out, "  {name} {value:.4}")?;
        }
    }
    Ok(())
}

/// The plan of a run, with the weights of its best checkpoint.
pub fn reopened(run: &Path, data: Option<PathBuf>) -> Result<(Plan, Checkpoint), TrainProblem> {
    let (path, text) = kept_config(run)?;
    let overrides = Overrides {
        data,
        ..Overrides::default()
    };
    let mut plan = plan(&path.display().to_string(), &text, &overrides)?;
    let checkpoint = Checkpoint::best_of(run)?
        .ok_or_else(|| TrainProblem::Request(format!("{} has no checkpoint", run.display())))?;
    plan.model = match checkpoint.averaged(&plan.model)? {
        Some(averaged) => averaged,
        None => checkpoint.model(&plan.model)?,
    };
    Ok((plan, checkpoint))
}

fn read(path: &Path) -> Result<String, TrainProblem> {
    fs::read_to_string(path).map_err(|source| TrainProblem::File {
        path: path.to_owned(),
        source,
    })
}
