//! One Pascal VOC annotation: an XML file with the objects of a picture.
//!
//! Tags come in any order and spelling of case, unknown ones are skipped. Entities other than those of XML itself are
//! refused, nesting and size are bounded.

use std::io::Read;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use crate::data::bounded_read::open;
use crate::data::files::text::utf8;
use crate::{Error, Result};

/// Maximum depth of tags.
const MAX_DEPTH: usize = 32;
/// Maximum size of a file in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// What an annotation says about its picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct VocFile {
    /// Name of the picture; may be empty.
    pub picture: String,
    /// Width and height of the picture, where stated and not 0.
    pub size: [Option<f64>; 2],
    pub objects: Vec<XmlObject>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct XmlObject {
    pub class: String,
    /// xmin, ymin, xmax, ymax as in the file.
    pub corners: [f64; 4],
    pub is_difficult: bool,
    /// Line of its tag in the file.
    pub line: usize,
}

/// An object while its tags are read.
#[derive(Default)]
struct Draft {
    object: XmlObject,
    corners: [Option<f64>; 4],
    is_rotated: bool,
}

const CORNERS: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// Reads an annotation.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with the line for text that is no such XML.
pub(super) fn read(path: &Path) -> Result<VocFile> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::file(path, "", "has more than 16 MiB, too much for the annotation of one picture"));
    }
    let text = utf8(path, &bytes).map_err(|error| match (error, declared_encoding(&bytes)) {
        // ElementTree and other readers decode what the first line declares.
        (Error::File { path, place, .. }, Some(declared)) => {
            let reason = format!(
                "is not UTF-8 text but {declared}, as its first line says. Save it again as UTF-8, with encoding=\"UTF-8\" in \
                 that line"
            );
            Error::File { path, place, reason }
        }
        (error, _) => error,
    })?;
    parse(text).map_err(|(at, reason)| Error::file(path, format!("line {}", line_of(text.as_bytes(), at)), reason))
}

/// The encoding that the XML declaration of `bytes` names.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(200))?).into_owned();
    let declaration = head.trim_start_matches('\u{feff}').strip_prefix("<?xml")?.split("?>").next()?.to_owned();
    let rest = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start().to_owned();
    let quote = rest.chars().next().filter(|quote| ['\'', '"'].contains(quote))?;
    let name = rest[1..].split(quote).next()?.to_owned();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    (is_name && !name.eq_ignore_ascii_case("utf-8")).then_some(name)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// Parses `text`; an error has its byte.
fn parse(text: &str) -> std::result::Result<VocFile, (usize, String)> {
    let mut reader = Reader::from_str(text);
    let mut file = VocFile::default();
    let mut path: Vec<String> = Vec::new();
    let mut content = String::new();
    let mut draft: Option<Draft> = None;
    let mut has_root = false;
    loop {
        let at = reader.buffer_position() as usize;
        let event =
            reader.read_event().map_err(|e| (reader.error_position() as usize, format!("is not valid XML ({e})")))?;
        let fail = |reason: String| (at, reason);
        match event {
            Event::Start(tag) => {
                has_root = true;
                if path.len() >= MAX_DEPTH {
                    return Err(fail(format!("has tags nested deeper than {MAX_DEPTH}")));
                }
                path.push(String::from_utf8_lossy(tag.local_name().as_ref()).to_lowercase());
                content.clear();
                if is_object(&path) {
                    // Line breaks before the tag belong to the event before it.
                    let object = XmlObject { line: line_of(text.as_bytes(), at), ..XmlObject::default() };
                    draft = Some(Draft { object, ..Draft::default() });
                }
            }
            Event::Text(part) => {
                content.push_str(&part.decode().map_err(|e| fail(e.to_string()))?);
            }
            Event::CData(part) => {
                content.push_str(&part.decode().map_err(|e| fail(e.to_string()))?);
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|e| fail(e.to_string()))?;
                let name = reference.decode().map_err(|e| fail(e.to_string()))?;
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => content.push(character),
                    (None, Some(resolved)) => content.push_str(resolved),
                    (None, None) => return Err(fail(format!("uses the entity &{name};, which is not read"))),
                }
            }
            Event::End(_) => {
                if is_object(&path) {
                    if let Some(draft) = draft.take() {
                        file.objects.push(finished(draft, file.objects.len() + 1).map_err(fail)?);
                    }
                } else {
                    take(&path, content.trim(), &mut file, draft.as_mut()).map_err(fail)?;
                }
                path.pop();
                content.clear();
            }
            Event::DocType(_) => return Err(fail("has a document type; remove it, entities are not read".into())),
            Event::Eof if !path.is_empty() => return Err(fail(format!("ends within <{}>", path.join("><")))),
            Event::Eof if !has_root => return Err(fail("contains no tags".into())),
            Event::Eof => return Ok(file),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// Whether `path` is an object of the annotation, and no part of one.
fn is_object(path: &[String]) -> bool {
    matches!(path, [_, object] if object == "object")
}

/// Takes the text of the tag `path`.
fn take(path: &[String], text: &str, file: &mut VocFile, draft: Option<&mut Draft>) -> std::result::Result<(), String> {
    let names: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
    match (names.as_slice(), draft) {
        (["filename"], _) => file.picture = text.to_owned(),
        // Tools that do not know the size write 0.
        (["size", "width"], _) => file.size[0] = text.parse().ok().filter(|side| *side > 0.0),
        (["size", "height"], _) => file.size[1] = text.parse().ok().filter(|side| *side > 0.0),
        (["object", "name"], Some(draft)) => draft.object.class = text.to_owned(),
        (["object", "difficult"], Some(draft)) => {
            draft.object.is_difficult = match text.to_lowercase().as_str() {
                "1" | "true" | "yes" => true,
                "" | "0" | "false" | "no" | "unspecified" => false,
                _ => return Err(format!("<difficult> is '{text}', not 0 or 1")),
            }
        }
        (["object", "robndbox", ..], Some(draft)) => draft.is_rotated = true,
        (["object", "bndbox", corner], Some(draft)) => {
            if let Some(index) = CORNERS.iter().position(|known| known == corner) {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                draft.corners[index] = Some(number.ok_or_else(|| format!("<{corner}> is '{text}', not a number"))?);
            }
        }
        _ => {}
    }
    Ok(())
}

/// The object, `number` counted from 1, if it is complete.
fn finished(draft: Draft, number: usize) -> std::result::Result<XmlObject, String> {
    let Draft { mut object, corners, is_rotated } = draft;
    if object.class.is_empty() {
        return Err(format!("object {number} has no <name>"));
    }
    let named = format!("object {number} ({})", object.class);
    for ((corner, value), name) in object.corners.iter_mut().zip(corners).zip(CORNERS) {
        *corner = value.ok_or_else(|| match is_rotated {
            true => format!("{named} has a rotated box; upright boxes are read"),
            false => format!("{named} has no <bndbox> with <{name}>"),
        })?;
    }
    let [left, top, right, bottom] = object.corners;
    if left > right || top > bottom {
        return Err(format!(
            "{named} has xmin {left}, ymin {top}, xmax {right}, ymax {bottom}: a maximum is below its minimum"
        ));
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let (at, reason) = parse(text).unwrap_err();
        format!("{}: {reason}", line_of(text.as_bytes(), at))
    }

    #[test]
    fn tags_in_any_order_with_parts_floats_and_attributes() {
        let text = "<?xml version=\"1.0\"?><!-- a -->\n<Annotation verified=\"yes\"><object><bndbox><ymax>4.5</ymax>\
                    <ymin> 1.25 </ymin><xmax>30</xmax><xmin>2e1</xmin></bndbox><polygon><x1>3</x1></polygon>\
                    <Difficult>true</Difficult><name>R &amp; <![CDATA[B]]>&#67;</name><part><name>head</name><bndbox>\
                    <xmin>0</xmin></bndbox></part><attributes/></object>\n\
                    <size><depth>3</depth><height>0</height><width>40</width></size><filename>a.jpg</filename></Annotation>";
        let file = parse(text).unwrap();
        let object =
            XmlObject { class: "R & BC".into(), corners: [20.0, 1.25, 30.0, 4.5], is_difficult: true, line: 2 };
        assert_eq!(file, VocFile { picture: "a.jpg".into(), size: [Some(40.0), None], objects: vec![object] });
        assert_eq!(parse("<annotation></annotation>").unwrap().objects.len(), 0);
    }

    #[test]
    fn entities_depth_and_damage_are_refused_with_their_line() {
        let bomb =
            "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]>\n<a><object><name>&c;</name></object></a>";
        assert!(refused(bomb).contains("document type"));
        assert_eq!(refused("<a>\n<filename>&c;</filename></a>"), "2: uses the entity &c;, which is not read");
        assert!(refused(&"<a>".repeat(1000)).contains("nested deeper than 32"));
        assert!(refused("<a><object>").contains("ends within <a><object>"));
        assert!(refused("<a></b>").contains("not valid XML"));
        assert!(refused("plain").contains("no tags"));
        assert!(refused("<a><object></object></a>").contains("object 1 has no <name>"));
        let boxed = |inner: &str| refused(&format!("<a>\n<object><name>x</name>{inner}</object></a>"));
        assert!(boxed("").contains("2: object 1 (x) has no <bndbox> with <xmin>"));
        assert!(boxed("<robndbox><cx>3</cx></robndbox>").contains("rotated"));
        assert!(boxed("<bndbox><xmin>NaN</xmin></bndbox>").contains("'NaN', not a number"));
        assert!(boxed("<difficult>maybe</difficult>").contains("not 0 or 1"));
        let reversed = "<bndbox><xmin>9</xmin><ymin>1</ymin><xmax>3</xmax><ymax>2</ymax></bndbox>";
        assert!(boxed(reversed).contains("below its minimum"), "{}", boxed(reversed));
    }

    #[test]
    fn other_encodings_are_refused_with_the_one_to_save_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.xml");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path).unwrap_err().to_string()
        };
        let declared = refused(b"<?xml version=\"1.0\" encoding='ISO-8859-1'?>\n<a><filename>M\xfc.jpg</filename></a>");
        assert!(
            declared.contains("a.xml: line 2: is not UTF-8 text but ISO-8859-1, as its first line says. Save it again"),
            "{declared}"
        );
        let silent = refused(b"<a>\n<filename>\xd6l.jpg</filename></a>");
        assert!(silent.contains("a.xml: line 2: is not UTF-8 text (byte 0xD6)"), "{silent}");
        let wide: Vec<u8> = "\u{feff}<a></a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(refused(&wide).contains("is UTF-16 text. Save it again as UTF-8"));
        assert!(refused(&wide[2..]).contains("is UTF-16 text"));
        // Only what is declared, and no byte of it.
        std::fs::write(&path, "<?xml version=\"1.0\" encoding=\"GB2312\"?><a></a>").unwrap();
        assert!(read(&path).is_ok());
    }
}
