//! Size and depth, checked before a parser sees the file.

use super::{KnowledgeError, KnowledgeLimits};

pub(super) fn check(bytes: &[u8], limits: KnowledgeLimits) -> Result<(), KnowledgeError> {
    let KnowledgeLimits { octets_max, depth_max, .. } = limits;
    if bytes.len() > octets_max {
        return Err(KnowledgeError::TooLarge { octets: bytes.len(), octets_max });
    }
    if depth(bytes) > depth_max { Err(KnowledgeError::TooDeep { depth_max }) } else { Ok(()) }
}

/// The deepest nesting of arrays and objects. Of bytes that are no JSON it gives some number, which is enough.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
