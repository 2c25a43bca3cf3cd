//! Writing JSON objects whose members are known, as the text looks.

/// Appends a JSON object to `out`, a `&mut Vec<u8>`, without white space:
///
/// ```ignore
/// object!(out, {
///     "id": plain id,                      // text that holds nothing to escape
///     "name": text name,                   // any text
///     "iat": number seconds,               // a number
///     "claims": raw claims,                // JSON text
///     "period": { "from": number from },   // an object
///     "cnf"?: raw cnf,                     // an Option: no member where there is none
///     "subject": with { write(out) },      // whatever writes the value
///     ..{ write_members(out) },            // whatever writes members, each with a comma before it
/// });
/// ```
///
/// The first member is one that is always there. Names stand in the program as literals that hold nothing to escape,
/// so that each is one piece with the punctuation around it: a credential is written in a fraction of a microsecond.
macro_rules! object {
    (@value $out:ident, raw $value:expr) => { $out.extend_from_slice($value.as_ref()) };
    (@value $out:ident, text $value:expr) => { $crate::json::push_str($out, $value.as_ref()) };
    (@value $out:ident, number $value:expr) => { $crate::json::push_number($out, $value) };
    (@value $out:ident, with $write:block) => { $write };
    (@value $out:ident, plain $value:expr) => {{
        $out.push(b'"');
        $out.extend_from_slice($value.as_ref());
        $out.push(b'"');
    }};

    (@members $out:ident, $before:literal,) => {};
    (@members $out:ident, $before:literal, ..$write:block $(, $($rest:tt)*)?) => {
        $write
        $crate::json::object!(@members $out, ",", $($($rest)*)?);
    };
    (@members $out:ident, $before:literal, $name:literal: { $($inside:tt)* } $(, $($rest:tt)*)?) => {
        $out.extend_from_slice(concat!($before, "\"", $name, "\":").as_bytes());
        $crate::json::object!($out, { $($inside)* });
        $crate::json::object!(@members $out, ",", $($($rest)*)?);
    };
    (@members $out:ident, $before:literal, $name:literal: with $write:block $(, $($rest:tt)*)?) => {
        $out.extend_from_slice(concat!($before, "\"", $name, "\":").as_bytes());
        $crate::json::object!(@value $out, with $write);
        $crate::json::object!(@members $out, ",", $($($rest)*)?);
    };
    (@members $out:ident, $before:literal, $name:literal: $kind:ident $value:expr $(, $($rest:tt)*)?) => {
        $out.extend_from_slice(concat!($before, "\"", $name, "\":").as_bytes());
        $crate::json::object!(@value $out, $kind $value);
        $crate::json::object!(@members $out, ",", $($($rest)*)?);
    };
    (@members $out:ident, ",", $name:literal?: $kind:ident $value:expr $(, $($rest:tt)*)?) => {
        if let Some(value) = $value {
            $out.extend_from_slice(concat!(",\"", $name, "\":").as_bytes());
            $crate::json::object!(@value $out, $kind value);
        }
        $crate::json::object!(@members $out, ",", $($($rest)*)?);
    };

    ($out:ident, { $($members:tt)+ }) => {
        $crate::json::object!(@members $out, "{", $($members)+);
        $out.push(b'}');
    };
}

pub(crate) use object;

#[cfg(test)]
mod tests {
    #[test]
    fn members_of_every_kind_are_as_they_look() {
        let write = |cnf: Option<&str>| {
            let mut buffer = Vec::new();
            let out = &mut buffer;
            object!(out, {
                "id": plain "urn:uuid:1",
                "a\u{20}b": text "\"\n",
                "iat": number -7,
                "claims": raw "[1]",
                "cnf"?: raw cnf,
                "inner": { "x": number 1, "y"?: text cnf },
                "subject": with { out.extend_from_slice(b"null") },
                ..{ out.extend_from_slice(b",\"z\":0") },
                "last": plain b"ok",
            });
            String::from_utf8(buffer).unwrap()
        };
        let start = r#"{"id":"urn:uuid:1","a b":"\"\n","iat":-7,"claims":[1]"#;
        let end = r#","subject":null,"z":0,"last":"ok"}"#;
        assert_eq!(write(None), format!(r#"{start},"inner":{{"x":1}}{end}"#));
        assert_eq!(write(Some("{}")), format!(r#"{start},"cnf":{{}},"inner":{{"x":1,"y":"{{}}"}}{end}"#));
    }
}
