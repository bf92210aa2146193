//! Files of weights for the tests that draft architectures.

/// A safetensors file with equal numbers of these shapes.
pub fn safetensors(entries: &[(&str, &[usize])]) -> Vec<u8> {
    let (mut header, mut at) = (serde_json::Map::new(), 0);
    for (key, shape) in entries {
        let end = at + 4 * shape.iter().product::<usize>();
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [at, end]});
        header.insert((*key).to_owned(), entry);
        at = end;
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(std::iter::repeat_n([0x3d, 0, 0, 0x3d], at / 4).flatten());
    bytes
}
