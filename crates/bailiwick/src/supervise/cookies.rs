//! The secrets of DNS cookies, from their file: shared by servers that answer on one address (RFC 9018, 5).

use std::path::Path;

use sinkhole::settings::CookieSecret;

use crate::failure::{Failure, Tried};

/// One to make cookies with, and one to believe.
const SECRETS_MAX: usize = 2;
const FILE_OCTETS_MAX: usize = 1_024;

/// Reads the file's lines. What it holds is never part of a message.
pub(super) fn secrets(file: &Path) -> Result<Vec<CookieSecret>, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).tried(format_args!("reading the cookie secrets in {shown}"))?;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let secrets: Option<Vec<CookieSecret>> = lines.iter().map(|line| secret(line)).collect();
    match secrets.filter(|_| text.len() <= FILE_OCTETS_MAX && (1..=SECRETS_MAX).contains(&lines.len())) {
        Some(secrets) => Ok(secrets),
        None => Err(Failure::new(format!("{shown} is no file of cookie secrets"))
            .hint("it has one or two lines of 32 hexadecimal digits; `openssl rand -hex 16` makes one")),
    }
}

fn secret(line: &str) -> Option<CookieSecret> {
    let digits: Option<Vec<u8>> = line.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
    let octets: Vec<u8> = digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    octets.try_into().ok().filter(|_| line.len() == 32).map(CookieSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_whole_or_not_at_all_and_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let good = "00112233445566778899aabbccddeeff";
        for (text, count) in [
            (format!("{good}\n"), Some(1)),
            (format!("{good}\n\n {good}\n"), Some(2)),
            (String::new(), None),
            (format!("{good}0\n"), None),
            (format!("{good}\n{good}\n{good}\n"), None),
            (good.replace('0', "x"), None),
        ] {
            std::fs::write(&file, &text).unwrap();
            match secrets(file.path()) {
                Ok(secrets) => {
                    assert_eq!(Some(secrets.len()), count, "{text}");
                    assert!(format!("{secrets:?}").starts_with("[CookieSecret(…)"));
                }
                Err(failure) => assert!(count.is_none() && !format!("{failure:?}").contains("aabb"), "{text}"),
            }
        }
    }
}
