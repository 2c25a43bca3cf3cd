use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::credential::ProfileSettings;
use crate::issuer::Issuer;
use crate::keys::{IssuerKey, PublicKey, SignError, Signature, Signer, verify_es256};
use crate::request::rules::CalendarDuration;
use crate::sample;
use crate::source::{Input, InputName, Items, Options};
use crate::types::Types;

const ITEMS: usize = 3_500;
const CALLS_A_BATCH: usize = 1_000_usize.div_ceil(SIGNED_TOGETHER);

/// A key that signs so many times, as a security token does until it is pulled.
#[derive(Debug)]
struct Pulled {
    key: IssuerKey,
    calls_left: Arc<AtomicUsize>,
    has_signers: bool,
}

impl SigningKey for Pulled {
    fn public(&self) -> &PublicKey {
        self.key.public()
    }

    fn signer(&self) -> Result<Box<dyn Signer>, SignError> {
        if !self.has_signers {
            return Err(SignError::said("there is no token"));
        }
        let (signer, calls_left) = (self.key.signer()?, Arc::clone(&self.calls_left));
        Ok(Box::new(PulledSigner { signer, calls_left }))
    }
}

struct PulledSigner {
    signer: Box<dyn Signer>,
    calls_left: Arc<AtomicUsize>,
}

impl Signer for PulledSigner {
    fn sign(&mut self, messages: &[&[u8]], signatures: &mut [Signature]) -> Result<(), SignError> {
        let left = |left: usize| left.checked_sub(1);
        self.calls_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
            .map_err(|_| SignError::said("the token was pulled"))?;
        self.signer.sign(messages, signatures)
    }
}

/// One line an item: its id, its place in the list and its token.
struct Lines;

impl Render for Lines {
    fn row(&self, row: &Row<'_>, out: &mut Vec<u8>, _: &mut Vec<String>) {
        let Outcome::Issued(resource) = &row.outcome else { panic!("all items are sound") };
        let place = resource.grant.status.as_ref().map(|(_, index)| *index);
        let token = std::str::from_utf8(resource.token).unwrap();
        writeln!(out, "{} {} {token}", resource.grant.id.urn(), place.unwrap()).unwrap();
    }
}

/// Issues the same items under the same idempotency key.
fn run(ledger: &Path, key: &dyn SigningKey, jobs: usize) -> (Ended<()>, Vec<String>) {
    let issuer = Issuer::of_key(key.public());
    let profile = Profile::new(&issuer, ProfileSettings::of_types(Types::BUILT_IN, &issuer));
    let ttl = CalendarDuration::parse("P1Y").unwrap();
    let run = RunDescription::of(&profile, "again".to_owned(), "P1Y".to_owned());
    let (ledger, _) = Ledger::open(ledger).unwrap();
    let plan = Plan {
        profile: &profile,
        key,
        rules: Rules {
            types: Types::BUILT_IN,
            allow_unknown: false,
            default_ttl: ttl,
            overrules_types: false,
            hash_key: ledger.hash_key(),
            identity: None,
        },
        clock: Clock::System,
        jobs,
        run: RunDescription { repeatable: true, ..run },
        max_failures: None,
        shard: None,
        keep_failed: false,
        keep_tokens: false,
        self_check: None,
        renewals: None,
    };
    let items: String = (0..ITEMS).map(|number| sample::item(number) + "\n").collect();
    let inputs = vec![Input::Ready(InputName::Stdin, Box::new(std::io::Cursor::new(items)))];
    let stop = Stop::default();
    let mut source = Source::open(inputs, Options::of(Items::of(Types::BUILT_IN)), &stop).unwrap();
    let mut lines = Vec::new();
    let ended = issue(&mut source, &plan, Register::Ledger(Box::new(ledger)), &Lines, &stop, |delivery| {
        lines.extend(String::from_utf8(delivery.bytes).unwrap().lines().map(str::to_owned));
        Ok(())
    });
    (ended, lines)
}

/// The id and the place of a line, and whether its token is signed by the key.
fn read<'l>(key: &IssuerKey, line: &'l str) -> (&'l str, &'l str) {
    let parts: Vec<&str> = line.split(' ').collect();
    let [id, place, token] = parts[..] else { panic!("{line}") };
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
    assert!(verify_es256(key.public(), input.as_bytes(), &signature), "{line}");
    (id, place)
}

/// What left before a signer failed is signed and recorded; the rest comes out when the run is repeated, in the
/// places that were taken.
#[test]
fn a_signer_that_fails_at_the_nth_batch_loses_nothing() {
    for (jobs, batches) in [(0, 2), (1, 2), (3, 1), (3, 3), (2, 0)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let calls_left = Arc::new(AtomicUsize::new(batches * CALLS_A_BATCH));
        let key = Pulled { key: IssuerKey::generate().unwrap(), calls_left, has_signers: true };

        let (ended, first) = run(&path, &key, jobs);
        assert!(
            matches!(ended.outcome, Err(IssueError::Batch(BatchError::Signing(_)))),
            "{:?}",
            ended.outcome
        );
        assert_eq!(first.len() % 1_000, 0, "whole batches");
        assert!(first.len() <= batches * 1_000 && first.len() as u64 <= ended.recorded);

        let (ended, again) = run(&path, &key.key, jobs);
        assert!(ended.outcome.is_ok(), "{:?}", ended.outcome);
        assert_eq!(again.len(), ITEMS);
        for (first, again) in first.iter().zip(&again) {
            assert_eq!(read(&key.key, first), read(&key.key, again));
        }
        let places: HashSet<_> = again.iter().map(|line| read(&key.key, line).1).collect();
        assert_eq!(places.len(), ITEMS, "each item has a place of its own");
    }
}

#[test]
fn a_key_without_signers_records_nothing() {
    for jobs in [0, 1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let key = Pulled {
            key: IssuerKey::generate().unwrap(),
            calls_left: Arc::new(AtomicUsize::new(usize::MAX)),
            has_signers: false,
        };
        let (ended, lines) = run(&folder.path().join("ledger.db"), &key, jobs);
        assert!(matches!(ended.outcome, Err(IssueError::Batch(BatchError::Key(_)))), "{:?}", ended.outcome);
        assert_eq!((ended.recorded, lines.len()), (0, 0));
    }
}
