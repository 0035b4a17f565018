//! Who may ask, and what clients can't do.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use faussaire_studio::Access;
use serde_json::json;

use super::client::{connect, get, post, raw, with};
use super::scene::{studio, trained};

#[test]
fn foreign_names_and_pages_are_refused() {
    let server = studio(trained(), |_| ());
    assert_eq!(get(server.at, "/api/runs").status, 200);
    for headers in [
        [("host", "evil.example")],
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let reply = with(server.at, "GET", "/api/runs", &headers, b"");
        reply.refusal(403);
        assert!(reply.header("content-security-policy").unwrap().contains("script-src 'self'"));
    }
    // No host at all.
    assert_eq!(raw(server.at, b"GET /api/runs HTTP/1.0\r\n\r\n").status, 403);
    let own = format!("http://localhost:{}", server.at.port());
    assert_eq!(with(server.at, "GET", "/api/runs", &[("origin", &own)], b"").status, 200);
}

#[test]
fn what_a_foreign_form_can_send_is_refused() {
    let server = studio(trained(), |_| ());
    let path = "/api/runs/plain/images";
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        with(server.at, "POST", path, &[("content-type", kind)], b"{}").refusal(415);
    }
    assert_eq!(post(server.at, path, &json!({})).status, 200);
}

#[test]
fn bodies_are_checked() {
    let server = studio(trained(), |_| ());
    let kind = [("content-type", "application/json")];
    let send = |body: &[u8]| with(server.at, "POST", "/api/runs/plain/images", &kind, body);
    for body in ["", "{", "[]", "{\"n\":-1}", "{\"n\":1e99}", "{\"nn\":1}", "{\"z\":[[null]]}", "\u{0}"] {
        send(body.as_bytes()).refusal(400);
    }
    send(&[0xff, 0xfe]).refusal(400);
    send("[".repeat(100_000).as_bytes()).refusal(400);
    send(&vec![b' '; (1 << 20) + 1]).refusal(413);
    // A length that is claimed is refused before anything is read.
    let claim = "POST /api/runs/plain/images HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: \
                 close\r\ncontent-length: 99999999999\r\n\r\n";
    raw(server.at, claim.as_bytes()).refusal(413);
    assert_eq!(get(server.at, "/api/nothing").refusal(404), "this route doesn't exist");
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(100_000));
    assert!(matches!(raw(server.at, long.as_bytes()).status, 414 | 431));
}

#[test]
fn a_token_is_demanded_here_and_elsewhere() {
    for host in [[127, 0, 0, 1], [0, 0, 0, 0]] {
        let server = studio(trained(), |options| {
            options.host = host.into();
            options.access = Access::Drawn;
        });
        let token = &server.token;
        assert_eq!(server.link.split("?token=").nth(1), Some(&token[..]));
        for path in ["/api/runs", "/", "/?token=0", "/?token=", "/app/main.js", "/api/events?token", "/nothing"] {
            get(server.at, path).refusal(401);
        }
        // What answers everybody gives the token to nobody.
        let probe = get(server.at, "/healthz?token=0");
        assert!(probe.header("set-cookie").is_none(), "{}", probe.status);
        let welcome = get(server.at, &format!("/?token={token}"));
        assert_eq!((welcome.status, welcome.header("location")), (303, Some("/")));
        let cookie = welcome.header("set-cookie").unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        assert!(cookie.starts_with(&format!("faussaire-{}=", server.at.port())) && !cookie.contains(token), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();
        for headers in [
            ("cookie", cookie),
            ("authorization", &format!("Bearer {token}")),
            ("authorization", &format!("bearer {token}")),
        ] {
            assert_eq!(with(server.at, "GET", "/api/runs", &[headers], b"").status, 200, "{headers:?}");
        }
        let foreign = [("cookie", cookie), ("origin", "http://evil.example")];
        with(server.at, "GET", "/api/runs", &foreign, b"").refusal(403);
        // The address of another server, to a browser.
        for path in ["//evil.example/", "/%5cevil.example/", "//"] {
            let moved = get(server.at, &format!("{path}?token={token}"));
            let location = moved.header("location").unwrap();
            assert!(
                moved.status == 303 && location.starts_with('/') && !location[1..].starts_with(['/', '\\']),
                "{location}"
            );
        }
    }
}

#[test]
fn a_link_opens_one_browser_once() {
    let server = studio(trained(), |options| options.access = Access::Drawn);
    let (_, path) = server.once.trim_start_matches("http://").split_once('/').unwrap();
    assert!(path.starts_with("?once=") && !path.contains(&server.token), "{path}");
    // A look at it does not use it up, nor does the interface.
    with(server.at, "HEAD", &format!("/{path}"), &[], b"");
    get(server.at, &format!("/api/runs{path}")).refusal(401);
    let opened = get(server.at, &format!("/{path}"));
    assert_eq!((opened.status, opened.header("location")), (303, Some("/")));
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap();
    assert_eq!(with(server.at, "GET", "/api/runs", &[("cookie", cookie)], b"").status, 200);
    assert!(get(server.at, &format!("/{path}")).refusal(401).contains("used before"));
    assert_eq!(with(server.at, "GET", &format!("/{path}"), &[("cookie", cookie)], b"").status, 303);
}

#[test]
fn a_browser_without_the_token_is_asked_for_it() {
    let server = studio(trained(), |options| options.access = Access::Token("tea & <cake> for 2".into()));
    let page = with(server.at, "GET", "/?token=%3Cb%3E", &[("accept", "text/html,*/*")], b"");
    assert!(page.status == 401 && page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text().contains("<form") && page.text().contains("not this server's") && !page.text().contains("<b>"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    // As the form sends it.
    assert_eq!(get(server.at, "/?token=tea+%26+%3Ccake%3E+for+2").status, 303);
    assert!(
        with(server.at, "GET", "/api/runs", &[("accept", "text/html")], b"").refusal(401).contains("no valid token")
    );
}

#[test]
fn a_server_with_a_token_that_is_easily_guessed_does_not_start() {
    use faussaire_studio::{serve, server::Stop, studio};
    let stop = Stop::default();
    for (access, host, said) in [
        (Access::Token(String::new()), [127, 0, 0, 1], "the token is empty"),
        (Access::Token("x".into()), [0, 0, 0, 0], "has 1 character, expected 16"),
        (Access::Token("aaaaaaaaaaaaaaaa".into()), [127, 0, 0, 1], "1 distinct character,"),
        (Access::Open, [0, 0, 0, 0], "without a token"),
    ] {
        let options = studio::Options {
            runs: trained().into(),
            host: host.into(),
            port: Some(0),
            access: access.clone(),
            data: None,
            program: ("no-such-program".into(), Vec::new()),
            assets: None,
        };
        let refused = studio::run(options, &stop, |_| panic!("it is served")).unwrap_err();
        assert!(refused.to_string().contains(said) && !refused.hint().is_empty(), "{refused}");
        let options = serve::Options {
            run: trained().join("plain"),
            checkpoint: None,
            host: host.into(),
            port: Some(0),
            access,
            queue: 1,
            max_images: 1,
        };
        let refused = serve::run(options, &stop, |_| panic!("it is served")).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}

#[test]
fn slow_and_silent_clients_are_dropped() {
    let server = studio(trained(), |_| ());
    let began = Instant::now();
    let mut silent = connect(server.at);
    let mut slow = connect(server.at);
    slow.write_all(b"GET /api/runs HTTP/1.1\r\nhost: loc").unwrap();
    let mut half = connect(server.at);
    half.write_all(
        b"POST /api/learn HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    )
    .unwrap();
    // Meanwhile others are served.
    assert_eq!(get(server.at, "/api/runs").status, 200);
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let mut rest = Vec::new();
    for stream in [&mut silent, &mut slow] {
        // Closed, whatever it says before.
        let _ = stream.read_to_end(&mut rest);
    }
    let took = began.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(20)).contains(&took), "{took:?}");
}
