//! The tables of the archive, each column named once.
//!
//! `contacts` holds what was received, cell by cell; `raw` the bytes themselves, with a retention of their own;
//! `outcomes` what followed; `verdicts` what insight makes of it. `daily_names` and `daily_sources` are counted from
//! `contacts` when a day is compacted, and hold whole days only. A new column is added at the end and is an `Option`:
//! older files read as null there. No column is called by a word that SQL keeps for itself.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use model::Timestamp;
use model::contact::Kind;
use model::id::ContactId;
use model::verdict::Label;

use super::cell::Cell;

/// The tables' names, which are their folders'.
pub(super) const TABLES: [&str; 6] = [
    ContactRow::TABLE,
    RawRow::TABLE,
    OutcomeRow::TABLE,
    VerdictRow::TABLE,
    DailyNameRow::TABLE,
    DailySourceRow::TABLE,
];

/// The tables that are counted from `contacts`.
pub(super) const ROLL_UPS: [&str; 2] = [DailyNameRow::TABLE, DailySourceRow::TABLE];

/// What a table's files look like: columns, and the columns by which their rows are sorted, nulls first.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) table: &'static str,
    pub(crate) schema: SchemaRef,
    pub(crate) sorted: &'static [&'static str],
    /// The time that decides on the day under which a row lies.
    pub(crate) filed: &'static str,
}

impl Shape {
    pub(super) fn of<R: Row>() -> Self {
        Self { table: R::TABLE, schema: R::schema(), sorted: R::SORTED, filed: R::FILED }
    }

    /// The shape of the table of that name.
    pub(crate) fn named(table: &str) -> Option<Self> {
        Self::all().into_iter().find(|shape| shape.table == table)
    }

    pub(super) fn all() -> [Self; 6] {
        [
            Self::of::<ContactRow>(),
            Self::of::<RawRow>(),
            Self::of::<OutcomeRow>(),
            Self::of::<VerdictRow>(),
            Self::of::<DailyNameRow>(),
            Self::of::<DailySourceRow>(),
        ]
    }
}

/// A row of a table.
pub(super) trait Row: Sized {
    const TABLE: &'static str;
    /// The columns by which the rows of a file are sorted.
    const SORTED: &'static [&'static str];
    /// The column of [`Row::filed_at`].
    const FILED: &'static str;
    fn schema() -> SchemaRef;
    /// How two rows stand in a file: by [`Row::SORTED`].
    fn in_order(&self, other: &Self) -> Ordering;
    fn to_batch(rows: &[&Self]) -> RecordBatch;
    /// The rows of a batch, whatever columns it has beside; `None` if one of ours is not what it should be.
    fn from_batch(batch: &RecordBatch) -> Option<Vec<Self>>;
    /// The instant that decides on the day under which the row lies.
    fn filed_at(&self) -> Timestamp;
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident in $table:literal by $filed:ident sorted [$($key:ident),*] {
        $($(#[$field_doc:meta])* $field:ident: $of:ty,)*
    } $(beside { $($(#[$more_doc:meta])* $more:ident: $more_of:ty,)* })?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $of,)*
            $($($(#[$more_doc])* pub $more: $more_of,)*)?
        }

        impl Row for $name {
            const TABLE: &'static str = $table;
            const SORTED: &'static [&'static str] = &[$(stringify!($key)),*];
            const FILED: &'static str = stringify!($filed);

            fn schema() -> SchemaRef {
                Arc::new(Schema::new(vec![
                    $(Field::new(stringify!($field), <$of as Cell>::data_type(), <$of as Cell>::NULLABLE),)*
                ]))
            }

            fn in_order(&self, other: &Self) -> Ordering {
                Ordering::Equal$(.then_with(|| self.$key.cmp(&other.$key)))*
            }

            fn to_batch(rows: &[&Self]) -> RecordBatch {
                let columns: Vec<ArrayRef> =
                    vec![$(<$of as Cell>::column(rows.iter().map(|row| Some(&row.$field))),)*];
                RecordBatch::try_new(Self::schema(), columns).expect("schema and columns are of one macro")
            }

            fn from_batch(batch: &RecordBatch) -> Option<Vec<Self>> {
                $(let $field = batch.column_by_name(stringify!($field));)*
                (0..batch.num_rows()).map(|row| Some(Self {
                    $($field: read_cell($field, row)?,)*
                    $($($more: Default::default(),)*)?
                })).collect()
            }

            fn filed_at(&self) -> Timestamp {
                self.$filed
            }
        }
    };
}

/// A cell of a column that an old file may not have: then it is null, where the type has nulls.
fn read_cell<C: Cell>(column: Option<&ArrayRef>, row: usize) -> Option<C> {
    match column {
        Some(column) if C::NULLABLE || !column.is_null(row) => C::read(column.as_ref(), row),
        Some(_) => None,
        None => C::read(&arrow_array::NullArray::new(row + 1), row),
    }
}

//----------- The tables -------------------------------------------------------------------------------------------

table! {
    /// What was received, once per contact.
    ContactRow in "contacts" by received sorted [case_id, apex, received, id] {
        id: ContactId,
        received: Timestamp,
        source: IpAddr,
        source_port: u16,
        local: IpAddr,
        local_port: u16,
        /// `udp` or `tcp`
        transport: String,
        kind: Kind,
        /// `proxy v2 192.0.2.1` or `dnstap sensor`; null if it came directly.
        via: Option<String>,
        over_id: Option<ContactId>,
        case_id: Option<String>,
        apex: Option<String>,
        /// `question`, `sni`, `host`, `recipient` or `address`
        named_by: Option<String>,
        oddities: Vec<String>,
        limits: u32,
        query_id: Option<u16>,
        query_flags: Option<u16>,
        /// In presentation form (RFC 1035, 5.1), in the case in which it was asked.
        qname: Option<String>,
        qtype: Option<u16>,
        qclass: Option<u16>,
        rcode: Option<u16>,
        edns_size: Option<u16>,
        dnssec_ok: Option<bool>,
        client_subnet: Option<Vec<u8>>,
        /// Octets received, where it is one datagram.
        octets: Option<u32>,
        looks_like: Option<String>,
        keyed_hash: Option<String>,
        sni: Option<String>,
        tls_version: Option<u16>,
        alpn: Option<Vec<String>>,
        ja3: Option<String>,
        ja4: Option<String>,
        method: Option<String>,
        target: Option<String>,
        http_version: Option<String>,
        host: Option<String>,
        user_agent: Option<String>,
        referer: Option<String>,
        content_type: Option<String>,
        forwarded: Option<String>,
        /// `offset kind` of each marker in the raw head.
        redactions: Option<Vec<String>>,
        helo: Option<String>,
        mail_from: Option<String>,
        recipients: Option<Vec<String>>,
        /// How many alike the record stands for beside itself; null if for none.
        repeats: Option<u32>,
        /// How many names somebody tried to log in as by SMTP, kept sealed in the journal alone; null if none.
        login_accounts_sealed: Option<u32>,
    } beside {
        /// The bytes themselves, for the table `raw`.
        raw: Vec<RawRow>,
    }
}

table! {
    /// Bytes as received, outside redacted spans.
    RawRow in "raw" by received sorted [received, id] {
        id: ContactId,
        received: Timestamp,
        /// `head`, `h2`, `hello`, `first-bytes` or `query`
        part: String,
        bytes: Vec<u8>,
    }
}

table! {
    /// What followed a contact.
    OutcomeRow in "outcomes" by ended sorted [ended, id] {
        id: ContactId,
        contact_id: ContactId,
        ended: Timestamp,
        octets_in: u64,
        octets_out: u64,
        duration_nanos: u64,
        ended_by: String,
        status: Option<u16>,
        tls_completed: Option<bool>,
        tls_resumed: Option<bool>,
        tls_version: Option<u16>,
        tls_cipher: Option<u16>,
        tls_alert_in: Option<u8>,
        tls_alert_out: Option<u8>,
        body_len: Option<u64>,
        body_complete: Option<bool>,
        body_fields: Option<Vec<String>>,
        /// How many account names the caller gave, kept sealed in the journal alone; null if none.
        accounts_sealed: Option<u32>,
    }
}

table! {
    /// What insight says of a contact, in one generation of rules and tables.
    VerdictRow in "verdicts" by received sorted [received, contact_id, judged] {
        contact_id: ContactId,
        /// When the contact was received: a verdict lies under its contact's day.
        received: Timestamp,
        /// The digest of the rules and tables that spoke.
        generation: String,
        /// When it was archived; the last word on a contact counts.
        judged: Timestamp,
        label: Label,
        score: u8,
        reasons: Vec<String>,
        asn: Option<u32>,
        as_name: Option<String>,
        country: Option<String>,
        withheld: bool,
    }
}

table! {
    /// A day of a name: how often and by how many it was asked for. In a row without a kind all kinds are together, so
    /// that an address which came twice in two ways is one there.
    DailyNameRow in "daily_names" by first_received sorted [case_id, apex] {
        case_id: Option<String>,
        apex: Option<String>,
        kind: Option<Kind>,
        /// Rows in `contacts`.
        contacts: u64,
        /// Distinct addresses: an upper bound, never a number of machines.
        sources: u64,
        /// How many alike those rows stand for beside themselves.
        repeats: u64,
        first_received: Timestamp,
        last_received: Timestamp,
    }
}

table! {
    /// A day of an address at a name, all kinds together.
    DailySourceRow in "daily_sources" by first_received sorted [case_id, apex] {
        case_id: Option<String>,
        apex: Option<String>,
        source: IpAddr,
        contacts: u64,
        repeats: u64,
        first_received: Timestamp,
        last_received: Timestamp,
    }
}
