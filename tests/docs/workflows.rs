//! The workflows in `.github/`: they are YAML, use GitHub's own actions, and call scripts that exist.

use std::fs;

use serde_yaml::Value;

use super::pages::root;

/// Actions that GitHub itself publishes, in the versions that exist.
const ACTIONS: [&str; 3] =
    ["actions/checkout@v4", "actions/upload-artifact@v4", "actions/download-artifact@v4"];

#[test]
fn workflows_use_existing_actions_and_call_existing_scripts() {
    let folder = root().join(".github/workflows");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(root().join("examples/github-actions.yml"));
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    let mut scripts = 0;
    for file in files {
        let name = file.display();
        let workflow: Value = serde_yaml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert!(workflow["on"].is_mapping() && workflow["permissions"].is_mapping(), "{name}");
        for (job, steps) in workflow["jobs"].as_mapping().unwrap() {
            assert!(steps["container"].is_null(), "{name}: {job:?}: images can disappear");
            for step in steps["steps"].as_sequence().unwrap() {
                if let Some(action) = step["uses"].as_str() {
                    assert!(ACTIONS.contains(&action), "{name}: {action}");
                }
                for script in step["run"].as_str().into_iter().flat_map(called) {
                    assert!(root().join(&script).is_file(), "{name}: there is no {script}");
                    scripts += 1;
                }
            }
        }
    }
    assert!(scripts >= 2, "{scripts} scripts");
}

/// The scripts of this repository that a step calls.
fn called(step: &str) -> Vec<String> {
    let words = step.split_whitespace().map(|word| word.trim_start_matches("./"));
    words.filter(|word| word.starts_with(".ci/")).map(str::to_owned).collect()
}
