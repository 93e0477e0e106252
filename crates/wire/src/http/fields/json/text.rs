//! A JSON string's text (RFC 8259, 7).

/// Undoes the escapes of what stood between the quotes; nothing, if there is one that JSON does not know.
pub(super) fn unescaped(string: &[u8]) -> Option<Vec<u8>> {
    // Room for all of it: escapes are longer than what they mean, and an account leaves no copy behind.
    let mut text = Vec::with_capacity(string.len());
    let mut rest = string;
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'\\' {
            text.push(first);
            rest = tail;
            continue;
        }
        let (&letter, tail) = tail.split_first()?;
        rest = match letter {
            b'"' | b'\\' | b'/' => push(&mut text, letter, tail),
            b'b' => push(&mut text, 8, tail),
            b'f' => push(&mut text, 12, tail),
            b'n' => push(&mut text, b'\n', tail),
            b'r' => push(&mut text, b'\r', tail),
            b't' => push(&mut text, b'\t', tail),
            b'u' => push_code(&mut text, tail)?,
            _ => return None,
        };
    }
    Some(text)
}

fn push<'a>(text: &mut Vec<u8>, byte: u8, rest: &'a [u8]) -> &'a [u8] {
    text.push(byte);
    rest
}

/// A character by its number; one beyond 16 bits is two escapes.
fn push_code<'a>(text: &mut Vec<u8>, rest: &'a [u8]) -> Option<&'a [u8]> {
    let (unit, rest) = unit(rest)?;
    let (code, rest) = match unit {
        0xd800..=0xdbff => {
            let (low, rest) = self::unit(rest.strip_prefix(b"\\u")?)?;
            (0x10000 + ((unit - 0xd800) << 10 | low.checked_sub(0xdc00).filter(|low| *low < 0x400)?), rest)
        }
        _ => (unit, rest),
    };
    text.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

fn unit(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = rest.split_at_checked(4)?;
    let value = digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_bad_ones_are_none() {
        for (string, text) in [
            ("bob", Some("bob")),
            (r#"\u0062ob\u0040x"#, Some("bob@x")),
            (r#"\ud83d\ude00"#, Some("\u{1f600}")),
            (r#"a\/b\"c\\d\n"#, Some("a/b\"c\\d\n")),
            (r#"\x"#, None),
            (r#"\u12"#, None),
            (r#"\ud83d"#, None),
            (r#"\ud83d\u0041"#, None),
            (r#"\udc00"#, None),
            ("\\", None),
        ] {
            assert_eq!(unescaped(string.as_bytes()).as_deref(), text.map(str::as_bytes), "{string}");
        }
    }
}
