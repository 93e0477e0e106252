//! Every story of `scenarios/`, told to a running program of its own.

use crate::Done;
use crate::story;
use crate::tally::Tally;

pub fn run(tally: &mut Tally) -> Done {
    for (path, story) in story::all()? {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        tally.check(&format!("{file}: {}", story.title), story::tell(&story));
    }
    Ok(())
}
