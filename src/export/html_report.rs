//! A run as one HTML file that needs nothing beside it: settings, findings, the curve and the error ledger as drawings, and
//! every layer's numbers.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};

use super::svg_charts as charts;
use crate::convert::Finding;
use crate::convert::findings::group_by_kind;
use crate::measure::{LayerReport, Ledger, Report};
use crate::{Error, Result};

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

/// The report as one page.
///
/// # Errors
/// [`Error::Internal`] when the template wants what is not given to it.
pub fn render_report(subject: &ReportInput<'_>) -> Result<String> {
    let report = subject.report;
    let findings: Vec<_> = group_by_kind(subject.findings)
        .iter()
        .map(|group| (group.finding.severity.word(), group.to_string()))
        .collect();
    let ledgers: Vec<(&str, Ledger)> = report.layers.iter().map(|l| (l.name.as_str(), ledger_of(l))).collect();
    let context = context! {
        title => subject.title,
        sentence => subject.sentence,
        settings => subject.settings.to_vec(),
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
        // Its ending says that what stands in it is escaped for HTML.
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
    let parts = [ledger.propagated, ledger.clipping, ledger.quantization, ledger.unevenness, ledger.total];
    cells.extend(parts.map(|value| format!("{value:.5}")));
    cells.push(format!("{:.0}", layer.synops));
    cells
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
        })
        .unwrap();
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
            .unwrap()
            .contains("None.")
        );
    }
}
