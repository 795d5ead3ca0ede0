//! Every check is run by the macro, and named in `tests/rejects.rs`.
//!
//! In a program of its own: there, a check takes all descriptors away, and this one reads files.

#[test]
fn every_check_is_run_and_rejects_something() {
    let crate_folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let run_by_the_macro = read(crate_folder.join("src/lib.rs"));
    let named_there = read(crate_folder.join("tests/rejects.rs"));
    for folder in ["src/backend", "src/queue"] {
        let files = std::fs::read_dir(crate_folder.join(folder)).unwrap();
        for source in files.map(|file| read(file.unwrap().path())) {
            for check in source
                .lines()
                .filter_map(|line| line.strip_prefix("pub fn "))
            {
                let name = check.split('<').next().unwrap();
                assert!(
                    run_by_the_macro.contains(name),
                    "{name} is not run by the macro"
                );
                assert!(
                    named_there.contains(name),
                    "{name} is not shown anything broken"
                );
            }
        }
    }
}
