//! The modules of this process: shared libraries that speak PKCS#11.
//!
//! A module is initialized once, whoever uses it, and finalized when nobody does. Its errors are said in plain words, with
//! the names of the standard.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

/// A module in use.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) context: Pkcs11,
}

static MODULES: Mutex<Option<HashMap<PathBuf, Weak<Module>>>> = Mutex::new(None);

impl Module {
    /// The module of this file, which is loaded if nobody uses it.
    pub(super) fn at(path: &Path) -> Result<Arc<Module>, Error> {
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        let modules = modules.get_or_insert_default();
        if let Some(module) = modules.get(path).and_then(Weak::upgrade) {
            return Ok(module);
        }
        let context = Pkcs11::new(path)?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // The same library by another name.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(error),
        }
        let module = Arc::new(Module { context });
        modules.insert(path.to_owned(), Arc::downgrade(&module));
        Ok(module)
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // There is nothing to be done about a module that does not want to end.
        let _ = self.context.clone().finalize();
    }
}

/// An error in plain words, without the paragraphs of the standard.
pub(super) fn in_words(error: &Error) -> String {
    let (code, function) = match error {
        Error::Pkcs11(code, function) => (code, function),
        Error::LibraryLoading(_) | Error::MissingSymbol(_) => {
            return "it cannot be loaded as a PKCS#11 module of this system".to_owned();
        }
        Error::NullFunctionPointer => return "the module lacks a function that is needed".to_owned(),
        _ => return "the module gave an unexpected answer".to_owned(),
    };
    let meaning = match code {
        RvError::DeviceRemoved | RvError::TokenNotPresent | RvError::SlotIdInvalid => "the token was removed",
        RvError::SessionHandleInvalid | RvError::SessionClosed => "the session was lost",
        RvError::UserNotLoggedIn => "the token is logged out",
        RvError::KeyHandleInvalid | RvError::ObjectHandleInvalid => "the key is no longer there",
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => "the PIN is wrong",
        RvError::PinLocked => "the PIN is locked",
        RvError::PinExpired => "the PIN has expired",
        RvError::KeyFunctionNotPermitted => "the key is not for signing",
        RvError::MechanismInvalid => "the token does not have the mechanism",
        RvError::TokenWriteProtected | RvError::SessionReadOnly => "the token is write-protected",
        RvError::DeviceMemory | RvError::HostMemory => "there is not enough memory",
        RvError::SessionCount => "the token allows no more sessions; use fewer workers (`--jobs`)",
        _ => return format!("C_{function:?}: {}", name(*code)),
    };
    format!("{meaning} (C_{function:?}: {})", name(*code))
}

/// The name of a code in the standard: `DeviceRemoved` is `CKR_DEVICE_REMOVED`.
fn name(code: RvError) -> String {
    let mut name = "CKR".to_owned();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    #[test]
    fn errors_have_the_names_of_the_standard() {
        let removed = Error::Pkcs11(RvError::DeviceRemoved, Function::Sign);
        assert_eq!(in_words(&removed), "the token was removed (C_Sign: CKR_DEVICE_REMOVED)");
        let other = Error::Pkcs11(RvError::FunctionFailed, Function::SignInit);
        assert_eq!(in_words(&other), "C_SignInit: CKR_FUNCTION_FAILED");
    }
}
