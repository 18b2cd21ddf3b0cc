//! Which folders of a workspace the steps of a project may read.

use std::path::Path;

use super::workspace::Workspace;

/// The members of a workspace that a project is made of, and the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The folder of the manifest, relative to the root; empty for the root itself.
    place: String,
    needed: Vec<String>,
    members: Vec<String>,
    /// Paths that the manifest names.
    named: Vec<String>,
}

impl Needed {
    /// What a project in the workspace whose root is `source` may read, when its manifest lies in
    /// `place` below and holds `texts`: commands, names of members, paths. `None` when `source` is
    /// not the root of a workspace, or no member is named.
    #[must_use]
    pub fn of(source: &Path, place: &str, texts: &[&str]) -> Option<Self> {
        let split = |c: char| c.is_whitespace() || "'\"=;&|(){}".contains(c);
        let words = texts.iter().flat_map(|text| text.split(split));
        let words = words.map(|word| word.trim_start_matches("./").trim_end_matches(['.', '/']));
        let named: Vec<String> = [place]
            .into_iter()
            .chain(words)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let mut found = Self {
            place: place.to_owned(),
            needed: Vec::new(),
            members: Vec::new(),
            named,
        };
        for workspace in Workspace::at(source) {
            let members = found
                .named
                .iter()
                .filter_map(|word| workspace.member(word).or_else(|| workspace.member_at(word)));
            let needed = members.flat_map(|member| workspace.closure(member));
            found.needed.extend(needed.map(|member| member.dir.clone()));
            let members = workspace.members.iter().map(|member| member.dir.clone());
            found.members.extend(members);
        }
        (!found.needed.is_empty()).then_some(found)
    }

    /// Whether a step may read `path`, relative to the root; a folder ends in `/`.
    #[must_use]
    pub fn reads(&self, path: &str) -> bool {
        let folder = path.strip_suffix('/');
        let plain = folder.unwrap_or(path);
        let within = |outer: &String| is_below(plain, outer);
        let around = |inner: &String| folder.is_some() && is_below(inner, plain);
        let meets = |other: &String| within(other) || around(other);
        if !plain.contains('/') && folder.is_none() {
            return true;
        }
        if self.needed.iter().any(meets) || self.named.iter().any(meets) {
            return true;
        }
        // A root that is the project itself has folders of its own.
        self.place.is_empty() && !self.members.iter().any(within)
    }
}

fn is_below(inner: &str, outer: &str) -> bool {
    let rest = inner.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    const FILES: &[(&str, &str)] = &[
        (
            "package.json",
            r#"{"workspaces": ["apps/*", "packages/*"]}"#,
        ),
        (
            "apps/api/package.json",
            r#"{"name": "api", "dependencies": {"@acme/db": "*"}}"#,
        ),
        ("apps/web/package.json", r#"{"name": "web"}"#),
        ("packages/db/package.json", r#"{"name": "@acme/db"}"#),
    ];

    #[test]
    fn a_change_elsewhere_in_the_workspace_is_not_read() {
        let temp = tree(FILES);
        let root = temp.path().join("My Shop");
        let of = |place: &str, texts: &[&str]| Needed::of(&root, place, texts);
        let read = |needed: &Needed| {
            let paths = [
                "package-lock.json",
                "apps/api/src/a.ts",
                "packages/db/a.ts",
                "packages/",
                "apps/web/a.ts",
                "apps/web/",
                "docs/a.md",
                "tools/x.sh",
            ];
            paths
                .into_iter()
                .filter(|path| needed.reads(path))
                .collect::<Vec<_>>()
        };
        let below = of("apps/api", &["sh tools/x.sh"]).unwrap();
        assert_eq!(
            read(&below),
            [
                "package-lock.json",
                "apps/api/src/a.ts",
                "packages/db/a.ts",
                "packages/",
                "tools/x.sh"
            ]
        );
        let root_of = |texts: &[&str]| read(&of("", texts).unwrap());
        let all = [
            "package-lock.json",
            "apps/api/src/a.ts",
            "packages/db/a.ts",
            "packages/",
        ];
        let own = ["docs/a.md", "tools/x.sh"];
        for text in [
            "npm run build --workspace=apps/api",
            "pnpm --filter 'api...' run build",
        ] {
            assert_eq!(root_of(&[text]), [&all[..], &own].concat(), "{text}");
        }
        assert_eq!(of("", &["npm run build"]), None);
    }
}
