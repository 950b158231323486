//! Recovery codes (acceptance H7): what a user who has lost the phone signs in with, or replaces its number with.
//!
//! Each works once. They are made when a user binds a number, or anew by a user who has just proven two factors, and are shown that once: what is
//! kept is a keyed hash of each. Since they are drawn at random, with 120 bits, nobody guesses one: NIST SP 800-63B-4 §3.1.2 and OWASP ASVS
//! 5.0 6.5.2 ask for a salted password hash only below 112 bits, and for a limit on guesses only below 64. A guess is charged to its login all the same. It does not count among the failures that disable the
//! SMS factor, and one that is right does not clear them: otherwise whoever knows a password could disable a phone without
//! ever sending it a message, which is what warns its owner.
//!
//! So a recovery code is a factor of its own. It works for a user whose SMS factor is disabled, and leaves it so, and for one who has no number any
//! more; and a change of the number changes no code.

use super::challenge::Challenge;
use super::factor::Factor;
use super::login::Purpose;
use super::refusal::Refusal;
use super::secret::Secret;
use super::time::Timestamp;

/// How many a user has, right after they were made.
pub const COUNT: usize = 10;
/// Random bytes in one: 120 bits, which 24 characters hold without a remainder.
const BYTES: usize = 15;
const CHARACTERS: usize = BYTES * 8 / 5;
const GROUP: usize = 4;
/// Crockford's base 32: no i, l, o and u, so that nothing can be mistaken for something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// One recovery code.
#[derive(Debug)]
pub struct RecoveryCode(Secret<[u8; BYTES]>);

impl RecoveryCode {
    pub fn generate(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = [0; BYTES];
        fill(&mut bytes);
        Self(Secret::new(bytes))
    }

    /// What a person typed: in either case, with or without dashes and spaces, with o for 0 and i or l for 1. `None`: no code looks so.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut bytes, mut taken) = ([0; BYTES], 0);
        let (mut bits, mut held) = (0u32, 0);
        for character in text.chars().filter(|c| !is_filler(*c)) {
            if taken == CHARACTERS {
                return None;
            }
            bits = bits << 5 | value(character)?;
            held += 5;
            taken += 1;
            if held >= 8 {
                held -= 8;
                // The byte that is full; of the rest, fewer than eight bits stay.
                bytes[taken * 5 / 8 - 1] = u8::try_from(bits >> held & 0xff).ok()?;
                bits &= (1 << held) - 1;
            }
        }
        (taken == CHARACTERS).then_some(Self(Secret::new(bytes)))
    }

    /// As it is shown: in lower case and groups of four.
    pub fn text(&self) -> Secret<String> {
        let bytes = self.0.expose();
        let mut text = String::with_capacity(CHARACTERS + CHARACTERS / GROUP);
        for place in 0..CHARACTERS {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            // Two bytes hold any five bits.
            let (byte, offset) = (place * 5 / 8, place * 5 % 8);
            let next = bytes.get(byte + 1).copied().unwrap_or(0);
            let window = u16::from_be_bytes([bytes[byte], next]) >> (11 - offset) & 31;
            text.push(char::from(ALPHABET[usize::from(window)]));
        }
        Secret::new(text)
    }

    pub const fn bytes(&self) -> &[u8; BYTES] {
        self.0.expose()
    }
}

fn is_filler(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}')
}

fn value(character: char) -> Option<u32> {
    let plain = match character.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|known| char::from(*known) == plain)?;
    u32::try_from(place).ok()
}

/// What a recovery code does in a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryEffect {
    /// It completes the login, in the place of a message's code.
    Completes,
    /// It proves that the bound number is the user's to replace; the new one's code is still needed.
    ProvesOldNumber,
}

/// What a right recovery code does in this login now.
///
/// # Errors
/// [`Refusal::NotPossible`] where what is left to prove is a new number, which no recovery code knows; [`Refusal::StepUpRequired`] where the
/// login was about another number than the one that is bound by now, or its proof is too old.
pub fn effect(
    purpose: Purpose,
    challenge: &Challenge,
    factor: &Factor,
    now: Timestamp,
) -> Result<RecoveryEffect, Refusal> {
    if purpose == Purpose::SignIn {
        return Ok(RecoveryEffect::Completes);
    }
    may_prove_old(challenge, now)?;
    let bound = factor.phone.as_ref().map(|phone| &phone.hash);
    if bound == challenge.replaces.as_ref() {
        Ok(RecoveryEffect::ProvesOldNumber)
    } else {
        Err(Refusal::StepUpRequired)
    }
}

/// Whether a login that replaces a number still waits for the old one's proof.
pub fn may_prove_old(challenge: &Challenge, now: Timestamp) -> Result<(), Refusal> {
    if challenge.replaces.is_some() && challenge.old_proven.is_none() {
        return Ok(());
    }
    if challenge.old_proven.is_some() {
        challenge.old_proof_holds(now)?;
    }
    Err(Refusal::NotPossible("a new number is proven by its own code only"))
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
