//! Options of command lines in Rust (clap) that may come from a variable.

/// Options of a command line in Rust that take a variable, and have no value to fall back on.
pub(super) fn needed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut attribute = String::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if ["#[arg(", "#[clap(", "#[structopt("]
            .iter()
            .any(|it| line.starts_with(it))
        {
            is_open = true;
        }
        if is_open || line.starts_with("#[") {
            attribute.push_str(line);
            is_open = is_open && !line.ends_with(")]");
            continue;
        }
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let field = line.trim_start_matches("pub ").split_once(':');
        if let Some((field, kind)) = field {
            let has = |word: &str| {
                let mut words = attribute.split([',', '(', ')', ']']).map(str::trim);
                words.any(|it| {
                    it == word
                        || it.starts_with(&format!("{word} ="))
                        || it.starts_with(&format!("{word}="))
                })
            };
            let kind = kind.trim();
            let may_lack = ["Option<", "Vec<", "bool"]
                .iter()
                .any(|it| kind.starts_with(it));
            let falls = [
                "default_value",
                "default_value_t",
                "default_values_t",
                "default_missing_value",
            ];
            if has("env") && !may_lack && !falls.iter().any(|word| has(word)) {
                let named = attribute.split("env").skip(1).find_map(|rest| {
                    rest.trim_start()
                        .strip_prefix('=')?
                        .trim_start()
                        .strip_prefix('"')?
                        .split('"')
                        .next()
                });
                found.push(named.map_or_else(|| field.trim().to_ascii_uppercase(), str::to_owned));
            }
        }
        attribute.clear();
    }
    found
}
