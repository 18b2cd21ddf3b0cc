use super::*;

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn inside(path: &str) -> Place {
    Place::Inside(path.to_owned())
}

/// The place of the text `x.db` in a file.
fn found(path: &str, text: &str, others: &[&Source]) -> Place {
    let start = text.rfind("x.db").unwrap();
    let start = text[..start].rfind(['"', '\'']).unwrap() + 1;
    let own = text[start..].split(['"', '\'']).next().unwrap();
    of(text, start, own, &source(path, text), others)
}

#[test]
fn a_path_of_a_known_folder_is_inside() {
    for (path, text, place) in [
        ("a.js", "open('x.db')", "x.db"),
        ("a.rb", "DB = SQLite3::Database.new('x.db')", "x.db"),
        ("a.js", "new Database('./data/x.db')", "data/x.db"),
        ("a.js", "open('./data/x.db')", "data/x.db"),
        ("a.js", "sql.Open(\"sqlite3\", \"x.db\")", "x.db"),
        ("a.js", "x = ['a', 'x.db']", "x.db"),
        ("a.js", "path.join('data', 'x.db')", "data/x.db"),
        ("a.js", "path.join(__dirname, 'x.db')", "x.db"),
        ("src/a.js", "path.join(__dirname, 'x.db')", "src/x.db"),
        (
            "src/a.js",
            "path.join(__dirname, '..', 'var', 'x.db')",
            "var/x.db",
        ),
        (
            "src/a.js",
            "open(path.join(\n  __dirname,\n  '../x.db'\n))",
            "x.db",
        ),
        ("src/a.ts", "path.join(__dirname, '../x.db')", "x.db"),
        ("a.js", "path.resolve(process.cwd(), 'x.db')", "x.db"),
        (
            "a.mjs",
            "fileURLToPath(new URL('.', import.meta.url)) + 'x.db'",
            "x.db",
        ),
        (
            "src/a.mjs",
            "const dir = path.dirname(fileURLToPath(import.meta.url));\njoin(dir, '..', 'x.db')",
            "x.db",
        ),
        (
            "a.js",
            "const dir = process.env.DATA_DIR || './data';\npath.join(dir, 'x.db')",
            "data/x.db",
        ),
        (
            "a.js",
            "const dir = process.env.DATA_DIR ?? path.join(__dirname, 'data');\njoin(dir, 'x.db')",
            "data/x.db",
        ),
        (
            "src/a.js",
            "const root = path.dirname(__dirname);\nconst dir = fs.existsSync('/data') ? '/data' : root;\njoin(dir, 'x.db')",
            "x.db",
        ),
        (
            "a.py",
            "HERE = '/data' if os.path.exists('/data') else BASE_DIR\nN = os.path.join(HERE, 'x.db')",
            "x.db",
        ),
        ("a.py", "BASE_DIR / 'db' / 'x.db'", "db/x.db"),
        (
            "shop/settings/base.py",
            "BASE_DIR = Path(__file__).resolve().parent.parent.parent\nN = BASE_DIR / 'x.db'",
            "x.db",
        ),
        (
            "shop/settings.py",
            "BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n\
             N = os.path.join(BASE_DIR, 'x.db')",
            "x.db",
        ),
        (
            "shop/settings/base.py",
            "PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n\
             BASE_DIR = os.path.dirname(PROJECT_DIR)\nN = os.path.join(BASE_DIR, \"x.db\")",
            "x.db",
        ),
        (
            "config/settings/base.py",
            "ROOT_DIR = environ.Path(__file__) - 3\nN = os.path.join(ROOT_DIR, 'x.db')",
            "x.db",
        ),
        (
            "config.py",
            "basedir = os.path.abspath(os.path.dirname(__file__))\n\
             U = 'sqlite:///' + os.path.join(basedir, 'x.db')",
            "x.db",
        ),
        ("a/b.py", "Path(__file__).parents[1] / 'x.db'", "x.db"),
        (
            "a.py",
            "D = os.environ.get('DATA', 'data')\nos.path.join(D, 'x.db')",
            "data/x.db",
        ),
        (
            "f/a.py",
            "os.path.join(app.instance_path, 'x.db')",
            "instance/x.db",
        ),
        (
            "db/a.php",
            "new PDO('sqlite:' . __DIR__ . '/x.db')",
            "db/x.db",
        ),
        (
            "db/a.php",
            "new PDO('sqlite:' . dirname(__FILE__) . '/../x.db')",
            "x.db",
        ),
        ("a.rb", "Rails.root.join('storage', 'x.db')", "storage/x.db"),
        ("lib/a.rb", "File.join(__dir__, '..', 'x.db')", "x.db"),
        (
            "a.rs",
            "let dir = std::env::var(\"D\").unwrap_or_else(|_| \"data\".into());\n\
             Path::new(&dir).join(\"x.db\")",
            "data/x.db",
        ),
        ("a.go", "filepath.Join(\"data\", \"x.db\")", "data/x.db"),
        ("A.java", "Paths.get(\"data\", \"x.db\")", "data/x.db"),
    ] {
        assert_eq!(found(path, text, &[]), inside(place), "{path}: {text}");
    }
}

#[test]
fn a_path_of_another_folder_is_not() {
    for (path, text) in [
        ("a.js", "path.join(dir, 'x.db')"),
        ("a.js", "path.join(\n  dir,\n  'x.db'\n)"),
        ("a.js", "path.join(config.get('dir'), 'x.db')"),
        ("a.js", "open(dir + '/x.db')"),
        ("a.js", "path.join(os.homedir(), 'x.db')"),
        (
            "a.js",
            "const dir = process.env.DATA;\npath.join(dir, 'x.db')",
        ),
        ("a.js", "path.join(app.getPath('userData'), 'x.db')"),
        ("src/a.ts", "path.join(__dirname, 'x.db')"),
        ("a.ts", "app.tmpPath('x.db')"),
        ("a.py", "os.path.join(X, 'x.db')"),
        ("a.py", "self.dir / 'x.db'"),
        ("a.py", "def f(dir='data'):\n    return dir / 'x.db'"),
        ("a.py", "os.path.join(os.environ['DATA'], 'x.db')"),
        ("a.php", "$this->dir . '/x.db'"),
        ("a.rs", "dir.join(\"x.db\")"),
        ("a.go", "filepath.Join(*dir, \"x.db\")"),
        ("A.java", "new File(dir, \"x.db\")"),
        ("a.cs", "Path.Combine(env.ContentRootPath, \"x.db\")"),
    ] {
        assert_eq!(found(path, text, &[]), Place::Unknown, "{path}: {text}");
    }
    for (path, text) in [
        ("a.js", "open('/var/lib/x.db')"),
        ("a.js", "open('../x.db')"),
        ("a.js", "path.join('/data', 'x.db')"),
        ("a.js", "path.join(os.tmpdir(), 'x.db')"),
        ("a.js", "path.join(__dirname, '..', 'x.db')"),
    ] {
        assert_eq!(found(path, text, &[]), Place::Outside, "{path}: {text}");
    }
}

#[test]
fn a_constant_may_stand_in_another_file() {
    let text = "from config import DATA_DIR\nos.path.join(DATA_DIR, 'x.db')";
    let config = source(
        "app/config.py",
        "DATA_DIR = Path(__file__).parent / 'data'\n",
    );
    assert_eq!(found("a.py", text, &[&config]), inside("app/data/x.db"));
    let other = source("b.py", "DATA_DIR = 'other'\n");
    assert_eq!(found("a.py", text, &[&config, &other]), Place::Unknown);
}

#[test]
fn no_text_breaks_it() {
    for text in [
        "'x.db'",
        ")'x.db'",
        "((((join('x.db'",
        "join(a))),'x.db'",
        "ü + 'x.db'",
        "ü('x.db'",
        "const a = a;\njoin(a, 'x.db')",
        "a = a + a + a\nb = a + a\njoin(b, 'x.db')",
        "const a = ü(;\njoin(a, 'x.db')",
        "a.parents[99999999999999999999] / 'x.db'",
        "Path('') / 'x.db'",
        "join(], 'x.db'",
    ] {
        for path in ["a.py", "a.js", "a.php"] {
            found(path, text, &[]);
        }
    }
}
