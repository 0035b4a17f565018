//! Access control. A server bound to a loopback address answers only requests with a local Host header, so that another site
//! can't reach it through a domain that resolves to 127.0.0.1 (DNS rebinding). Bound to another address, every request needs
//! the token. Cross-site requests are refused in both cases.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use faussaire::{Error, Result};
use subtle::ConstantTimeEq;

use crate::errors::Failure;

/// The cookie that holds the token.
const COOKIE: &str = "faussaire";
/// Content security policy: pages load only this server's files and run no inline script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The access rules of a server.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// The token that every request must have; `None` for a loopback address.
    token: Option<String>,
}

impl Guard {
    /// For a server at `host`; a token is required where other machines can reach it, or where one is `given`.
    ///
    /// # Errors
    /// A token is needed and the system's random source fails.
    pub(crate) fn new(host: IpAddr, given: Option<String>) -> Result<Self> {
        let token = match given {
            None if !host.is_loopback() => Some(token()?),
            given => given,
        };
        Ok(Self { token })
    }

    /// The token, if one is required.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The refusal of a request, if there is one.
    fn refusal(&self, method: &Method, headers: &HeaderMap, query: &str) -> Option<Failure> {
        let host = text(headers, header::HOST);
        let forbidden = |what: String, hint: &str| Some(Failure::new(StatusCode::FORBIDDEN, what, hint));
        if self.token.is_none() && !is_local(host) {
            return forbidden(
                format!("the request has the host \"{host}\", expected a local name"),
                "open the address that `faussaire` printed, or bind it to the other address with --host",
            );
        }
        if let Some(origin) = headers.get(header::ORIGIN)
            && origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, at)| at) != Some(host)
        {
            return forbidden("the request comes from another site".into(), "open the studio's own page");
        }
        let site = text_of(headers, "sec-fetch-site");
        let followed = text_of(headers, "sec-fetch-mode") == "navigate" && *method == Method::GET;
        if matches!(site, "cross-site" | "same-site") && !followed {
            return forbidden("the request comes from another site".into(), "open the studio's own page");
        }
        let token = self.token.as_deref()?;
        let presented = [bearer(headers), cookie(headers), in_query(query)];
        if presented.into_iter().flatten().any(|presented| same(presented, token)) {
            return None;
        }
        Some(Failure::new(
            StatusCode::UNAUTHORIZED,
            "the request has no valid token",
            "open the address with ?token=... that was printed at the start, or send the header authorization: Bearer TOKEN",
        ))
    }
}

/// Middleware: refuses or forwards a request, and adds the security headers to the response.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    // Health checks need no token.
    let open = path == "/healthz";
    let page = request.method() == Method::GET && !path.starts_with("/api/");
    let mut response = match (guard.refusal(request.method(), request.headers(), &query), guard.token()) {
        (Some(refusal), _) if !open => refusal.into_response(),
        // Moves a valid token from the address bar into a cookie.
        (None, Some(token)) if page && in_query(&query).is_some() => set_cookie(token, request.uri()),
        _ => next.run(request).await,
    };
    protect(response.headers_mut());
    response
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn set_cookie(token: &str, uri: &Uri) -> Response {
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    (StatusCode::SEE_OTHER, [(header::LOCATION, uri.path().to_owned()), (header::SET_COOKIE, cookie)]).into_response()
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// Whether the Host header `host` is a loopback name. Its port may differ: that of a tunnel.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let plain = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || plain.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, header::AUTHORIZATION).strip_prefix("Bearer ").map(str::trim)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = text(headers, header::COOKIE).split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn in_query(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// Constant-time comparison of two texts.
fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// 128 bits from the system's secure random source, in hexadecimal.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        Error::usage(format!("the system's random source failed: {e}"), "choose one yourself, with --token")
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(guard: &Guard, pairs: &[(&str, &str)]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(header::HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let query = pairs.iter().find(|(name, _)| *name == "query").map_or("", |(_, value)| value);
        guard.refusal(&Method::GET, &headers, query).map(|f| f.status.as_u16())
    }

    #[test]
    fn only_local_names_reach_a_local_studio() {
        let guard = Guard::new([127, 0, 0, 1].into(), None).unwrap();
        for host in ["localhost:7411", "127.0.0.1", "[::1]:80", "LOCALHOST", "127.0.0.1:9000"] {
            assert_eq!(answer(&guard, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example:7411", "192.168.0.3", "", "localhost.evil.example", "127.0.0.1.evil.example"] {
            assert_eq!(answer(&guard, &[("host", host)]), Some(403), "{host}");
        }
    }

    #[test]
    fn cross_site_requests_are_refused() {
        let guard = Guard::new([127, 0, 0, 1].into(), None).unwrap();
        let from = |origin| answer(&guard, &[("host", "localhost:1"), ("origin", origin)]);
        assert_eq!(from("http://localhost:1"), None);
        for origin in ["http://localhost:2", "http://evil.example", "null"] {
            assert_eq!(from(origin), Some(403), "{origin}");
        }
        let fetch = |mode| {
            answer(&guard, &[("host", "localhost:1"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)])
        };
        assert_eq!((fetch("navigate"), fetch("no-cors")), (None, Some(403)));
    }

    #[test]
    fn other_addresses_require_the_token() {
        let guard = Guard::new([0, 0, 0, 0].into(), None).unwrap();
        let token = guard.token().unwrap().to_owned();
        assert_eq!(token.len(), 32);
        assert_ne!(Guard::new([0, 0, 0, 0].into(), None).unwrap().token(), Some(&token[..]));
        let host = ("host", "studio.example");
        assert_eq!(answer(&guard, &[host]), Some(401));
        assert_eq!(answer(&guard, &[host, ("authorization", "Bearer 0")]), Some(401));
        assert_eq!(answer(&guard, &[host, ("authorization", &format!("Bearer {token}"))]), None);
        assert_eq!(answer(&guard, &[host, ("cookie", &format!("a=b; faussaire={token}"))]), None);
        assert_eq!(answer(&guard, &[host, ("query", &format!("x=1&token={token}"))]), None);
    }
}
