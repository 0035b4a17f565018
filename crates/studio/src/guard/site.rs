//! Whether a request comes from the server's own pages and names: the headers host, origin and sec-fetch-site.

use std::net::IpAddr;

use axum::http::uri::Uri;
use axum::http::{HeaderMap, Method, StatusCode, header};

use crate::errors::Failure;

const OWN_PAGE: &str = "open the server's own page";

/// The refusal of a request that another site has caused, or that names several hosts.
pub(super) fn foreign(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Failure> {
    let forbidden = |what: &str| Some(Failure::new(StatusCode::FORBIDDEN, what, OWN_PAGE));
    let host = host(headers);
    let named = uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host));
    if named || headers.get_all(header::HOST).iter().count() > 1 {
        let what = "the request names more than one host";
        return Some(Failure::new(StatusCode::BAD_REQUEST, what, "send one header host, that of the address"));
    }
    let is_own = |origin: &header::HeaderValue| {
        let place = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        place.is_some_and(|(_, place)| place.eq_ignore_ascii_case(host))
    };
    if !headers.get_all(header::ORIGIN).iter().all(is_own) {
        return forbidden("the request comes from another site");
    }
    let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"));
    let followed = text("sec-fetch-mode") == "navigate" && *method == Method::GET;
    if !matches!(text("sec-fetch-site"), "" | "same-origin" | "none") && !followed {
        return forbidden("the request comes from another site");
    }
    None
}

/// The refusal of a request to a server of this machine alone whose host isn't a local name: another site reaches it through
/// a name that leads here (DNS rebinding).
pub(super) fn rebound(headers: &HeaderMap) -> Option<Failure> {
    let host = host(headers);
    (!is_local(host)).then(|| {
        Failure::new(
            StatusCode::FORBIDDEN,
            format!("the request has the host \"{host}\", expected a local name"),
            "open the address that `faussaire` printed; with a token, other names are accepted too",
        )
    })
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether `host` is a loopback name. Its port may differ: that of a tunnel.
fn is_local(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(bracketed) => {
            let Some((address, rest)) = bracketed.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (address, rest.strip_prefix(':').or(rest.is_empty().then_some("0")))
        }
        None => host.split_once(':').map_or((host, Some("0")), |(name, port)| (name, Some(port))),
    };
    let port = port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    port && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        let mut map = HeaderMap::new();
        pairs.iter().map(pair).for_each(|(name, value)| {
            map.append(name, value);
        });
        map
    }

    fn status(uri: &str, pairs: &[(&str, &str)]) -> Option<u16> {
        foreign(&Method::GET, &uri.parse().unwrap(), &headers(pairs)).map(|failure| failure.status.as_u16())
    }

    #[test]
    fn local_names_are_told_from_others() {
        for host in [
            "localhost:7411",
            "127.0.0.1",
            "[::1]:80",
            "[::1]",
            "LOCALHOST",
            "127.0.0.1:9000",
            "127.9.8.7:1",
            "localhost:65535",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "evil.example:7411",
            "192.168.0.3",
            "",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost:",
            "localhost:65536",
            "localhost:+1",
            "localhost:80:80",
            "user@localhost",
            "localhost/",
            "localhost ",
            "[[::1]]",
            "[::1",
            "::1",
            "[::1]x",
            "[127.0.0.1]",
            "[localhost]",
            "[::2]",
            "0.0.0.0",
            "[::]",
            "2130706433",
            "0x7f.1",
            "127.1",
            "localhost,evil.example",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn other_sites_are_told_from_the_own_pages() {
        let from = |origin| status("/", &[("host", "localhost:1"), ("origin", origin)]);
        assert_eq!((from("http://localhost:1"), from("HTTP://LOCALHOST:1")), (None, None));
        for origin in ["http://localhost:2", "http://evil.example", "null", "", "localhost:1", "http://localhost:1/"] {
            assert_eq!(from(origin), Some(403), "{origin}");
        }
        let two = [("host", "a:1"), ("origin", "http://a:1"), ("origin", "http://evil.example")];
        assert_eq!(status("/", &two), Some(403));
        let fetch = |site, mode| status("/", &[("host", "a"), ("sec-fetch-site", site), ("sec-fetch-mode", mode)]);
        for site in ["cross-site", "same-site", "odd"] {
            assert_eq!((fetch(site, "navigate"), fetch(site, "no-cors")), (None, Some(403)), "{site}");
        }
        assert_eq!((fetch("none", "no-cors"), fetch("same-origin", "cors")), (None, None));
        let post = foreign(
            &Method::POST,
            &"/".parse().unwrap(),
            &headers(&[("host", "a"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]),
        );
        assert_eq!(post.unwrap().status, StatusCode::FORBIDDEN);
    }

    #[test]
    fn a_request_names_one_host() {
        assert_eq!(status("/", &[("host", "localhost"), ("host", "evil.example")]), Some(400));
        assert_eq!(status("http://evil.example/", &[("host", "localhost")]), Some(400));
        assert_eq!(status("http://localhost:1/x", &[("host", "localhost:1")]), None);
    }

    /// Up to `most` of these characters.
    fn text(letters: &'static str, most: usize) -> impl Strategy<Value = String> {
        let letters: Vec<char> = letters.chars().collect();
        proptest::collection::vec(proptest::sample::select(letters), 0..=most).prop_map(String::from_iter)
    }

    proptest! {
        /// Only what resolves to this machine without a name server passes.
        #[test]
        fn no_other_name_is_local(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "localhost", "127.0.0.1", "::1", "[", "]", ":", ".", "@", "80", "evil", "%31", "0", "/", "1", ",", "-",
                ]),
                0..6,
            ),
        ) {
            let host = pieces.concat();
            if is_local(&host) {
                let bracketed = host.strip_prefix('[').and_then(|rest| rest.split(']').next());
                let name = bracketed.unwrap_or_else(|| host.split(':').next().unwrap_or_default());
                let address = name.parse::<IpAddr>();
                prop_assert!(name == "localhost" || address.is_ok_and(|ip| ip.is_loopback()), "{}", host);
            }
        }

        #[test]
        fn only_the_own_origin_passes(host in text("ab.:1", 8), scheme in text("htp:/", 6), origin in text("ab.:1/@", 8)) {
            for origin in [origin, host.clone()] {
                let origin = scheme.clone() + &origin;
                let map = headers(&[("host", &host), ("origin", &origin)]);
                let passed = foreign(&Method::GET, &Uri::from_static("/"), &map).is_none();
                prop_assert_eq!(passed, origin.split_once("://").is_some_and(|(_, place)| place == host));
            }
            let own = headers(&[("host", &host), ("origin", &format!("http://{host}"))]);
            prop_assert!(foreign(&Method::POST, &Uri::from_static("/"), &own).is_none());
        }
    }
}
