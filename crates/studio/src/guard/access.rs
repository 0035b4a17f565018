//! Who may use a server: whoever has its token, which is drawn at random or given, or everybody who reaches its address.

use std::collections::BTreeSet;
use std::net::IpAddr;

use faussaire::{Error, Result};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Fewest characters of a token, and fewest different ones.
const LEAST_LENGTH: usize = 16;
const LEAST_DIFFERENT: usize = 5;
/// Most bytes of a token, so that it fits into a header.
const LONGEST: usize = 1_024;
const MAKE_ONE: &str = "leave it out and one is drawn, or make one: `openssl rand -hex 16`";

/// The environment variable that the command takes a token from: other users can read its arguments.
pub const TOKEN_VARIABLE: &str = "FAUSSAIRE_TOKEN";

/// Who may use a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Whoever has the token, which is drawn when the server starts.
    #[default]
    Drawn,
    /// Whoever has this token: 16 characters or more.
    Token(String),
    /// Everybody who reaches the address, which must be one of this machine alone: all its users do.
    Open,
}

/// The token of a server.
#[derive(Clone)]
pub(super) struct Secret {
    text: String,
    digest: [u8; 32],
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Access {
    /// The token to require at `host`; `None` for [`Access::Open`].
    ///
    /// # Errors
    /// A token that is too easily guessed, an open server that other machines reach, or the system's random source fails.
    pub(super) fn secret(&self, host: IpAddr) -> Result<Option<Secret>> {
        match self {
            Self::Drawn => Ok(Some(Secret::new(&random_text()?))),
            Self::Token(text) => checked(text).map(|text| Some(Secret::new(text))),
            Self::Open if host.is_loopback() => Ok(None),
            Self::Open => Err(Error::usage(
                format!("without a token, everybody who reaches {host} could start trainings and read every run"),
                "drop --no-token, or listen on this machine alone: --host 127.0.0.1",
            )),
        }
    }
}

fn checked(text: &str) -> Result<&str> {
    let refused = |what: String, hint: &str| Err(Error::usage(what, hint));
    if text.is_empty() {
        return refused("the token is empty; is the variable set that it comes from?".into(), MAKE_ONE);
    }
    if text.trim() != text || text.contains(char::is_control) {
        let what = "the token has a line break, a control character, or a space at one of its ends";
        return refused(what.into(), MAKE_ONE);
    }
    let (length, different) = (text.chars().count(), text.chars().collect::<BTreeSet<_>>().len());
    if length < LEAST_LENGTH || text.len() > LONGEST {
        let s = if length == 1 { "" } else { "s" };
        let what =
            format!("the token has {length} character{s}, expected {LEAST_LENGTH} or more, at most {LONGEST} bytes");
        return refused(what, MAKE_ONE);
    }
    if different < LEAST_DIFFERENT {
        let s = if different == 1 { "" } else { "s" };
        let what = format!("the token has only {different} distinct character{s}, expected {LEAST_DIFFERENT} or more");
        return refused(what, MAKE_ONE);
    }
    Ok(text)
}

impl Secret {
    fn new(text: &str) -> Self {
        Self { text: text.into(), digest: Sha256::digest(text).into() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether `presented` is the token. Takes the same time for every text of a length.
    pub(super) fn is(&self, presented: &[u8]) -> bool {
        Sha256::digest(presented).as_slice().ct_eq(&self.digest).into()
    }

    /// Whether `presented` is `expected`, which was [derived](Self::derived). Takes the same time for every text of a length.
    pub(super) fn is_session(presented: &[u8], expected: &str) -> bool {
        presented.ct_eq(expected.as_bytes()).into()
    }

    /// A secret of its own for `purpose`, from which the token can't be found.
    pub(super) fn derived(&self, purpose: &str) -> String {
        let digest = Sha256::new().chain_update(self.digest).chain_update(purpose).finalize();
        hexadecimal(&digest)
    }
}

/// 128 bits from the system's secure random source, in hexadecimal.
pub(super) fn random_text() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        Error::usage(format!("the system's random source failed: {e}"), "choose a token yourself, with --token")
    })?;
    Ok(hexadecimal(&bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const ALL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

    #[test]
    fn a_token_that_is_easily_guessed_is_refused() {
        for (text, said) in [
            ("", "the token is empty"),
            ("a", "the token has 1 character, expected 16 or more"),
            ("fifteen letters", "the token has 15 characters"),
            ("aaaaaaaaaaaaaaaaaaaa", "only 1 distinct character, expected 5 or more"),
            ("abcdabcdabcdabcd", "only 4 distinct characters, expected 5 or more"),
            (" 0123456789abcdef", "a space at one of its ends"),
            ("0123456789abcdef\n", "a space at one of its ends"),
            ("0123456789\r\nabcdef", "a control character"),
            (&"0123456789".repeat(103), "at most 1024 bytes"),
        ] {
            for host in [LOCAL, ALL] {
                let error = Access::Token(text.into()).secret(host).unwrap_err();
                assert!(error.to_string().contains(said) && error.hint().contains("openssl rand"), "{text:?}: {error}");
            }
        }
        for text in ["0123456789abcdef", "a b&c=d%20+;\"é/?#", "correct horse battery staple"] {
            let secret = Access::Token(text.into()).secret(ALL).unwrap().unwrap();
            assert!(secret.is(text.as_bytes()) && !secret.is(b"") && !secret.is(&text.as_bytes()[1..]));
        }
    }

    #[test]
    fn tokens_are_drawn_unless_they_are_turned_off_here() {
        let drawn = |host| Access::default().secret(host).unwrap().unwrap();
        let (one, other) = (drawn(LOCAL), drawn(ALL));
        assert!(one.text().len() == 32 && one.text() != other.text());
        assert!(one.is(one.text().as_bytes()) && !one.is(other.text().as_bytes()));
        assert!(Access::Open.secret(LOCAL).unwrap().is_none());
        assert!(Access::Open.secret(std::net::Ipv6Addr::LOCALHOST.into()).unwrap().is_none());
        let error = Access::Open.secret(ALL).unwrap_err();
        assert!(error.to_string().contains("could start trainings") && error.hint().contains("--no-token"), "{error}");
    }

    #[test]
    fn derived_secrets_differ_by_token_and_purpose_and_hide_the_token() {
        let [a, b] = ["0123456789abcdef", "0123456789abcdeg"].map(Secret::new);
        let all = BTreeSet::from([a.derived("x"), a.derived("y"), b.derived("x"), b.derived("y")]);
        assert_eq!((all.len(), a.derived("x")), (4, a.derived("x")));
        assert!(all.iter().all(|text| text.len() == 64));
        assert!(!format!("{a:?}").contains("0123"));
    }
}
