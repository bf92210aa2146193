use std::path::Path;

use super::*;
use crate::attack::AttackKind;

fn parse(text: &str) -> Result<Plan> {
    Plan::parse(Path::new("plan.toml"), text)
}

fn refused(text: &str) -> String {
    let error = parse(text).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

const PLAN: &str = r#"
name = "thresholds"
[base]
model = "builtin:digits-resnet"
data = "builtin:digits"
samples = "256..356"
[grid]
threshold = ["learned", "percentile:99.9"]
correction = ["none", "srp:4", "cos:4"]
steps = [4, 8, 16]
[[zip]]
v-init = [0.0, 0.5]
tie = ["gt", "ge"]
"#;

#[test]
fn rows_are_numbered_with_the_first_key_slowest() {
    let plan = parse(PLAN).unwrap();
    assert_eq!((plan.rows(), plan.name.as_str()), (36, "thresholds"));
    assert_eq!(plan.varied_keys(), ["threshold", "correction", "steps", "v-init", "tie"]);
    let texts = |row: usize| plan.row(row).unwrap().varied_texts().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(texts(0), ["learned", "none", "4", "0.0", "gt"]);
    assert_eq!(texts(1), ["learned", "none", "4", "0.5", "ge"]);
    assert_eq!(texts(2), ["learned", "none", "8", "0.0", "gt"]);
    assert_eq!(texts(18), ["percentile:99.9", "none", "4", "0.0", "gt"]);
    let last = plan.row(35).unwrap().resolve().unwrap().settings;
    assert_eq!((last.recipe.steps, last.recipe.v_init, last.samples), (16, 0.5, 256..356));
    assert!(plan.row(36).unwrap_err().to_string().contains("rows 0 to 35"));
    assert_eq!(parse("").unwrap().rows(), 1, "a plan without axes is one row");
}

#[test]
fn axes_stand_in_the_order_of_the_file() {
    let plan = parse("[[zip]]\nv-init = [0.0, 0.5]\n[grid]\nsteps = [8, 4]\n[[list]]\nmethod = \"SRP\"\n[[list]]\nmethod = \"plain\"\n").unwrap();
    assert_eq!(plan.varied_keys(), ["v-init", "steps", "method"]);
    let texts = |row: usize| plan.row(row).unwrap().varied_texts().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(
        (texts(0), texts(7)),
        (vec!["0.0".into(), "8".into(), "SRP".into()], vec!["0.5".into(), "4".into(), "plain".into()])
    );
    let recipe = plan.row(0).unwrap().resolve().unwrap().settings.recipe;
    assert_eq!((recipe.correction.presteps(), recipe.steps), (4, 8));
}

#[test]
fn a_row_with_an_attack_is_one_and_its_options_may_stand_in_any_axis() {
    let plan =
        parse("[base]\non = \"snn\"\n[grid]\nattack = [\"fgsm\", \"pgd\"]\neps = [\"8/255\", 0.1]\nsteps = [4]\n")
            .unwrap();
    let Work::Attack(request) = plan.row(3).unwrap().resolve().unwrap().work else { panic!("no attack") };
    assert_eq!((request.attack.kind, request.attack.eps), (AttackKind::Pgd, 0.1));
    assert_eq!(parse("").unwrap().row(0).unwrap().resolve().unwrap().work, Work::Run);
    let counts = "[base]\ndata = \"builtin:events-digits\"\nattack = \"pgd\"\n[grid]\neps = [0.1, 2]\n";
    assert_eq!(parse(counts).unwrap().rows(), 2, "counts of events have no upper limit");
    assert_eq!(parse("[grid]\nmethod = [\"SRP\"]\npresteps = [2, 4]\n").unwrap().rows(), 2);
}

#[test]
fn a_row_with_methods_is_an_explanation() {
    let plan = parse(
        "[base]\non = \"snn\"\ntarget = \"label\"\n[grid]\nmethods = [\"lrp\", [\"lime\", \"saliency\"]]\nsteps = [4]\n",
    )
    .unwrap();
    let work = |plan: &Plan, row: usize| plan.row(row).unwrap().resolve().unwrap().work;
    let Work::Explain(options) = work(&plan, 1) else { panic!("no explanation") };
    assert_eq!((options.methods.as_str(), options.target.as_str()), ("lime,saliency", "label"));
    assert!(work(&plan, 0).is_spiking());
    let same = parse("[grid]\nexplain = [\"lrp\"]\n").unwrap();
    assert!(matches!(work(&same, 0), Work::Explain(options) if options.methods == "lrp" && options.on == "ann"));
}

#[test]
fn errors_name_the_line() {
    for (text, line, part) in [
        ("name = 3\n", 1, "name"),
        ("[grid]\nsteps = [4]\nsteps = [8]\n", 3, "duplicate"),
        ("[base]\nsteps = 4\n[grid]\nsteps = [4, 8]\n", 4, "line 2"),
        ("[base]\nmodel = \"x\"\n[grid]\nthreshhold = [\"max\"]\n", 4, "threshhold"),
        ("[grid]\nthreshold = [\"max\",\n \"mux\"]\n", 3, "mux"),
        ("[grid]\nsteps = []\n", 2, "empty"),
        ("[grid]\nsteps = 4\n", 2, "[4]"),
        ("[grid]\nsteps = [\"four\"]\n", 2, "steps"),
        ("[[zip]]\nv-init = [0.0, 0.5]\ntie = [\"gt\"]\n", 3, "one length"),
        ("[zip]\nv-init = [0.0]\n", 1, "[[zip]]"),
        ("[base]\nout = \"x\"\n", 2, "--out"),
        ("[base]\nsteps = 1979-05-27\n", 2, "date"),
        ("[grids]\nsteps = [1]\n", 1, "grids"),
        ("[grid]\nmethod = [\"SRQ\"]\n", 2, "SRQ"),
        ("[grid]\neps = [0.1]\n", 2, "'attack'"),
        ("[base]\nattack = \"pgd\"\nmethods = \"lrp\"\n", 2, "together"),
        ("[base]\nlayer = \"x\"\nexplain = \"lrq\"\n", 2, "lrq"),
        ("[base]\nexplain = \"lrp\"\ntarget = \"x\"\n", 3, "target"),
        ("[base]\nexplain = \"lrp\"\nbudget = \"x\"\n", 3, "budget"),
        ("[grid]\nattack = [\"pgd\", \"pdg\"]\neps = [0.1]\n", 2, "pdg"),
        ("[grid]\nattack = [\"pgd\"]\neps = [0.1,\n 2]\n", 4, "eps 2"),
        ("[base]\npresteps = 3\n", 2, "method"),
        ("[[list]]\nsteps = 1\n[[list]]\ntie = \"gt\"\n", 4, "tie"),
        ("[base]\n\nx y\n", 3, ""),
        ("[grid]\nsteps = [\n 4,\n 8,\n 0.5]\n", 5, "steps"),
        ("[grid]\nstep = [4]\n", 2, "Write 'steps'."),
        ("[base]\nmodle = \"x\"\n", 2, "Write 'model'."),
        ("[grid]\nv_init = [0.5]\n", 2, "Write 'v-init'."),
        ("[base]\nlearning-rate = 0.1\n", 2, "--help"),
        ("[grid]\nsteps = [\"4\"]\n", 2, "Write 4 without quotes"),
        ("[grid]\nsteps = [-4]\n", 2, "'steps' is -4, not a whole number"),
        ("[base]\nsteps = [4, 8]\n", 2, "in [grid]"),
        ("[base]\nsamples = 100\n", 2, "Write it in quotes"),
        ("[base]\nmodel = \"builtin:digit-cnn\"\n", 2, "digits-cnn"),
        ("[base]\nsteps = 4\ndata = \"digits\"\n", 3, "digits"),
        ("[grid]\nseed = [1, 2]\n", 2, "changes nothing"),
        ("[base]\nseed = 1\ninitial-seed = 2\n", 3, "one here"),
        ("[base]\nmethods = \"lrp\"\non = \"snn\"\nat = \"2,4\"\n", 4, "Vary 'steps'"),
        ("[base]\nattack = \"pgd\"\n[grid]\nat = [\"2,4\"]\n", 4, "Vary 'steps'"),
        ("[grid]\nv-init = [0.5, nan]\n", 2, "v(0)"),
        ("[grid]\nv-init = [0.5,\n inf]\n", 3, "v(0)"),
        ("[base]\nv-init = 2.0\n", 2, "v(0)"),
        ("[grid]\nsteps = [4, 0]\n", 2, "T = 0"),
        ("[grid]\nsteps = [4,\n 8,\n 5000]\n", 4, "T = 5000"),
        ("[grid]\nthreshold = [\"percentile:101\"]\n", 2, "percentile:101"),
        ("[base]\ntarget = 3\n[grid]\nattack = [\"pgd\",\n \"square\"]\n", 5, "aim square"),
    ] {
        let error = refused(text);
        assert!(error.contains(&format!("plan.toml: line {line}: ")) && error.contains(part), "{text}: {error}");
    }
    let many = (0..4)
        .map(|k| format!("{} = [{}]\n", ["steps", "bias-shift", "v-init", "presteps"][k], "1,".repeat(100)))
        .take(3);
    let many = format!("[grid]\n{}samples = [{}]\n", many.collect::<String>(), "'0..9',".repeat(100));
    assert!(refused(&many).contains("more than"));
}

#[test]
fn a_seed_decides_what_a_row_draws() {
    let plan = parse("[base]\ninitial = \"uniform\"\n[grid]\nseed = [0, 1, 2]\n").unwrap();
    let seeds = (0..3).map(|row| plan.row(row).unwrap().resolve().unwrap().settings.recipe.seed);
    assert_eq!(seeds.collect::<Vec<_>>(), [0, 1, 2]);
    let plan = parse("[base]\nattack = \"pgd\"\n[grid]\nseed = [3, 4]\n").unwrap();
    let row = plan.row(1).unwrap().resolve().unwrap();
    let Work::Attack(request) = row.work else { panic!("no attack") };
    assert_eq!((request.attack.seed, row.settings.recipe.seed), (4, 0));
}

#[test]
fn axes_that_a_method_overrides_are_told() {
    let notes = |text: &str| parse(text).unwrap().notes();
    let told = notes("[base]\nmethod = \"SRP\"\n[grid]\nv-init = [0.0, 0.5]\n");
    assert!(told.len() == 1 && told[0].contains("line 4: 'v-init' changes nothing"), "{told:?}");
    assert!(notes("[base]\nmethod = \"SRP\"\nv-init = 0.5\n[grid]\nsteps = [1]\n").is_empty());
    assert!(notes("[grid]\nv-init = [0.0, 0.5]\n").is_empty());
}
