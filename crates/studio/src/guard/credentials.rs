//! The tokens that a request carries: in the header `authorization`, in a cookie, in the address.

use axum::http::{HeaderMap, header};

/// The tokens of a request's `authorization: Bearer TOKEN`; the word in capitals or not.
pub(super) fn bearer(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let value = value.as_bytes().trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace)?;
        let (scheme, token) = value.split_at(end);
        scheme.eq_ignore_ascii_case(b"bearer").then_some(token.trim_ascii())
    })
}

/// The values of the cookies called `name`.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let pairs = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// The values of `name` in an address's query, each as all that it may mean: a `+` is a space in a form's answer, and a plus
/// where a person wrote the address.
pub(super) fn in_query(query: &str, name: &str) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if decoded(key) == name.as_bytes() {
            values.push(decoded(value));
            if value.contains('+') {
                values.push(decoded(&value.replace('+', " ")));
            }
        }
    }
    values
}

/// The bytes of `text`, in which `%41` is a byte; other percent signs are themselves.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((16 * high + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

/// `text` for a query.
pub(super) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(name: header::HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
    }

    #[test]
    fn all_forms_of_the_header_are_read() {
        for form in ["Bearer abc", "bearer abc", "BEARER abc", "Bearer   abc  ", "Bearer\tabc"] {
            let headers = headers(header::AUTHORIZATION, &[form]);
            assert_eq!(bearer(&headers).collect::<Vec<_>>(), [b"abc"], "{form:?}");
        }
        for form in ["abc", "Bearer", "Bearerabc", "Basic abc", "", "Token abc"] {
            assert_eq!(bearer(&headers(header::AUTHORIZATION, &[form])).count(), 0, "{form:?}");
        }
        let several = headers(header::AUTHORIZATION, &["Basic x", "Bearer a b"]);
        assert_eq!(bearer(&several).collect::<Vec<_>>(), [b"a b"]);
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(header::COOKIE, &["a=1; faussaire-7411=x; faussaire-74=y", "faussaire-7411=z;b"]);
        let found = |name| cookies(&headers, name).map(|v| String::from_utf8_lossy(v).into_owned()).collect::<Vec<_>>();
        assert_eq!(found("faussaire-7411"), ["x", "z"]);
        assert_eq!((found("faussaire-74"), found("faussaire").len()), (vec!["y".to_owned()], 0));
    }

    #[test]
    fn queries_are_decoded() {
        let found =
            |query| in_query(query, "token").into_iter().map(|v| String::from_utf8(v).unwrap()).collect::<Vec<_>>();
        assert_eq!(found("x=1&token=a%20b%26%3d%C3%a9&token=2"), ["a b&=é", "2"]);
        assert_eq!(found("token=a+b"), ["a+b", "a b"]);
        assert_eq!(found("%74oken=1&Token=2&token"), ["1"]);
        assert_eq!(found("token=100%&token=%2&token=%zz&token=%%41"), ["100%", "%2", "%zz", "%A"]);
    }

    proptest! {
        #[test]
        fn any_token_goes_through_an_address(letters in proptest::collection::vec(any::<char>(), 0..40)) {
            let token = String::from_iter(letters);
            let text = encoded(&token);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte)));
            prop_assert_eq!(in_query(&format!("a=b&token={text}&c"), "token"), [token.into_bytes()]);
        }

        #[test]
        fn no_query_or_header_does_harm(bytes in proptest::collection::vec(32..=255u8, 0..60)) {
            if let Ok(query) = std::str::from_utf8(&bytes) {
                in_query(query, "token");
            }
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let mut headers = HeaderMap::new();
                headers.insert(header::AUTHORIZATION, value.clone());
                headers.insert(header::COOKIE, value);
                bearer(&headers).chain(cookies(&headers, "a")).for_each(drop);
            }
        }
    }
}
