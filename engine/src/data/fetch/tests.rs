//! Downloads from a local test server: complete, interrupted and resumed, corrupted, and unreachable.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use super::*;

/// Behavior of the test server.
#[derive(Clone, Copy, PartialEq)]
enum ServerBehavior {
    Whole,
    /// The first response ends half way; range requests are supported.
    Breaks,
    /// The content differs from the published one.
    Wrong,
}

/// Starts a server for `body`; returns its address and its request counter.
fn server(body: Vec<u8>, behavior: ServerBehavior) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let count = counted.fetch_add(1, Ordering::SeqCst);
            let mut from = 0;
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let line = line.unwrap_or_default().to_lowercase();
                if let Some(range) = line.strip_prefix("range: bytes=") {
                    from = range.trim_end_matches('-').parse().unwrap_or(0);
                }
                if line.is_empty() {
                    break;
                }
            }
            let rest = &body[from..];
            let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len());
            let sent = if behavior == ServerBehavior::Breaks && count == 0 { &rest[..rest.len() / 2] } else { rest };
            let wrong: Vec<u8> = sent.iter().map(|b| b ^ 1).collect();
            let _ = stream.write_all(if behavior == ServerBehavior::Wrong { &wrong } else { sent });
        }
    });
    (address, requests)
}

/// A data set of one file with known content.
fn set(body: &[u8]) -> RemoteDataset {
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = RemoteFile { name: "a.gz", sha256: Box::leak(hash.into_boxed_str()), bytes: body.len() as u64 };
    RemoteDataset { name: "small", sources: &[], files: Box::leak(Box::new([file])), unpacked: &[] }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn interrupted_download_resumes_and_complete_files_are_kept() {
    let body: Vec<u8> = (0..200_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let set = set(&body);
    let (address, requests) = server(body.clone(), ServerBehavior::Breaks);
    let dir = tempfile::tempdir().unwrap();
    set.fetch_from(&[&address], dir.path(), &|_| Ok(())).unwrap();
    assert_eq!(std::fs::read(dir.path().join("a.gz")).unwrap(), body);
    assert_eq!((names(dir.path()), requests.load(Ordering::SeqCst)), (vec!["a.gz".to_owned()], 2));
    set.fetch_from(&[&address], dir.path(), &|_| Ok(())).unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 2, "nothing is asked for twice");
    // A partial file of an earlier run is resumed.
    std::fs::remove_file(dir.path().join("a.gz")).unwrap();
    std::fs::write(dir.path().join("a.gz.part"), &body[..150_000]).unwrap();
    set.fetch_from(&[&address], dir.path(), &|_| Ok(())).unwrap();
    assert_eq!(std::fs::read(dir.path().join("a.gz")).unwrap(), body);
}

#[test]
fn corrupted_download_is_discarded() {
    let body = vec![5u8; 1000];
    let (address, _) = server(body.clone(), ServerBehavior::Wrong);
    let dir = tempfile::tempdir().unwrap();
    let text = set(&body).fetch_from(&[&address], dir.path(), &|_| Ok(())).unwrap_err().to_string();
    assert!(text.contains("SHA-256") && names(dir.path()).is_empty(), "{text}");
}

#[test]
fn unreachable_sources_give_one_sentence_with_advice() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let unreachable = format!("http://127.0.0.1:{port}/");
    let text = set(&[1, 2, 3]).fetch_from(&[&unreachable], dir.path(), &|_| Ok(())).unwrap_err().to_string();
    assert!(
        text.contains("a.gz") && text.contains(&dir.path().display().to_string()) && text.contains("by hand"),
        "{text}"
    );
    assert_eq!(text.matches(". ").count(), 0, "one sentence: {text}");
    // The second source is used when the first does not respond.
    let (address, _) = server(vec![1, 2, 3], ServerBehavior::Whole);
    set(&[1, 2, 3]).fetch_from(&[&unreachable, &address], dir.path(), &|_| Ok(())).unwrap();
}

#[test]
fn archives_are_extracted_and_damaged_ones_refused() {
    let member = |name: &str, bytes: &[u8], size: u64| {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_size(size);
        header.set_cksum();
        let mut all = header.as_bytes().to_vec();
        all.extend(bytes);
        all.resize(all.len().next_multiple_of(512), 0);
        all
    };
    let dir = tempfile::tempdir().unwrap();
    let save = |bytes: &[u8]| {
        let path = dir.path().join("a.tar.gz");
        let mut packed = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap();
        path
    };
    let mut whole = member("folder/other.txt", b"no", 2);
    whole.extend(member("folder/test_batch.bin", &[7; 700], 700));
    whole.extend([0; 1024]);
    archive::unpack(&save(&whole), &["test_batch.bin"], dir.path()).unwrap();
    assert_eq!(std::fs::read(dir.path().join("test_batch.bin")).unwrap(), [7; 700]);
    let refused =
        |bytes: &[u8], wanted: &[&str]| archive::unpack(&save(bytes), wanted, dir.path()).unwrap_err().to_string();
    assert!(refused(&whole, &["absent.bin"]).contains("absent.bin"));
    assert!(refused(&whole[..1700], &["test_batch.bin"]).contains("truncated"));
    let absurd = [&member("folder/other.txt", b"no", 8 << 30), &whole[..]].concat();
    assert!(refused(&absurd, &["test_batch.bin"]).contains("size"));
    // A corrupted header does not match its own checksum.
    let mut changed = whole.clone();
    changed[0] ^= 1;
    assert!(refused(&changed, &["test_batch.bin"]).contains("checksum"));
}
