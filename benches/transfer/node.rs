//! The Node apps.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::app::{Change, Recipe, Source, finish};
use crate::cache;

/// Answers every path with the version; the file that changes.
const SERVER: &str = r#""use strict";
const http = require("node:http");
const { routes } = require("./routes");

const version = "VERSION";

const server = http.createServer((request, response) => {
  const route = routes[request.url];
  response.end(route ? route() : `${version}\n`);
});
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => process.exit(0));
"#;

/// What a shop has installed: about 12,400 files, 228 MB.
const PACKAGES: &str = r#"{
  "name": "shop",
  "version": "1.0.0",
  "private": true,
  "dependencies": {
    "aws-sdk": "2.1691.0",
    "express": "4.21.1",
    "lodash": "4.17.21",
    "next": "14.2.15",
    "react": "18.3.1",
    "react-dom": "18.3.1",
    "typescript": "5.6.3"
  }
}
"#;

/// Modules of the small app.
const ROUTES: usize = 40;

struct Server(PathBuf);

impl Source for Server {
    fn write(&self, version: &str, _: Change) -> Result<(), String> {
        put(&self.0, SERVER.replace("VERSION", version))
    }
}

/// About 40 files, 160 kB.
pub fn small(folder: &Path) -> Result<Recipe, String> {
    let mut recipe = app(folder)?;
    recipe.files = &["dist", "package.json"];
    Ok(recipe)
}

/// With a real `node_modules`, installed once by npm.
pub fn modules(folder: &Path) -> Result<Recipe, String> {
    let installed = cache::folder("node-modules", install)?;
    let mut recipe = app(folder)?;
    let mut copy = Command::new("cp");
    finish(
        copy.arg("-a")
            .arg(installed.join("node_modules"))
            .arg(folder),
    )?;
    recipe.name = "modules";
    recipe.files = &["dist", "node_modules", "package.json"];
    recipe.port += 10;
    Ok(recipe)
}

/// With `count` more files of about 1 kB, 100 to a folder.
pub fn with_files(folder: &Path, count: usize) -> Result<Recipe, String> {
    let mut recipe = app(folder)?;
    for number in 0..count {
        let file = format!("data/{:03}/{number:06}.json", number / 100);
        put(&folder.join(file), record(number, 12))?;
    }
    (recipe.name, recipe.port) = match count {
        0..5_000 => ("few", recipe.port + 30),
        5_000..20_000 => ("some", recipe.port + 40),
        _ => ("many", recipe.port + 50),
    };
    recipe.files = &["data", "dist", "package.json"];
    Ok(recipe)
}

/// With 300 MB of data: two large files and 2,000 small ones.
pub fn heavy(folder: &Path) -> Result<Recipe, String> {
    let mut recipe = app(folder)?;
    for number in 0..2 {
        let file = folder.join(format!("data/{number}.bin"));
        put(&file, noise(number, 100_000_000))?;
    }
    for number in 2..2_002 {
        let file = format!("data/{:03}/{number:06}.bin", number / 100);
        put(&folder.join(file), noise(number, 50_000))?;
    }
    recipe.name = "heavy";
    recipe.files = &["data", "dist", "package.json"];
    recipe.port += 60;
    Ok(recipe)
}

fn app(folder: &Path) -> Result<Recipe, String> {
    put(&folder.join("package.json"), PACKAGES)?;
    let mut index = String::from("exports.routes = {};\n");
    for number in 0..ROUTES {
        let module = format!("exports.records = [\n{}];\n", record(number, 40));
        put(&folder.join(format!("dist/route-{number}.js")), module)?;
        let _ = writeln!(
            index,
            "exports.routes[\"/route-{number}\"] = () => JSON.stringify(require(\"./route-{number}\").records);"
        );
    }
    put(&folder.join("dist/routes.js"), index)?;
    Ok(Recipe {
        name: "small",
        files: &[],
        command: "node dist/server.js",
        changed: "dist/server.js",
        port: 3000,
        source: Box::new(Server(folder.join("dist/server.js"))),
    })
}

fn install(folder: &Path) -> Result<(), String> {
    put(&folder.join("package.json"), PACKAGES)?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["install", "--omit=optional"]);
    finish(npm.args(["--ignore-scripts", "--no-audit", "--no-fund"]))
}

/// Lines of data that are like each other and never the same.
fn record(number: usize, lines: usize) -> String {
    let mut random = Random::new(number);
    let mut text = String::new();
    for line in 0..lines {
        let (id, price) = (random.next(), random.next() % 100_000);
        let _ = writeln!(
            text,
            "  {{ \"id\": \"{id:016x}\", \"line\": {line}, \"name\": \"item {number}\", \"price\": {price} }},"
        );
    }
    text
}

/// Bytes that compress to about a half.
fn noise(number: usize, length: usize) -> Vec<u8> {
    let mut random = Random::new(number);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend((random.next() & 0x0f0f_0f0f_0f0f_0f0f).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Self {
        Self((seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn put(file: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    let made = fs::create_dir_all(file.parent().expect("a file in a folder"));
    made.and_then(|()| fs::write(file, content))
        .map_err(|error| format!("{}: {error}", file.display()))
}
