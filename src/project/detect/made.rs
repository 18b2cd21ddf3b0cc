//! Folders that the running app makes: for its logs, for what people upload. A release is
//! read-only, so they must be there before the app starts.

use super::folder::Source;
use super::place::{self, Place};
use super::text::literals;

/// How many calls are looked at.
const MAX_CALLS: usize = 60;

/// What stands beside the path in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// The folder is the first argument.
    Folder,
    /// The folder stands before the call: `Path("data").mkdir()`.
    Before,
    /// The first argument is a file in the folder.
    File,
    /// The same, if the file is a log.
    Log,
}

/// A way to make a folder or a file, in the languages with these types. A new one is one more row.
struct Form {
    types: &'static [&'static str],
    words: &'static [&'static str],
    path: Path,
}

const SCRIPT: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts"];
const JVM: &[&str] = &["java", "kt", "scala"];

#[rustfmt::skip]
const FORMS: &[Form] = &[
    Form { types: &["py"], words: &["mkdir(", "makedirs("], path: Path::Folder },
    Form { types: &["py"], words: &[".mkdir("], path: Path::Before },
    Form { types: &["py"], words: &["FileHandler("], path: Path::File },
    Form { types: &["py"], words: &["filename=", "\"filename\":", "'filename':"], path: Path::Log },
    Form { types: SCRIPT, words: &["mkdirSync(", "mkdir(", "ensureDirSync(", "ensureDir(", "mkdirp("], path: Path::Folder },
    Form { types: SCRIPT, words: &["createWriteStream("], path: Path::Log },
    Form { types: &["go"], words: &["os.MkdirAll(", "os.Mkdir("], path: Path::Folder },
    Form { types: &["rs"], words: &["create_dir_all(", "create_dir("], path: Path::Folder },
    Form { types: &["rb", "ru"], words: &["mkdir_p(", "mkdir_p ", "Dir.mkdir("], path: Path::Folder },
    Form { types: &["rb", "ru"], words: &["Logger.new("], path: Path::Log },
    Form { types: JVM, words: &["createDirectories(", "createDirectory("], path: Path::Folder },
    Form { types: JVM, words: &[".mkdirs(", ".mkdir("], path: Path::Before },
    Form { types: &["cs", "fs"], words: &["CreateDirectory("], path: Path::Folder },
    Form { types: &["ex", "exs"], words: &["File.mkdir_p!(", "File.mkdir_p("], path: Path::Folder },
];

/// The folders in the app's own that `source` makes.
pub(super) fn in_source(source: &Source, sources: &[&Source]) -> Vec<String> {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    let mut found: Vec<String> = Vec::new();
    for form in FORMS.iter().filter(|form| source.is(form.types)) {
        for word in form.words {
            for (at, _) in code.match_indices(word).take(MAX_CALLS) {
                let end = at + word.len();
                let expression = match form.path {
                    Path::Before => place::receiver(&code[..at]),
                    _ if goes_on(&code[..at], word) => continue,
                    _ => argument(&code[end..]),
                };
                let Some(path) = path(expression, source, sources) else {
                    continue;
                };
                let folder = match (form.path, path.rsplit_once('/')) {
                    (Path::Folder | Path::Before, _) => path,
                    (Path::Log, _) if !path.ends_with(".log") => continue,
                    (Path::File | Path::Log, Some((folder, _))) => folder.to_owned(),
                    (Path::File | Path::Log, None) => continue,
                };
                if !found.contains(&folder) && is_folder(&folder) {
                    found.push(folder);
                }
            }
        }
    }
    found
}

/// Whether `word` is the end of a longer name there.
fn goes_on(before: &str, word: &str) -> bool {
    // `RotatingFileHandler(` is one, too.
    word != "FileHandler(" && before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The first argument at the beginning of `text`.
fn argument(text: &str) -> &str {
    let (mut depth, mut quote) = (0_u32, None);
    let end = text.char_indices().take(400).find(|(_, c)| {
        match (quote, *c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(*c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => return true,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',' | ';') => return depth == 0,
            (None, _) => {}
        }
        false
    });
    text[..end.map_or(0, |(at, _)| at)].trim()
}

/// Where an expression leads, if that is in the app's folder.
fn path(expression: &str, source: &Source, sources: &[&Source]) -> Option<String> {
    let at = |expression: &str| match place::below(expression, "", source, sources) {
        Place::Inside(path) => Some(path),
        _ => None,
    };
    if expression.is_empty() {
        return None;
    }
    // `app.config["UPLOADS"]`
    let setting = expression.rsplit_once("config[").map(|(_, name)| name);
    let Some(name) = setting.and_then(|name| literals(name).first().copied()) else {
        return at(expression);
    };
    let set = sources.iter().find_map(|other| {
        let mut lines = other.lines();
        lines.find_map(|line| {
            let (setting, value) = line.split_once('=')?;
            let is_set = setting.contains("config[") && literals(setting) == [name];
            (is_set && !value.starts_with('=')).then_some(value)
        })
    });
    at(set.unwrap_or(name))
}

/// Whether a path may be that of a folder for files of the app: what has an extension would be made
/// as a file on a host, and what builds make is released.
fn is_folder(path: &str) -> bool {
    const MADE: &[&str] = &["build", "dist", "node_modules", "out", "target", "vendor"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let mut parts = path.split('/');
    let last = parts.next_back().unwrap_or_default();
    !last.is_empty()
        && !last.trim_start_matches('.').contains('.')
        && path.chars().all(plain)
        && !MADE.contains(&path.split('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_the_app_makes_is_known() {
        for (file, text, folders) in [
            ("a.py", "os.mkdir('logs')", &["logs"][..]),
            ("a.py", "os.makedirs(\"up/a\", exist_ok=True)", &["up/a"]),
            ("a.py", "Path(\"data\").mkdir(parents=True)", &["data"]),
            ("a.py", "D = BASE_DIR / 'var'\nD.mkdir()", &["var"]),
            ("a.py", "(BASE_DIR / 'var').mkdir()", &["var"]),
            ("a.py", "RotatingFileHandler('logs/a.log', 'a')", &["logs"]),
            ("a.py", "'filename': BASE_DIR / 'logs/a.log',", &["logs"]),
            ("a.py", "basicConfig(filename='logs/a.log')", &["logs"]),
            ("a.py", "UP = 'up'\nos.makedirs(UP)", &["up"]),
            (
                "a.py",
                "app.config['UP'] = 'up'\nos.makedirs(app.config['UP'])",
                &["up"],
            ),
            (
                "a.js",
                "fs.mkdirSync(path.join(__dirname, 'up'), { recursive: true })",
                &["up"],
            ),
            ("a.go", "os.MkdirAll(\"data/a\", 0o755)", &["data/a"]),
            ("a.rs", "std::fs::create_dir_all(\"data\")?;", &["data"]),
            ("a.rb", "FileUtils.mkdir_p('tmp/up')", &["tmp/up"]),
            (
                "A.java",
                "Files.createDirectories(Paths.get(\"up\"));",
                &["up"],
            ),
            ("A.java", "new File(\"up\").mkdirs();", &["up"]),
            ("a.cs", "Directory.CreateDirectory(\"up\");", &["up"]),
            ("a.py", "os.mkdir(path)", &[]),
            ("a.py", "os.mkdir('/var/x')", &[]),
            ("a.py", "os.mkdir('../x')", &[]),
            ("a.py", "os.makedirs('dist/x')", &[]),
            ("a.py", "os.makedirs(os.path.join(tmp, 'x'))", &[]),
            ("a.py", "FileHandler('a.log')", &[]),
            ("a.py", "send(filename='up/a.txt')", &[]),
            ("a.py", "os.makedirs(f'up/{name}')", &[]),
            ("a.py", "# os.mkdir('logs')", &[]),
            ("a.js", "fs.mkdirSync(dir)", &[]),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(in_source(&source, &[&source]), folders, "{text}");
        }
    }
}
