//! Options of a data specification: words after the files that state what the files leave open.

use std::fmt;

use super::layout::Layout;

/// What the user states about the files of a specification; `None` for what the reader finds out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadOptions {
    /// `layout=nchw|nhwc`: order of the values where the shapes leave it open.
    pub layout: Option<Layout>,
    /// `classes=text|number`: order of class folders named by numbers.
    pub classes: Option<ClassOrder>,
    /// `background=white|black`: what transparent pixels lie on.
    pub background: Option<Background>,
    /// `split=train|test|val`: which arrays of an archive.
    pub split: Option<Part>,
    /// `split=NAME` of a Pascal VOC folder: the list of pictures `ImageSets/Main/NAME.txt`; of label masks: the folders
    /// of a part.
    pub list: Option<String>,
    /// `x=NAME`: the array of samples in an archive.
    pub x: Option<String>,
    /// `y=NAME`: the array of labels in an archive; `none` for no labels.
    pub y: Option<String>,
    /// `fit=stretch|letterbox|crop`: how pictures with masks or boxes become samples of another size.
    pub fit: Option<PictureFit>,
    /// `size=WxH`: size of the samples in pixels, of pictures with masks or boxes and of generated scenes.
    pub size: Option<[u32; 2]>,
    /// `meaning=classes|instances`: what the numbers in label masks are.
    pub meaning: Option<MaskMeaning>,
    /// `void=N|none`: the number in label masks for pixels that do not count.
    pub void: Option<VoidNumber>,
    /// `origin=0|1`: the coordinate of the first pixel of a picture.
    pub origin: Option<Origin>,
    /// `difficulty=0..1` of generated scenes, in hundredths.
    pub difficulty: Option<u8>,
    /// `seed=N`: other scenes of the same kind.
    pub seed: Option<u32>,
}

/// How a picture becomes a sample of another size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PictureFit {
    /// Scaled to the sample; its sides may change their ratio.
    #[default]
    Stretch,
    /// Scaled to lie within the sample, on black.
    Letterbox,
    /// Its middle part with the ratio of the sample, scaled.
    Crop,
}

/// What the numbers in a label mask are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaskMeaning {
    /// Class indices.
    Classes,
    /// Numbers of objects; 0 is the ground.
    Instances,
}

/// The number in a label mask for pixels that do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VoidNumber {
    None,
    Number(u16),
}

/// The coordinate of the first pixel, and with it what box coordinates are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Corners between pixels: a box around the first pixel is 0, 0, 1, 1.
    Zero,
    /// Numbers of pixels: a box around the first pixel is 1, 1, 1, 1 (Pascal VOC).
    One,
}

/// Order in which class names that are numbers become class indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClassOrder {
    /// Sorted as text, numbered from 0: 0, 1, 10, 11, 2 (torchvision's ImageFolder).
    Text,
    /// The number itself.
    Number,
}

/// The color under transparent pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Background {
    #[default]
    White,
    Black,
}

/// A part of a data set with arrays of its own in one archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Test,
    Validation,
    Train,
}

/// Maximum width and height of pictures in pixels; larger ones are refused by their header.
pub const MAX_SIDE: u32 = 4096;

/// The options that exist, with their words.
const KEYS: [(&str, &str); 13] = [
    ("layout", "nchw or nhwc"),
    ("classes", "text or number"),
    ("background", "white or black"),
    ("split", "train, test or val"),
    ("x", "the name of an array"),
    ("y", "the name of an array, or none"),
    ("fit", "stretch, letterbox or crop"),
    ("size", "a width and a height such as 96x64, or one number for both, from 1 to 4096"),
    ("meaning", "classes or instances"),
    ("void", "a number from 0 to 65535, or none"),
    ("origin", "0 or 1"),
    ("difficulty", "a number from 0 to 1 with at most two digits after the point"),
    ("seed", "a whole number from 0 to 4294967295"),
];

impl ClassOrder {
    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
        }
    }
}

impl Background {
    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Black => "black",
        }
    }
}

impl Part {
    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "val",
            Self::Train => "train",
        }
    }
}

impl PictureFit {
    /// All fits.
    pub const ALL: [Self; 3] = [Self::Stretch, Self::Letterbox, Self::Crop];

    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stretch => "stretch",
            Self::Letterbox => "letterbox",
            Self::Crop => "crop",
        }
    }
}

impl MaskMeaning {
    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classes => "classes",
            Self::Instances => "instances",
        }
    }
}

impl Origin {
    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zero => "0",
            Self::One => "1",
        }
    }
}

impl fmt::Display for VoidNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl ReadOptions {
    /// The names of all options.
    pub const KEYS: [&str; KEYS.len()] = [
        "layout",
        "classes",
        "background",
        "split",
        "x",
        "y",
        "fit",
        "size",
        "meaning",
        "void",
        "origin",
        "difficulty",
        "seed",
    ];

    /// Sets option `key`. Returns whether there is an option of this name.
    ///
    /// # Errors
    /// The reason why `value` is invalid, in a sentence.
    pub fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let Some((_, words)) = KEYS.iter().find(|(known, _)| *known == key) else { return Ok(false) };
        let value = value.trim();
        let known = match key {
            "layout" => set_word(&mut self.layout, value, Layout::ALL, Layout::as_str),
            "classes" => set_word(&mut self.classes, value, [ClassOrder::Text, ClassOrder::Number], ClassOrder::as_str),
            "background" => {
                set_word(&mut self.background, value, [Background::White, Background::Black], Background::as_str)
            }
            "split" => set_word(&mut self.split, value, [Part::Test, Part::Validation, Part::Train], Part::as_str),
            "x" => set_name(&mut self.x, value),
            "fit" => set_word(&mut self.fit, value, PictureFit::ALL, PictureFit::as_str),
            "size" => set_parsed(&mut self.size, size_of(value)),
            "meaning" => {
                set_word(&mut self.meaning, value, [MaskMeaning::Classes, MaskMeaning::Instances], MaskMeaning::as_str)
            }
            "void" => set_parsed(&mut self.void, void_of(value)),
            "origin" => set_word(&mut self.origin, value, [Origin::Zero, Origin::One], Origin::as_str),
            "difficulty" => set_parsed(&mut self.difficulty, hundredths_of(value)),
            "seed" => set_parsed(&mut self.seed, value.parse().ok()),
            _ => set_name(&mut self.y, value),
        };
        if known { Ok(true) } else { Err(format!("Cannot use {key}={value}: use {words}")) }
    }

    /// Sets the list of a Pascal VOC folder, or the part of another, which its option `split` names.
    ///
    /// # Errors
    /// The reason why `name` is none, in a sentence.
    pub fn set_list(&mut self, name: &str) -> Result<(), String> {
        let name = name.trim();
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(format!(
                "Cannot use split={name}: use the name of a list in ImageSets/Main or of a folder, as in trainval"
            ));
        }
        self.list = Some(name.to_owned());
        Ok(())
    }
}

fn set_word<T: Copy>(
    option: &mut Option<T>,
    text: &str,
    all: impl IntoIterator<Item = T>,
    word: fn(T) -> &'static str,
) -> bool {
    *option = all.into_iter().find(|&value| word(value) == text);
    option.is_some()
}

fn set_name(option: &mut Option<String>, text: &str) -> bool {
    *option = (!text.is_empty()).then(|| text.to_owned());
    option.is_some()
}

fn set_parsed<T>(option: &mut Option<T>, value: Option<T>) -> bool {
    *option = value;
    option.is_some()
}

/// Width and height in `text`.
fn size_of(text: &str) -> Option<[u32; 2]> {
    let (width, height) = text.split_once('x').unwrap_or((text, text));
    let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MAX_SIDE).contains(side));
    Some([side(width)?, side(height)?])
}

fn void_of(text: &str) -> Option<VoidNumber> {
    if text == "none" { Some(VoidNumber::None) } else { text.parse().ok().map(VoidNumber::Number) }
}

/// A number from 0 to 1 in hundredths.
fn hundredths_of(text: &str) -> Option<u8> {
    let hundredths = text.parse::<f64>().ok().filter(|value| (0.0..=1.0).contains(value))? * 100.0;
    ((hundredths - hundredths.round()).abs() < 1e-9).then_some(hundredths.round() as u8)
}

/// Whether `part` of a specification has the form of an option, `key=value`, with a key among `keys`.
pub fn split_option<'a>(part: &'a str, keys: &[&str]) -> Option<(&'a str, &'a str)> {
    part.trim().split_once('=').filter(|(key, _)| keys.contains(key))
}

impl fmt::Display for ReadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |word: &'static str| word.to_owned();
        let words = [
            ("layout", self.layout.map(Layout::as_str).map(word)),
            ("classes", self.classes.map(ClassOrder::as_str).map(word)),
            ("background", self.background.map(Background::as_str).map(word)),
            ("split", self.split.map(Part::as_str).map(word).or_else(|| self.list.clone())),
            ("x", self.x.clone()),
            ("y", self.y.clone()),
            ("fit", self.fit.map(PictureFit::as_str).map(word)),
            ("size", self.size.map(|[width, height]| format!("{width}x{height}"))),
            ("meaning", self.meaning.map(MaskMeaning::as_str).map(word)),
            ("void", self.void.map(|number| number.to_string())),
            ("origin", self.origin.map(Origin::as_str).map(word)),
            ("difficulty", self.difficulty.map(|hundredths| (f64::from(hundredths) / 100.0).to_string())),
            ("seed", self.seed.map(|seed| seed.to_string())),
        ];
        words
            .iter()
            .filter_map(|(key, word)| Some((key, word.as_ref()?)))
            .try_for_each(|(key, word)| write!(f, ",{key}={word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_round_trip_and_invalid_words_name_the_valid_ones() {
        let mut options = ReadOptions::default();
        let text = ",layout=nhwc,classes=text,background=black,split=train,x=a,y=none,fit=crop,size=96x64,\
                    meaning=instances,void=none,origin=1,difficulty=0.35,seed=7";
        for (key, value) in text.split(',').filter_map(|part| part.split_once('=')) {
            assert_eq!(options.set(key, value), Ok(true));
        }
        assert_eq!(options.to_string(), text);
        assert!(options.set("layout", "hcw").unwrap_err().contains("nchw or nhwc"));
        for (key, value) in [
            ("size", "0"),
            ("size", "9999x2"),
            ("void", "-1"),
            ("difficulty", "0.123"),
            ("origin", "2"),
            ("seed", "-1"),
        ] {
            assert!(options.set(key, value).is_err(), "{key}={value}");
        }
        assert_eq!((options.set("size", "64"), options.size), (Ok(true), Some([64, 64])));
        assert_eq!(options.set("frames", "3"), Ok(false));
        let mut listed = ReadOptions::default();
        assert_eq!((listed.set_list(" trainval"), listed.to_string()), (Ok(()), ",split=trainval".into()));
        assert!(listed.set_list("../x").is_err() && listed.set_list("").is_err());
        assert_eq!(split_option(" layout=nhwc", &["layout"]), Some(("layout", "nhwc")));
        assert_eq!(split_option("b/t=3", &["layout"]), None);
    }
}
