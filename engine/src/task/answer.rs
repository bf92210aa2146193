//! The output that answers: chosen by the user or by default, and the finding that names it.

use super::detection::Detector;
use super::segmentation::score_map_output;
use crate::Result;
use crate::convert::{Finding, Fix};
use crate::error::format_shape;
use crate::network::Network;
use crate::network::outputs::NetworkOutput;

/// Maximum number of outputs that the finding names.
const MAX_NAMED: usize = 6;

/// Index in [`Network::outputs`] of the output of `network`, as in its file, that answers: `choice`, or the default
/// ([`Network::default_output`]). or one of several maps of class scores
/// ([`score_map_output`]). `None` if all outputs are read together: a known detector, one output, or none of these shapes.
///
/// # Errors
/// [`crate::Error::Invalid`] for an unknown name, with the names of all outputs.
pub fn answering_output(network: &Network, choice: Option<&str>) -> Result<Option<usize>> {
    match choice {
        Some(name) => network.output_named(name).map(Some),
        None if Detector::from_network(network).is_some() => Ok(None),
        None => Ok(network.default_output().or_else(|| score_map_output(network))),
    }
}

/// A note on the output that answers, if `network`, as in its file, has several; its fix chooses another. Of one output a note if
/// it may hold boxes and scores.
pub fn describe_outputs(network: &Network, answers: Option<usize>) -> Option<Finding> {
    let outputs = network.outputs();
    if outputs.len() < 2 {
        return Detector::combined_reason(network).map(|text| Finding::note("outputs", None, text));
    }
    let Some(answers) = answers else {
        let finding = Finding::note("outputs", None, Detector::unsupported_reason(network)?);
        return Some(finding.with_fix(Fix::Output(outputs[0].name.clone())));
    };
    let named = |output: &NetworkOutput| {
        let size = match (output.range.len(), output.shape.as_slice()) {
            (1, _) => "1 value".to_owned(),
            (count, [] | [_]) => format!("{count} values"),
            (_, shape) => format_shape(shape),
        };
        format!("'{}' ({size})", output.name)
    };
    let others: Vec<&NetworkOutput> =
        outputs.iter().enumerate().filter(|(k, _)| *k != answers).map(|(_, output)| output).collect();
    let mut names: Vec<String> = others.iter().take(MAX_NAMED).map(|output| named(output)).collect();
    let more = others.len().saturating_sub(MAX_NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let (last, first) = names.split_last()?;
    let names = if first.is_empty() { last.clone() } else { format!("{} and {last}", first.join(", ")) };
    let text = format!(
        "{} outputs: {} answers; {names} {} not",
        outputs.len(),
        outputs.get(answers).map(named)?,
        if others.len() == 1 { "does" } else { "do" }
    );
    Some(Finding::note("outputs", None, text).with_fix(Fix::Output(others.first()?.name.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Node, NodeId, Op};

    fn network(shapes: &[(&str, &[usize])]) -> Network {
        let node = |name: String, op, inputs: &[NodeId], shape: &[usize]| Node {
            name,
            op,
            inputs: inputs.to_vec(),
            shape: shape.to_vec(),
        };
        let len = |shape: &[usize]| shape.iter().product::<usize>();
        let mut nodes = vec![
            node("x".into(), Op::Input, &[], &[12]),
            node("act".into(), Op::Activation(Activation::Relu), &[0], &[12]),
        ];
        let mut flat = Vec::new();
        for (name, shape) in shapes {
            let at = nodes.len();
            nodes.push(node(
                format!("{name}.part"),
                Op::Slice { axis: 0, start: 0, end: len(shape), step: 1 },
                &[1],
                &[len(shape)],
            ));
            nodes.push(node(format!("{name}.value"), Op::Reshape, &[at], shape));
            nodes.push(node((*name).into(), Op::Reshape, &[at + 1], &[len(shape)]));
            flat.push(at + 2);
        }
        nodes.push(node("all".into(), Op::Concat { axis: 0 }, &flat, &[shapes.iter().map(|(_, s)| len(s)).sum()]));
        Network { name: "n".into(), output: nodes.len() - 1, nodes, scaling: None, class_names: vec![], neurons: None }
    }

    #[test]
    fn the_note_names_the_outputs_and_chooses_another() {
        let two = network(&[("y", &[4]), ("p", &[4])]);
        assert_eq!(answering_output(&two, None).unwrap(), Some(0));
        let found = describe_outputs(&two, Some(0)).unwrap();
        assert_eq!(found.text, "2 outputs: 'y' (4 values) answers; 'p' (4 values) does not");
        assert_eq!(found.fix, Some(Fix::Output("p".into())));
        assert_eq!(answering_output(&two, Some("p")).unwrap(), Some(1));
        assert!(answering_output(&two, Some("q")).unwrap_err().to_string().contains("'y' or 'p'"));
        let three = network(&[("map", &[3, 4]), ("y", &[4]), ("v", &[1])]);
        let answers = answering_output(&three, None).unwrap();
        let text = describe_outputs(&three, answers).unwrap().text;
        assert_eq!(text, "3 outputs: 'y' (4 values) answers; 'map' (3x4) and 'v' (1 value) do not");
    }

    #[test]
    fn boxes_are_mentioned_only_where_an_output_may_hold_them() {
        let maps = network(&[("a", &[3, 4]), ("b", &[2, 2, 3])]);
        assert_eq!(answering_output(&maps, None).unwrap(), None);
        let found = describe_outputs(&maps, None).unwrap();
        assert!(found.text.contains("one vector") && !found.text.to_lowercase().contains("box"), "{}", found.text);
        assert_eq!(describe_outputs(&network(&[("y", &[4])]), None), None);
    }
}
