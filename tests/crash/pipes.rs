//! Readers that go away.

use std::io::{BufRead, BufReader, Read};

use crate::support::*;

/// What a pipe holds at most: 64 KiB on Linux, and no more elsewhere.
const PIPE: usize = 64 * 1024;

/// The last row that the message says was delivered.
fn last_delivered(ended: &Ended) -> Option<usize> {
    let said = ended.stderr.split("results were written up to item ").nth(1);
    if said.is_none() {
        assert!(ended.stderr.contains("no results were written"), "{}", ended.stderr);
    }
    said.map(|said| {
        said.split_whitespace().next().unwrap().trim_end_matches(['.', ';', ',']).parse().unwrap()
    })
}

/// The last row named is one that the reader had or that was in the pipe; and every row that the
/// reader had is named or comes before it. Going on gives everything out again.
#[test]
fn a_closed_pipe_names_the_last_row_that_left() {
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("p", 5_000, 0));
    // Short rows show best where each one ends.
    for (form, read) in
        [("text", 10), ("text", 70_000), ("ndjson", 1), ("ndjson", 300_000), ("csv", 100), ("text", 100_000)]
    {
        let args =
            format!("batch-issue items.ndjson --ledger ledger.db --output-format {form} --color never");
        let mut child = yard.beltic(&args).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut seen = vec![0; read];
        stdout.read_exact(&mut seen).unwrap();
        drop(stdout);
        let ended = Ended::of(child.wait_with_output().unwrap()).expect(6);
        assert!(ended.stderr.contains("standard output was closed"), "{}", ended.stderr);
        let key = ended.key_to_go_on();
        let recorded_before = yard.check_ledger("ledger.db");
        let again = yard.run(&format!("{args} --idempotency-key {key}")).finished();
        let replayed =
            again.stderr.split("already issued ").nth(1).unwrap().split(", failed").next().unwrap();
        let replayed: usize =
            replayed.replace(',', "").parse().unwrap_or_else(|_| panic!("{}", again.stderr));
        assert!(replayed > 0 && replayed <= recorded_before);

        // Rows are as long as before: all that changes is the signature, whose length does not.
        let head = usize::from(form == "csv");
        // What is wrong with an item stands indented below its line, and belongs to its row.
        let ends_a_row = |end: &usize| !again.stdout[*end..].starts_with(' ');
        let ends = again.stdout.match_indices('\n').map(|(at, _)| at + 1).filter(ends_a_row);
        let ends: Vec<usize> = ends.skip(head).collect();
        assert_eq!(ends.len(), 5_000);
        let read_whole = ends.iter().take_while(|end| **end <= read).count();
        let could_have_left = ends.iter().take_while(|end| **end <= read + PIPE).count();
        let named = last_delivered(&ended).map_or(0, |index| index + 1);
        assert!(read_whole <= named, "{form}: {named} named, {read_whole} read");
        assert!(
            named <= could_have_left,
            "{form}, {read} bytes read: {named} rows are said to have left, and the pipe held {could_have_left} at most"
        );
    }
}

/// The reader of a long list is `head`.
#[test]
fn a_reader_that_has_enough_stops_the_run() {
    let yard = Yard::new();
    yard.write("items.ndjson", ndjson("p", 20_000, 0));
    let mut books = Books::default();
    let args = "batch-issue items.ndjson --ledger ledger.db --jobs 2";
    let mut child = yard.beltic(args).spawn().unwrap();
    let mut seen = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..1_500 {
        reader.read_line(&mut seen).unwrap();
    }
    drop(reader);
    let ended = Ended::of(child.wait_with_output().unwrap()).expect(6);
    assert!(last_delivered(&ended).unwrap() >= 1_499);
    let key = ended.key_to_go_on();
    books.enter(&key, &seen);
    let recorded = yard.check_ledger("ledger.db");
    assert!(recorded < sound_items(20_000), "little is issued that nobody reads");
    let again = yard.run(&format!("{args} --idempotency-key {key}")).finished();
    books.enter_complete(&key, &again.stdout, 20_000);
    assert_eq!(yard.check_ledger("ledger.db"), sound_items(20_000));
}
