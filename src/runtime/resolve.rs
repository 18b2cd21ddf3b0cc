//! What a request means today: the newest version that answers it, and its archives.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::http::{Http, shown};
use super::lock::{Archive, Pin};
use super::sha512::Sha512;
use super::source::{Build, Offer, Proof, Source, checksum, file_name, integrity};
use crate::artifact::Sha256Hasher;
use crate::model::runtime::{Platform, Sha256};
use crate::model::version::{Request, Version};
use crate::model::{Failure, FailureKind};

/// The longest list of versions or of checksums that is read, bytes.
const LONGEST_LIST: u64 = 32 << 20;

/// The largest archive that is read whole to pin it, bytes.
const LARGEST_READ: u64 = 256 << 20;

/// A request, and whom to ask.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The runtime.
    pub(super) source: &'static Source,
    /// As in the manifest.
    pub(super) request: &'a str,
    /// Where to read instead of at the publisher.
    pub(super) mirror: Option<String>,
    /// What the project says the archive's checksum is: `sha512.` and hexadecimal digits.
    pub(super) hash: Option<String>,
}

/// The answer.
#[derive(Debug)]
pub(super) struct Resolved {
    /// What goes into the lock.
    pub(super) pin: Pin,
    /// The platforms that have no archive, each with why not.
    pub(super) missing: Vec<(Platform, String)>,
}

/// Asks the publisher, or the mirror, for the newest version that answers. Which one it is does not
/// depend on the machine that asks.
///
/// # Errors
/// `Project` when nothing answers, with the nearest versions; `Refused` when what is read is not
/// what a publisher has; `Unreachable` when nobody answers.
pub(super) async fn resolve(http: &Http, question: &Question<'_>) -> Result<Resolved, Failure> {
    let Question {
        source, request, ..
    } = question;
    let wanted = Request::parse(source.grammar(), request).map_err(|why| {
        let message = format!("{} cannot be `{request}`: {why}", source.name);
        Failure::new(FailureKind::Project, message)
    })?;
    let offers = question.offers(http, &wanted).await?;
    let Some(offer) = newest(&offers, &wanted) else {
        return Err(nothing(question, &wanted, &offers));
    };
    let (archives, failures) = question.archives(http, offer).await?;
    if archives.is_empty() {
        let message = format!("{} {} has no archive", source.name, offer.version);
        return Err(failures
            .into_values()
            .next()
            .unwrap_or_else(|| Failure::refused(message)));
    }
    let missing = Platform::ALL
        .into_iter()
        .filter(|platform| !archives.contains_key(platform))
        .map(|platform| {
            let why = failures.get(&platform);
            let why = why.map_or("the publisher has none".to_owned(), Failure::message);
            (platform, why.to_owned())
        })
        .collect();
    Ok(Resolved {
        pin: Pin {
            request: (*request).to_owned(),
            version: offer.version.to_string(),
            platforms: archives,
            packages: Vec::new(),
        },
        missing,
    })
}

/// The newest version that answers; one that has a build for Linux already before one that has only
/// others: publishers bring builds one after the other.
fn newest<'a>(offers: &'a [Offer], wanted: &Request) -> Option<&'a Offer> {
    let linux = |build: &Build| build.platform.is_linux();
    offers
        .iter()
        .filter(|offer| !offer.builds.is_empty())
        .filter(|offer| wanted.takes(&offer.version, offer.lts.as_deref()))
        .max_by_key(|offer| (offer.builds.iter().any(linux), &offer.version))
}

fn nothing(question: &Question<'_>, wanted: &Request, offers: &[Offer]) -> Failure {
    let Question {
        source, request, ..
    } = question;
    let built = offers.iter().filter(|offer| !offer.builds.is_empty());
    let nearest = wanted.nearest(built.map(|offer| &offer.version));
    let nearest: Vec<&str> = nearest.into_iter().map(Version::as_str).collect();
    let unbuilt = offers
        .iter()
        .find(|offer| offer.builds.is_empty() && wanted.matches(&offer.version));
    let message = match unbuilt {
        Some(offer) => format!(
            "{} {} has no build for a platform that ship knows",
            source.title, offer.version
        ),
        None => format!("no version of {} answers `{request}`", source.title),
    };
    let failure = Failure::new(FailureKind::Project, message)
        .hint(format!("change `{}` under [runtimes]", source.name));
    match nearest.as_slice() {
        [] => failure.detail("there are no versions at all where it was looked for"),
        [one] => failure.detail(format!("the only one is {one}")),
        many => failure.detail(format!("the nearest are {}", many.join(", "))),
    }
}

/// The text of a list, or why it cannot be had.
fn listed<'a>(
    lists: &'a BTreeMap<&str, Result<String, Failure>>,
    address: &str,
) -> Result<&'a str, Failure> {
    match lists.get(address) {
        Some(Ok(list)) => Ok(list),
        Some(Err(failure)) => Err(failure.clone()),
        None => Ok(""),
    }
}

impl Question<'_> {
    /// The versions that there are, as far as they may answer.
    async fn offers(&self, http: &Http, wanted: &Request) -> Result<Vec<Offer>, Failure> {
        let source = self.source;
        let index = self.read(http, source.index).await?;
        let Some(lists) = source.lists else {
            return (source.offers)(&index, &index).map_err(|why| self.no_list(source.index, &why));
        };
        let lists = lists(&index, wanted).map_err(|why| self.no_list(source.index, &why))?;
        let offers = lists.iter().map(async |address| {
            let list = self.read(http, address).await?;
            (source.offers)(&index, &list).map_err(|why| self.no_list(address, &why))
        });
        Ok(try_join_all(offers).await?.into_iter().flatten().collect())
    }

    /// The archives of a version, and why there is none for the platforms without one.
    async fn archives(
        &self,
        http: &Http,
        offer: &Offer,
    ) -> Result<(BTreeMap<Platform, Archive>, BTreeMap<Platform, Failure>), Failure> {
        // Most publishers have one list for all platforms.
        let addresses: BTreeSet<&str> = offer
            .builds
            .iter()
            .filter_map(|build| match &build.proof {
                Proof::List(address) | Proof::Document(address) => Some(address.as_str()),
                Proof::Here(..) | Proof::Integrity(_) => None,
            })
            .collect();
        let read = addresses.iter().map(|address| self.read(http, address));
        let lists: BTreeMap<&str, Result<String, Failure>> = addresses
            .iter()
            .copied()
            .zip(join_all(read).await)
            .collect();
        // What is the same on every platform is read once.
        let urls: BTreeMap<&str, &Build> = offer
            .builds
            .iter()
            .map(|build| (build.url.as_str(), build))
            .collect();
        let archives = urls.values().map(|build| self.archive(http, build, &lists));
        let archives = join_all(archives).await;
        let archives: BTreeMap<&str, _> = urls.into_keys().zip(archives).collect();
        let (mut found, mut failed) = (BTreeMap::new(), BTreeMap::new());
        for build in &offer.builds {
            let Some(archive) = archives.get(build.url.as_str()).cloned() else {
                continue;
            };
            match archive {
                Ok(archive) => {
                    found.insert(build.platform, archive);
                }
                Err(failure) if failure.kind == FailureKind::Refused => {
                    failed.insert(build.platform, failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok((found, failed))
    }

    async fn archive(
        &self,
        http: &Http,
        build: &Build,
        lists: &BTreeMap<&str, Result<String, Failure>>,
    ) -> Result<Archive, Failure> {
        let (sha256, size) = match &build.proof {
            Proof::Here(sum, 0) => (*sum, http.size(&self.address(&build.url)).await?),
            Proof::Here(sum, size) => (*sum, *size),
            Proof::Integrity(integrity) => self.verified(http, &build.url, integrity).await?,
            Proof::Document(address) => {
                let document = listed(lists, address)?;
                let integrity = integrity(document)
                    .ok_or_else(|| self.no_list(address, "it has no integrity"))?;
                self.verified(http, &build.url, &integrity).await?
            }
            Proof::List(address) => {
                let list = listed(lists, address)?;
                let name = file_name(&build.url);
                let sum = checksum(list, &name).ok_or_else(|| {
                    Failure::refused(format!(
                        "{} has no checksum of {name}",
                        shown(&self.address(address))
                    ))
                })?;
                (sum, http.size(&self.address(&build.url)).await?)
            }
        };
        Ok(Archive {
            url: build.url.clone(),
            sha256,
            size,
        })
    }

    /// The checksum and the size of an archive whose publisher tells another checksum: it is read
    /// whole, and must be what the publisher says.
    async fn verified(
        &self,
        http: &Http,
        url: &str,
        integrity: &str,
    ) -> Result<(Sha256, u64), Failure> {
        let address = self.address(url);
        let bytes = http.document(&address, LARGEST_READ).await?;
        let found = Sha512::of(&bytes);
        if !found.answers(integrity) {
            let message = format!("{} is not the archive that was published", shown(&address));
            return Err(Failure::refused(message)
                .detail(format!("published: {integrity}"))
                .detail(format!("found:     {}", found.integrity()))
                .hint(super::trouble::MIRROR));
        }
        if let Some(hash) = &self.hash
            && !found.answers(hash)
        {
            let message = format!(
                "package.json names another archive of {}",
                self.source.title
            );
            return Err(Failure::refused(message)
                .detail(format!("package.json: {hash}"))
                .detail(format!("found:        sha512.{}", found.hex()))
                .hint("correct `packageManager` in package.json"));
        }
        let mut sha256 = Sha256Hasher::default();
        sha256.update(&bytes);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok((sha256.finish(), size))
    }

    async fn read(&self, http: &Http, url: &str) -> Result<String, Failure> {
        let bytes = http.document(&self.address(url), LONGEST_LIST).await?;
        String::from_utf8(bytes).map_err(|_| self.no_list(url, "it is not text"))
    }

    fn address(&self, url: &str) -> String {
        self.source.address(url, self.mirror.as_deref())
    }

    fn no_list(&self, url: &str, why: &str) -> Failure {
        let (address, title) = (self.address(url), self.source.title);
        let message = format!(
            "{} is not a list of {title}'s versions: {why}",
            shown(&address)
        );
        Failure::refused(message).hint(super::trouble::MIRROR)
    }
}
