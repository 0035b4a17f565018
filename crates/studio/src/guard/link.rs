//! A link that opens one browser, once: it goes through the browser's command line, which other users of the machine can
//! read, so that it must be of no use afterwards, and of none to them before.

use std::sync::{Arc, Mutex, PoisonError};

use faussaire::Result;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::access::random_text;
use crate::peer::Peer;

/// The code of a link, while it may still be used.
#[derive(Clone, Debug)]
pub(super) struct OneTime(Arc<Mutex<Option<String>>>);

impl OneTime {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Some(random_text()?)))))
    }

    /// The code; none after its use.
    pub(super) fn code(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses the code up: true for the first `peer` that presents it. Another user of this machine can't, where the system
    /// tells whose a connection is.
    pub(super) fn take(&self, presented: &[u8], peer: &Peer) -> bool {
        let mut code = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = |bytes: &[u8]| Sha256::digest(bytes);
        let matches = code.as_ref().is_some_and(|code| bool::from(digest(code.as_bytes()).ct_eq(&digest(presented))));
        let takes = matches && !peer.is_another_user();
        if takes {
            *code = None;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_once() {
        let peer = Peer::new(([127, 0, 0, 1], 9).into(), ([127, 0, 0, 1], 10).into());
        let link = OneTime::new().unwrap();
        let code = link.code().unwrap();
        assert!(code.len() == 32 && !link.take(b"", &peer) && !link.take(&code.as_bytes()[1..], &peer));
        assert!(link.take(code.as_bytes(), &peer));
        assert!(!link.take(code.as_bytes(), &peer) && link.code().is_none() && !link.take(b"", &peer));
    }
}
