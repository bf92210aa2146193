//! Thresholds set by hand on the command line: `--theta LAYER=VALUE[,LAYER=VALUE]`.

use serde::{Deserialize, Deserializer};

use crate::convert::Recipe;
use crate::network::Network;
use crate::{Error, Result};

/// The word in place of a value that resets a layer to the recipe's rule.
const RULE: &str = "rule";
/// Maximum number of layer names in an error.
const MAX_NAMES: usize = 5;

/// The layers and values of `texts`; `None` resets a layer to the rule. Commas separate entries, and belong to the name of
/// a layer where no value precedes them.
///
/// # Errors
/// [`Error::Invalid`] for an entry without a layer or a value, and a layer that is named twice.
pub fn parse(texts: &[String]) -> Result<Vec<(String, Option<f32>)>> {
    let mut entries = Vec::new();
    for text in texts {
        let bad = |entry: &str| {
            Error::Invalid(format!(
                "Cannot use --theta '{entry}': not LAYER=VALUE. Use the name of a layer and its threshold, for example \
                 layer1.act=1.5, or LAYER={RULE}."
            ))
        };
        let mut name_so_far = String::new();
        for part in text.split(',') {
            let Some((layer, value)) = part.rsplit_once('=') else {
                name_so_far += &format!("{part},");
                continue;
            };
            let layer = format!("{}{layer}", std::mem::take(&mut name_so_far)).trim().to_owned();
            let theta = match value.trim() {
                RULE => None,
                value => Some(value.parse::<f32>().map_err(|_| bad(part))?),
            };
            if layer.is_empty() {
                return Err(bad(part));
            }
            if entries.iter().any(|(known, _)| *known == layer) {
                return Err(Error::Invalid(format!(
                    "Cannot use --theta '{part}': layer '{layer}' is named twice. Keep one of them."
                )));
            }
            entries.push((layer, theta));
        }
        if !name_so_far.is_empty() {
            return Err(bad(name_so_far.trim_end_matches(',')));
        }
    }
    Ok(entries)
}

/// Sets the thresholds of `texts` in `recipe`.
///
/// # Errors
/// As [`parse`].
pub fn apply(texts: &[String], recipe: &mut Recipe) -> Result<()> {
    for (layer, theta) in parse(texts)? {
        match theta {
            Some(theta) => recipe.manual_thresholds.insert(layer, theta),
            None => recipe.manual_thresholds.remove(&layer),
        };
    }
    Ok(())
}

/// Checks that every layer of `texts` with a value is a spiking layer of `network`, rewritten for conversion.
///
/// # Errors
/// [`Error::Invalid`] with the names that are nearest to an unknown one.
pub fn check_layers(texts: &[String], network: &Network) -> Result<()> {
    let names: Vec<&str> = network.activation_nodes().map(|(id, _)| network.nodes[id].name.as_str()).collect();
    let entries = parse(texts)?;
    let unknown = |(layer, theta): &&(String, Option<f32>)| theta.is_some() && !names.contains(&layer.as_str());
    let Some((layer, _)) = entries.iter().find(unknown) else { return Ok(()) };
    let mut near = names.clone();
    near.sort_by_key(|name| edits(layer, name));
    let near: Vec<String> = near.iter().take(MAX_NAMES).map(|name| format!("'{name}'")).collect();
    let which = if names.len() > MAX_NAMES { "The nearest names are" } else { "Its layers are" };
    Err(Error::Invalid(format!(
        "Cannot set the threshold of '{layer}': the network '{}' has no spiking layer of this name. {which} {}.",
        network.name,
        near.join(", ")
    )))
}

/// Edits (insertions, deletions, replacements of a character) that turn `a` into `b`.
pub fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// Reads one text or a list of texts, for configuration files.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        More(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(text) => vec![text],
        Texts::More(texts) => texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::zoo::{ZooArchitecture, parse_activation};

    fn texts(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    #[test]
    fn entries_are_separated_by_commas_that_follow_a_value() {
        let both = parse(&["a=1".to_owned(), "b,c=2.5,d=e=rule".to_owned()]).unwrap();
        assert_eq!(both, [("a".into(), Some(1.0)), ("b,c".into(), Some(2.5)), ("d=e".into(), None)]);
        for bad in ["a", "a=", "=1", "a=1,b", "a=x"] {
            assert!(parse(&texts(bad)).unwrap_err().to_string().contains("LAYER=VALUE"), "{bad}");
        }
        for twice in [vec!["a=1,b=2,a=3".to_owned()], vec!["a=1".to_owned(), "a=rule".to_owned()]] {
            assert!(parse(&twice).unwrap_err().to_string().contains("'a' is named twice"), "{twice:?}");
        }
        let mut recipe = Recipe::default();
        recipe.manual_thresholds.insert("old".into(), 3.0);
        apply(&texts("old=rule,new=2"), &mut recipe).unwrap();
        assert_eq!(recipe.manual_thresholds, [("new".to_owned(), 2.0)].into());
        apply(&texts("new=-1"), &mut recipe).unwrap();
        assert!(recipe.validate().unwrap_err().to_string().contains("above 0"));
    }

    #[test]
    fn unknown_layers_are_refused_with_near_names() {
        let network = ZooArchitecture::Cnn.build(&[1, 8, 8], 3, parse_activation("relu").unwrap(), 1).unwrap();
        let names: Vec<String> = network.activation_nodes().map(|(id, _)| network.nodes[id].name.clone()).collect();
        check_layers(&texts(&format!("{}=1,gone=rule", names[0])), &network).unwrap();
        let error = check_layers(&texts(&format!("{}x=1", names[0])), &network).unwrap_err().to_string();
        assert!(error.contains(&format!(" are '{}'", names[0])), "{error}");
        assert_eq!((edits("kitten", "sitting"), edits("", "ab")), (3, 2));
    }
}
