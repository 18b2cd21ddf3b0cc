//! The first message to an agent as an argument of its command line: no round trip before it, and
//! nothing on standard input that an rc file of the login shell could swallow.

use std::io;

use super::{Frame, Open, ToAgent, hex};

/// `open` in hexadecimal digits, which no shell reads its own way. Every user of the host may see
/// it (proc(5), `cmdline`): an [`Open`] holds no secret.
///
/// # Errors
/// When it does not serialize.
pub fn encode(open: &Open) -> io::Result<String> {
    let message = ToAgent::Open(Box::new(open.clone()));
    let bytes = serde_json::to_vec(&message)?;
    Ok(hex::digits(&bytes))
}

/// The message frame of an argument that [`encode`] made.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when it is not hexadecimal digits.
pub fn decode(argument: &str) -> io::Result<Frame> {
    let not_digits = || {
        let why = "the first message is not in hexadecimal digits";
        io::Error::new(io::ErrorKind::InvalidData, why)
    };
    hex::bytes(argument)
        .map(Frame::Message)
        .ok_or_else(not_digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Deployment, ServiceManagerKind};

    #[test]
    fn a_message_comes_back_as_it_was() {
        let open = Open {
            deployment: Deployment {
                app: "shop".try_into().unwrap(),
                environment: "production".try_into().unwrap(),
                root: Some("~/läden/it's \"ours\"".into()),
                manager: ServiceManagerKind::Systemd,
                user: "shop".into(),
                readable_by: Vec::new(),
            },
            wants: None,
            is_kept: false,
        };
        let argument = encode(&open).unwrap();
        assert!(argument.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let back: ToAgent = decode(&argument).unwrap().parse().unwrap();
        assert!(
            matches!(back, ToAgent::Open(back) if back.deployment.root == open.deployment.root)
        );
        for bad in ["7", "7b7", "zz", "+1"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }
}
