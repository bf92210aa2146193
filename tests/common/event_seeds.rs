//! Minimal recordings of every format of event cameras, as seeds of mutations.

use std::path::{Path, PathBuf};

use spikescope::data::{DataSpec, NpzData, write_npz};

/// Reads a recording as samples for a network, and by itself.
pub fn read(path: &Path) {
    let _ = spikescope::data::events::events(path);
    for options in ["", ",us=1000,frames=8,polarity=sum,y=up", ",frames=3,sensor=40x40,tonic=1"] {
        if let Ok(spec) = DataSpec::parse(&format!("events:{}{options}", path.display())) {
            let _ = spec.load_resized(&[2, 8, 8]);
        }
    }
}

/// Writes the seeds to `dir`.
pub fn write_all(dir: &Path) -> Vec<PathBuf> {
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let two = |words: &[u16]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let four = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let wide: Vec<u32> = (0..9).flat_map(|k| [k * 300, (k % 8) | ((k * 3 % 8) << 14) | ((k % 2) << 28)]).collect();
    let narrow: Vec<u32> = (0..9).flat_map(|k| [k * 300, (k % 8) | ((k * 3 % 8) << 9) | ((k % 2) << 17)]).collect();
    let evt2: Vec<u32> = (0..9).flat_map(|k| [8 << 28 | k, (k % 2) << 28 | k << 22 | (k % 8) << 11 | 3]).collect();
    let evt3: Vec<u16> = (0..9)
        .flat_map(|k| [0x8000 | k, 0x6000 | (k * 99), k % 8, 0x2000 | (k % 8), 0x3800, 0x4000 | 5, 0x5000 | 9])
        .collect();
    let mut es = b"Event Stream\x02\x00\x00\x01\x08\x00\x08\x00".to_vec();
    (0..9u8).for_each(|k| es.extend([0xff, (k << 1) | (k % 2), k % 8, 0, k * 3 % 8, 0]));
    let head = |text: &str, words: Vec<u8>| [text.as_bytes(), &words].concat();
    let x: Vec<i32> = (0..9).map(|k| k % 8).collect();
    let p: Vec<i32> = (0..9).map(|k| k % 2).collect();
    let npz = dir.join("four.events.npz");
    let list = &[9usize][..];
    let arrays = [("x", &x), ("y", &x), ("timestamps", &x), ("polarity", &p)];
    write_npz(&npz, &arrays.map(|(name, values)| (name, list, NpzData::I32(values)))).unwrap();
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let aedat = |name: &str| put(name, &std::fs::read(seeds.join(name)).unwrap());
    vec![
        put("two.dat", &head("% Version 2\n% Width 8\n% Height 8\n\x0c\x08", four(&wide))),
        put("one.dat", &head("% Data file\n\x00\x08", four(&narrow))),
        put("two.raw", &head("% evt 2.0\n% format EVT2;height=8;width=8\n% end\n", four(&evt2))),
        put("three.raw", &head("% evt 3.0\n% geometry 8x8\n% end\n", two(&evt3))),
        put("a.es", &es),
        npz,
        aedat("plain.aedat4"),
        aedat("lz4.aedat4"),
        aedat("zstd.aedat4"),
    ]
}
