//! Text templates: `{{name}}` is replaced by the value of that name.

/// `frame` with its placeholders replaced. Values are not searched for placeholders.
pub fn filled(frame: &str, fields: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(frame.len() + fields.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut parts = frame.split("{{");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        text.push_str(fields.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value));
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_once() {
        let fields = [("a", "{{b}}".to_string()), ("b", "2".into())];
        assert_eq!(filled("x {{a}} y {{b}} {{c}}.", &fields), "x {{b}} y 2 .");
    }
}
