//! Access control. Every request needs the server's token: in a header, in the address, or in the cookie that opening an address
//! with the token leaves. A server without a token (`--no-token`) listens on this machine alone, and answers only requests
//! with a local Host header, so that another site can't reach it through a domain that resolves to 127.0.0.1 (DNS rebinding).
//! Requests that other sites cause are refused in both cases.

mod access;
mod credentials;
mod link;
mod site;

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use faussaire::Result;

use access::Secret;
pub use access::{Access, TOKEN_VARIABLE};
use credentials::{bearer, cookies, encoded, in_query};
use link::OneTime;

use crate::errors::Failure;
use crate::peer::Peer;

/// Content security policy: pages load only this server's files and run no inline script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// That of the page that asks for the token.
const WELCOME_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// How long a browser keeps the cookie, in seconds: 30 days.
const COOKIE_SECONDS: u32 = 30 * 24 * 3600;
/// What needs no token: a health check.
const OPEN_PATH: &str = "/healthz";

/// The access rules of a server, before it is bound.
#[derive(Debug)]
pub(crate) struct Rules(Option<Secret>);

impl Rules {
    /// The rules that `access` makes at `host`.
    ///
    /// # Errors
    /// As [`Access`] says: a token that is easily guessed, or none where other machines can reach the address.
    pub(crate) fn new(access: &Access, host: IpAddr) -> Result<Self> {
        access.secret(host).map(Self)
    }

    /// Those of a server that listens at `address`.
    ///
    /// # Errors
    /// The system's random source fails.
    pub(crate) fn at(self, address: SocketAddr) -> Result<Guard> {
        Ok(Guard { secret: self.0, port: address.port(), once: OneTime::new()?, pages: true })
    }
}

/// The access rules of a server.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// The token that every request must have.
    secret: Option<Secret>,
    port: u16,
    once: OneTime,
    /// Whether browsers open its addresses.
    pages: bool,
}

/// What is done with a request.
#[derive(Debug)]
enum Verdict {
    Refused(Failure),
    /// It is answered.
    Granted,
    /// Its token moves from the address into a cookie.
    Moved,
}

impl Guard {
    /// The rules of a server that only programs use: no address of theirs becomes another.
    pub(crate) fn for_programs(self) -> Self {
        Self { pages: false, ..self }
    }

    /// The token, if one is required.
    pub(crate) fn token(&self) -> Option<&str> {
        self.secret.as_ref().map(Secret::text)
    }

    /// The query of an address that opens any browser: with the token.
    pub(crate) fn query(&self) -> String {
        self.token().map_or(String::new(), |token| format!("?token={}", encoded(token)))
    }

    /// The query of an address that opens one browser, once.
    pub(crate) fn once(&self) -> String {
        let code = self.secret.as_ref().and_then(|_| self.once.code());
        code.map_or(String::new(), |code| format!("?once={code}"))
    }

    /// The cookie's name. Browsers send the cookies of a host to all of its ports, so that the port is in the name, and its
    /// value is of no use as a token.
    fn cookie(&self) -> String {
        format!("faussaire-{}", self.port)
    }

    /// The cookie's value for `peer`: another server on this host that a browser sends it to can't use it from elsewhere.
    fn session(&self, secret: &Secret, peer: &Peer) -> String {
        secret.derived(&format!("session {} {}", self.port, peer.address()))
    }

    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap, peer: &Peer) -> Verdict {
        if let Some(failure) = site::foreign(method, uri, headers) {
            return Verdict::Refused(failure);
        }
        let Some(secret) = &self.secret else {
            return site::rebound(headers).map_or(Verdict::Granted, Verdict::Refused);
        };
        let query = uri.query().unwrap_or_default();
        let (in_address, codes) = (in_query(query, "token"), in_query(query, "once"));
        // Only a page's address is tidied; a program may have the token in each of its requests' addresses.
        let page = self.pages && *method == Method::GET && !uri.path().starts_with("/api/");
        let granted =
            if page && !(in_address.is_empty() && codes.is_empty()) { Verdict::Moved } else { Verdict::Granted };
        let session = self.session(secret, peer);
        if bearer(headers).any(|token| secret.is(token))
            || in_address.iter().any(|token| secret.is(token))
            || cookies(headers, &self.cookie()).any(|value| Secret::is_session(value, &session))
            || (page && codes.iter().any(|code| self.once.take(code, peer)))
        {
            return granted;
        }
        let what = match (codes.is_empty(), in_address.is_empty()) {
            (false, _) => "this link was used before, or isn't this server's; it opens one browser, once",
            (true, false) => "the token is not this server's; it may have been started anew since",
            (true, true) => "the request has no valid token",
        };
        Verdict::Refused(Failure::new(
            StatusCode::UNAUTHORIZED,
            what,
            "send the header authorization: Bearer TOKEN, or open the address with ?token=TOKEN; the terminal shows the \
             token",
        ))
    }

    fn move_into_cookie(&self, uri: &Uri, peer: &Peer) -> Response {
        let session = self.secret.as_ref().map(|secret| self.session(secret, peer)).unwrap_or_default();
        let name = self.cookie();
        let cookie = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}");
        let head = [(header::LOCATION, own_path(uri.path()).to_owned()), (header::SET_COOKIE, cookie)];
        (StatusCode::SEE_OTHER, head).into_response()
    }
}

/// `path` if a browser takes it for one of this server: two slashes, of either kind, would begin the name of another.
fn own_path(path: &str) -> &str {
    let foreign = path.get(1..2).is_some_and(|second| matches!(second, "/" | "\\"));
    if path.starts_with('/') && !foreign { path } else { "/" }
}

/// Middleware: refuses or forwards a request, and adds the security headers to the response.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let mut response = match peer {
        _ if request.uri().path() == OPEN_PATH => next.run(request).await,
        // A connection without a client is none of this server's.
        None => Failure::internal("the request has no sender").into_response(),
        Some(peer) => match guard.judge(request.method(), request.uri(), request.headers(), &peer) {
            Verdict::Granted => next.run(request).await,
            Verdict::Moved => guard.move_into_cookie(request.uri(), &peer),
            Verdict::Refused(failure) if guard.pages && asks_for_page(&request, &failure) => welcome(&failure),
            Verdict::Refused(failure) => failure.into_response(),
        },
    };
    protect(response.headers_mut());
    response
}

/// Whether a browser asks for a page and has no token.
fn asks_for_page(request: &Request, failure: &Failure) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    failure.status == StatusCode::UNAUTHORIZED
        && request.method() == Method::GET
        && !request.uri().path().starts_with("/api/")
        && accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// A page that asks for the token.
fn welcome(failure: &Failure) -> Response {
    let what = failure.error.replace('&', "&amp;").replace('<', "&lt;");
    let mut letters = what.chars();
    let sentence =
        letters.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), letters.as_str()));
    let page = include_str!("welcome.html").replace("{what}", &sentence);
    let head = [(header::CONTENT_SECURITY_POLICY, WELCOME_POLICY)];
    (failure.status, head, Html(page)).into_response()
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "a b&c=d%20+;é/?#!";

    fn guard(access: Access) -> Guard {
        Rules::new(&access, [127, 0, 0, 1].into()).unwrap().at(([127, 0, 0, 1], 7411).into()).unwrap()
    }

    fn locked() -> Guard {
        guard(Access::Token(TOKEN.into()))
    }

    fn peer(address: [u8; 4]) -> Peer {
        Peer::new((address, 50_000).into(), ([127, 0, 0, 1], 7411).into())
    }

    const HERE: [u8; 4] = [127, 0, 0, 1];

    /// The status of a GET: 200 if it is granted, 303 if its token moves into a cookie.
    fn get(guard: &Guard, address: &str, pairs: &[(&str, &str)], from: [u8; 4]) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("studio.example"));
        for (name, value) in pairs {
            headers.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match guard.judge(&Method::GET, &address.parse().unwrap(), &headers, &peer(from)) {
            Verdict::Refused(failure) => failure.status.as_u16(),
            Verdict::Granted => 200,
            Verdict::Moved => 303,
        }
    }

    /// The cookie that `guard` gives to a browser at `from`.
    fn cookie(guard: &Guard, from: [u8; 4]) -> String {
        let response = guard.move_into_cookie(&Uri::from_static("/"), &peer(from));
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict; Max-Age="), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    #[test]
    fn every_request_needs_the_token_here_and_elsewhere() {
        for guard in [locked(), guard(Access::Drawn)] {
            let token = guard.token().unwrap().to_owned();
            assert_eq!(get(&guard, "/", &[], HERE), 401);
            assert_eq!(get(&guard, "/api/runs", &[("host", "localhost:7411")], HERE), 401);
            for form in ["Bearer ", "bearer ", "BEARER   "] {
                assert_eq!(get(&guard, "/api/runs", &[("authorization", &format!("{form}{token}"))], HERE), 200);
            }
            for wrong in ["", "0", &token[1..], &token.repeat(2)] {
                assert_eq!(get(&guard, "/", &[("authorization", &format!("Bearer {wrong}"))], HERE), 401, "{wrong}");
                assert_eq!(get(&guard, &format!("/?token={}", encoded(wrong)), &[], HERE), 401, "{wrong}");
                let own = format!("faussaire-7411={wrong}");
                assert_eq!(get(&guard, "/", &[("cookie", &own)], HERE), 401, "{wrong}");
            }
            let query = guard.query();
            assert_eq!(get(&guard, &format!("/{query}"), &[], HERE), 303);
            assert_eq!(get(&guard, &format!("/api/runs{query}&x=1"), &[], HERE), 200);
            let foreign = [("authorization", &*format!("Bearer {token}")), ("origin", "http://evil.example")];
            assert_eq!(get(&guard, "/", &foreign, HERE), 403);
        }
        assert_eq!(
            get(&locked(), "/?token=a+b%26c%3Dd%2520%2B%3B%C3%A9%2F%3F%23!", &[], HERE),
            303,
            "as a form sends it"
        );
    }

    #[test]
    fn an_open_server_answers_local_names_only() {
        let open = guard(Access::Open);
        assert_eq!((open.token(), open.query(), open.once()), (None, String::new(), String::new()));
        assert_eq!(get(&open, "/", &[("host", "localhost:7411")], HERE), 200);
        assert_eq!(get(&open, "/", &[("host", "studio.example")], HERE), 403);
        assert_eq!(get(&open, "/?token=x", &[("host", "localhost")], HERE), 200);
    }

    #[test]
    fn a_cookie_is_of_one_port_and_one_address_and_is_not_the_token() {
        let guard = locked();
        let [mine, other] = [HERE, [10, 0, 0, 7]].map(|from| cookie(&guard, from));
        assert!(mine.starts_with("faussaire-7411=") && mine != other && !mine.contains(TOKEN));
        let with = |cookie: &str, from| get(&guard, "/api/runs", &[("cookie", cookie)], from);
        assert_eq!((with(&mine, HERE), with(&other, [10, 0, 0, 7])), (200, 200));
        assert_eq!((with(&mine, [10, 0, 0, 7]), with(&other, [10, 0, 0, 8])), (401, 401));
        assert_eq!(with(&format!("a=b; faussaire-7412=x; {mine}"), HERE), 200);
        assert_eq!(with(&mine.replace("7411", "7412"), HERE), 401);
        let value = mine.split_once('=').unwrap().1;
        assert_eq!(get(&guard, "/", &[("authorization", &format!("Bearer {value}"))], HERE), 401);
        let next = Rules::new(&Access::Token(TOKEN.into()), HERE.into()).unwrap().at((HERE, 7412).into()).unwrap();
        assert_ne!(cookie(&next, HERE).split_once('=').unwrap().1, value);
    }

    #[test]
    fn a_link_opens_one_browser() {
        let guard = locked();
        let address = format!("/{}", guard.once());
        assert!(address.starts_with("/?once=") && !address.contains(TOKEN));
        assert_eq!(get(&guard, "/?once=", &[], HERE), 401);
        assert_eq!(get(&guard, &format!("/api/runs{}", guard.once()), &[], HERE), 401, "no page");
        assert_eq!((get(&guard, &address, &[], HERE), get(&guard, &address, &[], HERE)), (303, 401));
        assert_eq!(
            get(&guard, &address, &[("cookie", &cookie(&guard, HERE))], HERE),
            303,
            "that browser may come again"
        );
        assert_eq!(guard.once(), "");
    }

    #[test]
    fn a_program_may_have_its_token_in_every_address() {
        let guard = locked().for_programs();
        assert_eq!(get(&guard, &format!("/metrics{}", guard.query()), &[], HERE), 200);
        assert_eq!(get(&guard, &format!("/metrics{}", guard.once()), &[], HERE), 401);
    }

    #[test]
    fn no_address_leads_elsewhere() {
        for path in ["//host/", "/\\host/", "//", "///x", "\\\\host", "http://host", "", "x"] {
            assert_eq!(own_path(path), "/", "{path}");
        }
        for path in ["/", "/a", "/a//b", "/%2fhost", "/é"] {
            assert_eq!(own_path(path), path);
        }
    }

    proptest! {
        /// Nothing but the token, the cookie and the link opens the server, however it is written.
        #[test]
        fn nothing_else_is_a_token(
            name in proptest::sample::select(vec!["authorization", "cookie", "x-token", "proxy-authorization"]),
            before in proptest::sample::select(vec!["", "Bearer ", "bearer", "faussaire-7411=", "token=", "Basic "]),
            text in proptest::collection::vec(proptest::char::range(' ', '~'), 0..24),
            path in proptest::sample::select(vec!["/", "/api/runs", "//x", "/healthz/"]),
        ) {
            let text = String::from_iter(text);
            let guard = locked();
            prop_assert_eq!(get(&guard, path, &[(name, &format!("{before}{text}"))], HERE), 401);
            for key in ["token", "once", "Token", "x"] {
                prop_assert_eq!(get(&guard, &format!("{path}?{key}={}", encoded(&text)), &[], HERE), 401);
            }
        }

        #[test]
        fn the_token_opens_in_every_form(
            letters in proptest::collection::vec(proptest::char::range('!', '~'), 20..60),
            more in proptest::collection::vec(any::<char>(), 0..4),
        ) {
            let token: String = letters.into_iter().chain(more).chain("abcde".chars()).filter(|c| !c.is_control()).collect();
            let guard = guard(Access::Token(token.clone()));
            prop_assert_eq!(get(&guard, "/", &[("authorization", &format!("Bearer {token}"))], HERE), 200);
            prop_assert_eq!(get(&guard, &format!("/{}", guard.query()), &[], HERE), 303);
            prop_assert_eq!(get(&guard, "/", &[("cookie", &cookie(&guard, HERE))], HERE), 200);
        }

        #[test]
        fn a_redirect_stays_here(letters in proptest::collection::vec(proptest::sample::select(vec!['/', '\\', 'a', ':', '.', '@', '%']), 0..8)) {
            let path = format!("/{}", String::from_iter(letters));
            let kept = own_path(&path);
            prop_assert!(kept.starts_with('/') && !kept[1..].starts_with(['/', '\\']));
        }
    }
}
