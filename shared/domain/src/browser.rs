//! Which browser asks, in words of our own. A `User-Agent` is whatever its sender likes, and is shown to a person who has to decide by it:
//! so nothing of its text is kept, only which of the names that are known here it goes by.

/// A browser, as far as it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser {
    pub name: Option<&'static str>,
    pub system: Option<&'static str>,
}

/// What stands in a `User-Agent` and whose it is. Most browsers name others too, so the first that is found counts.
const NAMES: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MicroMessenger/", "WeChat"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// How much of a header is looked at, in bytes. Browsers send less than half.
const LOOKED_AT: usize = 512;

impl Browser {
    /// `None` for what names nothing that is known.
    pub fn of_user_agent(text: &str) -> Option<Self> {
        let text = text.get(..LOOKED_AT).unwrap_or(text);
        if text.len() > LOOKED_AT {
            return None;
        }
        Self::known(find(&NAMES, text), find(&SYSTEMS, text))
    }

    /// One that was kept: each part is one of ours or nothing.
    pub fn of_parts(name: Option<&str>, system: Option<&str>) -> Option<Self> {
        Self::known(
            name.and_then(|text| NAMES.iter().find(|(_, name)| *name == text)).map(|(_, name)| *name),
            system.and_then(|text| SYSTEMS.iter().find(|(_, name)| *name == text)).map(|(_, name)| *name),
        )
    }

    fn known(name: Option<&'static str>, system: Option<&'static str>) -> Option<Self> {
        (name.is_some() || system.is_some()).then_some(Self { name, system })
    }
}

fn find(known: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    known.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> (Option<&'static str>, Option<&'static str>) {
        Browser::of_user_agent(text).map_or((None, None), |browser| (browser.name, browser.system))
    }

    #[test]
    fn usual_browsers_are_known() {
        for (text, name, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
                "Chrome",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
        ] {
            assert_eq!(seen(text), (Some(name), Some(system)), "{text}");
        }
    }

    #[test]
    fn t14_nothing_that_a_sender_writes_reaches_who_decides() {
        for text in ["", "curl/8.5.0", "Your own laptop: safe, approve!", "\u{202e}evil", &"é".repeat(300)] {
            assert_eq!(Browser::of_user_agent(text), None, "{text}");
        }
        let browser = Browser::of_user_agent("Firefox/1 your own laptop, approve!").unwrap();
        assert_eq!((browser.name, browser.system), (Some("Firefox"), None));
        assert_eq!(Browser::of_parts(Some("Firefox"), None), Some(browser));
        assert_eq!(Browser::of_parts(Some("Mine"), Some("too")), None);
    }
}
