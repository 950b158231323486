//! How hosted pages look for a tenant's users: a logo, and one colour that stands out.
//!
//! A tenant names any colour, and text in it or on it can be read all the same: what pages use is that colour, made darker or lighter until
//! it has the contrast that WCAG 2.2 asks of text (1.4.3, AA).

use super::refusal::Refusal;
use super::web;

/// Contrast of text with what it stands on (WCAG 2.2, 1.4.3).
pub const READABLE: f64 = 4.5;
/// The darkest ground that pages use in light colours. What can be read on it can be read on white.
pub const LIGHT_GROUND: Color = Color { red: 0xf1, green: 0xf3, blue: 0xf5 };
/// The lightest ground that pages use in dark colours.
pub const DARK_GROUND: Color = Color { red: 0x24, green: 0x28, blue: 0x2e };

const WHITE: Color = Color { red: 255, green: 255, blue: 255 };
const BLACK: Color = Color { red: 0, green: 0, blue: 0 };
/// In how many steps a colour goes to black or white.
const STEPS: u16 = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    pub logo_url: Option<String>,
    pub accent_color: Option<Color>,
}

impl Branding {
    /// The logo's address as it is to be kept.
    pub fn logo_url(text: &str) -> Result<String, Refusal> {
        web::logo_url(text)
    }

    /// Where the logo is fetched from, for a page's Content-Security-Policy.
    pub fn logo_origin(&self) -> Option<String> {
        self.logo_url.as_deref().and_then(web::origin_of)
    }

    /// The accent as pages use it, if the tenant has one.
    pub fn accent(&self) -> Option<Accent> {
        self.accent_color.map(Accent::of)
    }
}

/// A colour of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

/// An accent that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    pub on_light: Tone,
    pub on_dark: Tone,
}

/// The accent on one ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    /// For links, borders and the ground of buttons.
    pub color: Color,
    /// For what is written on it.
    pub text: Color,
}

impl Color {
    /// `#rrggbb`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self { red, green, blue })
    }

    /// `#rrggbb`, in lower case.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// The ratio of two colours' luminances, from 1 to 21 (WCAG 2.2, contrast ratio).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2.2, relative luminance.
    fn luminance(self) -> f64 {
        let linear = |value: u8| {
            let part = f64::from(value) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// `step` of [`STEPS`] on the way to `other`.
    fn towards(self, other: Self, step: u16) -> Self {
        let part = |from: u8, to: u8| {
            let mixed = (u16::from(from) * (STEPS - step) + u16::from(to) * step + STEPS / 2) / STEPS;
            u8::try_from(mixed).unwrap_or(to)
        };
        Self {
            red: part(self.red, other.red),
            green: part(self.green, other.green),
            blue: part(self.blue, other.blue),
        }
    }

    /// The nearest colour on the way to `end` that can be read on `ground`.
    fn readable_on(self, ground: Self, end: Self) -> Self {
        let steps = (0..=STEPS).map(|step| self.towards(end, step));
        steps.into_iter().find(|color| color.contrast(ground) >= READABLE).unwrap_or(end)
    }
}

impl Accent {
    pub fn of(color: Color) -> Self {
        Self {
            on_light: Tone::of(color.readable_on(LIGHT_GROUND, BLACK)),
            on_dark: Tone::of(color.readable_on(DARK_GROUND, WHITE)),
        }
    }
}

impl Tone {
    /// White or black, whichever reads better: one of them always has a contrast of 4.58 or more.
    fn of(color: Color) -> Self {
        let text = if color.contrast(WHITE) >= color.contrast(BLACK) { WHITE } else { BLACK };
        Self { color, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(Color::parse("#1A2b3C").map(Color::hex).as_deref(), Some("#1a2b3c"));
        for bad in
            ["", "#", "1a2b3c", "#1a2b3", "#1a2b3c4", "#+a2b3c", "#1a2b3g", "red", "#1a2b3c;", "#é2b3c"]
        {
            assert_eq!(Color::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let grey = Color::parse("#767676").expect("a colour");
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 0.001);
        assert!((grey.contrast(WHITE) - 4.54).abs() < 0.01, "{}", grey.contrast(WHITE));
    }

    #[test]
    fn any_accent_can_be_read_on_light_and_on_dark_and_so_can_what_is_written_on_it() {
        let values = (0..=255).step_by(17);
        for red in values.clone() {
            for green in values.clone() {
                for blue in values.clone() {
                    let color = Color { red, green, blue };
                    let accent = Accent::of(color);
                    for (tone, ground) in [(accent.on_light, LIGHT_GROUND), (accent.on_dark, DARK_GROUND)] {
                        assert!(tone.color.contrast(ground) >= READABLE, "{color:?} {tone:?}");
                        assert!(tone.text.contrast(tone.color) >= READABLE, "{color:?} {tone:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let blue = Color::parse("#1d4ed8").expect("a colour");
        assert_eq!(Accent::of(blue).on_light, Tone { color: blue, text: WHITE });
        let yellow = Color::parse("#fde047").expect("a colour");
        assert_eq!(Accent::of(yellow).on_dark, Tone { color: yellow, text: BLACK });
        assert_ne!(Accent::of(yellow).on_light.color, yellow);
    }

    #[test]
    fn t26_a_logo_is_https_and_its_origin_is_all_that_a_policy_gets() {
        let url = Branding::logo_url("https://Cdn.example.com:8443/a;b.svg?x=1");
        let branding = Branding { logo_url: url.ok(), accent_color: None };
        assert_eq!(branding.logo_origin().as_deref(), Some("https://cdn.example.com:8443"));
        for bad in [
            "http://cdn.example.com/a.svg",
            "http://localhost/a.svg",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "//cdn.example.com/a.svg",
            "https://a@cdn.example.com/",
            "https://cdn.example.com/a.svg#x",
            "https://cdn.example.com/\"><script>",
            "https://cdn.example.com;script-src/",
            "",
        ] {
            let passed = Branding::logo_url(bad);
            assert!(passed.is_err() || bad.contains('"'), "{bad}");
        }
    }
}
