//! What a request means today: the newest version that answers it, and its archives.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, try_join_all};

use super::http::{Http, shown};
use super::lock::{Archive, Pin};
use super::source::{Build, Offer, Proof, Source, checksum, file_name};
use crate::model::runtime::Platform;
use crate::model::version::{Request, Version};
use crate::model::{Failure, FailureKind};

/// The longest list of versions or of checksums that is read, bytes.
const LONGEST_LIST: u64 = 32 << 20;

/// A request, and whom to ask.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The runtime.
    pub(super) source: &'static Source,
    /// As in the manifest.
    pub(super) request: &'a str,
    /// Where to read instead of at the publisher.
    pub(super) mirror: Option<String>,
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
            let why = why.map_or("the publisher has none", |why| why.message.as_str());
            (platform, why.to_owned())
        })
        .collect();
    Ok(Resolved {
        pin: Pin {
            request: (*request).to_owned(),
            version: offer.version.to_string(),
            platforms: archives,
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
                Proof::List(address) => Some(address.as_str()),
                Proof::Here(..) => None,
            })
            .collect();
        let read = addresses.iter().map(|address| self.read(http, address));
        let lists: BTreeMap<&str, Result<String, Failure>> = addresses
            .iter()
            .copied()
            .zip(join_all(read).await)
            .collect();
        let archives = offer
            .builds
            .iter()
            .map(|build| self.archive(http, build, &lists));
        let (mut found, mut failed) = (BTreeMap::new(), BTreeMap::new());
        for (build, archive) in offer.builds.iter().zip(join_all(archives).await) {
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
            Proof::List(address) => {
                let list = match lists.get(address.as_str()) {
                    Some(Ok(list)) => list,
                    Some(Err(failure)) => return Err(failure.clone()),
                    None => "",
                };
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

    async fn read(&self, http: &Http, url: &str) -> Result<String, Failure> {
        let bytes = http.document(&self.address(url), LONGEST_LIST).await?;
        String::from_utf8(bytes).map_err(|_| self.no_list(url, "it is no text"))
    }

    fn address(&self, url: &str) -> String {
        self.source.address(url, self.mirror.as_deref())
    }

    fn no_list(&self, url: &str, why: &str) -> Failure {
        let (address, title) = (self.address(url), self.source.title);
        let message = format!(
            "{} is no list of {title}'s versions: {why}",
            shown(&address)
        );
        Failure::refused(message).hint(super::trouble::MIRROR)
    }
}
