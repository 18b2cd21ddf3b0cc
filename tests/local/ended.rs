//! A controller that ends what it has switched to and not made final: said word for word, because
//! `ship` itself says it only where a connection was lost at the worst moment.

use std::io::{BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use ship::model::{Deployment, OperationKind, ReleaseId, ServiceManagerKind};
use ship::wire::{
    ActivateRequest, Begin, FrameReader, FrameWriter, FromAgent, Holder, MARKER, Open, ToAgent,
    argument,
};

use crate::shop::Shop;

/// The controller's end of a conversation with the agent.
struct Conversation {
    agent: Child,
    to: FrameWriter<ChildStdin>,
    from: FrameReader<BufReader<ChildStdout>>,
}

impl Conversation {
    fn with(shop: &Shop) -> Self {
        let open = Open {
            wants: None,
            deployment: Deployment {
                app: "shop".try_into().expect("a name"),
                environment: "local".try_into().expect("a name"),
                root: None,
                manager: ServiceManagerKind::Supervisor,
                user: "shop".to_owned(),
                readable_by: Vec::new(),
            },
            is_kept: false,
        };
        let open = argument::encode(&open).expect("an argument");
        let mut agent = shop
            .controller
            .command(env!("CARGO_BIN_EXE_ship"))
            .args(["agent", "serve", "--open", &open])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("an agent");
        let to = FrameWriter::new(agent.stdin.take().expect("its stdin"));
        let mut from = BufReader::new(agent.stdout.take().expect("its stdout"));
        let mut marker = [0; MARKER.len()];
        from.read_exact(&mut marker).expect("the marker");
        assert_eq!(marker, MARKER);
        Self {
            agent,
            to,
            from: FrameReader::new(from),
        }
    }

    /// Says `message` and waits for what is answered to it.
    #[track_caller]
    fn say(&mut self, message: &ToAgent) -> FromAgent {
        self.to.send(message).expect("an agent that listens");
        self.answer()
    }

    #[track_caller]
    fn answer(&mut self) -> FromAgent {
        loop {
            let frame = self.from.next_frame().expect("frames");
            let frame = frame.expect("an agent that answers");
            match frame.parse().expect("a message") {
                FromAgent::Event { .. } | FromAgent::Heartbeat => {}
                answer => return answer,
            }
        }
    }

    fn begin(&mut self) {
        let opened = self.answer();
        assert!(matches!(opened, FromAgent::Opened { .. }), "{opened:?}");
        let begun = self.say(&ToAgent::Begin(Box::new(Begin {
            history: Vec::new(),
            seeded: Vec::new(),
            compared: false,
            fleet: Vec::new(),
            transaction: "ended".to_owned(),
            holder: Holder {
                what: OperationKind::Rollback,
                who: "a test".to_owned(),
                since: Some("2026-11-27T12:00:00Z".to_owned()),
                ci: None,
                doing: None,
                is_tidying: false,
            },
            wait_ms: 30_000,
            lease_ms: 60_000,
            services: None,
        })));
        assert!(matches!(begun, FromAgent::Begun { .. }), "{begun:?}");
    }
}

#[test]
fn what_is_ended_before_it_is_final_goes_back() {
    let shop = Shop::deployed();
    shop.version("two");
    shop.deploy(&[]).ok();
    shop.serves("two", "v2");

    let mut conversation = Conversation::with(&shop);
    conversation.begin();
    let activated = conversation.say(&ToAgent::Activate(ActivateRequest {
        release: ReleaseId::parse("v1").expect("a number"),
        settle: false,
        commit: None,
    }));
    assert!(
        matches!(activated, FromAgent::Activated(_)),
        "{activated:?}"
    );
    shop.serves("one", "v1");

    let ended = conversation.say(&ToAgent::End);
    let FromAgent::Activated(back) = ended else {
        panic!("{ended:?}");
    };
    assert!(!back.committed && back.is == back.was, "{back:?}");
    shop.serves("two", "v2");
    let history = shop.history();
    assert!(
        history.contains("reverted") && history.contains("the controller ended it"),
        "{history}"
    );
    drop(conversation.to);
    conversation.agent.wait().expect("the agent's end");

    shop.version("three");
    shop.deploy(&["--wait", "30s"]).ok();
    shop.serves("three", "v3");
}
