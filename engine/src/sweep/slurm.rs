//! Scripts that run a plan as array jobs of Slurm, one task for each row.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::plan::Plan;
use super::predict::Prediction;
use crate::files::write_bytes;
use crate::{Error, Result};

/// Slurm's own `MaxArraySize`, where the site's is not known.
const DEFAULT_ARRAY_SIZE: usize = 1001;

/// What the scripts are written for.
#[derive(Clone, Debug)]
pub struct SlurmOptions {
    /// Folder for the results of the rows.
    pub out: PathBuf,
    /// The program, with its path.
    pub program: PathBuf,
    /// The folder in which paths of the plan begin.
    pub folder: PathBuf,
    /// Processors of a task.
    pub threads: usize,
    /// Tasks that run at once.
    pub concurrent: usize,
    /// Largest number of tasks of an array.
    pub array_size: usize,
    /// Time and memory of a row.
    pub prediction: Prediction,
}

/// The site's `MaxArraySize`: what `scontrol` says, or Slurm's default.
pub fn max_array_size() -> usize {
    let output = Command::new("scontrol").args(["show", "config"]).output().ok();
    let text = output
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.as_deref().and_then(array_size_of).unwrap_or(DEFAULT_ARRAY_SIZE)
}

fn array_size_of(config: &str) -> Option<usize> {
    let line = config.lines().find(|line| line.trim_start().starts_with("MaxArraySize"))?;
    line.split('=').nth(1)?.trim().parse().ok().filter(|&size| size > 0)
}

/// The first and the last line of what the user fills in for a cluster.
const SITE: &str = "# ---- site: what this cluster needs. Add options such as";
const END_OF_SITE: &str = "# ---- end of site";
/// What stands between them at first.
const EMPTY_SITE: &str = "# ----   #SBATCH --partition=NAME   (one # before SBATCH makes it count)\n\
                          # ---- and commands such as\n\
                          # ----   module load NAME\n\n";

/// Scripts that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenJobs {
    /// The names of the arrays' scripts.
    pub scripts: Vec<String>,
    /// Whether a block *site* that the user filled in before was kept.
    pub kept_site: bool,
}

/// Writes the scripts, a copy of the plan and a README into the folder `jobs`. The block *site* of a script that is there already
/// stays; an array that is new has that of the first one.
///
/// # Errors
/// [`Error::Io`]; [`Error::Invalid`] for a folder whose name Slurm cannot read.
pub fn write_jobs(plan: &Plan, jobs: &Path, options: &SlurmOptions) -> Result<WrittenJobs> {
    // Slurm replaces no pattern in a name with a backslash, so that all tasks would write one file.
    if jobs.to_string_lossy().contains(['\\', '\n']) {
        let why = "Slurm cannot read a name with a backslash or a line break";
        return Err(Error::Invalid(format!("Cannot write scripts to {}: {why}. Use another folder.", jobs.display())));
    }
    let logs = jobs.join("logs");
    std::fs::create_dir_all(&logs).map_err(|error| Error::io(&logs, error))?;
    let text = std::fs::read(&plan.path).map_err(|error| Error::io(&plan.path, error))?;
    write_bytes(&jobs.join("plan.toml"), &text)?;
    let jobs = std::path::absolute(jobs).map_err(|error| Error::io(jobs, error))?;
    let starts: Vec<usize> = (0..plan.rows()).step_by(options.array_size).collect();
    let digits = starts.len().to_string().len();
    let names: Vec<String> = (0..starts.len()).map(|array| format!("array-{array:0digits$}.sbatch")).collect();
    let sites: Vec<Option<String>> = names.iter().map(|name| site_of(&jobs.join(name))).collect();
    let first_site = sites.iter().flatten().next().cloned();
    for ((name, &first), site) in names.iter().zip(&starts).zip(&sites) {
        let tasks = options.array_size.min(plan.rows() - first);
        let site = site.as_ref().or(first_site.as_ref()).map_or(EMPTY_SITE, String::as_str);
        write_bytes(&jobs.join(name), script(plan, &jobs, options, (first, tasks), site).as_bytes())?;
    }
    let submit: String = names.iter().map(|name| format!("sbatch {name}\n")).collect();
    let submit = format!("#!/bin/bash\n# Submits all arrays.\nset -euo pipefail\ncd {}\n{submit}", quoted(&jobs));
    write_bytes(&jobs.join("submit.sh"), submit.as_bytes())?;
    write_bytes(&jobs.join("README.md"), readme(plan, &jobs, options, names.len()).as_bytes())?;
    Ok(WrittenJobs { scripts: names, kept_site: first_site.is_some() })
}

/// The block *site* of the script at `path`; `None` if there is none or nothing was filled in.
fn site_of(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let (_, rest) = text.split_once(&format!("{SITE}\n"))?;
    let (site, _) = rest.split_once(&format!("{END_OF_SITE}\n"))?;
    (site != EMPTY_SITE).then(|| site.to_owned())
}

/// The pattern of the tasks' logs as a value in a script's options, where Slurm reads quotes, and `%` as a symbol.
fn log_pattern(jobs: &Path) -> String {
    let folder = jobs.join("logs").display().to_string().replace('%', "%%").replace('"', "\\\"");
    format!("\"{folder}/%A_%a.out\"")
}

/// The script of the array of `tasks` tasks whose first one is row `first`, with the block `site`.
fn script(plan: &Plan, jobs: &Path, options: &SlurmOptions, (first, tasks): (usize, usize), site: &str) -> String {
    let SlurmOptions { out, program, folder, threads, concurrent, prediction, .. } = options;
    let name: String =
        plan.name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    format!(
        "#!/bin/bash\n\
         #SBATCH --job-name=spikescope-{name}\n\
         #SBATCH --array=0-{last}%{concurrent}\n\
         #SBATCH --requeue\n\
         #SBATCH --cpus-per-task={threads}\n\
         #SBATCH --mem={memory}M\n\
         #SBATCH --time={minutes}\n\
         #SBATCH --output={logs}\n\
         #SBATCH --open-mode=append\n\
         \n\
         {SITE}\n\
         {site}\
         {END_OF_SITE}\n\
         \n\
         cd {folder}\n\
         # `exec`: signals of Slurm reach the program, which ends without a half-written result.\n\
         exec {program} sweep {plan} --out {out} \\\n    \
             --task $(({first} + SLURM_ARRAY_TASK_ID)) \\\n    \
             --threads \"${{SLURM_CPUS_PER_TASK:-${{SLURM_CPUS_ON_NODE:-1}}}}\"\n",
        last = tasks - 1,
        memory = prediction.bytes.div_ceil(1 << 20),
        minutes = prediction.seconds.div_ceil(60),
        logs = log_pattern(jobs),
        folder = quoted(folder),
        program = quoted(program),
        plan = quoted(&jobs.join("plan.toml")),
        out = quoted(out),
    )
}

fn readme(plan: &Plan, jobs: &Path, options: &SlurmOptions, arrays: usize) -> String {
    let SlurmOptions { out, program, prediction, .. } = options;
    let program = quoted(program);
    format!(
        "# {name}: {rows} rows in {arrays} array job(s)\n\n\
         1. Fill in the block *site* of each `array-*.sbatch`: partition, account, modules.\n\
         2. `bash submit.sh`\n\
         3. Look how far it is: `{program} sweep status {plan} --out {out}`\n\
         4. Write one table: `{program} sweep merge {plan} --out {out} results.parquet`\n\n\
         A task is asked for {minutes} minute(s) and {memory} MiB. Both were predicted from a short run of the row with the \
         most samples and steps on the machine that wrote these scripts, with a margin; change them where the nodes are \
         slower. A row that is finished is never run again: after a failure submit the arrays once more, and finished tasks \
         end at once. A task that is stopped leaves nothing half-written.\n\n\
         The output of the tasks is in `logs`. The plan is a copy; the paths in it begin in the folder that the scripts \
         change to.\n",
        name = plan.name,
        rows = plan.rows(),
        plan = quoted(&jobs.join("plan.toml")),
        out = quoted(out),
        minutes = prediction.seconds.div_ceil(60),
        memory = prediction.bytes.div_ceil(1 << 20),
    )
}

/// A path as a word of the shell.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_cut_at_the_largest_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it's a plan.toml");
        let steps: Vec<String> = (1..=25).map(|t| t.to_string()).collect();
        std::fs::write(&path, format!("[grid]\nsteps = [{}]\n", steps.join(","))).unwrap();
        let plan = Plan::open(&path).unwrap();
        let options = SlurmOptions {
            out: "/results".into(),
            program: "/bin/spikescope".into(),
            folder: "/work".into(),
            threads: 2,
            concurrent: 5,
            array_size: 10,
            prediction: Prediction { seconds: 61, bytes: 300 << 20 },
        };
        let jobs = folder.path().join("jobs");
        let written = write_jobs(&plan, &jobs, &options).unwrap();
        assert_eq!(written.scripts, ["array-0.sbatch", "array-1.sbatch", "array-2.sbatch"]);
        assert!(!written.kept_site);
        let last = std::fs::read_to_string(jobs.join("array-2.sbatch")).unwrap();
        assert!(last.contains("--array=0-4%5\n") && last.contains("--task $((20 + SLURM_ARRAY_TASK_ID))"), "{last}");
        assert!(last.contains("--mem=300M\n") && last.contains("--time=2\n"), "{last}");
        assert!(last.contains("exec '/bin/spikescope' sweep '"), "{last}");
        // Once more: what was filled in stays, in an array that is new too.
        let edited = last.replace(EMPTY_SITE, "#SBATCH --partition=day\nmodule load x\n");
        assert_ne!(edited, last);
        std::fs::write(jobs.join("array-2.sbatch"), &edited).unwrap();
        std::fs::remove_file(jobs.join("array-1.sbatch")).unwrap();
        let more = SlurmOptions { threads: 7, ..options };
        assert!(write_jobs(&plan, &jobs, &more).unwrap().kept_site);
        for name in ["array-1.sbatch", "array-2.sbatch"] {
            let text = std::fs::read_to_string(jobs.join(name)).unwrap();
            assert!(text.contains("--partition=day\nmodule load x\n# ---- end") && text.contains("task=7\n"), "{text}");
        }
        assert!(write_jobs(&plan, &folder.path().join("a\\b"), &more).is_err());
        let pattern = log_pattern(Path::new("/a b/50%/say \"x\" it's #1"));
        assert_eq!(pattern, "\"/a b/50%%/say \\\"x\\\" it's #1/logs/%A_%a.out\"");
        assert_eq!(quoted(Path::new("it's")), "'it'\\''s'");
        assert_eq!(array_size_of("X = 1\nMaxArraySize            = 1001\n"), Some(1001));
    }
}
