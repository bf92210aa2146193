//! The lines of text before the words of a DAT or RAW recording.

/// The text before the words of a DAT or RAW file: lines that begin with `%`.
#[derive(Debug, Default)]
pub(super) struct TextHeader {
    /// Its lines in lower case, without the percent sign.
    lines: Vec<String>,
    /// Its length in bytes.
    pub len: usize,
}

impl TextHeader {
    /// Reads the lines at the beginning of `bytes`.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut header = Self::default();
        while bytes.get(header.len) == Some(&b'%') {
            let rest = &bytes[header.len..];
            let Some(end) = rest.iter().position(|&b| b == b'\n') else { break };
            // Words may begin with the same byte; a line of text has no control characters.
            if rest[..end].iter().any(|&b| b < 9) {
                break;
            }
            let line = String::from_utf8_lossy(&rest[1..end]).trim().to_lowercase();
            header.len += end + 1;
            if line == "end" {
                break;
            }
            header.lines.push(line);
        }
        header
    }
    /// What follows `key` in the first line that begins with it.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(key)).map(str::trim)
    }
    /// The version of EVT that the text names: `evt 3.0`, or `format EVT3;…`.
    pub fn evt(&self) -> Option<String> {
        self.value("evt").map(str::to_owned).or_else(|| {
            let format = self.value("format")?.split(';').next()?.trim();
            format.strip_prefix("evt").map(str::to_owned)
        })
    }
    /// The time in microseconds that all times are counted from, 0 if the text does not state it.
    pub fn start(&self) -> i64 {
        self.value("t0").and_then(|text| text.parse().ok()).unwrap_or(0)
    }
    /// Width and height of the sensor, if the text states them.
    pub fn sensor(&self) -> Option<[usize; 2]> {
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| (1..=4096).contains(n));
        let of_format = |key: &str| {
            let format = self.value("format")?;
            number(format.split(';').find_map(|part| part.trim().strip_prefix(key))?)
        };
        let geometry = || {
            let (width, height) = self.value("geometry")?.trim_start_matches(':').split_once('x')?;
            Some([number(width)?, number(height)?])
        };
        let lines = || Some([number(self.value("width")?)?, number(self.value("height")?)?]);
        geometry().or_else(|| Some([of_format("width=")?, of_format("height=")?])).or_else(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_and_sensor_are_told_in_every_way() {
        let text = b"% evt 3.0\n% format EVT3;height=720;width=1280\n% end\n%x\n";
        let header = TextHeader::parse(text);
        assert_eq!(
            (header.evt().as_deref(), header.sensor(), header.len),
            (Some("3.0"), Some([1280, 720]), text.len() - 3)
        );
        let format = TextHeader::parse(b"% format EVT2;height=48;width=64\n");
        assert_eq!((format.evt().as_deref(), format.sensor()), (Some("2"), Some([64, 48])));
        assert_eq!(TextHeader::parse(b"% geometry 64x48\n\x00").sensor(), Some([64, 48]));
        assert_eq!(TextHeader::parse(b"% Height 48\n% Width 64\n").sensor(), Some([64, 48]));
        assert_eq!(TextHeader::parse(b"%\x00\x01\n").len, 0);
        assert_eq!(TextHeader::parse(b"no text").len, 0);
    }
}
