//! A certificate's own words. What a credential says is labelled by its type.

/// The words in one language.
#[derive(Debug)]
pub(super) struct Words {
    /// The language (RFC 5646).
    pub(super) lang: &'static str,
    /// The name of a credential whose type is not known.
    pub(super) credential: &'static str,
    pub(super) about: &'static str,
    pub(super) identifier: &'static str,
    pub(super) issued_by: &'static str,
    pub(super) issued_at: &'static str,
    pub(super) valid_until: &'static str,
    pub(super) credential_id: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    /// Before a number.
    pub(super) hidden: &'static str,
    /// Before a number.
    pub(super) left_out: &'static str,
    /// The name of the code.
    pub(super) code: &'static str,
    pub(super) paper: &'static str,
    pub(super) scan: &'static str,
    pub(super) scan_and_add: &'static str,
    pub(super) id_only: &'static str,
}

const LANGUAGES: [Words; 4] = [
    Words {
        lang: "en",
        credential: "Credential",
        about: "About",
        identifier: "Identifier",
        issued_by: "Issued by",
        issued_at: "Issued",
        valid_until: "Valid until",
        credential_id: "Credential ID",
        yes: "yes",
        no: "no",
        hidden: "Claims of the credential that this page does not show:",
        left_out: "Entries of the credential that do not fit on this page:",
        code: "QR code of the credential",
        paper: "This page proves nothing by itself.",
        scan: "Scan the code to verify the credential.",
        scan_and_add: "Scan the code and add the credential's file to verify it.",
        id_only: "The code holds the ID of the credential.",
    },
    Words {
        lang: "de",
        credential: "Nachweis",
        about: "Über",
        identifier: "Kennung",
        issued_by: "Ausgestellt von",
        issued_at: "Ausgestellt am",
        valid_until: "Gültig bis",
        credential_id: "ID des Nachweises",
        yes: "ja",
        no: "nein",
        hidden: "Angaben des Nachweises, die diese Seite nicht zeigt:",
        left_out: "Einträge des Nachweises, die nicht auf diese Seite passen:",
        code: "QR-Code des Nachweises",
        paper: "Diese Seite allein beweist nichts.",
        scan: "Scannen Sie den Code, um den Nachweis zu prüfen.",
        scan_and_add: "Scannen Sie den Code und fügen Sie die Datei des Nachweises hinzu, um ihn zu prüfen.",
        id_only: "Der Code enthält die ID des Nachweises.",
    },
    Words {
        lang: "fr",
        credential: "Attestation",
        about: "Concerne",
        identifier: "Identifiant",
        issued_by: "Délivrée par",
        issued_at: "Délivrée le",
        valid_until: "Valable jusqu’au",
        credential_id: "ID de l’attestation",
        yes: "oui",
        no: "non",
        hidden: "Données de l’attestation que cette page ne montre pas :",
        left_out: "Entrées de l’attestation qui ne tiennent pas sur cette page :",
        code: "Code QR de l’attestation",
        paper: "Cette page seule ne prouve rien.",
        scan: "Scannez le code pour vérifier l’attestation.",
        scan_and_add: "Scannez le code et ajoutez le fichier de l’attestation pour la vérifier.",
        id_only: "Le code contient l’ID de l’attestation.",
    },
    Words {
        lang: "es",
        credential: "Credencial",
        about: "Sobre",
        identifier: "Identificador",
        issued_by: "Emitida por",
        issued_at: "Emitida el",
        valid_until: "Válida hasta",
        credential_id: "ID de la credencial",
        yes: "sí",
        no: "no",
        hidden: "Datos de la credencial que esta página no muestra:",
        left_out: "Entradas de la credencial que no caben en esta página:",
        code: "Código QR de la credencial",
        paper: "Esta página por sí sola no prueba nada.",
        scan: "Escanee el código para verificar la credencial.",
        scan_and_add: "Escanee el código y añada el archivo de la credencial para verificarla.",
        id_only: "El código contiene el ID de la credencial.",
    },
];

impl Words {
    /// The words for a locale; English ones where there are none.
    pub(super) fn of(locale: &str) -> &'static Words {
        let known = LANGUAGES.iter().find(|words| words.lang == super::look::language(locale));
        known.unwrap_or(&LANGUAGES[0])
    }
}
