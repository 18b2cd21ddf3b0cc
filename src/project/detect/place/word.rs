//! Whether a text that is one word is a path: `data` of `mkdir("data")`, and not of `{"data": 1}`.

use super::super::folder::Source;
use super::{expression, text_before};

/// What stands before a folder on its line, without capitals: the name that is given it, or the call.
const BEFORE: &[&str] = &[
    // The callback of multer.
    "cb(", "dest", "dir", "disk", "exists", "folder", "glob", "open(", "path", "root", "static",
    "storage", "upload", "walk",
];

/// What has such a word in it and is about something else.
const OTHERS: &[&str] = &["redirect", "direction", "indirect"];

/// Whether `text`, which begins at `start` of the code of `source`, is a path.
pub(in crate::project::detect) fn is_path(
    code: &str,
    start: usize,
    text: &str,
    source: &Source,
) -> bool {
    let left = text_before(code, start - 1);
    if text.contains('/') || expression(code, left, source).0 < left {
        return true;
    }
    let before = code[..left].trim_end();
    let after = code[start + text.len() + 1..].trim_start();
    let is_key = after.starts_with(':') && !after.starts_with("::") || after.starts_with("=>");
    let is_index = after.starts_with(']') && before.ends_with('[');
    let compares = |text: &str| ["==", "!=", "in "].iter().any(|it| text.starts_with(it));
    if is_key || is_index || compares(after) || before.ends_with("==") || before.ends_with("!=") {
        return false;
    }
    let from: &[char] = match before.ends_with(':') {
        // The value of a key.
        true => &['\n', ',', '{', '('],
        false => &['\n'],
    };
    let line = before.rsplit(from).next().unwrap_or(before);
    let mut line = line.to_ascii_lowercase();
    for other in OTHERS {
        line = line.replace(other, "");
    }
    BEFORE.iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_path_where_the_code_says_so() {
        for (file, code, expected) in [
            ("a.js", "fs.mkdirSync('data')", true),
            ("a.js", "path.join(__dirname, 'data')", true),
            ("a.js", "path.join(\n  __dirname,\n  'data')", true),
            (
                "a.js",
                "const DATA_DIR = process.env.DATA_DIR || 'data'",
                true,
            ),
            ("a.js", "multer({ dest: 'data' })", true),
            ("a.js", "cb(null, 'data')", true),
            ("a.js", "express.static('data')", true),
            ("a.js", "f('./data')", true),
            ("a.py", "BASE / 'data'", true),
            ("a.py", "app.config['UPLOAD_FOLDER'] = 'data'", true),
            ("a.py", "os.environ.get('DATA_DIR', 'data')", true),
            ("a.py", "StaticFiles(directory='data')", true),
            ("a.rs", "PathBuf::from(\"data\")", true),
            ("a.rs", "dir.unwrap_or_else(|| \"data\".into())", true),
            ("a.go", "os.MkdirAll(\"data\", 0o755)", true),
            ("a.js", "res['data']", false),
            ("a.js", "res.json({ 'data': 1 })", false),
            ("a.js", "req.on('data', f)", false),
            ("a.js", "const key = 'data'", false),
            ("a.js", "res.redirect('data')", false),
            ("a.py", "request.args.get('data')", false),
            ("a.py", "if 'data' in path:", false),
            ("a.py", "path == 'data'", false),
            ("a.py", "x = {'path': p, 'data': d}", false),
            ("a.js", "f({ path: p, type: 'data' })", false),
            ("a.rb", "path = { 'data' => 1 }", false),
            ("a.go", "c.JSON(200, gin.H{\"data\": x})", false),
        ] {
            let source = Source {
                path: file.to_owned(),
                text: code.to_owned(),
            };
            let place = code.find("data'").or(code.find("data\"")).unwrap();
            let start = code[..place].rfind(['"', '\'']).unwrap() + 1;
            let text = code[start..].split(['"', '\'']).next().unwrap();
            assert_eq!(is_path(code, start, text, &source), expected, "{code}");
        }
    }
}
