//! A run as one HTML file that needs nothing beside it: settings, findings, the curve and the error ledger as drawings, and
//! every layer's numbers.

use std::fmt::Write;

use super::svg_charts as charts;
use crate::convert::Finding;
use crate::convert::findings::group_by_kind;
use crate::measure::Report;
use crate::measure::layer_report::LayerReport;
use crate::measure::ledger::Ledger;

/// What a report is of.
pub struct ReportInput<'a> {
    pub title: &'a str,
    /// Settings by name, in the order they are shown.
    pub settings: &'a [(String, String)],
    pub findings: &'a [Finding],
    pub report: &'a Report,
    /// One sentence about the result.
    pub sentence: &'a str,
}

/// Light or dark as the reader's system is, dark ink on white paper when printed.
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1c2128;background:#fff}\
table{border-collapse:collapse;margin:.6rem 0;font-size:.85rem;font-variant-numeric:tabular-nums}td,th{padding:.2rem .45rem;text-align:right;border-bottom:1px solid #d8dce2}\
td:first-child,th:first-child,.settings td{text-align:left}.settings td{overflow-wrap:anywhere}th:first-child,td:first-child{padding-left:0}.wide{overflow-x:auto}.wide table{font-size:.8rem;min-width:100%}.warning,.error{color:#a3361f}\
svg{display:block;width:100%;height:auto}svg text{font-size:12.5px;fill:currentColor}\
@media(prefers-color-scheme:dark){body{color:#dfe3e8;background:#16191d}td,th{border-color:#353b44}.warning,.error{color:#f08a6b}}\
@media print{body{color:#000;background:#fff;max-width:none;margin:0;font-size:11px}td,th{border-color:#bbb;padding:.1rem .3rem}table{font-size:9px}.wide{overflow:visible}\
h2,h2+p{break-after:avoid}svg,tr,li{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

/// The report as one page.
pub fn render_report(subject: &ReportInput<'_>) -> String {
    let mut out = String::new();
    let title = escaped(subject.title);
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escaped(subject.sentence)
    );
    out.push_str("<h2>Settings</h2>\n<table class=\"settings\">\n");
    for (name, value) in subject.settings {
        let _ = writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", escaped(name), escaped(value));
    }
    out.push_str("</table>\n<h2>Findings</h2>\n");
    match subject.findings {
        [] => out.push_str("<p>None.</p>\n"),
        findings => {
            out.push_str("<ul>\n");
            for group in group_by_kind(findings) {
                let word = group.finding.severity.word();
                let _ = writeln!(out, "<li class=\"{word}\"><b>{word}</b> {}</li>", escaped(&group.to_string()));
            }
            out.push_str("</ul>\n");
        }
    }
    out.push_str(match subject.report.output_agreement {
        None => "<h2>Accuracy and agreement over time</h2>\n",
        Some(_) => "<h2>How alike the answers are over time</h2>\n",
    });
    out.push_str(&charts::accuracy_chart(subject.report));
    let own = subject.report.layers.iter().any(|layer| layer.ledger_activation.is_some());
    let reference = if own { "the ANN's own activation" } else { "ReLU(z), the ANN's activation" };
    let _ = write!(
        out,
        "<h2>Where the error comes from</h2>\n<p>Means of φ − a per layer, where φ is what the spikes say and a is {reference}, \
         split into four parts that add up to it exactly.</p>\n"
    );
    let entries: Vec<(&str, Ledger)> = subject.report.layers.iter().map(|l| (l.name.as_str(), ledger_of(l))).collect();
    out.push_str(&charts::ledger_chart(&entries));
    out.push_str(&layers(subject.report));
    let _ = write!(out, "<p>Written by spikescope {}.</p>\n</body></html>\n", env!("CARGO_PKG_VERSION"));
    out
}

/// A layer's error against the ANN's own activation.
fn ledger_of(layer: &LayerReport) -> Ledger {
    layer.ledger_activation.unwrap_or(layer.ledger)
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
        "quantization",
        "unevenness",
        "total",
        "SynOps",
    ];
    let mut out = String::from("<h2>Layers</h2>\n<div class=\"wide\"><table>\n<tr>");
    heads.iter().for_each(|head| {
        let _ = write!(out, "<th>{head}</th>");
    });
    out.push_str("</tr>\n");
    for layer in &report.layers {
        let theta = layer.theta.iter().copied().fold(0.0f32, f32::max);
        let l = ledger_of(layer);
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
    out.push_str("</table></div>\n");
    out
}

/// `text` with nothing that means something to a browser.
pub(super) fn escaped(text: &str) -> String {
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
        let page = render_report(&ReportInput {
            title: "t",
            settings: &settings,
            findings: &findings,
            report: &report,
            sentence: "s",
        });
        assert!(!page.contains("<script") && page.contains("&lt;b&gt;: a &amp; b"), "{page}");
        assert!(!page.contains("http") && page.matches("<svg").count() == 2 && page.ends_with("</html>\n"));
        // An empty report is drawn as well.
        let empty = Report::default();
        assert!(
            super::render_report(&ReportInput {
                title: "t",
                settings: &[],
                findings: &[],
                report: &empty,
                sentence: ""
            })
            .contains("None.")
        );
    }
}
