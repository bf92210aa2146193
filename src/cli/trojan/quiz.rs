//! Command `trojan quiz`: the blind question in a terminal, and the automatic judge.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::interrupt::cancel_on_interrupt;
use crate::cli::progress::Progress;
use crate::files::write_atomic_with;
use crate::trojan::judge::JUDGE_NAME;
use crate::trojan::quiz::{Answer, CHANCE, Question, STATISTICS, judge_all, read_answers, statistics, write_answers};
use crate::trojan::synthesis::{Method, SynthesisIndex};
use crate::{Error, Result};

/// Name the trigger from pictures alone: one of eight, without being told which tool made them for which trojan.
#[derive(Args, Clone, Debug)]
pub struct QuizArgs {
    /// Folder of `trojan synthesize`
    pub folder: PathBuf,
    /// Synthesis methods to be asked about, with commas between them, or all
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub methods: String,
    /// Who answers; kept with the answers
    #[arg(long, value_name = "NAME", default_value = "person")]
    pub name: String,
    /// person (asks here) or automatic (a small network trained on drawings of the triggers; neither the trojaned network
    /// nor CLIP)
    #[arg(long, value_name = "person|automatic", default_value = "person")]
    pub judge: String,
    /// Questions at most
    #[arg(long, value_name = "N")]
    pub questions: Option<usize>,
    /// Decides the order of questions and options
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// Width of the terminal in characters where it does not say.
const COLUMNS: usize = 120;

/// Runs the command.
///
/// # Errors
/// Those of the folder and of writing; [`Error::Invalid`] for an unknown word.
pub(super) fn run(args: &QuizArgs) -> Result<()> {
    let methods = Method::parse_list(&args.methods)?;
    let index = SynthesisIndex::open(&args.folder)?;
    let mut answers = read_answers(&args.folder)?;
    match args.judge.as_str() {
        "automatic" => {
            let display = Progress::new();
            let control = display.control(true);
            cancel_on_interrupt(&control)?;
            let given = judge_all(&args.folder, &index, &methods, &answers, &control);
            display.clear();
            answers.extend(given?);
            write_answers(&args.folder, &answers)?;
        }
        "person" if args.name == JUDGE_NAME => {
            return Err(Error::Invalid(format!("Cannot answer as '{JUDGE_NAME}': that is the automatic judge.")));
        }
        "person" => ask(args, &index, &methods, &mut answers)?,
        other => {
            return Err(Error::Invalid(format!("Cannot use judge '{other}': unknown word. Use person or automatic.")));
        }
    }
    print_statistics(&answers);
    println!("wrote {}", args.folder.join(STATISTICS).display());
    Ok(())
}

/// Asks until there are no questions, no input, or a q.
fn ask(args: &QuizArgs, index: &SynthesisIndex, methods: &[Method], answers: &mut Vec<Answer>) -> Result<()> {
    let mut questions = Question::open_ones(index, methods, answers, &args.name, args.seed)?;
    questions.truncate(args.questions.unwrap_or(questions.len()));
    let total = questions.len();
    if total == 0 {
        println!("{} has answered all questions of these methods.", args.name);
    }
    let mut input = std::io::stdin().lock();
    for (k, question) in questions.iter().enumerate() {
        let (shape, pictures) = index.items[question.item].pictures(&args.folder)?;
        let sheet = args.folder.join("question.png");
        write_sheet(&sheet, shape, &pictures)?;
        println!("\nQuestion {} of {total}: which trigger do these pictures show? ({})", k + 1, sheet.display());
        if std::io::stdout().is_terminal() {
            print_pictures(shape, &pictures);
        }
        for (option, trigger) in question.options.iter().enumerate() {
            println!("  {}  {}", option + 1, trigger.name());
        }
        let Some(option) = read_option(&mut input)? else { break };
        answers.push(question.answer(index, &args.name, option, None));
        write_answers(&args.folder, answers)?;
    }
    write_answers(&args.folder, answers)
}

/// A number from 1 to 8, less one; `None` for q and at the end of the input.
fn read_option(input: &mut impl BufRead) -> Result<Option<usize>> {
    loop {
        print!("1 to 8, or q to stop: ");
        std::io::stdout().flush().map_err(|error| Error::Internal(error.to_string()))?;
        let mut line = String::new();
        if input.read_line(&mut line).map_err(|error| Error::Internal(error.to_string()))? == 0 {
            println!();
            return Ok(None);
        }
        match line.trim() {
            "q" => return Ok(None),
            text => match text.parse::<usize>() {
                Ok(option @ 1..=8) => return Ok(Some(option - 1)),
                _ => println!("'{text}' is no number from 1 to 8."),
            },
        }
    }
}

/// The color of a pixel, 0 to 255.
fn color(picture: &[f32], [channels, height, width]: [usize; 3], y: usize, x: usize) -> [u8; 3] {
    let channel = |c: usize| picture[((c % channels) * height + y.min(height - 1)) * width + x.min(width - 1)];
    [0, 1, 2].map(|c| (255.0 * channel(if channels >= 3 { c } else { 0 })).clamp(0.0, 255.0) as u8)
}

/// The pictures side by side, two pixels a character, in 24-bit color.
fn print_pictures([count, channels, height, width]: [usize; 4], pictures: &[f32]) {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(COLUMNS);
    let in_line = (columns / (width + 1)).max(1);
    let shape = [channels, height, width];
    let len = channels * height * width;
    let mut text = String::new();
    for first in (0..count).step_by(in_line) {
        for y in (0..height).step_by(2) {
            for picture in pictures.chunks_exact(len).skip(first).take(in_line) {
                for x in 0..width {
                    let ([r, g, b], [r2, g2, b2]) = (color(picture, shape, y, x), color(picture, shape, y + 1, x));
                    text += &format!("\x1b[38;2;{r};{g};{b};48;2;{r2};{g2};{b2}m▀");
                }
                text += "\x1b[0m ";
            }
            text.push('\n');
        }
        text.push('\n');
    }
    print!("{text}");
}

/// The pictures as one file, five in a row, four times as large.
fn write_sheet(path: &Path, [count, channels, height, width]: [usize; 4], pictures: &[f32]) -> Result<()> {
    const SCALE: usize = 4;
    let columns = count.clamp(1, 5);
    let (w, h) = (columns * (width + 1) * SCALE, count.div_ceil(columns) * (height + 1) * SCALE);
    let len = channels * height * width;
    let sheet = image::RgbImage::from_fn(w as u32, h as u32, |x, y| {
        let (x, y) = (x as usize / SCALE, y as usize / SCALE);
        let (column, row) = (x / (width + 1), y / (height + 1));
        let picture = pictures.chunks_exact(len).nth(row * columns + column);
        let inside = x % (width + 1) < width && y % (height + 1) < height;
        let pixel = |picture| color(picture, [channels, height, width], y % (height + 1), x % (width + 1));
        image::Rgb(picture.filter(|_| inside).map_or([40; 3], pixel))
    });
    write_atomic_with(path, |file| {
        sheet
            .write_to(&mut std::io::BufWriter::new(file), image::ImageFormat::Png)
            .map_err(|error| Error::Internal(format!("cannot write {}: {error}", path.display())))
    })
}

fn print_statistics(answers: &[Answer]) {
    if answers.is_empty() {
        return;
    }
    println!("{:<16} {:<18} {:>8} {:>8}   95 % interval (chance {CHANCE})", "judge", "method", "answers", "right");
    for row in statistics(answers).iter().filter(|row| row.kind == "all") {
        let (low, high) = row.interval;
        println!(
            "{:<16} {:<18} {:>8} {:>8.3}   {low:.3} to {high:.3}",
            row.judge,
            row.method,
            row.answers,
            row.correct as f64 / row.answers.max(1) as f64
        );
    }
}
