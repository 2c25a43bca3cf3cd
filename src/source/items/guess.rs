//! `template --map`: settings that read a header of somebody's own.
//!
//! A header is what a column is called, in whatever spelling; or a word that registers use for a field ([`SYNONYMS`]);
//! or nearly the name of a column. What is none of these is ignored. No field is guessed twice.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use csv::StringRecord;

use super::Items;
use super::catalog::{ColumnTarget, Leaf};
use crate::json;
use crate::source::dialect::{Binding, Dialect, Meaning, RowPlan};
use crate::source::feed::Feed;
use crate::source::{Format, Input, InputError, InputFault, Options, RowCheck};
use crate::stop::Stop;
use crate::types::FieldKind;

/// What registers and spreadsheets call a field, in English, German, French and Spanish: small letters, without
/// accents, spaces and signs. `#` stands for a number.
const SYNONYMS: [(&str, &[&str]); 34] = [
    (
        "correlation_id",
        &["reference", "referenz", "ref", "aktenzeichen", "internalid", "referencia", "vorgang"],
    ),
    (
        "subject_id",
        &[
            "id",
            "kennung",
            "companyid",
            "firmenid",
            "kundennummer",
            "nclient",
            "numerodecliente",
            "customerid",
            "identifiant",
            "identificador",
            "lei",
            "uri",
            "entityid",
            "personid",
            "userid",
        ],
    ),
    (
        "name",
        &[
            "companyname",
            "company",
            "firma",
            "firmenname",
            "unternehmen",
            "raisonsociale",
            "denomination",
            "denominacion",
            "razonsocial",
            "nombre",
            "entityname",
            "nom",
            "bezeichnung",
            "organisation",
        ],
    ),
    (
        "registration_number",
        &[
            "companynumber",
            "registernummer",
            "handelsregisternummer",
            "registernr",
            "hrb",
            "siren",
            "siret",
            "numerodenregistrement",
            "numeroderegistro",
            "cif",
            "regno",
            "regnr",
            "registrationno",
            "crn",
        ],
    ),
    (
        "jurisdiction",
        &["sitz", "registerland", "jurisdiktion", "juridiction", "jurisdiccion", "countryofregistration"],
    ),
    (
        "legal_form",
        &["rechtsform", "formejuridique", "formajuridica", "entitytype", "companytype", "legaltype"],
    ),
    ("kyb_status", &["status", "companystatus", "prufstatus", "pruefstatus", "statut", "estado"]),
    ("registered_name", &["eingetragenername", "nominscrit", "nombreregistrado"]),
    (
        "verified_at",
        &[
            "geprueftam",
            "prufdatum",
            "pruefdatum",
            "verifieele",
            "verifiele",
            "fechadeverificacion",
            "verificadoel",
            "checkedat",
        ],
    ),
    (
        "address_line1",
        &[
            "strasse",
            "street",
            "address",
            "adresse",
            "anschrift",
            "rue",
            "direccion",
            "calle",
            "addressline1",
            "strassehausnummer",
        ],
    ),
    ("address_line2", &["adresszusatz", "addressline2", "complement", "complementdadresse", "address2"]),
    (
        "address_city",
        &["ort", "stadt", "city", "town", "ville", "ciudad", "localidad", "posttown", "wohnort"],
    ),
    (
        "address_postal_code",
        &["plz", "postleitzahl", "zip", "zipcode", "postcode", "codepostal", "codigopostal", "cp"],
    ),
    (
        "address_state_or_region",
        &["bundesland", "region", "state", "county", "departement", "provincia", "kanton"],
    ),
    ("address_country", &["land", "country", "pays", "pais", "staat", "countrycode", "laendercode"]),
    (
        "owner#_full_name",
        &[
            "gesellschafter#",
            "owner#",
            "ownername#",
            "eigentuemer#",
            "inhaber#",
            "beneficiaireeffectif#",
            "beneficiaire#",
            "titular#",
            "associe#",
            "titularreal#",
            "beneficiario#",
            "shareholder#",
            "beneficialowner#",
            "wirtschaftlichberechtigter#",
        ],
    ),
    (
        "owner#_ownership_percent",
        &[
            "anteil#",
            "share#",
            "beteiligung#",
            "part#",
            "participation#",
            "participacion#",
            "porcentaje#",
            "pourcentage#",
            "ownership#",
            "stake#",
        ],
    ),
    ("owner#_role", &["rolle#", "role#", "funktion#", "fonction#", "cargo#"]),
    ("owner#_person_id", &["personennummer#", "personid#"]),
    ("email", &["emailadresse", "mail", "courriel", "correo", "correoelectronico"]),
    ("first_name", &["vorname", "prenom", "givenname", "nombredepila", "forename"]),
    (
        "last_name",
        &["nachname", "familienname", "surname", "familyname", "apellido", "apellidos", "nomdefamille"],
    ),
    (
        "date_of_birth",
        &["geburtsdatum", "geburtstag", "birthdate", "dob", "datedenaissance", "fechadenacimiento"],
    ),
    ("nationality", &["staatsangehoerigkeit", "nationalitaet", "nationalite", "nacionalidad"]),
    ("id_document_type", &["ausweisart", "dokumentart", "documenttype", "typededocument", "tipodedocumento"]),
    ("id_document_country", &["ausstellungsland", "issuingcountry", "paysdemission", "paisdeexpedicion"]),
    ("parent_business_id", &["arbeitgeber", "employer", "employeur", "empresa"]),
    ("agent_external_id", &["agentid", "agent", "botid"]),
    ("parent_user_id", &["besitzer", "ownerid"]),
    ("attestation_type", &["ereignis", "event", "evento", "evenement"]),
    ("evidence_refs", &["belege", "nachweise", "evidence", "preuves", "evidencia", "documents"]),
    ("ttl", &["laufzeit", "validity", "gueltigkeit", "validite", "validez", "duration"]),
    (
        "self_attestation_complete",
        &["selbstauskunft", "attested", "attestation", "declaracion", "bestaetigt"],
    ),
    ("tax_id_verified", &["steuernummergeprueft", "taxidchecked", "steueridgeprueft"]),
];

/// What is said above a mapping that is not in a settings file yet.
pub const PUT_IT: &str = "# Check it, and put it into .beltic.yaml.\n";

/// The most columns of which an error message shows a mapping.
const MOST_SHOWN: usize = 30;

/// How alike a name and that of a column must be.
const ALIKE: f64 = 0.75;

/// The settings for a file's header, as YAML under `csv`. `options` say how the file is read, but for
/// its dialect; `given` are other settings under `csv` that reading it takes.
///
/// # Errors
/// Where the file has no header that can be read.
pub fn guessed_settings(
    items: Items,
    input: Input,
    options: Options,
    given: &[(&str, &str)],
    stop: &Stop,
) -> Result<String, InputError> {
    let name = input.name().to_string();
    let reader = Arc::new(HeaderReader { items, found: Mutex::new(None) });
    let dialect: Arc<dyn Dialect> = reader.clone();
    Feed::open(input, &Options { dialect, format: Some(Format::Csv), ..options }, stop)?;
    let header = reader.found.lock().map(|mut found| found.take()).ok().flatten().unwrap_or_default();
    Ok(reader.items.settings_for(&header, &name, given))
}

impl Items {
    fn settings_for(&self, header: &StringRecord, file: &str, given: &[(&str, &str)]) -> String {
        let guessed = self.guessed(header);
        let mut members = guessed.members(self);
        for (key, value) in given {
            let _ = writeln!(members, "  {key}: {}", json::string(value));
        }
        let start = if members.is_empty() { "csv: {}" } else { "csv:" };
        let mapped = guessed.guesses.iter().filter(|(_, guess)| guess.is_some()).count();
        let about = format!(
            "{}: {} columns keep their names, {mapped} are mapped, {} are ignored",
            file.escape_default(),
            guessed.direct,
            guessed.guesses.len() - mapped
        );
        let missing = self.missing_beside(&guessed.fed);
        let readings = self.readings_of(&guessed.guesses);
        format!("# {about}.\n{PUT_IT}{start}\n{members}{missing}{readings}")
    }

    /// The mapping of a header that holds columns which are not known, to be put into .beltic.yaml; none for a header
    /// that would fill the screen.
    pub(super) fn mapping_to_paste(&self, header: &StringRecord) -> Option<String> {
        (header.len() <= MOST_SHOWN).then(|| format!("csv:\n{}", self.guessed(header).members(self)))
    }

    fn guessed<'h>(&self, header: &'h StringRecord) -> Guessed<'h> {
        let mut fed: Vec<ColumnTarget> = header.iter().filter_map(|name| self.catalog.find(name)).collect();
        let direct = fed.len();
        let mut guesses = self.guesses(header, &mut fed);
        self.lone_country_is_jurisdiction(&mut guesses, &mut fed);
        Guessed { direct, guesses, fed }
    }

    /// What each header that is none of our own most likely means. No field is fed twice.
    fn guesses<'h>(
        &self,
        header: &'h StringRecord,
        fed: &mut Vec<ColumnTarget>,
    ) -> Vec<(&'h str, Option<ColumnTarget>)> {
        let foreign = |name: &&str| !name.trim().is_empty() && self.catalog.find(name).is_none();
        let mut guesses = Vec::new();
        for name in header.iter().filter(foreign) {
            let is_new = |target: &ColumnTarget| !fed.iter().any(|fed| self.catalog.overlap(*fed, *target));
            let guess = self.guess(name).filter(is_new);
            fed.extend(guess);
            guesses.push((name, guess));
        }
        guesses
    }

    /// A country beside no other part of an address is where the subject is registered: an address of a country alone
    /// would fail every row.
    fn lone_country_is_jurisdiction(
        &self,
        guesses: &mut [(&str, Option<ColumnTarget>)],
        fed: &mut [ColumnTarget],
    ) {
        let find = |name| self.catalog.find(name);
        let (Some(country), Some(jurisdiction)) = (find("address_country"), find("claims_jurisdiction"))
        else {
            return;
        };
        let of_address =
            fed.iter().filter(|target| self.catalog.name(**target).starts_with("address_")).count();
        let guess = guesses.iter_mut().find(|(_, guess)| *guess == Some(country));
        if let (1, false, Some((_, guess))) = (of_address, fed.contains(&jurisdiction), guess) {
            *guess = Some(jurisdiction);
            fed.iter_mut().filter(|target| **target == country).for_each(|target| *target = jurisdiction);
        }
    }

    /// How cells are read that are not written as the fields are, as comments with an example for each kind of field.
    fn readings_of(&self, guesses: &[(&str, Option<ColumnTarget>)]) -> String {
        let of_kind = |is_kind: fn(&FieldKind) -> bool| {
            let is_of_kind = move |target: &ColumnTarget| is_kind(&self.catalog.leaf(*target).field.kind);
            guesses.iter().filter(move |(_, guess)| guess.as_ref().is_some_and(is_of_kind))
        };
        let mut lines = String::new();
        let mut answers =
            of_kind(|kind| matches!(kind, FieldKind::Boolean | FieldKind::Attestation)).peekable();
        if answers.peek().is_some() {
            lines.push_str("#   values:\n");
        }
        for (name, _) in answers {
            let _ = writeln!(lines, "#     {}: {{ \"yes\": true, \"no\": false }}", json::string(name));
        }
        let mut dates =
            of_kind(|kind| matches!(kind, FieldKind::PastDateTime | FieldKind::PastDate)).peekable();
        if dates.peek().is_some() {
            lines.push_str("#   dates:\n");
        }
        for (name, _) in dates {
            let _ = writeln!(lines, "#     {}: \"%d.%m.%Y\"", json::string(name));
        }
        if of_kind(|kind| matches!(kind, FieldKind::Percent)).next().is_some() {
            lines.push_str("#   percent_sign: allowed\n");
        }
        match lines.is_empty() {
            true => lines,
            false => format!(
                "# Where cells are not written as the fields are, say what they mean, such as:\n{lines}"
            ),
        }
    }

    /// The required fields that have no column, as comments.
    fn missing_beside(&self, fed: &[ColumnTarget]) -> String {
        let is_missing = |leaf: &&Leaf| leaf.required && !self.catalog.is_fed(leaf, fed.iter().copied());
        let missing: Vec<&Leaf> = self.catalog.leaves().iter().filter(is_missing).collect();
        // No two rows have the same subject, so its id is nothing to be said once for all.
        let (subject, missing): (Vec<&Leaf>, Vec<&Leaf>) =
            missing.into_iter().partition(|leaf| leaf.name == "subject_id");
        let subject = match subject.is_empty() {
            true => "",
            false => {
                "# Required: map the column that identifies the subject, under columns, such as\n#     \"Id\": subject_id\n"
            }
        };
        let lines: String = missing.iter().map(|leaf| format!("#     {}:\n", leaf.name)).collect();
        match missing.is_empty() {
            true => subject.to_owned(),
            false => format!(
                "{subject}# Required, and without a column. Where every row has the same, say so:\n#   constants:\n{lines}"
            ),
        }
    }

    /// The field that a header most likely means.
    fn guess(&self, header: &str) -> Option<ColumnTarget> {
        let (word, number) = folded(header);
        let known = SYNONYMS.iter().find(|(_, words)| words.contains(&word.as_str()));
        let by_synonym = known.and_then(|(column, _)| {
            self.catalog.find(&column.replace('#', number.as_deref().unwrap_or("1")))
        });
        by_synonym.or_else(|| {
            let near = self.catalog.suggest(header)?;
            let alike = strsim::normalized_damerau_levenshtein(&folded(&near).0, &word);
            if alike >= ALIKE { self.catalog.find(&near) } else { None }
        })
    }
}

/// What the columns of a header most likely mean.
struct Guessed<'h> {
    /// How many have names of our own.
    direct: usize,
    /// Those that have not, each with its field where there is a guess.
    guesses: Vec<(&'h str, Option<ColumnTarget>)>,
    /// The fields that are fed.
    fed: Vec<ColumnTarget>,
}

impl Guessed<'_> {
    /// The members of `csv` that say so.
    fn members(&self, items: &Items) -> String {
        let (mut mapped, mut ignored) = (String::new(), String::new());
        for (name, guess) in &self.guesses {
            let name = json::string(name);
            let _ = match guess {
                Some(target) => writeln!(mapped, "    {name}: {}", items.catalog.name(*target)),
                None => writeln!(ignored, "    - {name}"),
            };
        }
        let mut members = String::new();
        for (key, lines) in [("columns", &mapped), ("ignore", &ignored)] {
            if !lines.is_empty() {
                let _ = write!(members, "  {key}:\n{lines}");
            }
        }
        members
    }
}

/// A header in small letters without accents, spaces, signs and what stands in brackets, with `#` for a number, which
/// is told beside it. A word that has no number where there can be one has it behind it.
fn folded(header: &str) -> (String, Option<String>) {
    let header = header.split(['(', '[']).next().unwrap_or_default();
    let (mut word, mut number) = (String::new(), String::new());
    for letter in header.chars().flat_map(char::to_lowercase) {
        match letter {
            '0'..='9' => number.push(letter),
            'ä' => word.push_str("ae"),
            'ö' => word.push_str("oe"),
            'ü' => word.push_str("ue"),
            'ß' => word.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' => word.push('a'),
            'è' | 'é' | 'ê' | 'ë' => word.push('e'),
            'ì' | 'í' | 'î' | 'ï' => word.push('i'),
            'ò' | 'ó' | 'ô' => word.push('o'),
            'ù' | 'ú' | 'û' => word.push('u'),
            'ç' => word.push('c'),
            'ñ' => word.push('n'),
            '#' => word.push('#'),
            letter if letter.is_alphanumeric() => word.push(letter),
            _ => {}
        }
    }
    let takes_number = SYNONYMS.iter().any(|(_, words)| words.contains(&format!("{word}#").as_str()));
    match (takes_number, number.is_empty()) {
        (true, true) => (word + "#", None),
        (true, false) => (word + "#", Some(number)),
        (false, true) => (word, None),
        (false, false) => (word + &number, None),
    }
}

/// Takes the header of a file, and reads none of its rows.
#[derive(Debug)]
struct HeaderReader {
    items: Items,
    found: Mutex<Option<StringRecord>>,
}

impl Dialect for HeaderReader {
    fn envelope(&self) -> &'static str {
        self.items.envelope()
    }

    fn envelope_of(&self, key: &str) -> Option<&'static str> {
        self.items.envelope_of(key)
    }

    fn meaning_of(&self, key: &str) -> Meaning {
        self.items.meaning_of(key)
    }

    fn format_of(&self, head: &[u8]) -> Format {
        self.items.format_of(head)
    }

    fn is_telling_key(&self, key: &str) -> bool {
        self.items.is_telling_key(key)
    }

    fn believes_names(&self) -> bool {
        true
    }

    fn withholds(&self) -> bool {
        false
    }

    fn knows_column(&self, name: &str) -> bool {
        self.items.knows_column(name) || self.items.guess(name).is_some()
    }

    fn bind(&self, header: &StringRecord, _: u64, _: u8) -> Result<Binding, InputFault> {
        if let Ok(mut found) = self.found.lock() {
            *found = Some(header.clone());
        }
        Ok(Binding {
            named: header.len(),
            unnamed: Vec::new(),
            correlation_id: None,
            errors: Vec::new(),
            record: None,
            key: None,
            readings: Vec::new(),
            plan: Box::new(NoRows),
        })
    }

    fn row_check(&self) -> Option<RowCheck> {
        None
    }

    fn horizon(&self, max_item_bytes: usize) -> usize {
        max_item_bytes
    }
}

/// What becomes of rows that nobody reads.
#[derive(Debug)]
struct NoRows;

impl RowPlan for NoRows {
    fn write(&self, _: &StringRecord, _: &mut String) {}
}

#[cfg(test)]
mod tests {
    use super::super::catalog::Catalog;
    use super::*;
    use crate::types::Types;

    /// Every synonym is written as headers are folded, stands for one field, and that field is one of some type's.
    #[test]
    fn synonyms_are_folded_and_mean_one_field() {
        let mut all: Vec<&str> = Vec::new();
        for (column, words) in SYNONYMS {
            let is_known = |known: &&'static crate::types::CredentialType| {
                Catalog::of(known).find(&column.replace('#', "1")).is_some()
            };
            assert!(Types::BUILT_IN.all().iter().any(is_known), "{column}");
            all.extend(words);
            for word in words {
                assert!(folded(word).0 == *word || folded(word).0 == format!("{word}#"), "{word}");
            }
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn headers_are_folded() {
        for (header, word, number) in [
            ("Straße", "strasse", None),
            ("Gesellschafter 2", "gesellschafter#", Some("2")),
            ("Anteil 1 (%)", "anteil#", Some("1")),
            ("Owner", "owner#", None),
            ("Code postal", "codepostal", None),
            ("Dénomination", "denomination", None),
            ("Address Line 2", "addressline2", None),
        ] {
            assert_eq!(folded(header), (word.to_owned(), number.map(str::to_owned)), "{header}");
        }
    }
}
