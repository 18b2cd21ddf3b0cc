//! The large executable: a small server, statically linked with most of LLVM, whose objects
//! Debian has ready; so that a change of the server is a relink of 66 MB of real code.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::app::{Change, Recipe, Source, finish};
use crate::cache;

const SERVER: &str = include_str!("server.c");

/// The Debian package with the objects.
const PACKAGE: &str = "llvm-14-dev";

/// The archives that are linked as a whole.
const WHOLE: [&str; 18] = [
    "AArch64CodeGen",
    "AMDGPUCodeGen",
    "Analysis",
    "AsmPrinter",
    "CodeGen",
    "Core",
    "GlobalISel",
    "InstCombine",
    "Instrumentation",
    "Passes",
    "RISCVCodeGen",
    "ScalarOpts",
    "SelectionDAG",
    "TransformUtils",
    "Vectorize",
    "X86CodeGen",
    "X86Desc",
    "ipo",
];

/// In front of everything else in the executable, this shifts all of it by some 20 bytes.
const LINE: &str = "if (seen % 7 == 3) seen ^= 0x12345678abul;";

struct Executable {
    /// Where the archives are.
    archives: PathBuf,
    /// Where the source and the object are.
    work: PathBuf,
    /// The executable.
    file: PathBuf,
    lines: Cell<usize>,
}

/// One executable of about 66 MB.
pub fn binary(folder: &Path) -> Result<Recipe, String> {
    let objects = cache::folder(PACKAGE, unpack)?;
    let source = Executable {
        archives: objects.join("usr/lib/llvm-14/lib"),
        work: folder.join("src"),
        file: folder.join("bin/server"),
        lines: Cell::new(0),
    };
    for folder in [&source.work, &folder.join("bin")] {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    Ok(Recipe {
        name: "binary",
        files: &["bin"],
        command: "bin/server",
        changed: "bin/server",
        port: 3020,
        source: Box::new(source),
    })
}

impl Source for Executable {
    fn write(&self, version: &str, change: Change) -> Result<(), String> {
        if change == Change::Line {
            self.lines.set(self.lines.get() + 1);
        }
        let lines = format!("{LINE}\n    ").repeat(self.lines.get());
        let source = SERVER
            .replace("/* MORE LINES */", &lines)
            .replace("VERSION)", &format!("\"{version}\")"));
        let file = self.work.join("server.c");
        fs::write(&file, source).map_err(|error| error.to_string())?;
        let object = file.with_extension("o");
        let mut compile = Command::new("cc");
        compile.args(["-O1", "-fPIE", "-c", "-o"]);
        finish(compile.arg(&object).arg(&file))?;
        self.link(&object)?;
        fs::remove_file(object).map_err(|error| error.to_string())
    }
}

impl Executable {
    /// Links beside the executable, and puts it in place as a compiler does: as a new file.
    fn link(&self, object: &Path) -> Result<(), String> {
        let linked = self.work.join("server");
        let archive = |name: &str| self.archives.join(format!("libLLVM{name}.a"));
        let mut link = Command::new("g++");
        link.args(["-static-pie", "-s", "-w", "-o"])
            .arg(&linked)
            .arg(object);
        link.arg("-Wl,--whole-archive").args(WHOLE.map(archive));
        link.args(["-Wl,--no-whole-archive", "-Wl,--start-group"]);
        link.args(self.all_archives()?).arg("-Wl,--end-group");
        finish(&mut link)?;
        fs::rename(&linked, &self.file).map_err(|error| error.to_string())
    }

    fn all_archives(&self) -> Result<Vec<PathBuf>, String> {
        let entries = fs::read_dir(&self.archives).map_err(|error| error.to_string())?;
        let files = entries.flatten().map(|entry| entry.path());
        let is_archive = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libLLVM") && name.ends_with(".a")
        };
        let mut archives: Vec<_> = files.filter(is_archive).collect();
        archives.sort();
        Ok(archives)
    }
}

fn unpack(folder: &Path) -> Result<(), String> {
    let mut download = Command::new("apt-get");
    finish(
        download
            .args(["-q", "download", PACKAGE])
            .current_dir(folder),
    )?;
    let unpack = "dpkg -x ./*.deb . && rm ./*.deb";
    finish(Command::new("sh").args(["-c", unpack]).current_dir(folder))
}
