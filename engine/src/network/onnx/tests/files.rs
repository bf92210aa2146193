//! Tests of data files: opening with weights in another file, and as a whole.

use super::*;

#[test]
fn weights_in_another_file_give_the_same_network() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.onnx");
    let mut file = relu();
    let inline = read(&file).unwrap();
    let mut data = Vec::new();
    for tensor in &mut file.graph.as_mut().unwrap().initializer {
        let bytes: Vec<u8> = tensor.float_data.drain(..).flat_map(f32::to_le_bytes).collect();
        let entry = |key: &str, value: String| StringStringEntryProto { key: key.into(), value };
        tensor.data_location = 1;
        tensor.external_data = vec![entry("location", "net.data".into()), entry("offset", data.len().to_string())];
        data.extend(bytes);
    }
    std::fs::write(&path, file.encode_to_vec()).unwrap();
    let missing = crate::network::onnx::read(&path).unwrap_err().to_string();
    assert!(missing.contains("'net.data'") && missing.contains("same folder"), "{missing}");
    std::fs::write(dir.path().join("net.data"), &data).unwrap();
    let found = crate::network::onnx::read(&path).unwrap();
    assert!(found.nodes.iter().zip(&inline.nodes).all(|(a, b)| a.op == b.op));
}
