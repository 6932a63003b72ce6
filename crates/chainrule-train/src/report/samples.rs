//! Examples with what the network made of them.

use super::escape::escape;
use crate::picture::Picture;
use std::fmt::Write;

/// One example that the report shows.
pub(super) enum Sample {
    Picture {
        picture: Picture,
        truth: String,
        predicted: String,
    },
    Text {
        title: String,
        text: String,
    },
}

/// The pictures in a grid, then the texts; empty when there are none.
pub(super) fn samples(samples: &[Sample]) -> String {
    let (mut pictures, mut texts) = (String::new(), String::new());
    for sample in samples {
        match sample {
            Sample::Picture {
                picture,
                truth,
                predicted,
            } => figure(&mut pictures, picture, truth, predicted),
            Sample::Text { title, text } => {
                let _ = writeln!(
                    texts,
                    "<section class=\"card\"><h3>{}</h3><pre class=\"text\">{}</pre></section>",
                    escape(title),
                    escape(text)
                );
            }
        }
    }
    if samples.is_empty() {
        return String::new();
    }
    if !pictures.is_empty() {
        pictures = format!("<div class=\"samples\">{pictures}</div>\n");
    }
    format!("<h2>Samples</h2>\n{pictures}{texts}")
}

fn figure(to: &mut String, picture: &Picture, truth: &str, predicted: &str) {
    // A sign and words, so that the colour is not needed.
    let (class, verdict) = if truth == predicted {
        ("right", "✓ right")
    } else {
        ("wrong", "✗ wrong")
    };
    let (truth, predicted) = (escape(truth), escape(predicted));
    let _ = write!(
        to,
        "<figure class=\"{class}\"><img alt=\"example of {truth}\" src=\"{}\"><figcaption><span \
         class=\"{class}\">{verdict}</span><br>predicted {predicted}<br>true {truth}</figcaption></figure>",
        picture.to_data_address()
    );
}
