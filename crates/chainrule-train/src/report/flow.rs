//! Gradient flow: findings, heat maps over layers and steps, the last numbers of every layer.

use super::escape::escape;
use super::heat::{HeatMap, Scale, shortened};
use crate::flow::{Finding, GradientFlow, ParameterRecord, Severity, StepRecord, readable};
use std::fmt::Write;

/// Columns of a heat map: steps beyond are left out evenly.
const COLUMNS: usize = 160;

/// More layers than this are folded away in the table.
const OPEN_ROWS: usize = 12;

/// The findings as a list, or that there are none.
pub(super) fn findings(flow: &GradientFlow) -> String {
    let findings = flow.findings();
    let mut text = "<h2>Findings</h2>\n".to_owned();
    if findings.is_empty() {
        let _ = writeln!(
            text,
            "<div class=\"finding good\"><b>Nothing is wrong.</b><p>At {} observed steps, gradients reached every layer in a size \
             from which it can learn.</p></div>",
            chainrule_nn::grouped(flow.observed() as u64)
        );
    }
    for finding in &findings {
        text.push_str(&card(finding));
    }
    text
}

fn card(finding: &Finding) -> String {
    let (class, word) = match finding.severity {
        Severity::Warning => ("warning", "Warning"),
        Severity::Serious => ("serious", "Serious"),
    };
    let source = match &*finding.source {
        "" => String::new(),
        source => format!(" · <code>{}</code>", escape(source)),
    };
    format!(
        "<div class=\"finding {class}\"><b>{word}: {}</b><span class=\"quiet small\"> in <code>{}</code>{source} · since step \
         {}</span><p>{}</p><p class=\"quiet\">{}</p></div>\n",
        finding.kind.title(),
        escape(&finding.layer),
        finding.step,
        sentence(&finding.message),
        sentence(&finding.advice)
    )
}

/// With a capital and a full stop; what stands between backquotes as code.
fn sentence(text: &str) -> String {
    let mut sentence = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(sentence, "<code>{}</code>", escape(part));
        } else if number == 0 {
            let mut characters = part.chars();
            let first: String = characters
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .collect();
            sentence.push_str(&escape(&(first + characters.as_str())));
        } else {
            sentence.push_str(&escape(part));
        }
    }
    sentence + "."
}

/// One layer of the model over the observed steps.
struct Layer {
    name: String,
    source: String,
    gradient: Vec<Option<f64>>,
    update: Vec<Option<f64>>,
    zeros: f64,
}

/// The heat maps and the table; empty when nothing was observed.
pub(super) fn maps(flow: &GradientFlow) -> String {
    let records = columns(flow.records());
    let layers = layers(&records);
    if layers.is_empty() {
        return String::new();
    }
    let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    let steps: Vec<u64> = records.iter().map(|record| record.step).collect();
    let mut text = "<h2>Gradient flow</h2>\n".to_owned();
    let gradients: Vec<Vec<Option<f64>>> =
        layers.iter().map(|layer| layer.gradient.clone()).collect();
    let scale = Scale::of(gradients.iter().flatten().flatten().copied());
    text.push_str(&section(
        "Gradient norm of each layer",
        HeatMap {
            rows: &names,
            steps: &steps,
            cells: &gradients,
            scale: &scale,
            label: "gradient norm of each layer over the steps",
        },
        "The first layer is on top. Rows of one colour are healthy; colours that change from top to bottom mean that gradients vanish \
         or explode with depth.",
        "no gradient",
    ));
    let updates: Vec<Vec<Option<f64>>> = layers.iter().map(|layer| layer.update.clone()).collect();
    if updates.iter().flatten().any(Option::is_some) {
        text.push_str(&section(
            "Update over weight",
            HeatMap {
                rows: &names,
                steps: &steps,
                cells: &updates,
                scale: &Scale::around(1e-3, 3.0),
                label: "norm of the update over that of the weights, of each layer over the steps",
            },
            "How far one step moves the weights of a layer, against their size: about 10⁻³ (light) is healthy, red is too much, blue too \
             little.",
            "not known",
        ));
    }
    text + &table(&layers)
}

fn section(title: &str, map: HeatMap, caption: &str, nothing: &str) -> String {
    let cells = || map.cells.iter().flatten();
    let nothing = cells().any(Option::is_none).then_some(nothing);
    let odd = cells().flatten().any(|number| !number.is_finite());
    format!(
        "<section class=\"card\"><h3>{title}</h3>\n<div class=\"scroll\">{}</div>{}</section>\n",
        map.draw(),
        map.scale.legend(caption, nothing, odd)
    )
}

/// At most [`COLUMNS`] of the records, evenly.
fn columns(records: &[StepRecord]) -> Vec<&StepRecord> {
    let every = records.len().div_ceil(COLUMNS).max(1);
    records.iter().step_by(every).collect()
}

fn layers(records: &[&StepRecord]) -> Vec<Layer> {
    let Some(last) = records.last() else {
        return Vec::new();
    };
    let mut names: Vec<&str> = Vec::new();
    for parameter in &last.parameters {
        if names.last() != Some(&&*parameter.layer) && !names.contains(&&*parameter.layer) {
            names.push(&parameter.layer);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let of_layer = |record: &StepRecord| -> Vec<ParameterRecord> {
                let parameters = record.parameters.iter();
                parameters
                    .filter(|parameter| &*parameter.layer == name)
                    .cloned()
                    .collect()
            };
            let now = of_layer(last);
            let elements: usize = now.iter().map(|parameter| parameter.elements).sum();
            let zeros: f64 = now
                .iter()
                .map(|parameter| parameter.zero_share * parameter.elements as f64)
                .sum();
            Layer {
                name: name.to_owned(),
                source: now[0].source.to_string(),
                gradient: records
                    .iter()
                    .map(|record| gradient(&of_layer(record)))
                    .collect(),
                update: records
                    .iter()
                    .map(|record| update(&of_layer(record)))
                    .collect(),
                zeros: zeros / elements.max(1) as f64,
            }
        })
        .collect()
}

fn norm(parts: impl Iterator<Item = f64>) -> f64 {
    parts.map(|part| part * part).sum::<f64>().sqrt()
}

fn gradient(parameters: &[ParameterRecord]) -> Option<f64> {
    let present = parameters.iter().filter(|parameter| !parameter.absent);
    present.clone().next()?;
    Some(norm(present.map(|parameter| parameter.gradient_norm)))
}

fn update(parameters: &[ParameterRecord]) -> Option<f64> {
    let known = parameters
        .iter()
        .filter_map(|parameter| Some((parameter.update_norm?, parameter.weight_norm)));
    let weights = norm(known.clone().map(|(_, weight)| weight));
    (weights > 0.0).then(|| norm(known.map(|(update, _)| update)) / weights)
}

fn table(layers: &[Layer]) -> String {
    let open = if layers.len() <= OPEN_ROWS {
        " open"
    } else {
        ""
    };
    let mut text = format!(
        "<section class=\"card\"><details{open}><summary>Numbers of each layer at the last observed step</summary><div \
         class=\"scroll\"><table><thead><tr><th>layer</th><th>gradient norm</th><th>update / weight</th><th>zeros in the \
         gradient</th><th class=\"left\">called at</th></tr></thead><tbody>"
    );
    for layer in layers {
        let _ = write!(
            text,
            "<tr><td title=\"{}\">{}</td><td>{}</td><td>{}</td><td>{:.1} %</td><td class=\"left\"><code>{}</code></td></tr>",
            escape(&layer.name),
            escape(&shortened(&layer.name, 40)),
            shown(layer.gradient.last(), "none"),
            shown(layer.update.last(), "–"),
            100.0 * layer.zeros,
            escape(&shortened(&layer.source, 48))
        );
    }
    text + "</tbody></table></div></details></section>\n"
}

fn shown(number: Option<&Option<f64>>, otherwise: &str) -> String {
    match number {
        Some(Some(number)) => readable(*number),
        _ => otherwise.to_owned(),
    }
}
