//! What becomes of a lost connection.

use super::{HostLink, millis};
use crate::model::Failure;
use crate::model::event::HostEvent;
use crate::rollout::aside::Beat;
use crate::rollout::rejoin::{Lost, Rejoined};
use crate::transport::Link;
use crate::wire::Frame;

impl HostLink {
    /// Whether a lost connection is made anew by itself: not while content is on its way, whose
    /// sender has to begin anew.
    pub(super) fn may_rejoin(&self) -> bool {
        self.talk.as_ref().is_some_and(|talk| !talk.staging)
    }

    /// What follows, until [`HostLink::staged`], is the transfer of a release: whoever does it makes
    /// a lost connection anew. Whether that happened already since the transaction began, so that
    /// the offer has to be made again.
    pub fn stages(&mut self) -> bool {
        let Some(talk) = &mut self.talk else {
            return false;
        };
        talk.staging = true;
        let rejoined = std::mem::take(&mut talk.rejoined);
        // What answered the offer of the lost connection would pass for an answer to the next one.
        if rejoined && !talk.is_over() {
            talk.forget_missed();
        }
        rejoined
    }

    /// The transfer is over.
    pub fn staged(&mut self) {
        if let Some(talk) = &mut self.talk {
            talk.staging = false;
        }
    }

    /// Makes a connection anew that was lost while content was on its way. Whether the request to
    /// publish had arrived: then its answer comes; else all of it has to begin with the offer.
    ///
    /// # Errors
    /// When the host cannot be reached for too long, or has given up waiting.
    pub async fn rejoin_staging(&mut self) -> Result<bool, Failure> {
        self.rejoin(Lost::Closed).await?;
        let lost = self.lost();
        let Some(talk) = self.talk.as_mut().filter(|talk| !talk.is_over()) else {
            return Err(lost.detail("the host did not wait for this machine to come back"));
        };
        talk.rejoined = false;
        let arrived = talk.arrived >= talk.requests && talk.last_is_publish();
        if !arrived {
            talk.requests = talk.arrived;
            talk.forget_missed();
        }
        Ok(arrived)
    }

    /// Makes the connection anew; what came on the old one, when that is back first. Can be given up,
    /// and gone on with.
    pub(super) async fn rejoin(&mut self, lost: Lost) -> Result<Option<Frame>, Failure> {
        let sink = self.way.context.sink.clone();
        let talk = self.talk.get_or_insert_default();
        let rejoining = self.rejoining.get_or_insert_with(|| {
            sink.host(&self.host, HostEvent::Reconnecting);
            self.way.rejoin(talk, lost)
        });
        let rejoined = rejoining.ends(&mut self.link).await;
        let ms = millis(rejoining.began);
        self.rejoining = None;
        let frame = match rejoined.map_err(|why| self.lost().detail(why.message()))? {
            Rejoined::Old(frame) => Some(frame),
            Rejoined::New(back) => {
                let link = self.talk.get_or_insert_default().goes_on(*back);
                self.go_on_with(link);
                None
            }
        };
        sink.host(&self.host, HostEvent::Reconnected { ms });
        Ok(frame)
    }

    /// Makes the connection anew for a conversation that begins anew.
    ///
    /// # Errors
    /// As [`HostLink::connect`].
    pub async fn connect_anew(&mut self) -> Result<(), Failure> {
        let (link, facts) = self.way.connect_unless_interrupted().await?;
        self.go_on_with(link);
        self.facts = facts;
        Ok(())
    }

    fn go_on_with(&mut self, link: Link) {
        self.sent_before += self.link.traffic().sent();
        self._beat = Beat::on(&link);
        self.link = link;
        self.asides.begin_anew();
    }

    /// Sends the last request again when it had not arrived.
    pub(super) async fn ask_again(&mut self) {
        let Some(talk) = self.talk.as_mut().filter(|talk| !talk.is_over()) else {
            return;
        };
        if talk.arrived < talk.requests
            && let Some(request) = talk.last.clone()
        {
            let _ = self.link.sender().message(&request).await;
        }
    }
}
