//! Memory: the only room that owns a disk.
