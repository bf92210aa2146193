//! Fields of COCO files in any type, with the place of what does not fit.
//!
//! Serde alone would name a column in a line of gigabytes.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::data::bounded_read::open;
use crate::data::files::text::check_utf8;
use crate::{Error, Result};

/// The identity of a picture, category or annotation: a whole number or a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    Number(i64),
    Text(Box<str>),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "'{text}'"),
        }
    }
}

/// A value of any type; lists and objects are skipped.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar {
    #[default]
    Missing,
    Integer(i64),
    Number(f64),
    Flag(bool),
    Text(Box<str>),
    Other,
}

/// Four numbers of a box, or why there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum BoxField {
    #[default]
    Missing,
    Four([f64; 4]),
    /// A list of another length, or with other values than numbers.
    Other,
}

impl Scalar {
    /// The identity; `None` for anything else than whole numbers and texts. A whole `1.0` is 1.
    pub fn id(self) -> Option<Id> {
        match self {
            Self::Integer(number) => Some(Id::Number(number)),
            // Beyond 2^53 not every whole number is a float.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Some(Id::Number(number as i64)),
            Self::Text(text) => Some(Id::Text(text)),
            _ => None,
        }
    }
    /// The number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
    /// A flag: true, false, 0 or 1; `false` if it is missing.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Missing => Some(false),
            Self::Flag(flag) => Some(*flag),
            other => other.number().filter(|number| [0.0, 1.0].contains(number)).map(|number| number == 1.0),
        }
    }
    /// How the value stands in a sentence.
    pub fn shown(&self) -> String {
        match self {
            Self::Missing => "missing".into(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => format!("'{}'", text.chars().take(40).collect::<String>()),
            Self::Other => "a list or an object".into(),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyType;
        impl<'de> Visitor<'de> for AnyType {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Flag(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
                // Hashes of 64 bits are identities too.
                Ok(i64::try_from(value).map_or_else(|_| Scalar::Text(value.to_string().into()), Scalar::Integer))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.into()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Missing)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(AnyType)
    }
}

impl<'de> Deserialize<'de> for BoxField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Four;
        impl<'de> Visitor<'de> for Four {
            type Value = BoxField;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a box of four numbers")
            }
            fn visit_unit<E: de::Error>(self) -> Result<BoxField, E> {
                Ok(BoxField::Missing)
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<BoxField, E> {
                Ok(BoxField::Other)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<BoxField, E> {
                Ok(BoxField::Other)
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<BoxField, E> {
                Ok(BoxField::Other)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<BoxField, E> {
                Ok(BoxField::Other)
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<BoxField, E> {
                Ok(BoxField::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BoxField, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(BoxField::Other)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BoxField, A::Error> {
                let (mut numbers, mut count, mut is_box) = ([0.0; 4], 0, true);
                while let Some(value) = list.next_element::<Scalar>()? {
                    match (numbers.get_mut(count), value.number()) {
                        (Some(number), Some(value)) => *number = value,
                        _ => is_box = false,
                    }
                    count += 1;
                }
                Ok(if is_box && count == 4 { BoxField::Four(numbers) } else { BoxField::Other })
            }
        }
        deserializer.deserialize_any(Four)
    }
}

impl BoxField {
    /// Left, top, width and height, none of them below 0 as a size.
    ///
    /// # Errors
    /// The reason, in words after the place.
    pub fn checked(&self) -> Result<[f64; 4], String> {
        match *self {
            Self::Missing => Err("has no bbox".into()),
            Self::Other => Err("has a bbox that is no list of four numbers: left, top, width and height".into()),
            Self::Four(numbers) if numbers.iter().any(|number| !number.is_finite()) => {
                Err("has a bbox with a number that is not finite".into())
            }
            Self::Four([left, top, width, height]) if width < 0.0 || height < 0.0 => Err(format!(
                "has the bbox [{left}, {top}, {width}, {height}] with a negative size; boxes are left, top, width and height"
            )),
            Self::Four(numbers) => Ok(numbers),
        }
    }
}

/// Reads a JSON file, which begins with `bracket`, as `T`. Memory grows with the bytes of the file.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with line and column for text that is no such JSON.
pub(super) fn read_json<T: for<'de> Deserialize<'de>>(path: &Path, bracket: u8) -> Result<T> {
    let mut text = Vec::new();
    open(path)?.read_to_end(&mut text).map_err(|e| Error::io(path, e))?;
    // Editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    serde_json::from_slice(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        // Of a text in another encoding the error of JSON says nothing of use.
        let other = check_utf8(path, text).err();
        other.unwrap_or_else(|| Error::file(path, place, reason_of(&error, text, bracket)))
    })
}

/// What is wrong, without the place that the message repeats.
fn reason_of(error: &serde_json::Error, text: &[u8], bracket: u8) -> String {
    let line = text.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let near = line.get(error.column().saturating_sub(2)..).unwrap_or_default();
    let near = String::from_utf8_lossy(near.get(..near.len().min(12)).unwrap_or_default()).into_owned();
    if ["NaN", "Infinity"].iter().any(|word| near.contains(word)) {
        return "has NaN or Infinity, which are no numbers of JSON; a score and a box have finite numbers".into();
    }
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or(&message);
    // A list in place of an object fails at its first entry, with a reason that says nothing of either.
    let outer = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match (error.is_data(), outer, bracket) {
        (true, Some(b'['), b'{') => {
            "is not as COCO writes it: it is a list, as results are; ground truth is an object with images, annotations and \
             categories"
                .into()
        }
        (true, Some(b'{'), b'[') => {
            "is not as COCO writes it: it is an object, as ground truth is; results are a list of boxes with scores".into()
        }
        (true, ..) => format!("is not as COCO writes it ({reason})"),
        (false, ..) => format!("is not valid JSON ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_flags_and_boxes_of_any_type() {
        let scalars: Vec<Scalar> =
            serde_json::from_str("[1, -2, 3.0, 1.5, \"a\", null, [1, [2]], {\"a\": 1}, true, 18446744073709551615]")
                .unwrap();
        let ids: Vec<Option<Id>> = scalars.iter().cloned().map(Scalar::id).collect();
        let number = |n| Some(Id::Number(n));
        assert_eq!(ids[..4], [number(1), number(-2), number(3), None]);
        assert_eq!((ids[4].clone(), ids[5].clone(), ids[6].clone()), (Some(Id::Text("a".into())), None, None));
        assert_eq!(ids[9], Some(Id::Text("18446744073709551615".into())));
        assert_eq!([0, 1, 5, 8].map(|k| scalars[k].flag()), [Some(true), None, Some(false), Some(true)]);
        let boxes: Vec<BoxField> = serde_json::from_str(
            "[[1, 2.5, 3, 4], [1, 2, 3], [1, 2, 3, \"4\"], null, 3, {}, [1, 2, -3, 4], [1,2,3,4,5]]",
        )
        .unwrap();
        assert_eq!(boxes[0].checked(), Ok([1.0, 2.5, 3.0, 4.0]));
        assert!(boxes[1..].iter().all(|field| field.checked().is_err()));
        assert!(boxes[6].checked().unwrap_err().contains("negative"));
    }

    #[test]
    fn damaged_json_names_line_and_column() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_json::<Vec<Scalar>>(&path, b'[').unwrap_err().to_string()
        };
        assert!(
            refused("[1,\n 2").contains("a.json: line 2, column 2: is not valid JSON (EOF"),
            "{}",
            refused("[1,\n 2")
        );
        assert!(refused("\u{feff}[1, NaN]").contains("NaN or Infinity"));
        assert!(refused("[1, NaN]").contains("NaN or Infinity"), "{}", refused("[1, NaN]"));
        let bytes = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read_json::<Vec<Scalar>>(&path, b'[').unwrap_err().to_string()
        };
        let latin = bytes(b"[1,\n\"M\xfcller\"]");
        assert!(latin.contains("a.json: line 2: is not UTF-8 text (byte 0xFC); files in Latin-1"), "{latin}");
        assert!(latin.ends_with("Save it again as UTF-8."), "{latin}");
        for wide in [&b"\xff\xfe[\0]\0"[..], b"[\0]\0", b"\0[\0]"] {
            assert!(bytes(wide).contains("is UTF-16 text. Save it again as UTF-8"), "{}", bytes(wide));
        }
        assert!(refused("[1, -Infinity]").contains("NaN or Infinity"), "{}", refused("[1, -Infinity]"));
        assert!(refused("{}").contains("not as COCO writes it"), "{}", refused("{}"));
        assert!(refused(&"[".repeat(100_000)).contains("not valid JSON"));
    }
}
