//! Running again under an idempotency key: whatever was cut off, the union has each item once.

use std::cell::Cell;
use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::companies::{Company, Style, any_company, any_style, sound, spelt};
use crate::holds;
use crate::support::*;

/// What never changes about an item that was issued.
fn lasting(row: &Row) -> Option<(String, u32, String, String)> {
    let Credential { id, status_list_index, issued_at, expires_at, .. } = row.credential.clone()?;
    Some((id, status_list_index.unwrap(), issued_at, expires_at))
}

/// Issues these companies under a key, and gives all that came out, and how many items had been
/// issued before.
fn issue(sandbox: &Sandbox, companies: &[Company], style: Style, flags: &str) -> (Run, u64) {
    sandbox
        .write("items.ndjson", companies.iter().map(|c| spelt(&c.item(), style) + "\n").collect::<String>());
    let run =
        sandbox.issue(&format!("items.ndjson --summary summary.json --force --output-format ndjson {flags}"));
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let summary: Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    (run, summary["replayed_count"].as_u64().unwrap())
}

/// The rows of an output that broke off at some byte.
fn whole_rows(output: &str, cut: usize) -> Vec<Row> {
    let kept = String::from_utf8_lossy(&output.as_bytes()[..cut]).into_owned();
    kept.rfind('\n').map_or(Vec::new(), |end| rows(&kept[..end]))
}

#[test]
fn whatever_was_cut_off_each_item_is_issued_once() {
    let sandbox = Sandbox::with_issuer_key();
    let run_number = Cell::new(0);
    // Now and then more than one batch of the ledger.
    let count = prop_oneof![7 => 1..60usize, 1 => 1_001..2_200usize];
    let companies = (prop::collection::vec(any_company(), 1..30), count, any_style());
    let cuts = (any::<[Index; 3]>(), any::<[bool; 2]>(), [1..=8usize, 1..=8], sound());
    holds(
        20,
        file!(),
        (companies, cuts),
        |((companies, count, style), (cuts, [mend, sd_jwt], jobs, mended))| {
            run_number.set(run_number.get() + 1);
            let format = if sd_jwt { "sd_jwt_vc" } else { "jwt_vc" };
            let flags = |jobs| {
                // The same company is there more than once, with the same correlation id.
                format!(
                    "--idempotency-key run-{} --idempotent-by position --jobs {jobs} --proof-format {format}",
                    run_number.get()
                )
            };
            let mut all: Vec<_> = companies.into_iter().cycle().take(count).collect();
            let before = sandbox.recorded();

            // The first run gets through some of the items, and not all of its output arrives.
            let first = &all[..=cuts[0].index(count)];
            let (run, replayed) = issue(&sandbox, first, style, &flags(jobs[0]));
            assert_eq!(replayed, 0);
            let issued_first = first.iter().filter(|company| company.error.is_none()).count();
            let arrived = whole_rows(&run.stdout, cuts[1].index(run.stdout.len() + 1));

            // Failed items may be mended in place.
            if mend {
                all.iter_mut()
                    .filter(|company| company.error.is_some())
                    .for_each(|company| *company = mended.clone());
            }
            let (run, replayed) = issue(&sandbox, &all, style, &flags(jobs[1]));
            assert_eq!(replayed as usize, issued_first);
            let complete = run.rows();
            assert_eq!(complete.len(), count);
            for (row, company) in complete.iter().zip(&all) {
                assert_eq!(row.error.as_ref().map(|error| error.code.as_str()), company.error);
            }
            for (early, late) in arrived.iter().zip(&complete).filter(|(early, _)| early.credential.is_some())
            {
                assert_eq!(lasting(early), lasting(late));
            }

            // Any part of it again, and the whole: nothing new comes of it.
            let part = &all[..=cuts[2].index(count)];
            let (run, _) = issue(&sandbox, part, style, &flags(jobs[0]));
            assert!(run.rows().iter().map(lasting).eq(complete[..part.len()].iter().map(lasting)));
            let issued: Vec<_> = complete.iter().filter_map(lasting).collect();
            let ids: HashSet<_> = issued.iter().map(|(id, ..)| id).collect();
            let places: HashSet<_> = issued.iter().map(|(_, index, ..)| index).collect();
            assert_eq!(
                (ids.len(), places.len()),
                (issued.len(), issued.len()),
                "each has its own id and place"
            );
            assert_eq!(sandbox.recorded() - before, issued.len() as i64, "the ledger has each once");
        },
    );
}
