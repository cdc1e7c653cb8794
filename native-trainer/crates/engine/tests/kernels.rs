//! The CUDA kernels, run on the CPU by `kernels/emulator.h` and compared with f64.
//!
//! Each `tests/kernels/*.cpp` is a test program for one family of kernels. A mutant is a kernel with one deliberate
//! mistake; its family's program must fail. For mutants, programs are compiled with SHORT, which may leave out slow
//! tests.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "kernels/mutants.rs"]
mod mutants;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mutants::{MUTANTS, Mutant};

/// Compilers and test programs that run at a time. Memory: some 500 MB each.
const WORKERS: usize = 2;
/// A mutant that still runs after this time hangs. The test programs need a few seconds.
const TIME_LIMIT: Duration = Duration::from_secs(120);
const FLAGS: [&str; 2] = ["-std=c++17", "-U_FORTIFY_SOURCE"];
const FAMILY_FLAGS: [&str; 4] = ["-O1", "-Wall", "-Wextra", "-Werror"];
/// Mutants run a second or less, so what counts is the time to compile.
const MUTANT_FLAGS: [&str; 3] = ["-Og", "-w", "-DSHORT"];

#[test]
fn kernels_agree_with_f64_in_every_thread_order() {
    let folder = TempFolder::new("families");
    let failures = in_parallel(&families(), |family| {
        let program = folder.0.join(family);
        compile(&package(), family, &program, &FAMILY_FLAGS)?;
        let started = Instant::now();
        let run = run(&program);
        let report = run.report();
        println!("{family}: {:.1} s, {}", started.elapsed().as_secs_f64(), report.trim_end());
        if run.passed() { Ok(()) } else { Err(format!("{family}: the test program failed\n{report}")) }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn test_programs_fail_on_every_mutant() {
    let folder = TempFolder::new("mutants");
    let numbered: Vec<_> = MUTANTS.iter().enumerate().collect();
    let failures = in_parallel(&numbered, |(number, mutant)| {
        let root = folder.0.join(number.to_string());
        let name = format!("{}: {} -> {}", mutant.file, mutant.from.trim(), mutant.to.trim());
        write_mutant(mutant, &root).map_err(|error| format!("{name}: {error}"))?;
        let program = root.join("program");
        compile(&root, mutant.family, &program, &MUTANT_FLAGS).map_err(|error| format!("{name}: {error}"))?;
        let run = run(&program);
        fs::remove_dir_all(&root).unwrap();
        println!("{name}: {}", run.report().lines().next().unwrap_or("no output"));
        if run.passed() { Err(format!("{name}: the test program passes")) } else { Ok(()) }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_family_has_a_mutant() {
    let with_mutants: HashSet<_> = MUTANTS.iter().map(|mutant| mutant.family.to_string()).collect();
    let without: Vec<_> = families().into_iter().filter(|family| !with_mutants.contains(family)).collect();
    assert!(without.is_empty(), "add a mutant to tests/kernels/mutants.rs: {without:?}");
}

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of the test programs, without `.cpp`.
fn families() -> Vec<String> {
    let mut families: Vec<_> = fs::read_dir(package().join("tests/kernels"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    families.sort();
    families
}

/// Runs `work` on each item, `WORKERS` at a time, and returns the errors.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let errors = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(item) {
                        errors.lock().unwrap().push(error);
                    }
                }
            });
        }
    });
    errors.into_inner().unwrap()
}

/// The C++ compiler: that in the variable CXX, or the first that runs.
fn compiler() -> Result<String, String> {
    let given = std::env::var("CXX").ok().filter(|name| !name.is_empty());
    let works =
        |name: &String| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    given
        .into_iter()
        .chain(["c++", "g++", "clang++"].map(String::from))
        .find(works)
        .ok_or_else(|| "no C++ compiler found: install g++, or set CXX to a compiler".to_string())
}

/// Compiles the test program of `family` below `root`, which has the folders `kernels` and `tests/kernels`.
fn compile(root: &Path, family: &str, program: &Path, flags: &[&str]) -> Result<(), String> {
    let compiler = compiler()?;
    let source = root.join("tests/kernels").join(family).with_extension("cpp");
    let output = Command::new(&compiler)
        .args(FLAGS)
        .args(flags)
        .arg("-o")
        .args([program, &source])
        .output()
        .map_err(|error| format!("{compiler} does not start: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{family}.cpp does not compile\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// How a test program ended: `None` if it ran out of time.
struct Run(Option<Output>);

impl Run {
    fn passed(&self) -> bool {
        self.0.as_ref().is_some_and(|output| output.status.success())
    }

    fn report(&self) -> String {
        let Some(output) = &self.0 else {
            return format!("still running after {} s", TIME_LIMIT.as_secs());
        };
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        let ended = if output.status.success() { String::new() } else { format!("{}\n", output.status) };
        String::from_utf8_lossy(&text).into_owned() + &ended
    }
}

/// Runs a program to its end, or kills it at the time limit. Its output must fit the pipes: test programs print some
/// lines.
fn run(program: &Path) -> Run {
    let mut child = Command::new(program).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + TIME_LIMIT;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            return Run(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Run(Some(child.wait_with_output().unwrap()))
}

/// Copies the kernels and their test programs to `root`, with the mutant's mistake in one file.
fn write_mutant(mutant: &Mutant, root: &Path) -> Result<(), String> {
    for folder in ["kernels", "tests/kernels"] {
        fs::create_dir_all(root.join(folder)).unwrap();
        for entry in fs::read_dir(package().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), root.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    let path = root.join("kernels").join(mutant.file);
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let times = text.matches(mutant.from).count();
    if times != mutant.times {
        return Err(format!("this text occurs {times} times, and mutants.rs says {}", mutant.times));
    }
    fs::write(&path, text.replace(mutant.from, mutant.to)).unwrap();
    Ok(())
}

/// A folder below the system's folder for temporary files, removed when dropped.
struct TempFolder(PathBuf);

impl TempFolder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dermake-kernels-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // A folder that stays behind fails no test.
        let _ = fs::remove_dir_all(&self.0);
    }
}
