//! Rows of tables: comma or TAB between fields, quotes as in RFC 4180 but never over a line's end.

use std::borrow::Cow;

/// The most fields of a row.
const FIELDS_MAX: usize = 256;

/// The fields of a line; `None` where a quote does not end, or there are too many.
pub(crate) fn fields(line: &str) -> Option<Vec<Cow<'_, str>>> {
    if !line.contains('"') {
        let delimiter = if line.contains('\t') { '\t' } else { ',' };
        let fields: Vec<_> = line.split(delimiter).map(|field| Cow::Borrowed(field.trim())).collect();
        return (fields.len() <= FIELDS_MAX).then_some(fields);
    }
    quoted(line)
}

fn quoted(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let (mut fields, mut field, mut within) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if within && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => within = !within,
            ',' | '\t' if !within => fields.push(Cow::Owned(std::mem::take(&mut field).trim().to_owned())),
            c => field.push(c),
        }
    }
    fields.push(Cow::Owned(field.trim().to_owned()));
    (!within && fields.len() <= FIELDS_MAX).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_and_an_open_one_is_a_fault() {
        assert_eq!(fields("a,b , c").unwrap(), ["a", "b", "c"]);
        assert_eq!(fields("a\tb,c\td").unwrap(), ["a", "b,c", "d"]);
        assert_eq!(fields(r#"a,"b, ""c""",d"#).unwrap(), ["a", "b, \"c\"", "d"]);
        assert_eq!(fields("a,\"b"), None);
        assert_eq!(fields(&",".repeat(300)), None);
    }
}
