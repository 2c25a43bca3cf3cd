//! A logo that stands in the page itself.

use std::path::Path;

use base64_simd::STANDARD;

use crate::files;

/// The largest logo, in bytes. Every certificate holds it.
pub const MAX_LOGO_BYTES: usize = 64 * 1024;

/// A small image.
#[derive(Debug, Clone)]
pub struct Logo {
    /// `data:image/png;base64,…`
    pub(super) data_uri: String,
    pub(super) alt: String,
}

impl Logo {
    /// The logo of a type: a `data:` URI, or a `file:` URI of this machine. Nothing is fetched.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub fn of_uri(uri: &str, alt: &str) -> Result<Logo, String> {
        if let Some(path) = uri.strip_prefix("file://") {
            return Logo::of_file(Path::new(path)).map(|logo| Logo { alt: alt.to_owned(), ..logo });
        }
        let data = uri.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
        let Some((_, data)) = data else {
            return Err(
                "it is neither a data: URI in base64 nor a file: URI, and nothing is fetched; name one with \
                        `--logo FILE`"
                    .to_owned(),
            );
        };
        if data.len() > MAX_LOGO_BYTES.div_ceil(3) * 4 {
            return Err(too_large());
        }
        let bytes = STANDARD.decode_to_vec(data).map_err(|_| "its base64 is not valid".to_owned())?;
        Logo::of_bytes(&bytes, alt)
    }

    /// The logo in a file.
    ///
    /// # Errors
    /// Why it cannot be taken.
    pub fn of_file(path: &Path) -> Result<Logo, String> {
        if !path.is_file() {
            return Err("no such file".to_owned()); // a pipe would be waited for
        }
        let bytes = files::read_limited(path, MAX_LOGO_BYTES).map_err(|error| match error.kind() {
            std::io::ErrorKind::FileTooLarge => too_large(),
            _ => files::reason(&error.source),
        })?;
        Logo::of_bytes(&bytes, "")
    }

    fn of_bytes(bytes: &[u8], alt: &str) -> Result<Logo, String> {
        if bytes.len() > MAX_LOGO_BYTES {
            return Err(too_large());
        }
        let kind = kind(bytes).ok_or("it is not a PNG, JPEG, GIF, WebP or SVG image")?;
        let data_uri = format!("data:{kind};base64,{}", STANDARD.encode_to_string(bytes));
        Ok(Logo { data_uri, alt: alt.to_owned() })
    }
}

fn too_large() -> String {
    format!("it is larger than {} kB", MAX_LOGO_BYTES / 1024)
}

/// The media type of an image, by its first bytes. An SVG image in an `img` element runs no script and loads nothing.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.trim_ascii_start();
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if text.starts_with(b"<svg")
            || (text.starts_with(b"<?xml") && memchr::memmem::find(text, b"<svg").is_some()) =>
        {
            Some("image/svg+xml")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_small_image_and_nothing_else() {
        let data = |bytes: &[u8]| format!("data:image/png;base64,{}", STANDARD.encode_to_string(bytes));
        let said = |uri: &str| Logo::of_uri(uri, "").err().unwrap_or_default();
        let png = b"\x89PNG\r\n\x1a\n rest";
        assert!(Logo::of_uri(&data(png), "").unwrap().data_uri.starts_with("data:image/png;base64,iVBOR"));
        // The first bytes decide, whatever the URI says.
        let svg = Logo::of_uri(&data(b" <svg xmlns=''/>"), "").unwrap();
        assert!(svg.data_uri.starts_with("data:image/svg+xml;"));
        assert!(said(&data(b"<script>")).contains("not a PNG"));
        assert!(said("https://issuer.example/logo.png").contains("nothing is fetched"));
        assert!(said("data:image/png;base64,\"><script>").contains("base64"));
        let large = [png.as_slice(), &[0; MAX_LOGO_BYTES]].concat();
        assert!(said(&data(&large)).contains("larger than 64 kB"));
        assert!(said("file:///no/such/file.png").contains("no such file"));
        assert!(said("file:///dev/zero").contains("no such file"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo");
        std::fs::write(&path, png).unwrap();
        assert!(Logo::of_uri(&format!("file://{}", path.display()), "x").is_ok_and(|logo| logo.alt == "x"));
        std::fs::write(&path, large).unwrap();
        assert!(Logo::of_file(&path).unwrap_err().contains("larger than"));
    }
}
