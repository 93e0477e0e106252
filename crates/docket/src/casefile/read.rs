//! The sections of a case file, from the top: case, group, orders, lists of names, claims.

use std::collections::BTreeMap;
use std::ops::Range;

use model::Digest;
use model::case::{CaseTerms, Marking, NoticeTerms};
use model::group::{Alias, AttributedTo, Group};
use model::id::OrderId;
use model::marking::{Retention, Withheld};
use model::moment::{Moment, PaperTime};
use model::order::{Authority, NameOutcome, Names, OrderTerms, Registration, Sourced};
use model::privacy::PrivacyTerms;
use model::time::{Date, utc_day};
use store::NamedSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::answers;
use super::fault::Faults;
use super::list;
use super::names::Gathered;
use super::plain::Lists;
use super::section::Section;
use super::value::Read;
use super::{CaseFile, FiledOrder, NameList};

/// The most orders of one case file; an order may have any number of lists.
const ORDERS_MAX: usize = 200;

/// The whole file. `None` or a fault: it is refused.
pub(super) fn case_file<'t>(
    root: &'t Spanned<DeTable<'t>>,
    text: &str,
    plain: &Lists<'_>,
    faults: &mut Faults,
) -> Option<CaseFile> {
    let known = ["case", "group", "order", "list", "claim"];
    let file = Section::of(root.get_ref(), 0..0, "case file", &known, faults);
    let group = file.get("group").and_then(|value| group(value, faults));
    if file.get("group").is_none() {
        file.missing("group", "add `[group]` with id and name", faults);
    }
    let terms = match file.get("case") {
        Some(value) => case_terms(value, group, faults),
        None => {
            file.missing("case", "add `[case]` with id, title, contact and purpose", faults);
            None
        }
    };
    let orders = orders(&file, faults);
    answers::check(&file, terms.as_ref(), orders.values().filter_map(|order| order.terms.as_ref()), faults);
    let mut gathered = Gathered::default();
    let lists: Vec<NameList> = file
        .tables("list", faults)
        .iter()
        .filter_map(|value| list::read(value, &orders, plain, &mut gathered, faults))
        .collect();
    let mut listed = gathered.finish(faults);
    let claims = file.tables("claim", faults).iter().filter_map(|value| list::claim(value, &listed, faults)).collect();
    let orders = orders.into_values().filter_map(|order| filed(order, &mut listed, gathered.strays, faults)).collect();
    Some(CaseFile { terms: terms?, orders, lists, claims, digest: Digest::of_bytes(text.as_bytes()) })
}

//----------- Case and group ---------------------------------------------------------------------------------------

fn case_terms<'t>(value: &'t Spanned<DeValue<'t>>, group: Option<Group>, faults: &mut Faults) -> Option<CaseTerms> {
    let known =
        ["id", "title", "contact", "purpose", "tlp", "withheld", "retention", "answer", "notice", "answers", "privacy"];
    let case = Section::open(value, "case", &known, faults)?;
    let (id, title) = (case.required("id", faults), case.required("title", faults));
    let (contact, purpose) = (case.required("contact", faults), case.required("purpose", faults));
    let tlp = case.optional("tlp", faults).map(Marking).unwrap_or_default();
    let withheld = case.get("withheld").and_then(|value| withheld(value, faults)).unwrap_or_default();
    let retention = case.get("retention").and_then(|value| retention(value, faults)).unwrap_or_default();
    let answer = case.or_default("answer", faults);
    let notice = case.get("notice").and_then(|value| notice(value, faults)).unwrap_or_default();
    let answers = case.get("answers").and_then(|value| answers::read(value, faults));
    let privacy = case.get("privacy").and_then(|value| privacy(value, faults)).unwrap_or_default();
    Some(CaseTerms {
        id: id?,
        title: title?,
        group: group?,
        contact: contact?,
        purpose: purpose?,
        tlp,
        withheld,
        retention,
        answer,
        notice,
        answers,
        privacy,
    })
}

/// `[order.registration]`: what RDAP shall show.
fn registration<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Registration> {
    let section = Section::open(value, "registration", &["registrar", "statuses"], faults)?;
    let (registrar, statuses) = (section.optional("registrar", faults), section.or_default("statuses", faults));
    Some(Registration { registrar, statuses })
}

fn notice<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<NoticeTerms> {
    let section = Section::open(value, "notice", &["status", "holder", "sealed_contact"], faults)?;
    Some(NoticeTerms {
        status: section.or_default("status", faults),
        holder: section.optional("holder", faults),
        sealed_contact: section.optional("sealed_contact", faults),
    })
}

fn privacy<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<PrivacyTerms> {
    let fields = ["controller", "officer", "legal_basis", "recipients", "transfers", "security"];
    let section = Section::open(value, "privacy", &fields, faults)?;
    Some(PrivacyTerms {
        controller: section.optional("controller", faults),
        officer: section.optional("officer", faults),
        legal_basis: section.optional("legal_basis", faults),
        recipients: section.or_default("recipients", faults),
        transfers: section.or_default("transfers", faults),
        security: section.optional("security", faults),
    })
}

fn withheld<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Withheld> {
    let section = Section::open(value, "withheld", &["countries", "networks", "asns", "recipients"], faults)?;
    Some(Withheld {
        countries: section.or_default("countries", faults),
        networks: section.or_default("networks", faults),
        asns: section.or_default("asns", faults),
        recipients: section.or_default("recipients", faults),
    })
}

fn retention<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Retention> {
    let fields = ["addresses_days", "raw_days", "verdicts_days", "contacts_days", "accounts_days", "returned_days"];
    let section = Section::open(value, "retention", &fields, faults)?;
    let default = Retention::default();
    Some(Retention {
        addresses_days: section.optional("addresses_days", faults).unwrap_or(default.addresses_days),
        raw_days: section.optional("raw_days", faults).unwrap_or(default.raw_days),
        verdicts_days: section.optional("verdicts_days", faults),
        contacts_days: section.optional("contacts_days", faults),
        accounts_days: section.optional("accounts_days", faults),
        returned_days: section.optional("returned_days", faults),
    })
}

fn group<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Group> {
    let section = Section::open(value, "group", &["id", "name", "aliases", "attributed_to"], faults)?;
    let (id, name) = (section.required("id", faults), section.required("name", faults));
    let aliases = section.or_default("aliases", faults);
    let attributed_to = section.optional("attributed_to", faults);
    Some(Group { id: id?, name: name?, aliases, attributed_to })
}

impl Read for Alias {
    const EXAMPLE: &'static str = "{ name = \"…\", source = \"…\" }";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        let alias = Section::open(value, "alias", &["name", "source"], faults)?;
        let (name, source) = (alias.required("name", faults), alias.required("source", faults));
        Some(Self { name: name?, source: source? })
    }
}

impl Read for AttributedTo {
    const EXAMPLE: &'static str = "{ country = \"IR\", source = \"…\" }";

    fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Self> {
        let state = Section::open(value, "attributed_to", &["country", "source"], faults)?;
        let (country, source) = (state.required("country", faults), state.required("source", faults));
        Some(Self { country: country?, source: source? })
    }
}

//----------- Orders -----------------------------------------------------------------------------------------------

/// An order as read, with its place; `terms` is `None` where something in it is wrong, so that its lists still find it.
pub(super) struct OrderRead {
    pub(super) place: Range<usize>,
    pub(super) id: OrderId,
    pub(super) terms: Option<OrderTerms>,
}

fn orders(file: &Section<'_>, faults: &mut Faults) -> BTreeMap<OrderId, OrderRead> {
    let mut orders: BTreeMap<OrderId, OrderRead> = BTreeMap::new();
    let tables = file.tables("order", faults);
    if tables.len() > ORDERS_MAX {
        let hint = "file what a later paper changes as an amendment";
        faults.add(file.place("order"), format!("more than {ORDERS_MAX} orders"), hint);
        return orders;
    }
    for value in tables {
        let Some(order) = order(value, faults) else { continue };
        if orders.contains_key(&order.id) {
            faults.add(
                order.place,
                format!("order `{}` stands here twice", order.id),
                "give each order an id of its own",
            );
        } else {
            orders.insert(order.id.clone(), order);
        }
    }
    let exercises =
        orders.values().filter_map(|order| order.terms.as_ref()).filter(|t| t.authority.is_exercise()).count();
    if exercises > 0 && exercises < orders.len() {
        let what = "an exercise and a real authority stand in one case";
        faults.add(file.place("order"), what, "an exercise is never promoted: give it a case of its own");
    }
    orders
}

fn order<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<OrderRead> {
    let section =
        Section::open(value, "order", &["id", "authority", "name_servers", "answers", "registration"], faults)?;
    let id: Option<OrderId> = section.required("id", faults);
    let authority = match section.get("authority") {
        Some(value) => authority(value, faults),
        None => {
            section.missing("authority", "an order stands on an authority: add `[order.authority]`", faults);
            None
        }
    };
    let name_servers = section.or_default("name_servers", faults);
    let answers = section.get("answers").and_then(|value| answers::read(value, faults));
    let registration = section.get("registration").and_then(|value| registration(value, faults));
    let id = id?;
    let terms =
        authority.map(|authority| OrderTerms { id: id.clone(), authority, name_servers, answers, registration });
    Some(OrderRead { place: section.place("id"), id, terms })
}

fn authority<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Authority> {
    let known =
        ["instrument", "issuer", "country", "docket_number", "judge", "issued", "hearing", "expires", "sealed_until"];
    let section = Section::open(value, "authority", &known, faults)?;
    let (instrument, issuer) = (section.required("instrument", faults), section.required("issuer", faults));
    let issued = section.optional("issued", faults);
    let hearing: Option<Sourced<PaperTime>> = section.optional("hearing", faults);
    let expires = section.optional("expires", faults);
    let sealed_until: Option<Sourced<Date>> = section.optional("sealed_until", faults);
    let heard = hearing.as_ref().map(|hearing| hearing.value.date());
    let sealed = sealed_until.as_ref().map(|until| until.value);
    check_dates(&section, issued.as_ref(), &[("hearing", heard), ("sealed_until", sealed)], faults);
    check_expiry(&section, issued.as_ref(), expires.as_ref(), faults);
    Some(Authority {
        instrument: instrument?,
        issuer: issuer?,
        country: section.optional("country", faults),
        docket_number: section.optional("docket_number", faults),
        judge: section.optional("judge", faults),
        issued,
        hearing,
        expires,
        sealed_until,
    })
}

pub(super) fn check_dates(
    section: &Section<'_>,
    issued: Option<&Sourced<Date>>,
    later: &[(&str, Option<Date>)],
    faults: &mut Faults,
) {
    let Some(issued) = issued else { return };
    for (key, date) in later {
        let Some(date) = date else { continue };
        if *date < issued.value {
            let what = format!("`{key}` is {date}, before the order was issued on {}", issued.value);
            faults.add(section.place(key), what, "copy both dates from the signed paper");
        }
    }
}

/// A paper's day may end fourteen hours after UTC's: only what is wrong in every zone is a fault.
pub(super) fn check_expiry(
    section: &Section<'_>,
    issued: Option<&Sourced<Date>>,
    expires: Option<&Sourced<Moment>>,
    faults: &mut Faults,
) {
    let (Some(issued), Some(expires)) = (issued, expires) else { return };
    let at = expires.value.at;
    let latest = at.checked_add(jiff::Span::new().hours(14)).unwrap_or(at);
    if utc_day(latest) < issued.value {
        let what = format!("`expires` is {}, before the order was issued on {}", expires.value, issued.value);
        faults.add(section.place("expires"), what, "copy both dates from the signed paper");
    }
}

fn filed(
    order: OrderRead,
    listed: &mut BTreeMap<OrderId, Names>,
    strays: bool,
    faults: &mut Faults,
) -> Option<FiledOrder> {
    let names = listed.remove(&order.id).unwrap_or_default();
    if names.is_empty() && !strays {
        let hint = format!("add `[[list]]` with `order = \"{}\"` and its names", order.id);
        faults.add(order.place.clone(), format!("order `{}` lists no name", order.id), hint);
    }
    let terms = order.terms?;
    let redirects = names.values().any(|listed| listed.outcome == NameOutcome::Redirect);
    if redirects && terms.name_servers.is_empty() {
        let hint = "add `name_servers = [\"ns1.…\", \"ns2.…\"]`, exactly as ordered";
        faults.add(order.place, format!("order `{}` redirects names and names no server", order.id), hint);
    }
    Some(FiledOrder { terms, set: NamedSet::of(names) })
}
