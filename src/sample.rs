//! Invented companies, shaped and sized like the entries of public registers: what benchmarks
//! issue credentials to.

/// An item about the company of this number, as one line of NDJSON without its line end.
pub fn item(number: usize) -> String {
    written(number, "")
}

/// As [`item`], with two beneficial owners.
pub fn item_with_owners(number: usize) -> String {
    let owners = format!(
        r#""beneficial_owners":[{{"full_name":"Marjory Thistlewick {number}","ownership_percent":62.5}},{{"full_name":"花子 {number}","ownership_percent":37.5}}],"#
    );
    written(number, &owners)
}

/// The columns of [`row`].
pub const CSV_HEADER: &str = "correlation_id,subject_id,registration_number,jurisdiction,self_attestation_complete,\
     ttl,claims_jurisdiction,address_line1,address_city,address_postal_code,address_country,evidence_refs";

/// The company of [`item`], as a CSV row without its line end.
pub fn row(number: usize) -> String {
    let Company { id, place, street, city, code } = Company::of(number);
    format!("{id},XX-REG-{id},{id},{place},true,P1Y,{place},{street},{city},{code},GB,REGISTER:2026:{number}")
}

fn written(number: usize, more_claims: &str) -> String {
    let Company { id, place, street, city, code } = Company::of(number);
    format!(
        r#"{{"request":{{"self_attestation_complete":true,"subject":{{"id":"XX-REG-{id}","registration_number":"{id}","jurisdiction":"{place}"}},"claims":{{"jurisdiction":"{place}",{more_claims}"registered_address":{{"line1":"{street}","city":"{city}","postal_code":"{code}","country":"GB"}}}},"evidence_refs":["REGISTER:2026:{number}"],"ttl":"P1Y"}},"correlation_id":"{id}"}}"#
    )
}

struct Company {
    id: String,
    place: &'static str,
    street: String,
    city: &'static str,
    code: String,
}

impl Company {
    fn of(number: usize) -> Company {
        let streets = ["Invented Street", "Größerer Weg", "架空町一丁目", "Rue Imaginée"];
        Company {
            id: format!("{:08}", number * 7 % 100_000_000),
            place: ["GB", "JP", "US-DE", "DE", "FR", "TW"][number % 6],
            street: format!("{} {}", number % 300 + 1, streets[number % 4]),
            city: ["Newtown", "Neustadt", "新市", "Villeneuve", "Nowhere-on-Sea"][number % 5],
            code: format!("X{} {}YZ", number % 90, number % 9),
        }
    }
}
