//! What a definition says of single fields, put onto the tables.

use std::cell::Cell;

use super::definition::{Disclosure, Said};
use super::{TypeFault, is_text};
use crate::json::pointer_to;
use crate::types::{CredentialType, Field, FieldKind, Object, Others};

/// The marks of a definition, by path.
pub(super) struct Marks {
    marks: Vec<Mark>,
    /// What the type that is extended hides.
    hidden_in_base: &'static [&'static str],
    /// Every path of the tables, for "did you mean".
    paths: Vec<String>,
}

struct Mark {
    /// Where it stands in the definition.
    pointer: String,
    path: String,
    says: Says,
    found: Cell<Found>,
}

/// What was found at the path of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nowhere,
    /// A field that can have the mark.
    Fit,
    /// A field that cannot: what is expected.
    Unfit(&'static str),
}

enum Says {
    Personal,
    Identifier,
    Disclosure(Disclosure),
    Label,
    /// The word before the number in the columns of a list's elements.
    Repeat(&'static str),
}

impl Says {
    fn put_on(&self, field: &mut Field) -> Found {
        match (self, &field.kind) {
            (Says::Personal, _) => *field = field.personal(),
            (Says::Identifier, kind) if is_text(kind) => *field = field.identifier(),
            (Says::Identifier, _) => return Found::Unfit("a field that is text"),
            (Says::Repeat(word), FieldKind::Array { of, min, max })
                if matches!(of.kind, FieldKind::Object(_)) =>
            {
                let element = Box::leak(Box::new(Field { name: word, ..**of }));
                field.kind = FieldKind::Array { of: element, min: *min, max: *max };
            }
            (Says::Repeat(_), _) => return Found::Unfit("a list of objects"),
            (Says::Disclosure(_) | Says::Label, _) => {}
        }
        Found::Fit
    }
}

/// Paths that are in every credential and in the clear.
const ALWAYS_CLEAR: [&str; 3] = ["subject", "claims", "subject.id"];

impl Marks {
    pub(super) fn of(read: &Said, base: Option<&'static CredentialType>) -> Marks {
        let mut marks = Vec::new();
        let mut mark = |pointer: String, path: &str, says: Says| {
            let found = Cell::new(Found::Nowhere);
            marks.push(Mark { pointer, path: path.to_owned(), says, found });
        };
        for (place, path) in read.personal.iter().enumerate() {
            mark(format!("/personal/{place}"), path, Says::Personal);
        }
        for (place, path) in read.identifiers.iter().enumerate() {
            mark(format!("/identifiers/{place}"), path, Says::Identifier);
        }
        for (path, word) in &read.disclosure {
            mark(pointer_to("/disclosure", path), path, Says::Disclosure(*word));
        }
        read.labels.keys().for_each(|path| mark(pointer_to("/labels", path), path, Says::Label));
        for (path, word) in &read.csv.repeat {
            mark(pointer_to("/csv/repeat", path), path, Says::Repeat(word.clone().leak()));
        }
        Marks { marks, hidden_in_base: base.map_or(&[], |base| base.hidden), paths: Vec::new() }
    }

    /// The table with its marks. `path` is its own. What stands in something personal is personal, too.
    pub(super) fn apply(&mut self, object: &Object, path: &str, is_personal: bool) -> Object {
        self.paths.push(path.to_owned());
        if object.others == Others::Welcome {
            self.use_any_member(path);
        }
        let fields: Vec<Field> = object
            .fields
            .iter()
            .map(|field| self.field(field, format!("{path}.{}", field.name), is_personal))
            .collect();
        Object { fields: fields.leak(), ..*object }
    }

    fn field(&mut self, field: &Field, path: String, is_personal: bool) -> Field {
        let mut marked = if is_personal { field.personal() } else { *field };
        for mark in self.marks.iter().filter(|mark| mark.path == path) {
            mark.found.set(mark.says.put_on(&mut marked));
        }
        match marked.kind {
            FieldKind::Object(inner) => {
                marked.kind =
                    FieldKind::Object(Box::leak(Box::new(self.apply(inner, &path, marked.personal))));
            }
            FieldKind::Array { of, min, max } => {
                let element = Box::leak(Box::new(self.field(of, format!("{path}[]"), marked.personal)));
                marked.kind = FieldKind::Array { of: element, min, max };
                self.paths.push(path);
            }
            _ => self.paths.push(path),
        }
        marked
    }

    /// Where members of any names are welcome, `*` and names that no table has are paths, too.
    fn use_any_member(&self, path: &str) {
        let inside = self.marks.iter().filter(|mark| {
            let name = mark.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
            name.is_some_and(|name| !name.is_empty() && !name.contains(['.', '[']))
        });
        inside
            .filter(|mark| matches!(mark.says, Says::Disclosure(_)))
            .for_each(|mark| mark.found.set(Found::Fit));
    }

    /// Refuses marks on what is not there, or cannot have them.
    pub(super) fn check_all_used(&self) -> Result<(), TypeFault> {
        for mark in &self.marks {
            let fault = |message: String| Err(TypeFault::in_definition(mark.pointer.clone(), message));
            let hides = matches!(mark.says, Says::Disclosure(Disclosure::Always | Disclosure::Allowed));
            if hides && ALWAYS_CLEAR.contains(&mark.path.as_str()) {
                return fault(format!("{} is in the clear in every credential; expected never", mark.path));
            }
            match mark.found.get() {
                Found::Fit => {}
                Found::Unfit(expected) => {
                    return fault(format!("{} is none; expected {expected}", mark.path));
                }
                Found::Nowhere if self.paths.contains(&mark.path) => {
                    return fault(format!("{} is not a field; expected one inside it", mark.path));
                }
                Found::Nowhere => {
                    return fault(match self.nearest(&mark.path) {
                        Some(near) => format!("{} does not exist; did you mean {near}?", mark.path),
                        None => {
                            format!("{} does not exist; a path begins with subject. or claims.", mark.path)
                        }
                    });
                }
            }
        }
        Ok(())
    }

    fn nearest(&self, path: &str) -> Option<&str> {
        let distance = |known: &&String| strsim::damerau_levenshtein(known, path);
        let ending = format!(".{path}");
        let near = self.paths.iter().filter(|known| distance(known) <= 3).min_by_key(|known| distance(known));
        near.or_else(|| self.paths.iter().find(|known| known.ends_with(&ending))).map(String::as_str)
    }

    /// The paths that are hidden by default: those of the type that is extended, and what the definition says of them.
    pub(super) fn hidden(&self) -> &'static [&'static str] {
        let says = |path: &str| self.disclosures().find(|(known, _)| *known == path).map(|(_, word)| word);
        let inherited = self.hidden_in_base.iter().copied().filter(|path| says(path).is_none());
        let own = self.disclosures().filter(|(_, word)| *word == Disclosure::Always);
        let own = own.map(|(path, _)| -> &'static str { path.to_owned().leak() });
        inherited.chain(own).collect::<Vec<_>>().leak()
    }

    /// The paths of which verifiers are told that they may be hidden.
    pub(super) fn may_be_hidden(&self) -> Vec<String> {
        let allowed = self.disclosures().filter(|(_, word)| *word == Disclosure::Allowed);
        allowed.map(|(path, _)| path.to_owned()).collect()
    }

    fn disclosures(&self) -> impl Iterator<Item = (&str, Disclosure)> {
        self.marks.iter().filter_map(|mark| match mark.says {
            Says::Disclosure(word) => Some((mark.path.as_str(), word)),
            _ => None,
        })
    }
}
