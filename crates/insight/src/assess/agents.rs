//! What a User-Agent says of itself, and which paths nobody asks for who was led here.
//!
//! A User-Agent is a claim. It is believed where it speaks against itself (a crawler that says so) and only weighed
//! where it speaks for itself.

/// The kinds of program, by their own word.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Agent {
    /// No User-Agent at all.
    Silent,
    Preview,
    Crawler,
    /// A tool for scanning, or a survey of the internet.
    Tool,
    /// What people and scripts call by hand: curl and its kin.
    ByHand,
    /// A browser of the last ten years.
    Browser,
    /// Anything else, among it browsers that no longer exist.
    Program,
}

const PREVIEWS: &[&str] = &[
    "facebookexternalhit",
    "facebot",
    "twitterbot",
    "slackbot",
    "slack-imgproxy",
    "telegrambot",
    "whatsapp/",
    "discordbot",
    "linkedinbot",
    "skypeuripreview",
    "viber",
    "iframely",
    "embedly",
    "redditbot",
    "pinterest",
    "vkshare",
    "mattermost",
    "google-pagerenderer",
    "msteams",
    "microsoft office existence discovery",
    "bitlybot",
    "linkpreview",
    "link preview",
    "previewbot",
    "unfurl",
];

const CRAWLERS: &[&str] = &[
    "googlebot",
    "google-inspectiontool",
    "bingbot",
    "bingpreview",
    "yandexbot",
    "yandex.com/bots",
    "baiduspider",
    "duckduckbot",
    "applebot",
    "ahrefsbot",
    "semrushbot",
    "petalbot",
    "mj12bot",
    "ccbot",
    "gptbot",
    "claudebot",
    "bytespider",
    "dotbot",
    "seznambot",
    "archive.org_bot",
    "ia_archiver",
    "heritrix",
    "crawler",
    "spider",
];

const TOOLS: &[&str] = &[
    "nmap",
    "masscan",
    "zgrab",
    "zmap",
    "nikto",
    "sqlmap",
    "nuclei",
    "gobuster",
    "dirbuster",
    "feroxbuster",
    "ffuf",
    "wfuzz",
    "wpscan",
    "acunetix",
    "nessus",
    "openvas",
    "qualys",
    "burp",
    "censys",
    "shodan",
    "expanse",
    "internet-measurement",
    "leakix",
    "netsystemsresearch",
    "odin",
    "fofa",
    "hydra",
    "scanner",
];

const BY_HAND: &[&str] = &[
    "curl/",
    "wget/",
    "python-requests",
    "python-urllib",
    "aiohttp",
    "httpie",
    "go-http-client",
    "okhttp",
    "libwww-perl",
    "postmanruntime",
    "java/",
    "ruby",
    "axios",
    "node-fetch",
    "powershell",
];

const BROWSERS: &[&str] = &["gecko/", "applewebkit/", "trident/7"];

/// Paths that belong to other people's software: whoever asks for them looks for holes, not for the seized site.
const PROBES: &[&str] = &[
    "/.env",
    "/.git",
    "/.svn",
    "/.aws",
    "/.ssh",
    "/.ds_store",
    "/wp-login.php",
    "/wp-admin",
    "/wp-content",
    "/xmlrpc.php",
    "/phpmyadmin",
    "/pma/",
    "/cgi-bin/",
    "/etc/passwd",
    "/boaform",
    "/hnap1",
    "/actuator",
    "/solr/",
    "/jenkins",
    "/manager/html",
    "/server-status",
    "/telescope",
    "/vendor/phpunit",
    "/_ignition",
    "/config.json",
    "/backup",
    "/druid/",
    "/geoserver",
    "/console/",
    "/hudson",
    "/shell",
    "/webdav",
    "/sdk",
    "/evox",
    "/nmaplowercheck",
];

impl Agent {
    pub fn of(user_agent: &str) -> Self {
        let agent = user_agent.to_ascii_lowercase();
        let is_any = |words: &[&str]| words.iter().any(|word| agent.contains(word));
        match () {
            () if agent.trim().is_empty() => Self::Silent,
            () if is_any(PREVIEWS) => Self::Preview,
            () if is_any(TOOLS) => Self::Tool,
            () if is_any(CRAWLERS) => Self::Crawler,
            () if is_any(BY_HAND) => Self::ByHand,
            () if agent.starts_with("mozilla/5.0") && is_any(BROWSERS) => Self::Browser,
            () => Self::Program,
        }
    }

    /// Whether it is neither a browser nor one of the kinds that say what they are.
    pub fn is_like_malware(self) -> bool {
        matches!(self, Self::Silent | Self::Program)
    }
}

/// Whether a path is one that scanners try.
pub fn is_probe(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    PROBES.iter().any(|probe| path.contains(probe)) || path.contains("..") || path.contains("%2e%2e")
}
