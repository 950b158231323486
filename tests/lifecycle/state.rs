//! A state of the model: the items, the requests that are under way, and what an onlooker has seen so far.

use super::items::{ChallengeItem, Delivered, FactorItem, Index, Mac, Second};
use super::writes::Reservation;
use std::collections::BTreeSet;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// `POST …/code`
    Send { login: Index, key: Option<Index> },
    /// `POST …/verification`
    Guess { login: Index, text: Index },
    /// `POST …/phone`
    Number { login: Index, number: Index },
}

/// A guess on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guess {
    pub login: Index,
    pub text: Index,
    /// When its request came.
    pub now: Second,
    pub attempt: u8,
    /// Its MACs are made once, with the peppers that there are then.
    pub pepper: Pepper,
    /// The challenge that it is judged by, once it is charged.
    pub judged: Option<ChallengeItem>,
    /// [`Seen::current`] of its login when it was charged.
    pub current: Option<Index>,
}

/// What the process that serves a client does next. Each is one request to DynamoDB, or the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Next {
    #[default]
    Nothing,
    Reserve {
        login: Index,
        now: Second,
        reservation: Box<Reservation>,
    },
    Publish {
        message: Message,
        /// When its request came.
        now: Second,
        resend_at: Second,
    },
    /// Notes what became of the message, where that isn't what the reservation says.
    Settle {
        message: Message,
        delivered: Delivered,
        resend_at: Second,
    },
    Charge {
        guess: Guess,
    },
    /// Compares, in the process, and reads what the effect needs.
    Compare {
        guess: Guess,
    },
    CountFailure {
        guess: Guess,
        answered: bool,
    },
    ClearFailures {
        guess: Guess,
        /// Its login is at its end, and not only the old number proven.
        completes: bool,
    },
    CommitBind {
        guess: Guess,
        number: Index,
    },
    ForgetNumber {
        login: Index,
        number: Index,
    },
    ProveOld {
        guess: Guess,
    },
    CommitReplacement {
        guess: Guess,
        old: Index,
        new: Index,
        revision: u8,
        live: Vec<Index>,
    },
    AskForNumber {
        login: Index,
        number: Index,
        sealed: u8,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client {
    pub next: Next,
    pub requests_left: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    pub login: Index,
    pub text: Index,
    pub to: Index,
    pub key: Option<Index>,
    /// Which send of its login it is.
    pub send: u8,
}

/// How far a rotation of the pepper is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pepper(pub u8);

impl Pepper {
    /// The last stage: the old one is gone.
    pub const LAST: u8 = 3;

    pub fn current(self) -> Index {
        u8::from(self.0 >= 2)
    }

    /// The MACs of a guess, one under each pepper of the ring.
    pub fn macs(self, text: Index) -> Vec<Mac> {
        let ring: &[Index] = match self.0 {
            0 => &[0],
            Self::LAST => &[1],
            _ => &[0, 1],
        };
        ring.iter().map(|pepper| (*pepper, text)).collect()
    }
}

/// What an onlooker has seen, who sees everything: the properties are about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Guesses that were compared with a code, by login.
    pub compared: Vec<u8>,
    /// Logins that came to their end, by login: each one more is a second success.
    pub completed: Vec<u8>,
    /// Wrong guesses answered since the user's last success, by user.
    pub wrong_answers: Vec<u8>,
    /// Those that left.
    pub messages: Vec<Message>,
    /// Sends that were reserved with a key.
    pub by_key: u8,
    /// The code that the last send of each login made or sent again, until it is taken away.
    pub current: Vec<Option<Index>>,
    /// Which number the right code of which login has proven.
    pub proven: BTreeSet<(Index, Index)>,
    pub crashes: u8,
    pub lost_answers: u8,
    /// Messages that did not leave, or of which nobody knows.
    pub undelivered: u8,
    /// A code was taken at or after its end.
    pub late: bool,
    /// A code did something for another login, or another number, than it was sent for, or when another had taken its place.
    pub foreign: bool,
    /// A number was replaced that had not been proven.
    pub unproven: bool,
    /// A guess was refused, or a number counted twice, because of its own lost answer.
    pub robbed: bool,
    /// A proof of the old number cleared failures.
    pub cleared_by_proof: bool,
    /// A bind was committed after a process had died.
    pub bound_after_crash: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub now: Second,
    pub pepper: Pepper,
    pub factors: Vec<FactorItem>,
    pub challenges: Vec<Option<ChallengeItem>>,
    pub owners: Vec<Option<Index>>,
    pub clients: Vec<Client>,
    pub seen: Seen,
}
