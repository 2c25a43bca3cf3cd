//! Codes as pictures.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

use crate::html;

/// The margin that ISO/IEC 18004 wants around a code, in modules.
const QUIET: usize = 4;

/// A QR code of a text as SVG, with a name for those who do not see it; none where the text is too long for any.
pub fn svg(text: &str, name: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, level(text.len())).ok()?;
    let (width, modules) = (code.width(), code.into_colors());
    let size = width + 2 * QUIET;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\" \
         role=\"img\" aria-label=\"{}\"><path fill=\"#ffffff\" d=\"M0 0h{size}v{size}h-{size}z\"/><path fill=\"#000000\" d=\"",
        html::escaped(name)
    );
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run[0] == Color::Dark {
                // Writing to a String does not fail.
                let _ = write!(svg, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
            }
            x += run.len();
        }
    }
    svg.push_str("\"/></svg>\n");
    Some(svg)
}

/// How much of a code may be lost: more where there is room, since the finer a code is, the worse it is read.
fn level(bytes: usize) -> EcLevel {
    match bytes {
        0..=120 => EcLevel::Q,
        121..=400 => EcLevel::M,
        _ => EcLevel::L,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_picture_of_its_modules() {
        let code = svg("https://issuer.example/verify/#id=1", "a \"code\"").unwrap();
        assert!(code.starts_with("<svg ") && code.contains("aria-label=\"a &quot;code&quot;\""), "{code}");
        // The upper left finder pattern, behind the margin: seven modules wide.
        assert!(code.contains("d=\"M4 4h7v1h-7z"), "{code}");
        assert!(svg(&"x".repeat(4_000), "").is_none());
    }
}
