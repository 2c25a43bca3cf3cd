'use strict';

// The words of a verdict. `reason` and `step` are those of `beltic verify`, so that both can be compared.

// Thrown by whatever finds that a token is not valid; what comes after it is not looked at.
class Refusal extends Error {
  constructor(reason, step, message) {
    super(message);
    this.reason = reason;
    this.step = step;
  }
}

// Something of the site, and not of the token, keeps the page from judging: there is no verdict then.
class CannotJudge extends Error {}

// The steps in their order. Those of the command that this page does not take are not among them.
const STEPS = [
  ['split', 'The text is a token'],
  ['header', 'Its kind and algorithm are supported'],
  ['key', 'The key belongs to this issuer'],
  ['signature', 'The signature matches'],
  ['payload', 'The content is readable in one way only'],
  ['disclosures', 'Disclosed claims are those that were signed'],
  ['holder', 'It was presented by its holder, for this nonce'],
  ['claims', 'Everything a credential needs is there'],
  ['issuer', 'It names this issuer'],
  ['times', 'It is within its dates'],
  ['status', 'It is neither revoked nor suspended'],
];

// What each reason means to the person who received the credential.
const REASONS = {
  malformed: [
    'This is not a credential',
    'The text cannot be read, or could be read in two ways. Was it copied whole?',
  ],
  unsupported_alg: ['Not a supported credential', 'It is signed in a way that this issuer does not use.'],
  unsupported_type: ['Not a supported credential', 'It is a token of another kind.'],
  unsupported_critical: ['Not a supported credential', 'It asks for an extension that is not supported.'],
  unknown_kid: [
    'Not by this issuer',
    'It was not signed with a key of this issuer. If somebody else issued it, use their page.',
  ],
  bad_signature: ['Forged or damaged', 'The signature does not match: this is not what the issuer signed.'],
  disclosure_invalid: ['Forged or damaged', 'The disclosed claims are not those that the issuer signed.'],
  key_binding_missing: [
    'The holder gave no proof',
    'You asked for proof of the holder, and the presentation has none.',
  ],
  key_binding_invalid: [
    'The holder’s proof is not valid',
    'It is not by the holder, or was not made for you and this nonce.',
  ],
  schema_invalid: [
    'Not valid',
    'Something that a credential needs is missing, has a wrong form or contradicts itself.',
  ],
  issuer_mismatch: ['Not by this issuer', 'It says that another issuer made it.'],
  audience_mismatch: ['Meant for somebody else', 'It names an audience, and that is not the one you entered.'],
  expired: ['Expired', 'It was issued by this issuer, and its time is over.'],
  not_yet_valid: ['Not valid yet', 'It was issued by this issuer, and its time has not come.'],
  revoked: ['Revoked', 'The issuer has permanently taken this credential back.'],
  suspended: ['Suspended', 'The issuer has suspended this credential for now.'],
  status_unknown: [
    'Cannot be confirmed',
    'The signature is right, but nobody can say now whether it was revoked. Do not rely on it.',
  ],
  id_mismatch: [
    'Not the credential of the link',
    'The link is about another credential than the file that you opened.',
  ],
};
