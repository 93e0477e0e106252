//! Everyone who calls us, as clients only.
