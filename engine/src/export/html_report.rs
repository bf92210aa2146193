//! HTML report of a run: one self-contained file with settings, findings, charts and a layer table.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};

use super::svg_charts as charts;
use crate::convert::Finding;
use crate::convert::findings::group_by_kind;
use crate::measure::{LayerReport, Ledger, Report};
use crate::{Error, Result};

/// Input of a report.
pub struct ReportInput<'a> {
    pub title: &'a str,
    /// Settings by name, in the order they are shown.
    pub settings: &'a [(String, String)],
    pub findings: &'a [Finding],
    pub report: &'a Report,
    /// One sentence about the result.
    pub sentence: &'a str,
}

/// Renders the report as one HTML page.
///
/// # Errors
/// [`Error::Internal`] if the template reads a value that is not in its context.
pub fn render_report(input: &ReportInput<'_>) -> Result<String> {
    let report = input.report;
    let findings: Vec<_> = group_by_kind(input.findings)
        .iter()
        .map(|group| (group.finding.severity.as_str(), group.to_string()))
        .collect();
    let ledgers: Vec<(&str, Ledger)> = report.layers.iter().map(|l| (l.name.as_str(), ledger_of(l))).collect();
    let context = context! {
        title => input.title,
        sentence => input.sentence,
        settings => input.settings.to_vec(),
        findings,
        classes => report.output_agreement.is_none(),
        curve => Value::from_safe_string(charts::accuracy_chart(report)),
        own_activation => report.layers.iter().any(|layer| layer.ledger_activation.is_some()),
        ledger => Value::from_safe_string(charts::ledger_chart(&ledgers)),
        layers => report.layers.iter().map(cells).collect::<Vec<_>>(),
        version => env!("CARGO_PKG_VERSION"),
    };
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build();
    let page = syntax.and_then(|syntax| {
        templates.set_syntax(syntax);
        // The .html extension makes minijinja escape values for HTML.
        templates.render_named_str("report.html", include_str!("report.html"), context)
    });
    page.map_err(|e| Error::Internal(format!("the report cannot be written: {e}")))
}

/// A layer's error against the ANN's own activation.
fn ledger_of(layer: &LayerReport) -> Ledger {
    layer.ledger_activation.unwrap_or(layer.ledger)
}

/// A row of the table of layers.
fn cells(layer: &LayerReport) -> Vec<String> {
    let theta = layer.theta.iter().copied().fold(0.0f32, f32::max);
    let ledger = ledger_of(layer);
    let mut cells = vec![layer.name.clone(), format!("{theta:.4}"), layer.spikes.to_string()];
    cells.extend([layer.rate, layer.mean_activation, layer.mean_abs_mismatch].map(|value| format!("{value:.4}")));
    let parts = ledger.parts().into_iter().chain([ledger.total]);
    cells.extend(parts.map(|value| format!("{value:.5}")));
    cells.push(format!("{:.0}", layer.synops));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::CurvePoint;

    #[test]
    fn report_has_no_external_references_and_escapes_names() {
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
        })
        .unwrap();
        assert!(!page.contains("<script") && page.contains("&lt;b&gt;: a &amp; b"), "{page}");
        assert!(!page.contains("http") && page.matches("<svg").count() == 2 && page.ends_with("</html>\n"));
        // An empty report renders as well.
        let empty = Report::default();
        assert!(
            super::render_report(&ReportInput {
                title: "t",
                settings: &[],
                findings: &[],
                report: &empty,
                sentence: ""
            })
            .unwrap()
            .contains("None.")
        );
    }
}
