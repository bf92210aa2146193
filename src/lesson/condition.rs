//! Conditions of a lesson: comparisons of lab facts, such as `accuracy.snn >= 95`.

use serde::Deserialize;

use super::facts::{self, Value, fact};
use crate::lab::Lab;

/// A comparison of a fact with a value or another fact.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Condition {
    text: String,
    left: String,
    comparison: Comparison,
    right: Side,
}

#[derive(Clone, Debug, PartialEq)]
enum Side {
    Value(Value),
    Fact(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    AtMost,
    AtLeast,
    Below,
    Above,
}

/// Comparison operators; those of two letters come first because `<` would match `<=` as well.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

impl Condition {
    /// Whether the condition holds; false while the lab does not have the fact.
    pub fn holds(&self, lab: &Lab) -> bool {
        let right = match &self.right {
            Side::Value(value) => Some(value.clone()),
            Side::Fact(name) => fact(lab, name),
        };
        let (Some(left), Some(right)) = (fact(lab, &self.left), right) else { return false };
        match (self.comparison, &left, &right) {
            (Comparison::Equal, a, b) => a.same(b),
            (Comparison::Unequal, a, b) => !a.same(b),
            (Comparison::AtMost, Value::Number(a), Value::Number(b)) => a <= b || left.same(&right),
            (Comparison::AtLeast, Value::Number(a), Value::Number(b)) => a >= b || left.same(&right),
            (Comparison::Below, Value::Number(a), Value::Number(b)) => a < b && !left.same(&right),
            (Comparison::Above, Value::Number(a), Value::Number(b)) => a > b && !left.same(&right),
            _ => false,
        }
    }

    /// The condition as written in the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The condition as text for the user: "emitted spikes on the bench = 5".
    pub fn words(&self) -> String {
        if self.text == "bench.source != own" {
            return "load the neuron in focus".into();
        }
        let described =
            |name: &str| screen_name(name).or_else(|| facts::described(name)).unwrap_or_else(|| name.to_owned());
        let right = match &self.right {
            Side::Value(value) => value.to_string(),
            Side::Fact(name) => described(name),
        };
        let symbol = match self.comparison {
            Comparison::Equal => "=",
            Comparison::Unequal => "≠",
            Comparison::AtMost => "≤",
            Comparison::AtLeast => "≥",
            Comparison::Below => "<",
            Comparison::Above => ">",
        };
        format!("{} {symbol} {right}", described(&self.left))
    }

    /// The current value of its left side.
    pub fn current_value(&self, lab: &Lab) -> Option<Value> {
        fact(lab, &self.left)
    }
}

/// The name of the fact `name` on the screen, if that is shorter than its description in the table of facts.
fn screen_name(name: &str) -> Option<String> {
    let (plain, at) = name.split_once('@').map_or((name, None), |(plain, at)| (plain, Some(at)));
    let words = match plain {
        "T" => "time-steps T",
        "t" => "time cursor t",
        "accuracy.ann" => "ANN accuracy [%]",
        "accuracy.snn" => "SNN accuracy [%]",
        "agreement" => "agreement of SNN and ANN [%]",
        "correction" => "correction",
        "energy.ann" => "ANN energy per sample [nJ]",
        "energy.snn" => "SNN energy per sample [nJ]",
        "bench.T" => "bench time-steps",
        "bench.theta" => "bench θ",
        "bench.v-init" => "bench v(0) / θ",
        "bench.weight" => "bench weight",
        "bench.sum" => "bench input / θ",
        "bench.count" => "emitted spikes on the bench",
        "bench.due" => "expected spikes on the bench",
        "bench.left" => "bench residual potential / θ",
        "bench.reset" => "bench reset",
        _ => return None,
    };
    Some(at.map_or(words.to_owned(), |n| format!("{words} after {n} steps")))
}

impl TryFrom<String> for Condition {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parsed = COMPARISONS.iter().find_map(|(symbol, comparison)| {
            text.split_once(symbol).map(|(left, right)| (left.trim().to_owned(), *comparison, right.trim().to_owned()))
        });
        let Some((left, comparison, right)) = parsed else {
            return Err(format!("'{text}' is not a comparison. Write FACT == VALUE, or !=, <=, >=, <, >."));
        };
        if !facts::known(&left) {
            return Err(format!("'{left}' is not a fact of the lab"));
        }
        if right.is_empty() {
            return Err(format!("'{text}' has no right side"));
        }
        let right = match right.parse() {
            Ok(number) => Side::Value(Value::Number(number)),
            Err(_) if facts::known(&right) => Side::Fact(right),
            Err(_) => Side::Value(Value::Word(right.trim_matches(['"', '\'']).to_owned())),
        };
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if ordered && matches!(right, Side::Value(Value::Word(_))) {
            return Err(format!("'{text}': words can only be equal or not. Use == or !=."));
        }
        Ok(Self { text, left, comparison, right })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_parsed_and_checked_against_the_lab() {
        let lab = Lab::default();
        let holds = |text: &str| Condition::try_from(text.to_owned()).unwrap().holds(&lab);
        assert!(holds("bench.count == 4") && holds("bench.count>bench.due") && holds("bench.reset == soft"));
        assert!(!holds("bench.count < 4") && holds("bench.count <= 4") && holds("correction == none"));
        assert!(!holds("accuracy.snn >= 0"), "nothing has run yet");
        let words = |text: &str| Condition::try_from(text.to_owned()).unwrap().words();
        assert_eq!(words("bench.count == 5"), "emitted spikes on the bench = 5");
        assert_eq!(words("accuracy.snn@4 >= 90"), "SNN accuracy [%] after 4 steps ≥ 90");
        assert_eq!(words("bench.count < bench.due"), "emitted spikes on the bench < expected spikes on the bench");
        for bad in ["bench.count", "bench.counts == 4", "bench.count ==", "bench.reset > soft"] {
            assert!(Condition::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
