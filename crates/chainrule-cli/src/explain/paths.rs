//! The contribution of every path from an input to the result: the product of the local derivatives along it. The
//! derivative is their sum.

use super::extras::{Path, Paths};
use super::problem::Problem;
use chainrule::view::Array;
use chainrule::view::{Kind, Local, Model, Structure};

/// So many paths are shown at most; of more, the largest.
const SHOWN: usize = 10_000;
/// So many are shown where there are more than [`SHOWN`].
const LARGEST: usize = 100;

/// An edge along which a derivative flows: the user, and the position of the input.
type Edge = (usize, usize);

/// The paths from a variable to the result, whose own derivative is `seed`.
pub fn paths(model: &Model, from: usize, seed: &Array) -> Result<Paths, Problem> {
    let edges = edges(model);
    let count = count(model, &edges, from);
    let shown = match count {
        Count::Exactly(0) => Vec::new(),
        _ if is_scalar(model) => largest(model, &edges, from, seed.elements[0], &count),
        Count::Exactly(few) if few <= SHOWN as u128 => enumerated(model, from, seed)?,
        _ => {
            return Err(Problem::new(format!(
                "--paths: there are {} from `{}` to the result; paths of arrays are followed up to {SHOWN}",
                count.text(),
                model.nodes[from].label
            )));
        }
    };
    let complete = matches!(count, Count::Exactly(all) if all == shown.len() as u128);
    let mut text = count.text();
    if !complete && !shown.is_empty() {
        text += &format!(", the {} largest", shown.len());
    }
    Ok(Paths {
        shown,
        count: text,
        complete,
    })
}

/// For each node the edges by which derivatives flow to its users.
fn edges(model: &Model) -> Vec<Vec<Edge>> {
    let mut edges = vec![Vec::new(); model.nodes.len()];
    for (user, node) in model.nodes.iter().enumerate() {
        for (position, (&input, local)) in node.inputs.iter().zip(&node.locals).enumerate() {
            if local.is_some() {
                edges[input].push((user, position));
            }
        }
    }
    edges
}

fn is_scalar(model: &Model) -> bool {
    let mut nodes = model
        .nodes
        .iter()
        .filter(|node| node.kind != Kind::Constant);
    nodes.all(|node| node.value.shape.is_empty())
}

/// How many paths there are.
enum Count {
    Exactly(u128),
    /// Its logarithm to base ten.
    About(f64),
}

impl Count {
    fn text(&self) -> String {
        match self {
            Count::Exactly(0) => "no path".to_owned(),
            Count::Exactly(1) => "1 path".to_owned(),
            Count::Exactly(count) => format!("{count} paths"),
            Count::About(exponent) => format!("about 10^{exponent:.0} paths"),
        }
    }
}

fn count(model: &Model, edges: &[Vec<Edge>], from: usize) -> Count {
    let mut exact: Vec<Option<u128>> = vec![Some(0); model.nodes.len()];
    let mut about = vec![0.0f64; model.nodes.len()];
    // Powers of ten beyond what an f64 holds are kept as logarithms.
    let mut logarithm = vec![f64::NEG_INFINITY; model.nodes.len()];
    exact[model.result] = Some(1);
    about[model.result] = 1.0;
    logarithm[model.result] = 0.0;
    for at in (from..model.result).rev() {
        let mut sum = Some(0u128);
        let mut largest = f64::NEG_INFINITY;
        for &(user, _) in &edges[at] {
            sum = sum
                .zip(exact[user])
                .and_then(|(sum, more)| sum.checked_add(more));
            largest = largest.max(logarithm[user]);
        }
        exact[at] = sum;
        if largest > f64::NEG_INFINITY {
            let terms = edges[at]
                .iter()
                .map(|&(user, _)| 10f64.powf(logarithm[user] - largest));
            logarithm[at] = largest + terms.sum::<f64>().log10();
        }
    }
    match exact[from] {
        Some(count) => Count::Exactly(count),
        None => Count::About(logarithm[from]),
    }
}

/// The rest of a path: what it multiplies by, the next node, and the place in that node's list.
#[derive(Clone, Copy)]
struct Rest {
    factor: f64,
    next: Option<(usize, usize)>,
}

/// The largest paths of a program of numbers, exactly: the largest rests of each node follow from those of its users.
fn largest(model: &Model, edges: &[Vec<Edge>], from: usize, seed: f64, count: &Count) -> Vec<Path> {
    let wanted = match count {
        Count::Exactly(few) if *few <= SHOWN as u128 => *few as usize,
        _ => LARGEST,
    };
    let mut rests: Vec<Vec<Rest>> = vec![Vec::new(); model.nodes.len()];
    rests[model.result].push(Rest {
        factor: seed,
        next: None,
    });
    for at in (from..model.result).rev() {
        let mut own: Vec<Rest> = Vec::new();
        for &(user, position) in &edges[at] {
            let factor = local(model, user, position).map_or(f64::NAN, |value| value.elements[0]);
            own.extend(rests[user].iter().enumerate().map(|(place, rest)| Rest {
                factor: factor * rest.factor,
                next: Some((user, place)),
            }));
        }
        own.sort_by(|a, b| b.factor.abs().total_cmp(&a.factor.abs()));
        own.truncate(wanted);
        rests[at] = own;
    }
    let path = |rest: &Rest| {
        let mut nodes = vec![from];
        let mut next = rest.next;
        while let Some((node, place)) = next {
            nodes.push(node);
            next = rests[node][place].next;
        }
        Path {
            nodes,
            contribution: Array::scalar(rest.factor),
        }
    };
    rests[from].iter().map(path).collect()
}

fn local(model: &Model, user: usize, position: usize) -> Option<&Array> {
    let local = model.nodes[user].locals[position].as_ref()?;
    local.value.as_ref()
}

/// All paths of a program of arrays, followed from the result back, the largest first.
fn enumerated(model: &Model, from: usize, seed: &Array) -> Result<Vec<Path>, Problem> {
    let mut leads = vec![false; model.nodes.len()];
    leads[from] = true;
    for at in from + 1..model.nodes.len() {
        leads[at] = model.nodes[at].inputs.iter().any(|&input| leads[input]);
    }
    let mut found = Vec::new();
    // What is still to be followed: the nodes so far, the result first, and the product along them.
    let mut open = vec![(vec![model.result], seed.clone())];
    while let Some((nodes, product)) = open.pop() {
        let at = nodes[nodes.len() - 1];
        if at == from {
            found.push(Path {
                nodes: nodes.into_iter().rev().collect(),
                contribution: product,
            });
            continue;
        }
        let node = &model.nodes[at];
        for (&input, local) in node.inputs.iter().zip(&node.locals) {
            let Some(local) = local else { continue };
            if !leads[input] {
                continue;
            }
            let shape = &model.nodes[input].value.shape;
            let Some(product) = pulled(local, &product, shape) else {
                return Err(Problem::new(format!(
                    "--paths: the local derivative of `{}` has too many elements to be followed",
                    node.label
                )));
            };
            let mut nodes = nodes.clone();
            nodes.push(input);
            open.push((nodes, product));
        }
    }
    found.sort_by(|a: &Path, b: &Path| b.contribution.norm().total_cmp(&a.contribution.norm()));
    Ok(found)
}

/// The product of an adjoint with a local derivative.
fn pulled(local: &Local, adjoint: &Array, shape: &[usize]) -> Option<Array> {
    let jacobian = local.value.as_ref()?;
    let mut pulled = Array::zeros(shape);
    match local.structure {
        Structure::Diagonal => {
            let pairs = jacobian.elements.iter().zip(&adjoint.elements);
            pulled.elements = pairs.map(|(local, adjoint)| local * adjoint).collect();
        }
        Structure::Dense => {
            let columns = pulled.elements.len();
            for (row, adjoint) in jacobian
                .elements
                .chunks(columns.max(1))
                .zip(&adjoint.elements)
            {
                for (pulled, local) in pulled.elements.iter_mut().zip(row) {
                    *pulled += adjoint * local;
                }
            }
        }
    }
    Some(pulled)
}
