//! The protocol as it is, and with one thing done otherwise.

/// What is done otherwise. Each has been done so by somebody's service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Nothing: as it is.
    Ours,
    CompareBeforeCounting,
    ResendGivesAttemptsBack,
    /// A guess that is recorded already is taken for a retry of its own.
    RetryKnownByItsGuess,
    /// A retry by the SDK is a guess like any other.
    RetryUnknown,
    /// No condition compares the end; the item's deletion is to be it.
    ExpiryByTtl,
    /// The owner of the number was read before, and is written without a condition.
    BindByReadThenWrite,
    /// Another number leaves the code in place, and the code binds whatever number is asked for.
    NumberKeepsTheCode,
    /// A bind's code is spent by its first right guess, as any other.
    BindSpendsItsCode,
    /// The answer leaves first, and then the failure is counted.
    AnswerBeforeCounting,
    /// A send is written whatever has happened since it was planned.
    SendsWhatItOnceRead,
    /// The new number's code replaces, whoever has the old one.
    ReplaceWithoutTheOldNumber,
    /// A new code leaves the one that it takes the place of among those that are right.
    CodeBeforeStaysGood,
    /// Naming a number has no condition that knows its own lost answer.
    NumberRetryUnknown,
    /// A key is free again unless its message is known to have left.
    FreesAnUnknownKey,
    /// What became of a message is noted without a look at which one is the last.
    SettlesAnySend,
}

impl Variant {
    /// All that are broken.
    pub const BROKEN: [Variant; 15] = [
        Variant::CompareBeforeCounting,
        Variant::ResendGivesAttemptsBack,
        Variant::RetryKnownByItsGuess,
        Variant::RetryUnknown,
        Variant::ExpiryByTtl,
        Variant::BindByReadThenWrite,
        Variant::NumberKeepsTheCode,
        Variant::BindSpendsItsCode,
        Variant::AnswerBeforeCounting,
        Variant::SendsWhatItOnceRead,
        Variant::ReplaceWithoutTheOldNumber,
        Variant::CodeBeforeStaysGood,
        Variant::NumberRetryUnknown,
        Variant::FreesAnUnknownKey,
        Variant::SettlesAnySend,
    ];

    pub fn in_words(self) -> &'static str {
        match self {
            Variant::Ours => "as it is",
            Variant::CompareBeforeCounting => "the guess is compared before it is counted",
            Variant::ResendGivesAttemptsBack => "a resend gives the attempts back",
            Variant::RetryKnownByItsGuess => "a retry is recognised by its guess, without an attempt's id",
            Variant::RetryUnknown => "a retry isn't recognised",
            Variant::ExpiryByTtl => "a code ends with its item's TTL only",
            Variant::BindByReadThenWrite => "the number's owner is read, then written",
            Variant::NumberKeepsTheCode => "another number leaves the code that was sent",
            Variant::BindSpendsItsCode => "a bind's code is spent before its commit",
            Variant::AnswerBeforeCounting => "a wrong guess is answered before its failure is counted",
            Variant::SendsWhatItOnceRead => "a send is written whatever came since it was planned",
            Variant::ReplaceWithoutTheOldNumber => "the new number's code replaces without the old one's",
            Variant::CodeBeforeStaysGood => "the code before stays good",
            Variant::NumberRetryUnknown => "a retry of naming a number isn't recognised",
            Variant::FreesAnUnknownKey => "a key is free again though its message may have left",
            Variant::SettlesAnySend => "what became of a message is noted whatever was sent since",
        }
    }

    /// The property that it breaks.
    pub fn breaks(self) -> &'static str {
        match self {
            Variant::Ours => "",
            Variant::CompareBeforeCounting | Variant::ResendGivesAttemptsBack => super::properties::CAP,
            Variant::RetryKnownByItsGuess => super::properties::ONCE,
            Variant::RetryUnknown | Variant::NumberRetryUnknown => super::properties::LOST_ANSWER,
            Variant::ExpiryByTtl => super::properties::IN_TIME,
            Variant::BindByReadThenWrite => super::properties::ONE_OWNER,
            Variant::NumberKeepsTheCode | Variant::CodeBeforeStaysGood => super::properties::CURRENT,
            Variant::BindSpendsItsCode => super::properties::HONEST,
            Variant::AnswerBeforeCounting => super::properties::FAILURES,
            Variant::SendsWhatItOnceRead | Variant::FreesAnUnknownKey => super::properties::BUDGET,
            Variant::SettlesAnySend => super::properties::NOTED,
            Variant::ReplaceWithoutTheOldNumber => super::properties::PROOF,
        }
    }

    /// The world that shows it.
    pub fn world(self) -> &'static str {
        match self {
            Variant::Ours
            | Variant::ResendGivesAttemptsBack
            | Variant::RetryUnknown
            | Variant::AnswerBeforeCounting
            | Variant::ExpiryByTtl
            | Variant::CodeBeforeStaysGood => "one client",
            Variant::CompareBeforeCounting | Variant::RetryKnownByItsGuess | Variant::SendsWhatItOnceRead => {
                "one login, two clients"
            }
            Variant::FreesAnUnknownKey | Variant::SettlesAnySend => "messages go wrong",
            Variant::BindByReadThenWrite | Variant::BindSpendsItsCode => "two users bind one number",
            Variant::NumberKeepsTheCode | Variant::NumberRetryUnknown => "another number is named",
            Variant::ReplaceWithoutTheOldNumber => "a number is replaced while its user signs in",
        }
    }
}
