//! Self-contained HTML pages: one file with its style and pictures inside, light or dark as the reader's system, wide or
//! narrow as the window, and no script.

use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, Engine};

/// The style that all pages share.
pub(crate) const STYLE: &str = "
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1d2230;--soft:#5c6270;--line:#dcd8ce;--card:#fff;--accent:#8a2f3b;
--c0:#1f5fa8;--c1:#b4481e;--c2:#2b7a4b;--c3:#7a3f96;--c4:#8a6a00;--c5:#0b7285;--c6:#a8326e;--c7:#4a4f5c}
@media(prefers-color-scheme:dark){:root{--paper:#14161c;--ink:#e8e6e0;--soft:#a3a7b3;--line:#333844;--card:#1c1f28;
--accent:#e39aa3;--c0:#7db4f0;--c1:#f0986a;--c2:#7cc99a;--c3:#c99be3;--c4:#dcb95a;--c5:#6cc6d8;--c6:#ee8fbd;--c7:#b8bdca}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',sans-serif}
main{max-width:1080px;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .4rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:2.6rem 0 .6rem}h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.4rem 0;max-width:72ch}.lead{font-size:1.1rem}.soft{color:var(--soft);font-size:.92rem}
.brand{color:var(--accent);font-weight:600;letter-spacing:.04em;font-size:.85rem;margin:0 0 .8rem}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--card);margin:.8rem 0}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.45rem .8rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}th{font-weight:600;color:var(--soft);white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.88em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto}svg text{fill:var(--ink);font:13px system-ui,sans-serif}svg .soft{fill:var(--soft)}
.narrow{display:none}@media(max-width:640px){.broad{display:none}.narrow{display:block}h1{font-size:1.4rem}
main{padding-top:1.5rem}th,td{padding:.4rem .55rem}}
.chart{border:1px solid var(--line);border-radius:8px;background:var(--card);padding:.6rem}
figure{margin:0}figcaption{color:var(--soft);font-size:.85rem;margin-top:.25rem}
img{display:block;max-width:100%;image-rendering:pixelated;border-radius:4px}
";

/// A page: `title` in the window's bar, `body` as it is, `style` added to the common one.
pub fn document(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}{style}</style>\n</head>\n<body>\n<main>\n<p class=\"brand\">Faussaire</p>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// Text as it stands between tags or in a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The bytes of a PNG file as an `<img>` that needs no file.
pub fn image(png: &[u8], alt: &str, width: usize, height: usize) -> String {
    let mut tag = String::new();
    // Writing to a String can't fail.
    let _ = write!(tag, "<img src=\"data:image/png;base64,{}\" alt=\"{}\" ", BASE64_STANDARD.encode(png), escape(alt));
    let _ = write!(tag, "width=\"{width}\" height=\"{height}\" loading=\"lazy\" decoding=\"async\">");
    tag
}

/// Width and height of a PNG file, from its header.
pub fn png_size(png: &[u8]) -> Option<(usize, usize)> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?) as usize);
    let is_png = png.starts_with(b"\x89PNG\r\n\x1a\n") && png.get(12..16) == Some(b"IHDR");
    is_png.then(|| Some((number(16)?, number(20)?)))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_can_not_become_markup() {
        assert_eq!(escape("<a href='x'>&\""), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
        let page = document("a<b", "", "<p>x</p>");
        assert!(page.contains("<title>a&lt;b</title>") && page.contains("<p>x</p>") && !page.contains("http"));
    }

    #[test]
    fn the_size_of_a_png_is_read_off_its_header() {
        use crate::data::ImageShape;
        use crate::picture::{Picture, png};
        let shape = ImageShape { height: 3, width: 5, channels: 1 };
        let bytes = png::encode(&Picture { shape, bytes: vec![7; 15] }).unwrap();
        assert_eq!(png_size(&bytes), Some((5, 3)));
        assert_eq!((png_size(&bytes[..20]), png_size(b"GIF89a")), (None, None));
    }
}
