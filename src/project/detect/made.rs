//! Folders that the running app makes, for its logs or for what people upload, and files that it
//! writes. A release is read-only, so the folders must be there before the app starts.

use super::folder::{Source, is_source};
use super::place::{self, Place};
use super::stays::HOME_FILES;
use super::text::{literals, option};

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
    /// The first argument is a file that is written.
    Data,
    /// The same, by another file that is renamed to it.
    Replaced,
    /// The same, if another argument opens it to write.
    Opened,
    /// A file that is written stands before the call.
    DataBefore,
    /// The folder is the option of this name, else this one.
    Option(&'static str, &'static str),
}

/// Flags and modes that open a file to write.
const FLAGS: &[&str] = &["O_CREATE", "O_WRONLY", "O_RDWR", "O_APPEND"];
const MODES: &[&str] = &[
    "w", "wb", "wt", "w+", "wb+", "a", "ab", "at", "a+", "x", "r+", "rb+",
];

/// What the app makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// The folder; empty for the app's own.
    pub folder: String,
    /// The file in it that is written, with its folder.
    pub file: Option<String>,
    /// Whether that file itself is written, and no other that takes its name.
    pub is_in_place: bool,
}

/// Files that say what a project is made of: what writes them is no app, but a tool.
const MANIFESTS: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "composer.json",
    "composer.lock",
    "deno.json",
    "deno.lock",
    "go.mod",
    "go.sum",
    "package.json",
];

impl Made {
    /// Whether it is a file of the app's data that can lie elsewhere, behind a link: what takes the
    /// file's name would take that of the link.
    pub fn is_data(&self) -> bool {
        let name = self
            .file
            .as_deref()
            .and_then(|file| file.rsplit('/').next());
        let is_projects =
            |name: &str| HOME_FILES.contains(&name) || MANIFESTS.contains(&name) || is_source(name);
        name.is_some_and(|name| self.is_in_place && !is_projects(name))
    }
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
    Form { types: &["py"], words: &["open("], path: Path::Opened },
    Form { types: &["py"], words: &[".write_text(", ".write_bytes("], path: Path::DataBefore },
    Form { types: SCRIPT, words: &["writeFileSync(", "writeFile(", "appendFileSync(", "appendFile(", "outputFile(", "writeJson(", "writeJsonSync(", "FileSync(", "Bun.write("], path: Path::Data },
    // lowdb
    Form { types: SCRIPT, words: &["JSONFile(", "JSONFileSync(", "JSONFilePreset("], path: Path::Replaced },
    Form { types: SCRIPT, words: &["mkdirSync(", "mkdir(", "ensureDirSync(", "ensureDir(", "mkdirp("], path: Path::Folder },
    // Options of libraries: Node-RED, multer, formidable, LevelDB's own servers, and the like.
    Form { types: SCRIPT, words: &["userDir:", "dataDir:", "dataDirectory:", "dataPath:", "destination:", "storageDir:", "storagePath:", "uploadDir:", "uploadsDir:", "uploadPath:"], path: Path::Folder },
    Form { types: SCRIPT, words: &["multer("], path: Path::Option("dest", "''") },
    // session-file-store
    Form { types: SCRIPT, words: &["new FileStore("], path: Path::Option("path", "'sessions'") },
    Form { types: SCRIPT, words: &["createWriteStream("], path: Path::Log },
    Form { types: &["go"], words: &["os.MkdirAll(", "os.Mkdir("], path: Path::Folder },
    Form { types: &["go"], words: &["os.WriteFile(", "ioutil.WriteFile(", "os.Create("], path: Path::Data },
    Form { types: &["go"], words: &["os.OpenFile("], path: Path::Opened },
    Form { types: &["rs"], words: &["fs::write(", "File::create("], path: Path::Data },
    Form { types: &["rs"], words: &["create_dir_all(", "create_dir("], path: Path::Folder },
    Form { types: &["rb", "ru"], words: &["mkdir_p(", "mkdir_p ", "Dir.mkdir("], path: Path::Folder },
    Form { types: &["rb", "ru"], words: &["File.write(", "Store.new("], path: Path::Data },
    Form { types: &["rb", "ru"], words: &["File.open("], path: Path::Opened },
    Form { types: &["php"], words: &["file_put_contents("], path: Path::Data },
    Form { types: &["php"], words: &["fopen("], path: Path::Opened },
    Form { types: &["php"], words: &["'data_dir' =>", "'data_path' =>", "'dir' =>", "'storage_dir' =>", "'storage_path' =>", "'upload_dir' =>", "'upload_path' =>"], path: Path::Folder },
    Form { types: &["rb", "ru"], words: &["Logger.new("], path: Path::Log },
    Form { types: JVM, words: &["createDirectories(", "createDirectory("], path: Path::Folder },
    Form { types: JVM, words: &[".mkdirs(", ".mkdir("], path: Path::Before },
    Form { types: JVM, words: &["Files.write(", "Files.writeString(", "FileWriter(", "FileOutputStream("], path: Path::Data },
    Form { types: &["cs", "fs"], words: &["WriteAllText(", "WriteAllBytes(", "WriteAllLines(", "AppendAllText("], path: Path::Data },
    Form { types: &["cs", "fs"], words: &["CreateDirectory("], path: Path::Folder },
    Form { types: &["ex", "exs"], words: &["File.mkdir_p!(", "File.mkdir_p("], path: Path::Folder },
];

/// What `source` makes in the app's own folder.
pub(super) fn in_source(source: &Source, sources: &[&Source]) -> Vec<Made> {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    let mut found: Vec<Made> = Vec::new();
    for form in FORMS.iter().filter(|form| source.is(form.types)) {
        for word in form.words {
            for (at, _) in code.match_indices(word).take(MAX_CALLS) {
                let rest = &code[at + word.len()..];
                let expression = match form.path {
                    Path::Before | Path::DataBefore => place::receiver(&code[..at]),
                    _ if goes_on(&code[..at], word) => continue,
                    Path::Opened if !is_to_write(rest) => continue,
                    Path::Option(key, usual) => match argument(rest) {
                        "" => usual,
                        options => option(options, key).unwrap_or(usual),
                    },
                    _ => argument(rest),
                };
                let Some(path) = path(expression, source, sources) else {
                    continue;
                };
                let made = made(form.path, path).filter(|made| !found.contains(made));
                found.extend(made);
            }
        }
    }
    found
}

/// Whether `source` writes files into the app's own folder whose names only end as it says:
/// `title + ".txt"`.
pub(super) fn makes_up_names(source: &Source) -> bool {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    written(source, &code).any(is_made_up)
}

/// The folders of the app's own into which `source` writes files under names that it makes up:
/// `"./static/" + name`.
pub(super) fn folders_filled(source: &Source) -> Vec<String> {
    let code: String = source.lines().flat_map(|line| [line, "\n"]).collect();
    let folders = written(source, &code).filter_map(|value| {
        let quote = value.chars().next().filter(|c| "\"'`f".contains(*c))?;
        let first = *literals(value).first()?;
        let is_joined = value[first.len() + quote.len_utf8()..].contains(['+', '.']);
        let (fixed, is_open) = match first.split_once(['$', '{', '%']) {
            Some((fixed, _)) => (fixed, true),
            None => (first, is_joined),
        };
        let folder = fixed.strip_suffix('/').filter(|_| is_open)?;
        let folder = folder.strip_prefix("./").unwrap_or(folder);
        (is_folder(folder) && !folder.starts_with('/')).then(|| folder.to_owned())
    });
    folders.collect()
}

/// The expressions that say where `source`, whose lines of code are `code`, writes files.
fn written<'a>(source: &Source, code: &'a str) -> impl Iterator<Item = &'a str> {
    let forms = FORMS.iter().filter(|form| source.is(form.types));
    let forms = forms.filter(|form| matches!(form.path, Path::Data | Path::Opened));
    let words = forms.flat_map(|form| form.words.iter().map(|word| (form.path, *word)));
    words.flat_map(move |(path, word)| {
        let calls = code.match_indices(word).take(MAX_CALLS);
        calls.filter_map(move |(at, _)| {
            let rest = &code[at + word.len()..];
            let given = argument(rest);
            let writes = !goes_on(&code[..at], word) && (path == Path::Data || is_to_write(rest));
            writes.then(|| assigned(&code[..at], given).unwrap_or(given))
        })
    })
}

/// The last value that the variable `name` was given in `code`.
fn assigned<'a>(code: &'a str, name: &str) -> Option<&'a str> {
    code.lines().rev().find_map(|line| {
        let line = line.trim_start();
        let mut words = ["const ", "let ", "var ", "$"].iter();
        let line = words
            .find_map(|word| line.strip_prefix(word))
            .unwrap_or(line);
        let rest = line
            .strip_prefix(name.trim_start_matches('$'))?
            .trim_start();
        let value = rest.strip_prefix(":=").or_else(|| rest.strip_prefix('='))?;
        (!value.starts_with('=') && !name.is_empty()).then(|| value.trim())
    })
}

/// Whether an expression puts a name together of which only the end is known.
fn is_made_up(value: &str) -> bool {
    let parts = literals(value);
    let ends = |part: &&str| {
        part.rsplit_once('.').is_some_and(|(before, end)| {
            let is_name = before.is_empty() || before.ends_with('}') || before.ends_with("%s");
            is_name && (2..=5).contains(&end.len()) && end.chars().all(char::is_alphanumeric)
        })
    };
    let is_joined = parts
        .last()
        .is_some_and(|part| !part.starts_with('.') || value.contains('+') || value.contains(" . "));
    parts.last().is_some_and(ends)
        && is_joined
        && !parts.iter().any(|part| part.contains('/'))
        && !["oin(", "Path", "dir", "Dir", "DIR", "os.sep", "path."]
            .iter()
            .any(|word| value.contains(word))
}

/// What a call with this path makes.
fn made(form: Path, path: String) -> Option<Made> {
    let above = path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let (folder, file) = match form {
        Path::Folder | Path::Before | Path::Option(..) => (path, None),
        Path::Log if !path.ends_with(".log") => return None,
        Path::File | Path::Log => (above?, None),
        Path::Data | Path::Replaced | Path::Opened | Path::DataBefore => {
            (above.unwrap_or_default(), Some(path))
        }
    };
    let is_file = |path: &String| path.rsplit('/').next().is_some_and(|it| it.contains('.'));
    let fits = is_folder(&folder) || folder.is_empty() && file.is_some();
    (fits && file.as_ref().is_none_or(is_file)).then_some(Made {
        folder,
        file,
        is_in_place: form != Path::Replaced,
    })
}

/// Whether an argument behind the first says so; `text` begins with the first.
fn is_to_write(text: &str) -> bool {
    let first = argument(text);
    let rest = text.trim_start().strip_prefix(first).unwrap_or_default();
    let Some(rest) = rest.trim_start().strip_prefix(',') else {
        return false;
    };
    let mode = argument(rest);
    FLAGS.iter().any(|flag| mode.contains(flag))
        || literals(mode)
            .first()
            .is_some_and(|mode| MODES.contains(mode))
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
    fn a_name_that_is_made_up_is_known() {
        for (file, text, is_made_up) in [
            (
                "a.go",
                "filename := p.Title + \".txt\"\nreturn os.WriteFile(filename, p.Body, 0600)",
                true,
            ),
            ("a.py", "with open(f\"{title}.md\", \"w\") as f:", true),
            ("a.py", "with open(title + '.md') as f:", false),
            ("a.js", "fs.writeFileSync(`${id}.json`, text)", true),
            ("a.js", "fs.writeFileSync(id + '.json', text)", true),
            (
                "a.js",
                "fs.writeFileSync(path.join(dir, id + '.json'), text)",
                false,
            ),
            ("a.js", "fs.writeFileSync(`data/${id}.json`, text)", false),
            ("a.js", "fs.writeFileSync(target, text)", false),
            ("a.js", "fs.writeFileSync('notes.json', text)", false),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: text.to_owned(),
            };
            assert_eq!(makes_up_names(&source), is_made_up, "{text}");
        }
    }

    #[test]
    fn a_folder_that_is_filled_is_known() {
        for (file, text, folder) in [
            (
                "a.js",
                "fs.writeFileSync('./static/' + dest, code)",
                Some("static"),
            ),
            (
                "a.js",
                "fs.writeFile(`notes/${id}.md`, text, done)",
                Some("notes"),
            ),
            ("a.py", "open(f'texts/{name}.txt', 'w')", Some("texts")),
            (
                "a.php",
                "file_put_contents('store/' . $id, $text)",
                Some("store"),
            ),
            ("a.js", "fs.writeFileSync('data/x.json', text)", None),
            ("a.js", "fs.writeFileSync(dir + '/x.json', text)", None),
            ("a.js", "fs.writeFileSync('/tmp/' + name, text)", None),
            ("a.js", "fs.readFileSync('./static/' + dest)", None),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: text.to_owned(),
            };
            let found = folders_filled(&source);
            assert_eq!(found, folder.into_iter().collect::<Vec<_>>(), "{text}");
        }
    }

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
            (
                "a.js",
                "new FileStore({ path: './var/s', ttl: 1 })",
                &["var/s"],
            ),
            ("a.js", "new FileStore()", &["sessions"]),
            (
                "a.js",
                "const settings = {\n  userDir:\"./flows/\",\n  x: 1 }",
                &["flows"],
            ),
            (
                "a.js",
                "formidable({ uploadDir: path.join(__dirname, 'up') })",
                &["up"],
            ),
            ("a.js", "multer({ dest: 'files/' })", &["files"]),
            ("a.js", "multer({ storage })", &[]),
            (
                "a.js",
                "diskStorage({ destination: (q, f, done) => done(null, d) })",
                &[],
            ),
            ("a.php", "return [\n  'dir' => 'data',\n];", &["data"]),
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
            let made = in_source(&source, &[&source]);
            let made: Vec<String> = made.into_iter().map(|made| made.folder).collect();
            assert_eq!(made, folders, "{text}");
        }
    }

    #[test]
    fn a_file_that_the_app_writes_is_known() {
        for (file, text, written) in [
            ("a.py", "open('data/x.json', 'w')", &["data/x.json"][..]),
            (
                "a.py",
                "X = 'x.json'\nwith open(X, mode='a') as f:",
                &["x.json"],
            ),
            (
                "a.py",
                "Path('data/x').with_suffix('.json').write_text(s)",
                &[],
            ),
            ("a.py", "(HERE / 'x').write_text(s)", &[]),
            ("a.py", "BASE_DIR = 1\nopen('x.json')", &[]),
            ("a.py", "open('x.json', 'r')", &[]),
            ("a.py", "open('/tmp/x.json', 'w')", &[]),
            ("a.py", "open(name, 'w')", &[]),
            (
                "a.go",
                "const dataFile = \"data/x.json\"\nos.WriteFile(dataFile, b, 0o644)",
                &["data/x.json"],
            ),
            (
                "a.go",
                "os.OpenFile(\"x.txt\", os.O_APPEND|os.O_CREATE, 0o644)",
                &["x.txt"],
            ),
            (
                "a.js",
                "const F = './store/x.json'\nfs.writeFileSync(F, '{}')",
                &["store/x.json"],
            ),
            (
                "src/a.js",
                "fs.writeFile(path.join(__dirname, '../db.json'), s, f)",
                &["db.json"],
            ),
            ("a.js", "fs.writeFileSync('dist/x.js', s)", &[]),
            ("a.js", "JSONFilePreset('db.json', {})", &["db.json"]),
            (
                "a.rs",
                "std::fs::write(\"data/x.json\", s)?",
                &["data/x.json"],
            ),
            (
                "a.php",
                "file_put_contents('data/x.json', $s);",
                &["data/x.json"],
            ),
            ("a.php", "fopen('x.txt', 'a');", &["x.txt"]),
            ("a.rb", "File.open('x.txt', 'w') { }", &["x.txt"]),
            ("A.java", "new FileWriter(\"data/x.csv\")", &["data/x.csv"]),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: text.to_owned(),
            };
            let made = in_source(&source, &[&source]);
            let made: Vec<String> = made.into_iter().filter_map(|made| made.file).collect();
            assert_eq!(made, written, "{text}");
        }
    }
}
