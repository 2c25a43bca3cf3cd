//! What a settings file may ask of the YAML parser, checked before it sees the file.
//!
//! The parser takes time that grows with the square of the depth of `[` and `{`, and copies what an alias stands for
//! each time: a file of 100 kB could keep it busy for minutes, or fill the memory. This check is one pass over the
//! bytes. It does not parse YAML; it counts too much where it cannot know, never too little:
//!
//! - an opening bracket is forgiven only by a closing one on the same line, and only on a line without quotes and
//!   comments. In a quoted text that goes over several lines neither counts, and brackets outside are real;
//! - what looks like an anchor and what looks like an alias, outside of comments, are one. A plain scalar can begin
//!   with neither `&` nor `*`.

/// The most opening brackets that are not forgiven. The parser needs a few milliseconds for as many.
const MAX_OPEN: usize = 1_000;

/// The deepest indentation and the most `- ` or `? ` in front of a value, in bytes.
const MAX_INDENT: usize = 1_000;

/// Checks a settings file.
///
/// # Errors
/// What is wrong with it, and on which line.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.contains(&0) {
        return Err("it is not UTF-8 text; save it as UTF-8".to_owned());
    }
    let (mut open, mut has_anchor) = (0_usize, false);
    for (line, number) in bytes.split(|byte| matches!(byte, b'\n' | b'\r')).zip(1..) {
        open += unforgiven(line);
        if open > MAX_OPEN || indent(line) > MAX_INDENT {
            return Err(format!("line {number}: nested too deeply, or more than {MAX_OPEN} open brackets"));
        }
        let line = without_comment(line);
        if has_anchor && has_token(line, b'*') {
            return Err(format!("line {number}: aliases (`*name`) are not supported; write out the value"));
        }
        has_anchor |= has_token(line, b'&');
    }
    Ok(())
}

fn unforgiven(line: &[u8]) -> usize {
    let count = |wanted: [u8; 2]| line.iter().filter(|byte| wanted.contains(byte)).count();
    let open = count([b'[', b'{']);
    match line.iter().any(|byte| b"\"'#".contains(byte)) {
        true => open,
        false => open.saturating_sub(count([b']', b'}'])),
    }
}

/// How many bytes stand before the first value of a line.
fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|byte| b" \t-?:".contains(byte)).count()
}

fn without_comment(line: &[u8]) -> &[u8] {
    let begins = |at: &usize| line[*at] == b'#' && (*at == 0 || line[*at - 1].is_ascii_whitespace());
    let end =
        (0..line.len()).find(begins).filter(|end| !line[..*end].iter().any(|byte| b"\"'".contains(byte)));
    &line[..end.unwrap_or(line.len())]
}

/// Whether a token of this kind may begin anywhere: `*name` after a space or a sign.
fn has_token(line: &[u8], sign: u8) -> bool {
    memchr::memchr_iter(sign, line).any(|at| {
        let begins = at == 0 || b" \t[{,-?:".contains(&line[at - 1]);
        let named =
            line.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace() && !b"\"',]}".contains(next));
        begins && named
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_as_people_write_them_pass() {
        for text in [
            "",
            "# *see* [1] & more\nkey: issuer.pem\n",
            "csv:\n  columns: {Firma: [subject.name, claims.registered_name]}\n  ignore: [\"*\"]\n",
            "csv:\n  columns:\n    \"Name *\": subject.name\n    'R&D': ignore # &a\n",
            "\u{feff}csv:\r\n  columns: {\r\n    a: b,\r\n  }\r\n",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        let many: String =
            (0..5_000).map(|n| format!("    c{n}: [subject.name, claims.business_type]\n")).collect();
        assert_eq!(check(format!("csv:\n  columns:\n{many}").as_bytes()), Ok(()));
    }

    #[test]
    fn depth_is_found_however_it_is_hidden() {
        let attacks = [
            "[".repeat(100_000),
            "{".repeat(100_000),
            "[\"]\"".repeat(25_000),
            "[\"]\",\n".repeat(25_000),
            "[\"\n]\n\",".repeat(20_000),
            "['\n]\n',".repeat(20_000),
            "[ # ]\n".repeat(20_000),
            "[\n".repeat(50_000),
            "- ".repeat(50_000),
            "? ".repeat(50_000),
        ];
        for attack in attacks {
            let problem = check(attack.as_bytes()).unwrap_err();
            assert!(problem.contains("nested too deeply") && problem.contains("line "), "{problem}");
        }
    }

    #[test]
    fn aliases_are_named_with_their_line() {
        for text in
            ["a: &x [1]\nb: *x\n", "a: &x 1\nb: [*x,*x]\n", "- &x 1\n- *x\n", "a: &x 1\nb: \"#\" \n c: *x"]
        {
            assert!(check(text.as_bytes()).unwrap_err().contains("aliases"), "{text}");
        }
        assert!(check("k\0".as_bytes()).unwrap_err().contains("UTF-8"));
    }
}
