//! Readable node names: the dotted module path of the source program, from names or metadata.

use super::proto::NodeProto;

/// The dotted path of a layer: from the name of its weights (`layer1.0.conv1.weight`), else from its node.
pub fn of_layer(node: &NodeProto, weight: Option<&str>) -> String {
    let from_weight = weight.and_then(|name| name.strip_suffix(".weight").or_else(|| name.strip_suffix(".scale")));
    match from_weight.filter(|name| !name.contains("::")) {
        Some(path) => path.to_owned(),
        None => of_node(node),
    }
}

/// The dotted path of a node: `/layer1/0/act/Relu` is `layer1.0.act`; newer exporters write it to the metadata.
pub fn of_node(node: &NodeProto) -> String {
    let scopes = node.metadata_props.iter().find(|p| p.key == "pkg.torch.onnx.name_scopes").map(|p| p.value.as_str());
    if let Some(scope) = scopes.and_then(innermost) {
        return scope;
    }
    let path = node.name.trim_start_matches('/');
    match path.rsplit_once('/') {
        Some((module, _)) => module.replace('/', "."),
        None if !node.name.is_empty() => node.name.clone(),
        // Old exporters number their values and write no names.
        None => match node.output.first().filter(|output| !output.is_empty()) {
            Some(output) if output.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{}_{output}", node.op_type.to_lowercase())
            }
            Some(output) => output.clone(),
            None => node.op_type.to_lowercase(),
        },
    }
}

/// The dotted path of an activation that reads the layer called `before`.
pub fn of_activation(node: &NodeProto, before: &str) -> String {
    let has_no_name = node.name.is_empty() && node.metadata_props.is_empty();
    if has_no_name { format!("{before}.act") } else { of_node(node) }
}

/// The innermost module of a list like `['', 'layer1', 'layer1.0', 'relu_3']`, whose last entry is the call itself.
fn innermost(scopes: &str) -> Option<String> {
    let list: Vec<&str> =
        scopes.trim_matches(['[', ']']).split(',').map(|s| s.trim().trim_matches(['\'', '"'])).collect();
    let modules = list.len().checked_sub(1).map(|n| &list[..n])?;
    modules.last().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}
