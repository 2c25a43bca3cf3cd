//! From a row to what is handed over: decoded, laid out and drawn, on any thread.

use uuid::Uuid;

use super::args::Column;
use super::looks::Looks;
use crate::cli::given;
use crate::credential::ProofFormat;
use crate::deliver::{Carries, Code, Credential, Disclosing, certificate, svg};
use crate::json::Parser;
use crate::pipeline::Worker;
use crate::results::ResultRow;

/// What is the same for all credentials of a run.
pub(super) struct Making {
    pub(super) looks: Looks,
    pub(super) page: Option<String>,
    pub(super) disclosing: Disclosing,
    pub(super) columns: Vec<Column>,
}

/// What a row came to.
pub(super) enum Made {
    /// A folder that can be written.
    Folder(Box<Folder>),
    /// It holds no credential, because its item failed.
    Skipped,
    /// It holds something else, or a credential that cannot be delivered.
    Failed {
        /// Which row it is.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A folder before it has a name.
pub(super) struct Folder {
    pub(super) index: u64,
    pub(super) id: Uuid,
    pub(super) correlation_id: Option<String>,
    pub(super) subject_id: Option<String>,
    pub(super) format: ProofFormat,
    pub(super) token: String,
    pub(super) certificate: String,
    pub(super) picture: String,
    /// The place of its look, where its type is known.
    pub(super) found: Option<usize>,
    pub(super) issued_at: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) carries: Carries,
    /// The values of the columns that were asked for.
    pub(super) values: Vec<Option<String>>,
    /// Which of the paths to disclose it has.
    pub(super) disclosed: Vec<bool>,
}

/// A worker.
pub(super) struct Station<'m> {
    making: &'m Making,
    parser: Parser,
}

impl<'m> Station<'m> {
    pub(super) fn new(making: &'m Making) -> Station<'m> {
        Station { making, parser: Parser::for_tokens() }
    }

    fn make(&mut self, row: ResultRow<'static>) -> Made {
        let place = row.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        let name = format!("row {}{place}", row.index);
        let token = match given::token_of(row.content) {
            None => return Made::Skipped,
            Some(Err(problem)) => return Made::Failed { row: name, problem: format!("no token: {problem}") },
            Some(Ok(token)) => token.into_owned(),
        };
        match self.folder(row.index, row.correlation_id.map(Into::into), token) {
            Ok(folder) => Made::Folder(Box::new(folder)),
            Err(problem) => Made::Failed { row: name, problem },
        }
    }

    fn folder(
        &mut self,
        index: u64,
        correlation_id: Option<String>,
        token: String,
    ) -> Result<Folder, String> {
        let Making { looks, page, disclosing, columns } = self.making;
        let credential =
            Credential::read(&token, disclosing, &mut self.parser).map_err(|problem| problem.to_string())?;
        let found = looks.find(&credential);
        let look = looks.look(found);
        let code = Code::of(page.as_deref(), &credential.presented, credential.id);
        let picture = svg(&code.text, look.name_of_code())
            .ok_or("the address of the verification page is too long for a QR code")?;
        let certificate = certificate(&credential, look, &code, &picture);
        let value = |column: &Column| match column {
            Column::CorrelationId => correlation_id.clone(),
            Column::Link => code.link().map(str::to_owned),
            Column::Claim(path) => credential.claim(path),
        };
        Ok(Folder {
            index,
            id: credential.id,
            values: columns.iter().map(value).collect(),
            subject_id: credential.subject_id().map(str::to_owned),
            correlation_id,
            format: credential.format,
            token,
            certificate,
            picture,
            found,
            issued_at: credential.issued_at.map(|time| time.to_string()),
            expires_at: credential.expires_at.map(|time| time.to_string()),
            carries: code.carries,
            disclosed: credential.disclosed,
        })
    }
}

impl Worker for Station<'_> {
    type Raw = Vec<ResultRow<'static>>;
    type Checked = Vec<Made>;
    type Committed = Vec<Made>;
    type Finished = Vec<Made>;

    fn check(&mut self, rows: Vec<ResultRow<'static>>) -> Vec<Made> {
        rows.into_iter().map(|row| self.make(row)).collect()
    }

    fn finish(&mut self, made: Vec<Made>) -> Vec<Made> {
        made
    }
}
