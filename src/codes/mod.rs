//! Lists of codes, exactly as their standards write them: countries and subdivisions (ISO 3166), currencies (ISO 4217).

mod iso3166;
mod iso4217;

pub use iso3166::{
    countries, country_problem, is_country, is_subdivision, jurisdiction_problem, jurisdictions,
    probably_meant, subdivisions,
};
pub use iso4217::{currencies, currency_problem, is_currency};
