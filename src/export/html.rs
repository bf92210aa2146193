//! A run as one HTML file that needs nothing beside it: settings, findings, the curve and the error ledger as drawings, and
//! every layer's numbers.

use std::fmt::Write;

use crate::convert::Finding;
use crate::measure::Report;

/// What a report is of.
pub struct Subject<'a> {
    pub title: &'a str,
    /// Settings by name, in the order they are shown.
    pub settings: &'a [(String, String)],
    pub findings: &'a [Finding],
    pub report: &'a Report,
    /// One sentence about the result.
    pub sentence: &'a str,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 280.0;
const MARGIN: f64 = 44.0;
/// The four parts of the error, in reading order.
const PARTS: [(&str, &str); 4] =
    [("carried in", "#8a8f98"), ("clipping", "#c44e52"), ("quantisation", "#4c72b0"), ("unevenness", "#d9a441")];

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1c2128;background:#fff}\
table{border-collapse:collapse;margin:.6rem 0;font-size:.9rem}td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #d8dce2}\
td:first-child,th:first-child{text-align:left}.warning,.error{color:#a3361f}svg{max-width:100%;height:auto}svg text{font-size:12px;fill:currentColor}\
@media(prefers-color-scheme:dark){body{color:#dfe3e8;background:#16191d}td,th{border-color:#353b44}.warning,.error{color:#f08a6b}}";

/// The report as one page.
pub fn page(subject: &Subject<'_>) -> String {
    let mut out = String::new();
    let title = escaped(subject.title);
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escaped(subject.sentence)
    );
    out.push_str("<h2>Settings</h2>\n<table>\n");
    for (name, value) in subject.settings {
        let _ = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(value));
    }
    out.push_str("</table>\n<h2>Findings</h2>\n");
    match subject.findings {
        [] => out.push_str("<p>None.</p>\n"),
        findings => {
            out.push_str("<ul>\n");
            for finding in findings {
                let word = finding.severity.word();
                let _ = writeln!(out, "<li class=\"{word}\"><b>{word}</b> {}</li>", escaped(&finding.to_string()));
            }
            out.push_str("</ul>\n");
        }
    }
    out.push_str("<h2>Accuracy and agreement over time</h2>\n");
    out.push_str(&curve(subject.report));
    out.push_str("<h2>Where the error comes from</h2>\n<p>Means of φ − ReLU(z) per layer, split into four parts that add up to it exactly.</p>\n");
    out.push_str(&ledger(subject.report));
    out.push_str(&layers(subject.report));
    let _ = write!(out, "<p>Written by spikescope {}.</p>\n</body></html>\n", env!("CARGO_PKG_VERSION"));
    out
}

/// Accuracy and agreement of every step as lines.
fn curve(report: &Report) -> String {
    let last = report.curve.len().max(2) as f64;
    let x = |t: f64| MARGIN + (t - 1.0) / (last - 1.0) * (WIDTH - 2.0 * MARGIN);
    let y = |share: f64| HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
    let mut out = open("Accuracy of the SNN and its agreement with the ANN at every step");
    for percent in [0, 25, 50, 75, 100] {
        let at = y(f64::from(percent) / 100.0);
        let _ = write!(
            out,
            "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"currentColor\" stroke-opacity=\".15\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
            WIDTH - MARGIN,
            MARGIN - 6.0,
            at + 4.0
        );
    }
    if let Some(ann) = report.ann_accuracy {
        let at = y(ann);
        let _ = write!(
            out,
            "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#4c72b0\" stroke-width=\"2\" stroke-dasharray=\"6 4\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#4c72b0\">ANN {:.1} %</text>",
            WIDTH - MARGIN,
            WIDTH - MARGIN,
            at - 5.0,
            ann * 100.0
        );
    }
    let mut line = |values: Vec<(usize, f64)>, colour: &str, name: &str, row: f64| {
        if values.is_empty() {
            return;
        }
        let points: Vec<String> = values.iter().map(|&(t, v)| format!("{:.1},{:.1}", x(t as f64), y(v))).collect();
        let _ = write!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{}\" y=\"{}\" fill=\"{colour}\">{name}</text>",
            points.join(" "),
            MARGIN + 8.0,
            16.0 + row * 15.0
        );
    };
    line(report.curve.iter().filter_map(|p| Some((p.t, p.accuracy?))).collect(), "#dd8452", "accuracy of the SNN", 0.0);
    line(report.curve.iter().map(|p| (p.t, p.agreement)).collect(), "#55a868", "agreement with the ANN", 1.0);
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\">step 1</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">step {}</text></svg>",
        MARGIN,
        HEIGHT - 18.0,
        WIDTH - MARGIN,
        HEIGHT - 18.0,
        report.curve.len()
    );
    out
}

/// The four parts of every layer's error as bars to both sides of zero.
fn ledger(report: &Report) -> String {
    let parts: Vec<[f64; 4]> = report
        .layers
        .iter()
        .map(|layer| {
            [layer.ledger.propagated, layer.ledger.clipping, layer.ledger.quantization, layer.ledger.unevenness]
        })
        .collect();
    let side =
        |sign: f64| parts.iter().map(move |p| p.iter().filter(|v| **v * sign > 0.0).map(|v| v.abs()).sum::<f64>());
    let scale = side(1.0).chain(side(-1.0)).fold(f64::MIN_POSITIVE, f64::max);
    let y = |value: f64| HEIGHT / 2.0 - value / scale * (HEIGHT / 2.0 - 30.0);
    let each = (WIDTH - 2.0 * MARGIN) / parts.len().max(1) as f64;
    let mut out = open("The four parts of the error of every layer");
    for (index, layer) in parts.iter().enumerate() {
        let left = MARGIN + index as f64 * each + each * 0.15;
        let (mut up, mut down) = (0.0, 0.0);
        for (value, (_, colour)) in layer.iter().zip(PARTS) {
            let from = if *value > 0.0 { &mut up } else { &mut down };
            let (a, b) = (y(*from), y(*from + value));
            *from += value;
            let _ = write!(
                out,
                "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>",
                a.min(b),
                each * 0.7,
                (a - b).abs()
            );
        }
    }
    let zero = HEIGHT / 2.0;
    let _ = write!(
        out,
        "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{zero}\" y2=\"{zero}\" stroke=\"currentColor\"/>",
        WIDTH - MARGIN
    );
    for (index, (name, colour)) in PARTS.iter().enumerate() {
        let _ = write!(
            out,
            "<rect x=\"{:.0}\" y=\"6\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{:.0}\" y=\"15\">{name}</text>",
            MARGIN + index as f64 * 120.0,
            MARGIN + 14.0 + index as f64 * 120.0
        );
    }
    let _ = writeln!(out, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{scale:.3}</text></svg>", MARGIN - 6.0, 34.0);
    out
}

fn layers(report: &Report) -> String {
    let heads = [
        "layer",
        "θ",
        "spikes",
        "rate",
        "mean activation",
        "mean |error|",
        "carried in",
        "clipping",
        "quantisation",
        "unevenness",
        "total",
        "SynOps",
    ];
    let mut out = String::from("<h2>Layers</h2>\n<table>\n<tr>");
    heads.iter().for_each(|head| {
        let _ = write!(out, "<th>{head}</th>");
    });
    out.push_str("</tr>\n");
    for layer in &report.layers {
        let theta = layer.theta.iter().copied().fold(0.0f32, f32::max);
        let l = &layer.ledger;
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{theta:.4}</td><td>{}</td><td>{:.4}</td><td>{:.4}</td><td>{:.4}</td><td>{:.5}</td><td>{:.5}</td><td>{:.5}</td><td>{:.5}</td><td>{:.5}</td><td>{:.0}</td></tr>",
            escaped(&layer.name),
            layer.spikes,
            layer.rate,
            layer.mean_activation,
            layer.mean_abs_mismatch,
            l.propagated,
            l.clipping,
            l.quantization,
            l.unevenness,
            l.total,
            layer.synops
        );
    }
    out.push_str("</table>\n");
    out
}

fn open(label: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{label}\">"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::CurvePoint;

    #[test]
    fn a_page_needs_nothing_beside_it_and_names_cannot_break_it() {
        let point = |t| CurvePoint { t, accuracy: Some(0.5), agreement: 0.75 };
        let report = Report { steps: 2, ann_accuracy: Some(0.9), curve: vec![point(1), point(2)], ..Report::default() };
        let findings = [Finding::warning("kind", Some("<b>"), "a & b")];
        let settings = [("model".to_owned(), "<script>".to_owned())];
        let page =
            page(&Subject { title: "t", settings: &settings, findings: &findings, report: &report, sentence: "s" });
        assert!(!page.contains("<script") && page.contains("&lt;b&gt;: a &amp; b"), "{page}");
        assert!(!page.contains("http") && page.matches("<svg").count() == 2 && page.ends_with("</html>\n"));
        // An empty report is drawn as well.
        let empty = Report::default();
        assert!(
            super::page(&Subject { title: "t", settings: &[], findings: &[], report: &empty, sentence: "" })
                .contains("None.")
        );
    }
}
