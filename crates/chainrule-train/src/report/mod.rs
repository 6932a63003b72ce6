//! The report of a run: one HTML file that needs nothing else, neither a network nor a script.

mod axis;
mod confusion;
mod curves;
mod escape;
mod flow;
mod heat;
mod samples;
mod thin;

use crate::flow::GradientFlow;
use crate::history::History;
use crate::metrics::ConfusionMatrix;
use crate::picture::Picture;
use crate::progress::{duration, number};
use chainrule_core::{Error, ErrorKind, Tensor};
use chainrule_nn::{Summary, grouped, write_atomically};
use confusion::class_name;
use curves::{importance, split};
use escape::escape;
use samples::Sample;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Learning curves, findings, gradient flow, confusion matrix, samples, configuration and timings of a run as one HTML
/// file. What is not given is left out.
///
/// ```
/// use chainrule_train::{history::History, report::Report};
/// let mut history = History::new();
/// for step in 0..50 {
///     history.push("train/loss", step, (-0.1 * step as f64).exp());
/// }
/// let html = Report::new("digits", &history).configuration("epochs = 3").to_html();
/// assert!(html.contains("<h2>Learning curves</h2>") && html.contains("epochs = 3"));
/// ```
pub struct Report<'a> {
    title: String,
    history: &'a History,
    flow: Option<&'a GradientFlow>,
    confusion: Option<&'a ConfusionMatrix>,
    classes: Vec<String>,
    samples: Vec<Sample>,
    configuration: String,
    summary: Option<&'a Summary>,
    timings: Vec<(String, Duration)>,
}

impl<'a> Report<'a> {
    /// The report of the run recorded in `history`.
    pub fn new(title: impl Into<String>, history: &'a History) -> Report<'a> {
        Report {
            title: title.into(),
            history,
            flow: None,
            confusion: None,
            classes: Vec::new(),
            samples: Vec::new(),
            configuration: String::new(),
            summary: None,
            timings: Vec::new(),
        }
    }

    /// Adds findings and gradient flow.
    pub fn flow(mut self, flow: &'a GradientFlow) -> Report<'a> {
        self.flow = Some(flow);
        self
    }

    /// Adds a confusion matrix.
    pub fn confusion(mut self, matrix: &'a ConfusionMatrix) -> Report<'a> {
        self.confusion = Some(matrix);
        self
    }

    /// Names the classes, in order; they are numbers otherwise.
    pub fn classes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Report<'a> {
        self.classes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a picture with its true and its predicted class. The picture is a tensor `[height, width]`, `[1, height,
    /// width]` or `[3, height, width]` with values from 0 to 1.
    ///
    /// # Errors
    /// When the tensor is no picture.
    pub fn picture(
        mut self,
        picture: &Tensor,
        truth: usize,
        predicted: usize,
    ) -> Result<Report<'a>, Error> {
        self.samples.push(Sample::Picture {
            picture: Picture::of_tensor(picture)?,
            truth: class_name(&self.classes, truth),
            predicted: class_name(&self.classes, predicted),
        });
        Ok(self)
    }

    /// Adds a text, such as one that a language model wrote.
    pub fn text(mut self, title: impl Into<String>, text: impl Into<String>) -> Report<'a> {
        self.samples.push(Sample::Text {
            title: title.into(),
            text: text.into(),
        });
        self
    }

    /// Adds the configuration as it was written.
    pub fn configuration(mut self, text: impl Into<String>) -> Report<'a> {
        self.configuration = text.into();
        self
    }

    /// Adds the table of the model's layers.
    pub fn summary(mut self, summary: &'a Summary) -> Report<'a> {
        self.summary = Some(summary);
        self
    }

    /// Adds how long something took.
    pub fn timing(mut self, name: impl Into<String>, time: Duration) -> Report<'a> {
        self.timings.push((name.into(), time));
        self
    }

    /// The page.
    pub fn to_html(&self) -> String {
        let mut body = format!(
            "<h1>{}</h1>\n<p class=\"quiet\">Report of a training run with Chainrule</p>\n",
            escape(&self.title)
        );
        body.push_str(&self.numbers());
        body.push_str(&self.flow.map_or(String::new(), flow::findings));
        body.push_str(&curves::curves(self.history));
        if let Some(matrix) = self.confusion {
            body.push_str(&confusion::confusion(matrix, &self.classes));
        }
        body.push_str(&samples::samples(&self.samples));
        body.push_str(&self.flow.map_or(String::new(), flow::maps));
        body.push_str(&self.model());
        body.push_str(&self.settings());
        // Nothing may be loaded, whatever a name or a text contains.
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n\
             <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
            escape(&self.title),
            include_str!("style.css")
        )
    }

    /// Writes the page to `path` under a temporary name first, so that there is never half a page.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let written = write_atomically(path, self.to_html().as_bytes());
        written.map_err(|error| {
            let message = format!("report: writing {} failed: {error}", path.display());
            Error::new(ErrorKind::File, message)
        })
    }

    /// The last value of every series, and the best of those that were validated.
    fn numbers(&self) -> String {
        let mut names: Vec<&str> = self.history.names().collect();
        // The mean of an epoch says more than its last step.
        names.retain(|name| match split(name) {
            (Some("train"), quantity) => self.history.last(&format!("epoch/{quantity}")).is_none(),
            _ => true,
        });
        names.sort_by_key(|name| {
            let (part, quantity) = split(name);
            (importance(quantity), std::cmp::Reverse(part))
        });
        let mut items = String::new();
        for name in names {
            let Some((step, value)) = self.history.last(name) else {
                continue;
            };
            let (part, quantity) = split(name);
            let label = match part {
                Some("train" | "epoch") => format!("training {quantity}"),
                Some(part) => format!("{part} {quantity}"),
                None => quantity.to_owned(),
            };
            let _ = write!(
                items,
                "<li><span>{}</span><b>{}</b><span>step {}</span></li>",
                escape(&label),
                number(quantity, value),
                grouped(step)
            );
        }
        if let Some((name, time)) = self.timings.first() {
            let _ = write!(
                items,
                "<li><span>{}</span><b>{}</b></li>",
                escape(name),
                duration(*time)
            );
        }
        if items.is_empty() {
            return String::new();
        }
        format!("<ul class=\"numbers\">{items}</ul>\n")
    }

    fn model(&self) -> String {
        let Some(summary) = self.summary else {
            return String::new();
        };
        let mut text = "<h2>Model</h2>\n<section class=\"card\"><div class=\"scroll\"><table><thead><tr><th>layer</th><th \
                        class=\"left\">type</th><th class=\"left\">output</th><th>parameters</th><th>multiply-adds</th></tr></thead><tbody>"
            .to_owned();
        for row in &summary.rows {
            let depth = row.path.matches('.').count();
            let outputs: Vec<String> = row.outputs.iter().map(|shape| shape.to_string()).collect();
            let name = if row.path.is_empty() {
                "(the whole model)"
            } else {
                &row.path
            };
            let _ = write!(
                text,
                "<tr><td style=\"padding-left:{}px\">{}</td><td class=\"left\">{}</td><td class=\"left\">{}</td><td>{}</td><td>{}</td></tr>",
                16 * depth,
                escape(name),
                escape(row.kind),
                escape(&outputs.join(" ")),
                grouped(row.parameters as u64),
                grouped(row.multiply_adds)
            );
        }
        let _ = writeln!(
            text,
            "</tbody></table></div><p class=\"small quiet\" style=\"margin:12px 0 0\">{} parameters{}, {} multiply-adds</p></section>",
            grouped(summary.parameters as u64),
            if summary.frozen > 0 {
                format!(" and {} frozen ones", summary.frozen)
            } else {
                String::new()
            },
            grouped(summary.multiply_adds)
        );
        text
    }

    fn settings(&self) -> String {
        let mut text = String::new();
        if !self.timings.is_empty() {
            text.push_str("<h2>Timings</h2>\n<section class=\"card\"><table><tbody>");
            for (name, time) in &self.timings {
                let _ = write!(
                    text,
                    "<tr><td>{}</td><td>{}</td></tr>",
                    escape(name),
                    duration(*time)
                );
            }
            text.push_str("</tbody></table></section>\n");
        }
        if !self.configuration.is_empty() {
            let _ = write!(
                text,
                "<h2>Configuration</h2>\n<section class=\"card\"><pre>{}</pre></section>\n",
                escape(&self.configuration)
            );
        }
        text
    }
}
