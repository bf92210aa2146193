//! A minimal valid file of every kind, from which broken ones are made.

use std::io::Write;
use std::path::{Path, PathBuf};

use spikescope::data::{NpzData, write_npz};
use spikescope::lab::Session;
use spikescope::network::safetensors;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};

use crate::event_seeds;

/// A batch of CIFAR-100 with one image, as Python 2 pickles it.
fn cifar_for_python() -> Vec<u8> {
    let mut bytes =
        b"\x80\x02}(U\x0bfine_labels](K\x2aeU\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"
            .to_vec();
    bytes.extend(
        b"U\x01b\x87R(K\x01K\x01M\0\x0c\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xff",
    );
    bytes.extend(b"J\xff\xff\xff\xffK\0tb\x89T\0\x0c\0\0");
    bytes.extend([200; 3072]);
    bytes.extend(b"tbu.");
    bytes
}

/// A minimal valid file of every kind.
pub fn seeds(dir: &Path) -> Vec<PathBuf> {
    let network = ZooArchitecture::Cnn.build(&[1, 8, 8], 3, parse_activation("qcfs:4").unwrap(), 1).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let copy = |name: &str, from: &str| put(name, &std::fs::read(root.join(from)).unwrap());
    let mut all = vec![
        put("a.safetensors", &safetensors::to_bytes(&network).unwrap()),
        copy("resize.onnx", "tests/onnx/resize/model.onnx"),
        copy("outputs.onnx", "tests/onnx/two_outputs/model.onnx"),
        copy("last.onnx", "tests/onnx/channels_last/model.onnx"),
        copy("shape.onnx", "tests/onnx/shape_arithmetic/model.onnx"),
        copy("input.pb", "tests/onnx/shuffle/test_data_set_0/input_0.pb"),
        copy("a.nir", "tests/nir/conv.nir"),
        copy("b.nir", "tests/nir/residual.nir"),
        copy("a.toml", "examples/recipes/cos.toml"),
        put(
            "a.arch.toml",
            b"input = [1, 28, 28]\nlayers = [\"flatten\", { op = \"linear\", key = \"fc1\" }, \"relu\"]\n",
        ),
        put("a.bin", &[1; 3073 * 2]),
        put("a.cifar", &cifar_for_python()),
        put("a-idx3-ubyte", &[&[0u8, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3][..], &[7; 18]].concat()),
    ];
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&std::fs::read(dir.join("a-idx3-ubyte")).unwrap()).unwrap();
    all.push(put("p-idx3-ubyte.gz", &packed.finish().unwrap()));
    all.push(copy("a.pt", "tests/seeds/mlp.pt"));
    all.push(copy("a.pth", "tests/seeds/mlp.pth"));
    all.push(copy("a.ckpt", "tests/seeds/model.ckpt"));
    all.push(copy("a.pkl", "tests/seeds/arrays.pkl"));
    all.push(copy("nested.nir", "tests/seeds/nested.nir"));
    all.push(copy("a.md", "assets/lessons/cos.md"));
    // Five bytes per event, and numpy records of four fields.
    let five: Vec<u8> = (0..40u8).flat_map(|k| [k % 30, k % 34, (k % 2) << 7, k, 9]).collect();
    all.push(put("a.events.bin", &five));
    let fields = "{'descr': [('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')], 'fortran_order': False, 'shape': (9,), }\n";
    let mut records = b"\x93NUMPY\x01\x00".to_vec();
    records.extend((fields.len() as u16).to_le_bytes());
    records.extend(fields.as_bytes());
    (0..9u8).for_each(|k| records.extend([k, 0, k, 0, k, k, 0, 0, 0, 0, 0, 0, k % 2]));
    all.push(put("a.events.npy", &records));
    let array = |header: &str, values: &[u8]| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        [bytes, header.as_bytes().to_vec(), values.to_vec()].concat()
    };
    // Titled and padded records, and four plain columns.
    let titled = "{'descr': [('t', '>f4'), (('p', 'on'), '?'), ('', '|V1'), ('x', '|u1'), ('y', '|i1')], 'fortran_order': False, 'shape': (9,), }\n";
    let values: Vec<u8> = (0..9u8).flat_map(|k| [63, k, 0, 0, k % 2, 0, k, k]).collect();
    all.push(put("b.events.npy", &array(titled, &values)));
    let columns = "{'descr': '|u1', 'fortran_order': False, 'shape': (9, 4), }\n";
    let values: Vec<u8> = (0..9u8).flat_map(|k| [k, 3, k % 2, k]).collect();
    all.push(put("c.events.npy", &array(columns, &values)));
    all.extend(event_seeds::write_all(dir));
    let text = "{'descr': '>U2', 'fortran_order': True, 'shape': (3, 1), }\n";
    all.push(put("text.npy", &array(text, &[[0, 0, 0, 65, 0, 0, 0, 0]; 3].concat())));
    let npz = dir.join("a.npz");
    write_npz(&npz, &[("x", &[2, 3, 3], NpzData::U8(&[9; 18])), ("y", &[2], NpzData::I32(&[1, 0]))]).unwrap();
    all.push(npz);
    // A folder of snn_toolbox has separate files for samples and labels.
    let toolbox = dir.join("toolbox");
    std::fs::create_dir(&toolbox).unwrap();
    for (name, shape) in [("x_norm.npz", [2, 9]), ("x_test.npz", [2, 9]), ("y_test.npz", [2, 3])] {
        let values = vec![0.5; shape[0] * shape[1]];
        write_npz(&toolbox.join(name), &[("arr_0", &shape, NpzData::F32(&values))]).unwrap();
    }
    all.push(toolbox.join("x_test.npz"));
    let mut npy = Vec::new();
    zip::ZipArchive::new(std::fs::File::open(dir.join("a.npz")).unwrap())
        .and_then(|mut zip| Ok(std::io::copy(&mut zip.by_name("x.npy")?, &mut npy)?))
        .unwrap();
    all.push(put("a.npy", &npy));
    let png = dir.join("a.png");
    image::RgbImage::from_pixel(5, 4, image::Rgb([1, 2, 3])).save(&png).unwrap();
    all.push(png);
    // Pictures for the seed and for its mutations, in folders of their own.
    let pictures = |folder: &str, ending: &str| {
        let folder = dir.join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["a", "mutated"] {
            image::RgbImage::from_pixel(6, 5, image::Rgb([9, 8, 7])).save(folder.join(format!("{name}.png"))).unwrap();
        }
        folder.join(format!("a{ending}"))
    };
    let mask = pictures("masks", "_mask.png");
    image::GrayImage::from_fn(6, 5, |x, y| image::Luma([if x > y { 1 } else { 3 }])).save(&mask).unwrap();
    let wide = pictures("wide", "_mask.png");
    image::ImageBuffer::<image::Luma<u16>, _>::from_fn(6, 5, |x, y| image::Luma([(x * 400 + y) as u16]))
        .save(&wide)
        .unwrap();
    let (bmp, tiff) = (pictures("bmp", "_mask.bmp"), pictures("tiff", "_mask.tif"));
    image::GrayImage::from_fn(6, 5, |x, y| image::Luma([if x > y { 1 } else { 3 }])).save(&bmp).unwrap();
    image::RgbImage::from_fn(6, 5, |x, y| image::Rgb([if x > y { 1 } else { 3 }; 3])).save(&tiff).unwrap();
    all.extend([mask, wide, bmp, tiff]);
    let labels = pictures("yolo", ".labels.txt");
    for name in ["a", "mutated"] {
        let picture = labels.with_file_name(format!("{name}.png"));
        std::fs::rename(&picture, labels.with_file_name(format!("{name}.labels.png"))).unwrap();
    }
    std::fs::write(&labels, "0 0.5 0.5 0.25 0.5\n1 0.1 0.2 0.3 0.1 0.2 0.6\n").unwrap();
    let yaml = pictures("yaml", ".yaml");
    std::fs::write(yaml.with_file_name("a.txt"), "1 0.5 0.5 0.25 0.5\n").unwrap();
    std::fs::write(&yaml, "path: .\nval: . # here\nnc: 2\nnames:\n  0: cat\n  1: 'dog'\nkpt_shape: [2, 3]\n").unwrap();
    all.extend([labels, yaml]);
    let (xml, coco) = (pictures("voc", ".xml"), pictures("coco", ".coco.json"));
    let seeds = root.join("tests/seeds");
    std::fs::copy(seeds.join("boxes.xml"), &xml).unwrap();
    std::fs::copy(seeds.join("boxes.coco.json"), &coco).unwrap();
    let found = coco.with_file_name("a.results.json");
    std::fs::copy(seeds.join("boxes.results.json"), &found).unwrap();
    all.extend([xml, coco, found]);
    all.push(put(
        "a.head.toml",
        b"classes = [\"a\", \"b\"]\ntop-k = 9\n[boxes]\ncoding = \"center-size\"\nfunction = \"exp\"\nvariances = [0.1, 0.1, \
          0.2, 0.2]\n[[level]]\nclass = \"cls\"\nbox = \"reg\"\nstride = 8\npriors = [[8, 9]]\n",
    ));
    all.push(put(
        "b.head.toml",
        b"classes = [\"a\"]\n[boxes]\ncoding = \"yolov5\"\n[[level]]\noutput = \"both\"\nvalues = [\"box\", \"objectness\", \
          \"class\"]\nlayout = \"map\"\nstride = 8\npriors = [[8, 9], [3, 4]]\n",
    ));
    let maps = dir.join("a.maps.npz");
    let map = |values| (&[1usize, 2, 3][..], NpzData::U8(values));
    let ((shape, pred), (_, target)) = (map(&[0, 1, 2, 0, 1, 2]), map(&[0, 1, 1, 255, 1, 0]));
    write_npz(&maps, &[("pred", shape, pred), ("target", shape, target)]).unwrap();
    all.push(maps);
    for (name, array, shape) in [("a.masks.npz", "masks", [2, 4, 4, 1]), ("a.baselines.npz", "baselines", [2, 2, 4, 4])]
    {
        let path = dir.join(name);
        let (count, shape) = (shape.iter().product::<usize>(), if array == "masks" { &shape[..3] } else { &shape[..] });
        let values: Vec<f32> = (0..count).map(|k| (k % 3) as f32).collect();
        write_npz(&path, &[(array, shape, NpzData::F32(&values))]).unwrap();
        all.push(path);
    }
    all.push(copy("a.trojans.toml", "assets/objects-trojans.toml"));
    let session = dir.join("a.json");
    let (settings, view) = Default::default();
    Session { version: 1, settings, view, race: Vec::new(), layout: serde_json::Value::Null }.save(&session).unwrap();
    let text = spikescope::lab::storage::session_text::to_text(&Session::load(&session).unwrap()).unwrap();
    all.push(put("a.txt", text.as_bytes()));
    all.push(session);
    all
}
