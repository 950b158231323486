//! A QR code as one path of an SVG. It is dark on light whatever the page's colours: not every camera reads it the other way round.

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;
use std::fmt::Write as _;

/// The light margin that a code needs around it, in squares (ISO/IEC 18004).
const MARGIN: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drawing {
    /// Of a side, in squares.
    pub size: usize,
    /// The dark squares.
    pub path: String,
}

impl Drawing {
    /// `None` for a text that is too long for a code, which no address of ours is.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            let mut x = 0;
            while x < width {
                let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
                if run > 0 {
                    let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN);
                }
                x += run.max(1);
            }
        }
        Some(Self { size: width + 2 * MARGIN, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_its_margin() {
        let text = "https://mfa.example.com/t/ten_c9G6jkWw6EU2/scan?qr=qr_c9G6jkWw6EU27dN2xQv0mTfR4sKjB9wLhE";
        let drawing = Drawing::of(text).unwrap();
        let far = drawing.size - MARGIN - 7;
        for corner in ["M4 4h7v1h-7z".to_owned(), format!("M{far} 4h7v1h-7z"), format!("M4 {far}h7v1h-7z")] {
            assert!(drawing.path.contains(&corner), "{corner}");
        }
        assert!(drawing.size <= 49 + 2 * MARGIN && drawing.path.len() < 12_000, "{}", drawing.path.len());
        assert_eq!(Drawing::of(&"a".repeat(5000)), None);
    }
}
