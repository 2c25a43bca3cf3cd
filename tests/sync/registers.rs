//! Invented registers, what happens to them from day to day, and the files that they are exported as.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::model::{Content, Flags, Item, Key, Kind};

/// What distinguishes the variants of a subject.
const TEXTS: [&str; 4] = ["Ltd", "PLC", "LLP", "CIC"];

/// How items are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    CorrelationId,
    SubjectId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Ndjson,
    Csv,
}

/// A company or a person of the register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) key: Key,
    variant: u8,
    ttl: Option<u16>,
}

/// What is wrong with a line of the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Code,
    Ttl,
    Attestation,
    /// Its id is missing.
    Nameless,
}

/// A line of the register.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    Sound(Subject),
    Faulty(Subject, Fault),
    /// Not an item at all: half an object, a record with a cell too many or with text after a quote.
    Broken {
        with_quote: bool,
    },
    /// A quote that is never closed: in CSV it takes all lines after it.
    OpenQuote,
}

/// What somebody changes in the register.
#[derive(Debug, Clone)]
enum Edit {
    Add(Subject),
    Change(Index, u8, Option<u16>),
    Remove(Index),
    Swap(Index, Index),
}

/// What goes wrong in an export, and is right again in the next one.
#[derive(Debug, Clone)]
enum Accident {
    Fault(Index, Fault),
    Twice(Index),
    Insert(Index, Entry),
}

/// What somebody does by hand to one of the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand {
    Revoke,
    Suspend,
    Reinstate,
}

/// How many revocations are allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Percent100,
    Count(usize),
}

/// A day on which the register is brought into line.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    edits: Vec<Edit>,
    accidents: Vec<Accident>,
    pub(crate) hands: Vec<(Hand, Index)>,
    /// How many hours after the day before.
    pub(crate) hours: i64,
    pub(crate) flags: Flags,
    pub(crate) limit: Limit,
    pub(crate) with_all: bool,
    pub(crate) accepts_failures: bool,
    formats: Vec<Format>,
    is_bare: bool,
}

/// A register's history.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) by: By,
    pub(crate) begins_in_the_past: bool,
    begin: Vec<Subject>,
    pub(crate) days: Vec<Day>,
}

// ---- What may be

fn any_subject() -> impl Strategy<Value = Subject> {
    let kind = prop_oneof![4 => Just(Kind::Business), 1 => Just(Kind::User)];
    (kind, 0..14u8, 0..4u8, any_ttl()).prop_map(|(kind, number, variant, ttl)| Subject {
        key: Key { kind, number },
        variant,
        ttl,
    })
}

fn any_ttl() -> impl Strategy<Value = Option<u16>> {
    select(vec![None, Some(10), Some(40), Some(40), Some(90), Some(90)])
}

fn any_fault() -> impl Strategy<Value = Fault> {
    select(vec![Fault::Code, Fault::Ttl, Fault::Attestation, Fault::Nameless])
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => any_subject().prop_map(Edit::Add),
        3 => (any::<Index>(), 0..4u8, any_ttl()).prop_map(|(at, variant, ttl)| Edit::Change(at, variant, ttl)),
        5 => any::<Index>().prop_map(Edit::Remove),
        1 => any::<(Index, Index)>().prop_map(|(one, other)| Edit::Swap(one, other)),
    ]
}

fn any_accident() -> impl Strategy<Value = Accident> {
    let entry = prop_oneof![
        any::<bool>().prop_map(|with_quote| Entry::Broken { with_quote }),
        Just(Entry::OpenQuote),
    ];
    prop_oneof![
        4 => (any::<Index>(), any_fault()).prop_map(|(at, fault)| Accident::Fault(at, fault)),
        2 => any::<Index>().prop_map(Accident::Twice),
        1 => (any::<Index>(), entry).prop_map(|(at, entry)| Accident::Insert(at, entry)),
    ]
}

fn any_flags() -> impl Strategy<Value = Flags> {
    let rarely = || prop::bool::weighted(0.35);
    let renew_within =
        prop_oneof![1 => Just(None), 2 => select(vec![Some(5), Some(20), Some(60), Some(400)])];
    (prop::bool::weighted(0.8), renew_within, rarely(), rarely(), rarely(), prop::bool::weighted(0.06))
        .prop_map(|(prune, renew_within, revoke_renewed, replace_suspended, reissue_revoked, is_sd_jwt)| {
            Flags { prune, renew_within, revoke_renewed, replace_suspended, reissue_revoked, is_sd_jwt }
        })
}

fn any_day() -> impl Strategy<Value = Day> {
    let accidents = prop_oneof![
        3 => Just(Vec::new()).boxed(),
        1 => prop::collection::vec(any_accident(), 1..4).boxed(),
    ];
    let hand = prop_oneof![1 => Just(Hand::Revoke), 2 => Just(Hand::Suspend), 1 => Just(Hand::Reinstate)];
    let hours = prop_oneof![2 => Just(24), 4 => 0..24 * 35i64, 1 => 0..24 * 120i64];
    let limit = prop_oneof![
        6 => Just(Limit::Count(1_000)),
        2 => Just(Limit::Percent100),
        2 => (0..4usize).prop_map(Limit::Count),
    ];
    let formats = prop::collection::vec(select(vec![Format::Json, Format::Ndjson, Format::Csv]), 1..=3);
    let what = (
        prop::collection::vec(any_edit(), 0..5),
        accidents,
        prop::collection::vec((hand, any::<Index>()), 0..4),
    );
    (what, hours, any_flags(), limit, any::<[bool; 3]>(), formats).prop_map(
        |((edits, accidents, hands), hours, flags, limit, [with_all, accepts_failures, is_bare], formats)| {
            Day { edits, accidents, hands, hours, flags, limit, with_all, accepts_failures, formats, is_bare }
        },
    )
}

/// A register with some lines, and some days.
pub(crate) fn any_history() -> impl Strategy<Value = History> {
    let by = select(vec![By::CorrelationId, By::CorrelationId, By::SubjectId]);
    let begin = prop::collection::vec(any_subject(), 1..16);
    (by, any::<bool>(), begin, prop::collection::vec(any_day(), 2..8))
        .prop_map(|(by, begins_in_the_past, begin, days)| History { by, begins_in_the_past, begin, days })
}

// ---- What happens

/// A register, as it is today.
#[derive(Debug)]
pub(crate) struct Register {
    by: By,
    subjects: Vec<Subject>,
}

impl Register {
    pub(crate) fn begin(history: &History) -> Register {
        let mut register = Register { by: history.by, subjects: Vec::new() };
        for subject in &history.begin {
            register.add(*subject);
        }
        register
    }

    /// Nobody is in the register twice.
    fn add(&mut self, subject: Subject) {
        if self.subjects.iter().all(|known| known.key != subject.key) {
            self.subjects.push(subject);
        }
    }

    /// Edits the register, and gives what is exported.
    pub(crate) fn export(&mut self, day: &Day) -> Vec<Entry> {
        for edit in &day.edits {
            self.edit(edit);
        }
        let mut entries: Vec<Entry> = self.subjects.iter().copied().map(Entry::Sound).collect();
        for accident in &day.accidents {
            let count = entries.len();
            match accident {
                Accident::Fault(at, fault) if count > 0 => {
                    let entry = &mut entries[at.index(count)];
                    if let Entry::Sound(subject) = *entry {
                        *entry = Entry::Faulty(subject, *fault);
                    }
                }
                Accident::Twice(at) if count > 0 => {
                    let again = entries[at.index(count)];
                    entries.push(again);
                }
                Accident::Insert(at, entry) => entries.insert(at.index(count + 1), *entry),
                Accident::Fault(..) | Accident::Twice(_) => {}
            }
        }
        entries
    }

    fn edit(&mut self, edit: &Edit) {
        let count = self.subjects.len();
        match edit {
            Edit::Add(subject) => self.add(*subject),
            _ if count == 0 => {}
            Edit::Change(at, variant, ttl) => {
                let subject = &mut self.subjects[at.index(count)];
                (subject.variant, subject.ttl) = (*variant, *ttl);
            }
            Edit::Remove(at) => drop(self.subjects.remove(at.index(count))),
            Edit::Swap(one, other) => self.subjects.swap(one.index(count), other.index(count)),
        }
    }

    /// The files of an export, with the items that are in them, in their order.
    pub(crate) fn files(&self, entries: &[Entry], day: &Day) -> (Vec<(String, String)>, Vec<Item>) {
        let mut files = Vec::new();
        let mut items = Vec::new();
        let mut people = Vec::new();
        let share = entries.len().div_ceil(day.formats.len()).max(1);
        for (number, (entries, format)) in entries.chunks(share).zip(&day.formats).enumerate() {
            let (kept, others): (Vec<_>, Vec<_>) =
                entries.iter().copied().partition(|entry| *format != Format::Csv || !entry.is_person());
            people.extend(others);
            if !kept.is_empty() {
                files.push(self.file(&number.to_string(), *format, &kept, day, &mut items));
            }
        }
        // A table has the columns of one type.
        if !people.is_empty() {
            files.push(self.file("people", Format::Ndjson, &people, day, &mut items));
        }
        (files, items)
    }

    fn file(
        &self,
        name: &str,
        format: Format,
        entries: &[Entry],
        day: &Day,
        items: &mut Vec<Item>,
    ) -> (String, String) {
        let swallowed = match format {
            Format::Csv => entries.iter().position(|entry| matches!(entry, Entry::OpenQuote)),
            Format::Json | Format::Ndjson => None,
        };
        let read = swallowed.map_or(entries.len(), |at| at + 1);
        items.extend(entries[..read].iter().map(|entry| entry.item(day.flags.is_sd_jwt)));
        match format {
            Format::Json => (format!("{name}.json"), self.json(entries, day)),
            Format::Ndjson => {
                let lines = entries.iter().map(|entry| match entry.subject() {
                    Some(_) => format!("{}\n", self.value(entry, day)),
                    None => "{\"request\":\n".to_owned(),
                });
                (format!("{name}.ndjson"), lines.collect())
            }
            Format::Csv => {
                let (read, taken) = entries.split_at(read);
                // Another quote among the lines that were taken could close the first one.
                let taken = taken.iter().filter(|entry| entry.subject().is_some());
                (format!("{name}.csv"), self.csv(read.iter().chain(taken)))
            }
        }
    }

    fn json(&self, entries: &[Entry], day: &Day) -> String {
        let items: Vec<String> = entries
            .iter()
            .map(|entry| match entry.subject() {
                Some(_) => self.value(entry, day).to_string(),
                None => "5".to_owned(),
            })
            .collect();
        let array = format!("[\n{}\n]\n", items.join(",\n"));
        if day.is_bare { array } else { format!("{{\"items\":{array}}}") }
    }

    /// An item as JSON.
    fn value(&self, entry: &Entry, day: &Day) -> Value {
        let cells = self.cells(entry);
        let Some(subject) = entry.subject() else { unreachable!("only subjects are items") };
        let mut request = match subject.key.kind {
            Kind::Business => json!({
                "subject": { "legal_form": cells.text },
                "claims": { "jurisdiction": cells.jurisdiction },
            }),
            Kind::User => json!({
                "credential_type": "user",
                "subject": { "type": "person" },
                "claims": { "kyc_status": cells.text, "jurisdiction": cells.jurisdiction },
            }),
        };
        request["self_attestation_complete"] = json!(cells.attested);
        if let Some(id) = cells.subject_id {
            request["subject"]["id"] = json!(id);
        }
        if let Some(ttl) = cells.ttl {
            request["ttl"] = json!(ttl);
        }
        let mut item = if day.is_bare { request } else { json!({ "request": request }) };
        if let Some(id) = cells.correlation_id {
            item["correlation_id"] = json!(id);
        }
        item
    }

    fn csv<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> String {
        let mut text =
            "correlation_id,subject_id,legal_form,claims_jurisdiction,self_attestation_complete,ttl\n"
                .to_owned();
        for entry in entries {
            text += &match entry {
                Entry::Sound(_) | Entry::Faulty(..) => {
                    let cells = self.cells(entry);
                    format!(
                        "{},{},{},{},{},{}\n",
                        cells.correlation_id.unwrap_or_default(),
                        cells.subject_id.unwrap_or_default(),
                        cells.text,
                        cells.jurisdiction,
                        cells.attested,
                        cells.ttl.unwrap_or_default(),
                    )
                }
                Entry::Broken { with_quote: true } => {
                    "\"c-1\" x,urn:example:firm:1,Ltd,GB,true,\n".to_owned()
                }
                Entry::Broken { with_quote: false } => {
                    "c-1,urn:example:firm:1,Ltd,GB,true,,more\n".to_owned()
                }
                Entry::OpenQuote => "c-1,urn:example:firm:1,\"Ltd,GB,true,\n".to_owned(),
            };
        }
        text
    }

    fn cells(&self, entry: &Entry) -> Cells {
        let (subject, fault) = match entry {
            Entry::Sound(subject) => (subject, None),
            Entry::Faulty(subject, fault) => (subject, Some(*fault)),
            Entry::Broken { .. } | Entry::OpenQuote => unreachable!("no item has these cells"),
        };
        let number = subject.key.number;
        let is_nameless = |by| self.by == by && fault == Some(Fault::Nameless);
        let correlation_id = match self.by {
            By::CorrelationId => (!is_nameless(By::CorrelationId)).then(|| format!("c-{number}")),
            // Not what the item is known by: some have one.
            By::SubjectId => (number % 2 == 0).then(|| format!("row-{}", subject.variant)),
        };
        Cells {
            correlation_id,
            subject_id: (!is_nameless(By::SubjectId)).then(|| format!("urn:example:firm:{number}")),
            text: TEXTS[usize::from(subject.variant)],
            jurisdiction: if fault == Some(Fault::Code) { "UK" } else { "GB" },
            attested: fault != Some(Fault::Attestation),
            ttl: match (fault, subject.ttl) {
                (Some(Fault::Ttl), _) => Some("soon".to_owned()),
                (_, days) => days.map(|days| format!("P{days}D")),
            },
        }
    }
}

/// What is written of a subject.
struct Cells {
    correlation_id: Option<String>,
    subject_id: Option<String>,
    text: &'static str,
    jurisdiction: &'static str,
    attested: bool,
    ttl: Option<String>,
}

impl Entry {
    fn subject(&self) -> Option<Subject> {
        match self {
            Entry::Sound(subject) | Entry::Faulty(subject, _) => Some(*subject),
            Entry::Broken { .. } | Entry::OpenQuote => None,
        }
    }

    fn is_person(&self) -> bool {
        self.subject().is_some_and(|subject| subject.key.kind == Kind::User)
    }

    fn item(&self, is_sd_jwt: bool) -> Item {
        match self {
            Entry::Sound(Subject { key, variant, ttl }) => {
                Item { key: Some(*key), content: Some(Content { variant: *variant, ttl: *ttl, is_sd_jwt }) }
            }
            Entry::Faulty(_, Fault::Nameless) => Item { key: None, content: None },
            Entry::Faulty(subject, _) => Item { key: Some(subject.key), content: None },
            Entry::Broken { .. } | Entry::OpenQuote => Item { key: None, content: None },
        }
    }
}

/// What the credential of a content says, for comparison: a member of the subject or of the claims.
pub(crate) fn says(credential: &Value, key: Key, content: Content) -> bool {
    let text = TEXTS[usize::from(content.variant)];
    let found = match key.kind {
        Kind::Business => &credential["subject"]["legal_form"],
        Kind::User => &credential["claims"]["kyc_status"],
    };
    let format = if content.is_sd_jwt { "sd_jwt_vc" } else { "jwt_vc" };
    found == text
        && credential["subject"]["id"] == format!("urn:example:firm:{}", key.number)
        && credential["proof_format"] == format
}
