//! The ledger and its mark, with changed bytes: opened, issued into, replayed, checked.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use beltic::ledger::{Answer, Entry, Examination, Ledger, Mark, RunDescription, Terms, TypeTerms};
use beltic::request::{ContentHash, Draft, IdRule, ItemId, Piece};
use beltic::types::Types;
use tempfile::TempDir;

use crate::world::now;

/// How many credentials are issued before the ledger is changed.
const CREDENTIALS: u8 = 12;

/// A ledger's bytes: a byte that says what else is done to it, then changes of five bytes each: which part of
/// the file, where in it, and what the byte is mixed with.
pub fn ledger(data: &[u8]) {
    let Some((how, changes)) = data.split_first() else { return };
    let Some(world) = World::new() else { return };
    let path = world.ledger();
    let before = world.issue("key").expect("a new ledger takes credentials");
    let given: HashSet<_> = before.iter().filter_map(place).collect();
    assert_eq!(given.len(), before.len());
    let mut bytes = fs::read(&path).expect("the ledger is a file");
    for change in changes.as_chunks::<5>().0 {
        // The first pages hold the decisions, and the last ones what was issued.
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize;
        let at = match change[3] % 3 {
            0 => at % (24 * 4096),
            1 => bytes.len() - 1 - at % (8 * 4096),
            _ => at % bytes.len(),
        };
        bytes[at] ^= change[4];
    }
    if how & 1 == 1 {
        bytes.truncate(bytes.len().saturating_sub(usize::from(*how) * 64));
    }
    fs::write(&path, &bytes).expect("the ledger can be written");
    if how & 2 == 2 {
        let _ = fs::remove_file(world.mark());
    }
    let checked = Examination::of(&path);
    if let Some(again) = world.issue("key") {
        for (answer, before) in again.iter().zip(&before) {
            if let (Ok(answer), Ok(before)) = (answer, before) {
                assert!(answer.replayed, "a second credential");
                assert_eq!((answer.id, &answer.status), (before.id, &before.status));
            }
        }
    }
    let new: Vec<_> = world.issue("new").into_iter().flatten().filter_map(|answer| place(&answer)).collect();
    assert!(new.iter().all(|place| !given.contains(place)), "a place is given twice");
    assert_eq!(new.iter().collect::<HashSet<_>>().len(), new.len());
    if let Ok(Examination { problems, .. }) = checked
        && problems.is_empty()
    {
        assert!(Examination::of(&path).is_ok_and(|found| found.problems.is_empty()), "it was sound before");
    }
}

/// What lies where a ledger's mark should be.
pub fn mark(data: &[u8]) {
    let _ = Mark::parse(data);
    let Some(world) = World::new() else { return };
    let before: HashSet<_> = world.issue("key").expect("a new ledger").iter().filter_map(place).collect();
    let genuine = fs::read(world.mark()).expect("a ledger has a mark");
    assert!(Mark::parse(&genuine).is_some());
    // Mixed into the genuine one, or in its place.
    let mut mixed = genuine.clone();
    mixed.iter_mut().zip(data).for_each(|(byte, with)| *byte ^= with);
    for text in [data, &mixed] {
        fs::write(world.mark(), text).expect("the mark can be written");
        let new = world.issue("new").expect("a mark stops nobody");
        assert!(
            new.iter().filter_map(place).all(|place| !before.contains(&place))
                || new.iter().flatten().all(|answer| answer.replayed)
        );
    }
    assert!(Examination::of(&world.ledger()).is_ok_and(|found| found.problems.is_empty()));
}

/// A folder with a ledger in it.
struct World {
    folder: TempDir,
}

impl World {
    /// In memory where there is such a place: thousands of ledgers are made.
    fn new() -> Option<World> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        folder.ok().map(|folder| World { folder })
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("ledger.db.mark")
    }

    /// Issues under this key; none where the ledger refuses.
    fn issue(&self, key: &str) -> Option<Vec<Answer>> {
        let (mut ledger, _) = Ledger::open(&self.ledger()).ok()?;
        let drafts: Vec<Draft> = (0..CREDENTIALS).map(draft).collect();
        let entries: Vec<_> = (0..).zip(&drafts).map(|(position, draft)| Entry { position, draft }).collect();
        ledger.record(&run(key), &entries).ok()
    }
}

fn place(answer: &Answer) -> Option<(String, u32)> {
    let (uris, index) = answer.as_ref().ok()?.status.as_ref()?;
    Some((uris.token.clone(), *index))
}

fn run(name: &str) -> RunDescription {
    RunDescription {
        name: name.into(),
        repeatable: true,
        rule: IdRule::CorrelationIdOrPosition,
        terms: Terms {
            issuer: "did:web:issuer.example".into(),
            kid: "did:web:issuer.example#k".into(),
            proof_format: "jwt_vc".into(),
            context: String::new(),
            ttl: "P1Y".into(),
        },
        types: vec![TypeTerms {
            credential_type: "business".into(),
            vct: "urn:beltic:business:1".into(),
            disclosure: String::new(),
        }],
        status_base: None,
    }
}

fn draft(hash: u8) -> Draft {
    Draft {
        credential_type: Types::BUILT_IN.default_type(),
        own_members: Piece::default(),
        subject: Piece::default(),
        subject_id: Piece::default(),
        subject_members: Piece::default(),
        subject_id_is_uri: false,
        claims: Piece::default(),
        evidence_refs: Piece::default(),
        cnf: Piece::default(),
        issued_at: now(),
        expires_at: now().saturating_add(365 * 24 * 3600),
        content_hash: ContentHash([hash; 16]),
        // Some items are known by their ids, and some by their places.
        id: if hash.is_multiple_of(2) { ItemId::Key([hash.wrapping_mul(41); 16]) } else { ItemId::Position },
        subject_hash: [hash; 8],
        delegator_hash: [hash ^ 0xff; 8],
        attestation_type: None,
        correlation_hash: if hash.is_multiple_of(2) { [hash | 1; 8] } else { [0; 8] },
        former: None,
    }
}
