//! Tests of data specifications: text forms, options, paths.

use super::*;

#[test]
fn text_form_round_trips() {
    for text in [
        "idx:a,b",
        "idx:a",
        "idx:a,b,layout=nhwc",
        "cifar10:a.bin,b.bin",
        "cifar100:test.bin",
        "images:a.png,b.png",
        "images:a,layout=nhwc,classes=text,background=black",
        "npz:a,b.npz",
        "npz:a,b.npz,layout=nchw,split=train,x=image",
        "npy:a.npy,b.npy",
        "builtin:digits-train",
        "builtin:scenes,size=64x128,difficulty=0.25",
        "builtin:objects-train,seed=3",
        "masks:a,fit=letterbox,meaning=instances,void=none",
        "voc:a,split=train,fit=crop,size=320x240,origin=0",
        "voc:a,split=cat_trainval",
        "masks:a,split=val",
        "yolo:a,split=val,fit=letterbox,size=64x64",
        "yolo:a/data.yaml",
        "coco:a.json",
        "coco:a.json,b,background=black",
        "events:a.bin,b.bin",
        "events:a.es,y=up,tonic=1",
        "events:a,frames=16",
        "events:a,us=1000,frames=8,polarity=on,sensor=128x64",
        "events:a,us=1000,unit=ms,order=xytp",
        "builtin:events-digits",
        "builtin:events-digits-train,frames=32,polarity=sum,seed=3",
    ] {
        let spec = DataSpec::parse(text).unwrap();
        assert_eq!(spec.to_string(), text);
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<DataSpec>(&json).unwrap(), spec);
    }
    for text in [
        "events:frames=4",
        "events:a,frames=0",
        "events:a,frames=x",
        "events:a,sensor=9",
        "events:a,polarity=up",
        "events:a,unit=min",
        "events:a,order=xyt",
        "npz:a,layout=hwc",
        "builtin:digits,difficulty=1",
        "builtin:digits,frames=4",
        "builtin:events-digits,frames=0",
        "builtin:events-digits,sensor=8x8",
        "builtin:events-digits,difficulty=1",
        "builtin:scenes,difficulty=2",
        "builtin:objects,size=64",
        "masks:a,origin=1",
        "npz:a,split=trainval",
        "voc:a,split=../b",
        "coco:a,b,c",
        "yolo:a,origin=1",
        "yolo:a,split=../b",
    ] {
        let why = DataSpec::parse(text).unwrap_err().to_string();
        assert!(why.contains(text), "{why}");
    }
    assert_eq!(DataSpec::parse("events:a,frames=32").unwrap().to_string(), "events:a");
    for text in ["", "digits", "idx:", "idx:a,b,c", "cifar10:,", "builtin:letters", "tar:x", "npz:layout=nchw"] {
        assert!(DataSpec::parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_existing_file_that_looks_like_an_option_is_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a,layout=nchw");
    std::fs::write(&path, "").unwrap();
    let spec = DataSpec::parse(&format!("npz:{}", path.display())).unwrap();
    assert_eq!(spec, Source::Npz(path.clone()).into());
    let with_option = spec.with_option("layout", "nhwc").unwrap();
    assert_eq!(DataSpec::parse(&with_option.to_string()).unwrap(), with_option);
    assert_eq!(with_option.paths(), [path.as_path()]);
    assert_eq!(with_option.map_paths(|_| "b".into()).to_string(), "npz:b,layout=nhwc");
    assert!(spec.with_option("frames", "2").is_err());
    let of_list = DataSpec::parse("voc:a").unwrap().with_option("split", "trainval").unwrap();
    assert_eq!(of_list.to_string(), "voc:a,split=trainval");
}
