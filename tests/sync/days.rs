//! Day by day: the register is edited and exported, `--plan` says what is to be done, `sync` does it, and doing it
//! again changes nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::model::{After, Credential, Expected, Flags, Item, Model, Status, Verdict};
use crate::readers::property::holds;
use crate::registers::{By, Day, Hand, History, Limit, Register, any_history, says};
use crate::support::{Run, Sandbox};
use crate::sync_support::*;

/// Before and after the clock of any machine that runs this: only `--issued-at` may count.
const BEGINS: [&str; 2] = ["2019-02-03T04:05:06Z", "2041-02-03T04:05:06Z"];

/// Lives through so many invented registers, each with a ledger of its own in a folder that is made for it.
pub(crate) fn live_through_registers(cases: usize, issuer: impl Fn() -> Sandbox) {
    let seen = RefCell::new(BTreeMap::new());
    holds(u32::try_from(cases).unwrap(), file!(), any_history(), |history| {
        let mut scope = Scope::new(&history, issuer());
        let mut register = Register::begin(&history);
        for day in &history.days {
            scope.live_through(day, &mut register);
        }
        for (what, count) in scope.seen {
            *seen.borrow_mut().entry(what).or_insert(0) += count;
        }
    });
    println!("seen: {:?}", seen.into_inner());
}

/// A scope of its own, in a ledger of its own.
struct Scope {
    sandbox: Sandbox,
    model: Model,
    by: By,
    now: i64,
    /// How often what happened.
    seen: BTreeMap<String, usize>,
}

/// A day's call of `sync`.
struct Call<'d> {
    day: &'d Day,
    items: Vec<Item>,
    /// The command line without what changes nothing but the output.
    args: String,
    expected: Expected,
}

impl Scope {
    fn new(history: &History, sandbox: Sandbox) -> Scope {
        let begin: jiff::Timestamp = BEGINS[usize::from(!history.begins_in_the_past)].parse().unwrap();
        Scope {
            sandbox,
            model: Model::default(),
            by: history.by,
            now: begin.as_second(),
            seen: BTreeMap::new(),
        }
    }

    fn live_through(&mut self, day: &Day, register: &mut Register) {
        self.now += day.hours * 3_600;
        self.meddle(day);
        let entries = register.export(day);
        let (files, items) = register.files(&entries, day);
        for (name, text) in &files {
            self.sandbox.write(name, text);
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            return self.bring_into_line_with_nothing(day);
        }
        let expected = self.model.expected(&items, &day.flags, self.now);
        let args = format!("{} {}", names.join(" "), self.flags(day));
        self.bring_into_line(&Call { day, items, args, expected });
    }

    fn flags(&self, day: &Day) -> String {
        let Flags { prune, renew_within, revoke_renewed, replace_suspended, reissue_revoked, is_sd_jwt } =
            day.flags;
        let mut flags =
            format!("--issued-at {} --output-format ndjson", jiff::Timestamp::from_second(self.now).unwrap());
        let switches = [
            (prune, " --prune"),
            (revoke_renewed, " --revoke-renewed"),
            (replace_suspended, " --replace-suspended"),
            (reissue_revoked, " --reissue-revoked"),
            (is_sd_jwt, " --proof-format sd_jwt_vc"),
            (self.by == By::SubjectId, " --by subject-id"),
        ];
        flags.extend(switches.iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| *flag));
        flags += &match day.limit {
            Limit::Percent100 => " --max-removals 100%".to_owned(),
            Limit::Count(count) => format!(" --max-removals {count}"),
        };
        if let Some(days) = renew_within {
            flags += &format!(" --renew-within P{days}D");
        }
        flags
    }

    /// What people do by hand.
    fn meddle(&mut self, day: &Day) {
        for (hand, at) in &day.hands {
            let count = self.model.all().count();
            if count == 0 {
                return;
            }
            let credential = self.model.all_mut().nth(at.index(count)).unwrap();
            let (command, status) = match (hand, credential.status) {
                (Hand::Revoke, Status::Active | Status::Suspended) => {
                    ("revoke", Status::Revoked { by_hand: true })
                }
                (Hand::Suspend, Status::Active) => ("suspend", Status::Suspended),
                (Hand::Reinstate, Status::Suspended) => ("reinstate", Status::Active),
                _ => continue,
            };
            self.sandbox.beltic(&[command, &credential.id, "--quiet"]).expect(0);
            credential.status = status;
        }
    }

    /// An export without a line: nothing may come of it, whatever the flags say.
    fn bring_into_line_with_nothing(&self, day: &Day) {
        self.sandbox.write("empty.ndjson", "\n");
        let before = (held(&self.sandbox), events(&self.sandbox));
        sync(&self.sandbox, &format!("empty.ndjson {}", self.flags(day))).expect(4);
        assert_eq!((held(&self.sandbox), events(&self.sandbox)), before);
    }

    fn bring_into_line(&mut self, call: &Call<'_>) {
        let Call { day, args, expected, .. } = call;
        let before = (held(&self.sandbox), events(&self.sandbox));
        let plan = sync(&self.sandbox, &format!("{args} --plan"));
        assert_eq!((held(&self.sandbox), events(&self.sandbox)), before, "--plan changes nothing: {args}");

        let all = if day.with_all { " --all" } else { "" };
        let accepting = if day.accepts_failures { " --accept-failures" } else { "" };
        let run = sync(&self.sandbox, &format!("{args}{all}{accepting}"));
        match self.is_over_limit(call) {
            Some(true) => assert_eq!(run.code, 7, "{args}: {}", run.stderr),
            Some(false) => assert_ne!(run.code, 7, "{args}: {}", run.stderr),
            None => {}
        }
        self.note(call, run.code);
        if run.code == 7 {
            assert_eq!(plan.code, 7, "{args}: {}", plan.stderr);
            assert_eq!((held(&self.sandbox), events(&self.sandbox)), before, "nothing is changed: {args}");
            return;
        }

        let code = |accepts: bool| {
            let hides = accepts && !(day.flags.prune && expected.is_pruning_off);
            if expected.has_failures(&day.flags) && !hides { 3 } else { 0 }
        };
        assert_eq!(run.code, code(day.accepts_failures), "{args}: {}", run.stderr);
        let done = Counts::of(&run);
        self.compare_counts(call, &done, &run);
        assert_eq!(Counts::of(&plan), done, "{args}:\n{}\n{}", plan.stderr, run.stderr);
        let planned = if has_work(&done) || expected.has_failures(&day.flags) { 3 } else { 0 };
        assert_eq!(plan.code, planned, "{args}: {}\n{}", plan.stderr, plan.stdout);

        let issued = self.compare_rows(call, &run);
        self.compare_ledger(call, issued);
        self.repeat(call, code(false));
    }

    fn note(&mut self, call: &Call<'_>, code: i32) {
        let Expected { verdicts, removed, is_pruning_off, .. } = &call.expected;
        let mut note = |what: String, count| *self.seen.entry(what).or_insert(0) += count;
        note("days".to_owned(), 1);
        note(format!("exit code {code}"), 1);
        note("pruning off".to_owned(), usize::from(call.day.flags.prune && *is_pruning_off));
        if code != 7 {
            verdicts.iter().for_each(|verdict| note(format!("{verdict:?}"), 1));
            note("Removed".to_owned(), removed.len());
        }
    }

    /// Whether more is to be revoked than is allowed; unknown where the table leaves open how much that is.
    fn is_over_limit(&self, call: &Call<'_>) -> Option<bool> {
        let (least, most) = call.expected.revocations;
        let limit = match call.day.limit {
            Limit::Count(count) => count,
            Limit::Percent100 => self.model.in_force(self.now),
        };
        match call.day.limit {
            _ if most <= limit => Some(false),
            Limit::Count(_) if least > limit => Some(true),
            _ => None,
        }
    }

    fn compare_counts(&self, call: &Call<'_>, done: &Counts, run: &Run) {
        let Call { args, expected, .. } = call;
        let said = format!("{args}\n{}", run.stderr);
        let count = |wanted: &[Verdict]| expected.count(|verdict| wanted.contains(&verdict));
        // What takes the place of a credential that was revoked by hand may be counted as either.
        let reissued = count(&[Verdict::Reissue]);
        assert_eq!(
            done.issued + done.replaced,
            count(&[Verdict::Issue, Verdict::Replace]) + reissued,
            "{said}"
        );
        assert!(done.issued >= count(&[Verdict::Issue]), "{said}");
        assert!(done.replaced >= count(&[Verdict::Replace]), "{said}");
        assert_eq!(done.renewed, count(&[Verdict::Renew]), "{said}");
        assert_eq!(done.failed, count(&[Verdict::Fail]), "{said}");
        let unchanged = count(&[Verdict::Unchanged]);
        assert!((unchanged..=unchanged + count(&[Verdict::Kept])).contains(&done.unchanged), "{said}");
        let removed = expected.removed.len();
        assert!(done.removed <= removed + expected.maybe_removed.len(), "{said}");
        assert!((done.removed > 0) || removed == 0, "{said}");
    }

    /// Compares each item's result, and gives the credentials that were issued, by the place of their item.
    fn compare_rows(&self, call: &Call<'_>, run: &Run) -> BTreeMap<usize, Credential> {
        let mut issued = BTreeMap::new();
        let rows: Vec<Synced> = synced(run);
        let (revoked, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.action.as_deref() == Some("revoked"));
        assert_eq!(!revoked.is_empty(), Counts::of(run).removed > 0, "{}", run.stdout);
        let mut rows: BTreeMap<usize, Synced> =
            rows.into_iter().map(|row| (usize::try_from(row.index.unwrap()).unwrap(), row)).collect();
        for (place, (item, verdict)) in call.items.iter().zip(&call.expected.verdicts).enumerate() {
            let row = rows.remove(&place);
            let said = format!("item {place}, {verdict:?}: {row:?}\n{}", call.args);
            let action = row.as_ref().and_then(|row| row.action.as_deref());
            let newest = item.key.and_then(|key| self.model.newest(key)).map(|newest| newest.id.clone());
            match verdict {
                Verdict::Fail => {
                    let row = row.expect(&said);
                    assert!(row.error.is_some() && row.credential.is_none(), "{said}");
                    continue;
                }
                Verdict::Unchanged if call.day.with_all => {
                    assert_eq!(action, Some("unchanged"), "{said}");
                    assert_eq!(row.map(|row| row.id()), newest, "{said}");
                    continue;
                }
                Verdict::Unchanged => {
                    assert!(row.is_none(), "{said}");
                    continue;
                }
                Verdict::Kept => {
                    assert!(row.is_none_or(|row| row.error.is_none()), "{said}");
                    continue;
                }
                Verdict::Issue => assert_eq!(action, Some("issued"), "{said}"),
                Verdict::Reissue => assert!(matches!(action, Some("issued" | "replaced")), "{said}"),
                Verdict::Replace => assert_eq!(action, Some("replaced"), "{said}"),
                Verdict::Renew => assert_eq!(action, Some("renewed"), "{said}"),
            }
            let row = row.expect(&said);
            if matches!(verdict, Verdict::Replace | Verdict::Renew) {
                assert_eq!(row.former, newest, "{said}");
            }
            issued.insert(place, self.read(item, &row, &said));
        }
        assert!(rows.is_empty(), "results of no item: {rows:?}");
        issued
    }

    /// The credential of a result, which has to say what its item says.
    fn read(&self, item: &Item, row: &Synced, said: &str) -> Credential {
        let resource = row.credential.as_ref().expect(said);
        let (key, content) = (item.key.expect(said), item.content.expect(said));
        assert!(says(resource, key, content), "{said}");
        let time = |name: &str| -> i64 {
            resource[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
        };
        let (issued, expires) = (time("issued_at"), time("expires_at"));
        assert_eq!(issued, self.now, "{said}");
        if let Some(days) = content.ttl {
            assert_eq!(expires, issued + i64::from(days) * 86_400, "{said}");
        }
        Credential { id: row.id(), content, issued, expires, status: Status::Active }
    }

    /// Compares the ledger with the model, which then follows it.
    fn compare_ledger(&mut self, call: &Call<'_>, issued: BTreeMap<usize, Credential>) {
        let mut found = held(&self.sandbox);
        for credential in self.model.all_mut() {
            let Held { status, revocation_reason, .. } = found.remove(&credential.id).unwrap();
            let before = credential.status;
            let said = format!("{credential:?} is {status}\n{}", call.args);
            let is_as_before = status == word(before);
            match call.expected.after(&credential.id) {
                After::Same => assert!(is_as_before, "{said}"),
                After::Revoked => assert_eq!(status, "revoked", "{said}"),
                After::Either => assert!(is_as_before || status == "revoked", "{said}"),
            }
            if !is_as_before {
                credential.status = Status::Revoked { by_hand: false };
                if call.is_replaced(&credential.id) {
                    assert_eq!(revocation_reason.as_deref(), Some("superseded"), "{said}");
                }
            }
        }
        for (place, credential) in issued {
            let held = found.remove(&credential.id).expect("what was issued is in the ledger");
            assert_eq!(held.status, "active");
            let key = call.items[place].key.unwrap();
            self.model.of.entry(key).or_default().push(credential);
        }
        assert!(found.is_empty(), "credentials without a result: {found:?}\n{}", call.args);
    }

    /// The same call again finds nothing to do, and so does a plan.
    fn repeat(&self, call: &Call<'_>, code: i32) {
        let Call { args, .. } = call;
        let before = events(&self.sandbox);
        let again = sync(&self.sandbox, args).expect(code);
        assert!(!has_work(&Counts::of(&again)), "{args}: {}", again.stderr);
        assert!(again.stderr.contains("issued 0"), "{args}: {}", again.stderr);
        assert_eq!(events(&self.sandbox), before, "{args}");
        sync(&self.sandbox, &format!("{args} --plan")).expect(code);
    }
}

impl Call<'_> {
    /// Whether this credential was to be revoked for the sake of another one.
    fn is_replaced(&self, id: &str) -> bool {
        let is_gone = |list: &[String]| list.iter().any(|gone| gone == id);
        let is_removed = is_gone(&self.expected.removed) || is_gone(&self.expected.maybe_removed);
        !is_removed && !self.day.flags.revoke_renewed && self.expected.after(id) == After::Revoked
    }
}

fn has_work(counts: &Counts) -> bool {
    counts.issued + counts.replaced + counts.renewed + counts.removed > 0
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Suspended => "suspended",
        Status::Revoked { .. } => "revoked",
    }
}
