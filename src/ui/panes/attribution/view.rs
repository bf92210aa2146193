//! What the parts of the attribution pane draw from: page, step, both networks, and the result in sentences.

use crate::experiment::explained::{ShownMap, Side};
use crate::explain::Method;
use crate::lab::Lab;
use crate::lab::document::attribution_desk::AttributionPage;
use crate::ui::texts::panes::attribution as texts;
use crate::ui::texts::shared;

/// What the parts of the pane draw from.
pub struct PaneView<'a> {
    pub lab: &'a Lab,
    pub page: Option<&'a AttributionPage>,
    /// The step whose spiking network is explained.
    pub steps: usize,
}

impl PaneView<'_> {
    /// ANN and SNN with their names.
    pub fn sides(&self) -> [(&'static str, Side); 2] {
        [(shared::ANN, Side::ANN), (shared::SNN, Side::snn(self.steps))]
    }

    /// The map of `method` on `side`, if there is one.
    pub fn map<'b>(&self, page: &'b AttributionPage, side: Side, method: Method) -> Option<&'b ShownMap> {
        page.map(side, method)?.as_ref().as_ref().ok()
    }

    /// Whether the pixels of a trigger are known.
    pub fn has_mask(&self, page: &AttributionPage) -> bool {
        let methods = &self.lab.view.attribution.methods;
        methods.iter().any(|m| self.map(page, Side::ANN, *m).is_some_and(|map| map.scores.correlation.is_some()))
    }

    /// The method of the largest rank on `side`, with it.
    pub fn best(&self, page: &AttributionPage, side: Side) -> Option<(&'static str, f64)> {
        let methods = self.lab.view.attribution.methods.iter();
        let ranked = methods.filter_map(|&m| Some((texts::method(m), self.map(page, side, m)?.scores.rank())));
        ranked.filter(|(_, rank)| rank.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Which picture it is, what the networks answer, which method is best, and what to know of the methods.
    pub fn sentences(&self, page: &AttributionPage, class: &dyn Fn(usize) -> String) -> Vec<String> {
        let choice = &self.lab.view.attribution;
        let mut words = Vec::new();
        let answers = self.sides().into_iter().filter_map(|(who, side)| {
            let answer = page.answer(side)?;
            let scored = choice.methods.iter().filter_map(|&m| self.map(page, side, m));
            let is_class = scored.map(|map| map.scores.deletion.is_some()).next().unwrap_or(true);
            Some(match is_class {
                true => texts::answer(who, &class(answer.answer), answer.probability, &class(answer.target)),
                false => texts::value(who, answer.probability, &class(answer.target)),
            })
        });
        let answers: Vec<String> = answers.collect();
        words.push(answers.join(" "));
        let [ann, snn] = self.sides().map(|(_, side)| self.best(page, side));
        words.extend(texts::best(self.has_mask(page), ann, snn));
        if choice.methods.contains(&Method::Lrp) {
            words.push(texts::LRP.to_owned());
        }
        words.retain(|sentence| !sentence.is_empty());
        words
    }

    /// Values of all maps, pixel by pixel.
    pub fn csv(&self) -> String {
        let Some(page) = self.page else { return String::new() };
        let mut columns: Vec<(String, &ShownMap)> = Vec::new();
        for &method in &self.lab.view.attribution.methods {
            for (who, side) in self.sides() {
                let map = self.map(page, side, method);
                columns.extend(map.map(|map| (format!("{} {}", who.to_lowercase(), method.word()), map)));
            }
        }
        let heads: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let mut table = format!("pixel,{}\n", heads.join(","));
        for pixel in 0..columns.iter().map(|(_, map)| map.map.len()).max().unwrap_or(0) {
            let values: Vec<String> =
                columns.iter().map(|(_, map)| map.map.get(pixel).map_or_else(String::new, f32::to_string)).collect();
            table += &format!("{pixel},{}\n", values.join(","));
        }
        table
    }
}
