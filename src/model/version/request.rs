//! What a project asks for.

use super::range::{Condition, Conditions, hold, reach};
use super::{Grammar, LONGEST, Version, lts, pep440, semver};

/// A request for a version: exact, a prefix, a range, or an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// The newest release.
    Latest,
    /// The newest release with long-term support; of the line of this name, when there is one.
    Lts(Option<String>),
    /// One of these.
    Any(Vec<Conditions>),
}

impl Request {
    /// Reads a request in `grammar`.
    ///
    /// # Errors
    /// Why it is none, in a few words: "`<` is not understood".
    pub fn parse(grammar: Grammar, text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let word = |word: &str| format!("`{word}` is not understood");
        if let Some(wanted) = alias(grammar, text) {
            return wanted.map(|wanted| Self { wanted });
        }
        let any = match grammar {
            Grammar::Node | Grammar::Npm => semver::parse(text, grammar).map_err(|w| word(&w))?,
            Grammar::Python | Grammar::Tool => {
                pep440::parse(text, grammar).map_err(|w| word(&w))?
            }
            // Their users write commas as well.
            Grammar::Go | Grammar::Java | Grammar::Other => {
                let commas = text.replace(',', " ");
                semver::parse(&commas, grammar).map_err(|w| word(&w))?
            }
        };
        Ok(Self {
            wanted: Wanted::Any(any),
        })
    }

    /// Whether only the publisher knows what it means: `lts`, `latest`, a code name that is newer
    /// than this build. `lts/jod` is not an alias: it always means 22.
    #[must_use]
    pub fn is_alias(&self) -> bool {
        match &self.wanted {
            Wanted::Any(_) => false,
            Wanted::Lts(Some(line)) => lts::node_major(line).is_none(),
            Wanted::Latest | Wanted::Lts(None) => true,
        }
    }

    /// Whether `version` answers it; an alias is answered by every release.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        match &self.wanted {
            Wanted::Lts(Some(line)) => {
                let major = lts::node_major(line);
                !version.is_prerelease() && major.is_none_or(|major| version.number(0) == major)
            }
            Wanted::Latest | Wanted::Lts(None) => !version.is_prerelease(),
            Wanted::Any(any) => any.iter().any(|conditions| hold(conditions, version)),
        }
    }

    /// Whether `version`, of the long-term line `lts`, answers it.
    #[must_use]
    pub fn takes(&self, version: &Version, lts: Option<&str>) -> bool {
        self.matches(version)
            && match &self.wanted {
                Wanted::Lts(None) => lts.is_some(),
                Wanted::Lts(Some(line)) => lts.is_some_and(|lts| lts.eq_ignore_ascii_case(line)),
                Wanted::Latest | Wanted::Any(_) => true,
            }
    }

    /// Whether a release with long-term support is wanted.
    #[must_use]
    pub fn is_lts(&self) -> bool {
        matches!(self.wanted, Wanted::Lts(_))
    }

    /// Those of the feature releases `all`, the first numbers of versions, of which a version may
    /// answer: for an alias the newest, and the newest two for a request that no first number
    /// answers, so that nearest ones can be shown.
    #[must_use]
    pub fn features(&self, all: &[u64]) -> Vec<u64> {
        let mut all = all.to_vec();
        all.sort_unstable();
        let mut found = match &self.wanted {
            Wanted::Latest | Wanted::Lts(_) => all.last().copied().into_iter().collect(),
            Wanted::Any(any) => all
                .iter()
                .copied()
                .filter(|feature| any.iter().any(|conditions| reach(conditions, *feature)))
                .collect::<Vec<u64>>(),
        };
        if found.is_empty() {
            found = all.split_off(all.len().saturating_sub(2));
        }
        found
    }

    /// The releases of `versions` that are nearest to what is asked for: two below and two above;
    /// ascending.
    #[must_use]
    pub fn nearest<'a>(&self, versions: impl IntoIterator<Item = &'a Version>) -> Vec<&'a Version> {
        let mut releases: Vec<&Version> = versions
            .into_iter()
            .filter(|version| !version.is_prerelease())
            .collect();
        releases.sort();
        releases.dedup();
        let anchor = match &self.wanted {
            Wanted::Any(any) => any.iter().flatten().next().map(Condition::anchor),
            Wanted::Latest | Wanted::Lts(_) => None,
        };
        let at = anchor.map_or(releases.len(), |anchor| {
            releases.partition_point(|version| **version < anchor)
        });
        let from = at.saturating_sub(2);
        releases
            .into_iter()
            .skip(from)
            .take(at - from + 2)
            .collect()
    }
}

/// `latest`, `lts`, `lts/iron`, `iron`, `node`; the error says that there is no such line.
fn alias(grammar: Grammar, text: &str) -> Option<Result<Wanted, String>> {
    let lower = text.to_ascii_lowercase();
    let lower = match grammar {
        Grammar::Java => lower.strip_prefix("temurin-").unwrap_or(&lower),
        _ => &lower,
    };
    let wanted = match lower {
        "latest" => Wanted::Latest,
        "node" | "current" if grammar == Grammar::Node => Wanted::Latest,
        "lts" | "lts/*" | "--lts" | "lts/latest" | "lts-latest" => Wanted::Lts(None),
        line if grammar == Grammar::Node && lts::node_major(line).is_some() => {
            Wanted::Lts(Some(line.to_owned()))
        }
        line => {
            let line = line.strip_prefix("lts/").or(line.strip_prefix("lts-"))?;
            if line.is_empty() || !line.chars().all(|c| c.is_ascii_alphabetic()) {
                return None;
            }
            Wanted::Lts(Some(line.to_owned()))
        }
    };
    let long_term = matches!(wanted, Wanted::Lts(_));
    Some(match wanted {
        Wanted::Latest if grammar == Grammar::Other => {
            Err("the host's version is what it is".to_owned())
        }
        _ if long_term && !grammar.has_lts() => {
            Err("there are no releases with long-term support".to_owned())
        }
        Wanted::Lts(Some(_)) if grammar == Grammar::Java => {
            Err("its lines with long-term support have no names".to_owned())
        }
        wanted => Ok(wanted),
    })
}
