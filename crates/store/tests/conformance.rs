//! The stories of a ledger, told to SQLite. The suite `postgres` tells the same ones to a server.

#[path = "conformance/stories.rs"]
mod stories;

use bailiwick_store::Database;
use stories::{Ground, each_story};

macro_rules! told_to_sqlite {
    ($($story:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                stories::$story(&Ground::new(Database::Folder, 20_000)).await;
            }
        )*
    };
}

each_story!(told_to_sqlite);
