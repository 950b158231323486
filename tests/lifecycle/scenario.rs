//! Who does what: small worlds, each about one thing, walked through to the last state.

use super::items::{ChallengeItem, FactorItem, Index, Login, Second, WRONG};
use super::state::{Client, Pepper, Request, Seen, State};
use shared::domain::login::Purpose;

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    Send,
    /// With an `Idempotency-Key`, always the same.
    SendKeyed,
    GuessWrong,
    /// Gives any code that any message has had in it, to any of its logins.
    GuessSent,
    Name(Index),
}

/// One client: how many requests it makes, in which logins, of which kinds.
#[derive(Clone, Debug)]
pub struct Plan {
    pub requests: u8,
    pub logins: &'static [Index],
    pub may: &'static [May],
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// The number that each user has at the start.
    pub users: &'static [Option<Index>],
    pub numbers: u8,
    pub logins: Vec<Login>,
    /// The number that a login asks for from its start, in the place of its user's own.
    pub asked: Option<(Index, Index)>,
    pub clients: Vec<Plan>,
    /// The moments that there are, in seconds.
    pub moments: &'static [Second],
    pub crashes: u8,
    pub lost_answers: u8,
    /// How many messages don't leave, or leave without anybody hearing of it.
    pub undelivered: u8,
    pub rotates: bool,
    /// May be too large to be walked through to its end.
    pub may_be_cut: bool,
}

use May::{GuessSent, GuessWrong, Name, Send, SendKeyed};

/// The code that the start's send makes ends at 60; one that is sent again at 20, at 80. At 605 every login is over.
const MOMENTS: &[Second] = &[0, 20, 65, 605];
const ALL: &[May] = &[Send, GuessWrong, GuessSent];

impl Scenario {
    fn new(name: &'static str, users: &'static [Option<Index>], logins: &[(Index, Purpose)]) -> Self {
        let login = |(index, (user, purpose)): (Index, &(Index, Purpose))| {
            Login::new(index, *user, *purpose, users[usize::from(*user)])
        };
        Self {
            name,
            users,
            numbers: 1,
            logins: (0..).zip(logins).map(login).collect(),
            asked: None,
            clients: Vec::new(),
            moments: MOMENTS,
            crashes: 1,
            lost_answers: 1,
            undelivered: 0,
            rotates: false,
            may_be_cut: false,
        }
    }

    /// All of them. `larger` is more requests, for which there is time only now and then.
    pub fn all(larger: bool) -> Vec<Self> {
        let more = u8::from(larger);
        let client = |requests, logins, may| Plan { requests, logins, may };
        let sign_in = |user| (user, Purpose::SignIn);
        vec![
            Self {
                clients: vec![client(5 + more, &[0], ALL)],
                undelivered: 1,
                ..Self::new("one client", &[Some(0)], &[sign_in(0)])
            },
            Self {
                clients: vec![client(2 + more, &[0], ALL), client(2, &[0], ALL)],
                moments: &[0, 20, 65],
                undelivered: more,
                ..Self::new("one login, two clients", &[Some(0)], &[sign_in(0)])
            },
            Self {
                clients: vec![
                    client(2, &[0], &[SendKeyed, GuessSent]),
                    client(1 + more, &[0], &[SendKeyed, GuessWrong]),
                    client(1, &[0], &[GuessSent, GuessWrong]),
                ],
                undelivered: more,
                may_be_cut: larger,
                ..Self::new("one login, three clients", &[Some(0)], &[sign_in(0)])
            },
            Self {
                clients: vec![
                    client(2 + more, &[0], &[SendKeyed, GuessSent]),
                    client(2, &[0], &[SendKeyed, Send, GuessWrong]),
                ],
                moments: &[0, 20, 65],
                undelivered: 1,
                ..Self::new("messages go wrong", &[Some(0)], &[sign_in(0)])
            },
            Self {
                clients: vec![client(3, &[0], ALL), client(1 + more, &[0], ALL)],
                rotates: true,
                crashes: 0,
                lost_answers: 0,
                ..Self::new("the pepper is rotated", &[Some(0)], &[sign_in(0)])
            },
            Self {
                clients: vec![client(3, &[0], ALL), client(1 + more, &[0], &[Send, GuessSent])],
                rotates: true,
                moments: &[0, 20, 65],
                undelivered: more,
                may_be_cut: larger,
                ..Self::new("the pepper is rotated while things go wrong", &[Some(0)], &[sign_in(0)])
            },
            Self {
                clients: vec![client(3, &[0, 1], ALL), client(1 + more, &[0, 1], ALL)],
                moments: &[0, 65],
                lost_answers: more,
                undelivered: more,
                may_be_cut: larger,
                ..Self::new("two logins of one user", &[Some(0)], &[sign_in(0), sign_in(0)])
            },
            Self {
                clients: vec![
                    client(4 + more, &[0], &[Name(0), Send, GuessSent]),
                    client(3 + more, &[1], &[Name(0), Send, GuessSent]),
                ],
                moments: if larger { &[0, 65] } else { &[0] },
                lost_answers: more,
                undelivered: 1,
                may_be_cut: larger,
                ..Self::new("two users bind one number", &[None, None], &[sign_in(0), sign_in(1)])
            },
            Self {
                numbers: 2,
                clients: vec![
                    client(4 + more, &[0], &[Name(0), Send, GuessSent]),
                    client(1 + more, &[0], &[Name(0), Name(1), GuessSent]),
                ],
                moments: &[0, 20],
                undelivered: 1,
                may_be_cut: larger,
                ..Self::new("another number is named", &[None], &[sign_in(0)])
            },
            Self {
                numbers: 2,
                asked: Some((0, 1)),
                clients: vec![
                    client(4 + more, &[0], &[Send, GuessSent]),
                    client(1 + more, &[0, 1], &[Send, GuessSent]),
                ],
                moments: &[0, 20, 330],
                undelivered: more,
                may_be_cut: larger,
                ..Self::new(
                    "a number is replaced while its user signs in",
                    &[Some(0)],
                    &[(0, Purpose::ReplacePhone), sign_in(0)],
                )
            },
        ]
    }

    /// Whether anybody sends with an `Idempotency-Key`.
    pub fn has_keys(&self) -> bool {
        self.clients.iter().any(|client| client.may.contains(&SendKeyed))
    }

    /// Whether a number is replaced by its user.
    pub fn replaces(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether anybody binds a number at a login.
    pub fn binds(&self) -> bool {
        self.clients.iter().any(|client| client.may.iter().any(|may| matches!(may, Name(_))))
    }

    pub fn start(&self) -> State {
        let factor = |phone: &Option<Index>| FactorItem { phone: *phone, ..FactorItem::default() };
        let owner =
            |number| (0..).zip(self.users).find(|(_, has)| **has == Some(number)).map(|(user, _)| user);
        let mut challenges = vec![None; self.logins.len()];
        if let Some((login, number)) = self.asked {
            // `dynamodb/replacement_store.rs`: `begin_replacement`.
            let replaces = self.users[usize::from(self.logins[usize::from(login)].user)];
            challenges[usize::from(login)] = Some(ChallengeItem {
                pending: Some(number),
                replaces,
                phone_changes: 1,
                ..ChallengeItem::default()
            });
        }
        let client = |plan: &Plan| Client { requests_left: plan.requests, ..Client::default() };
        State {
            now: self.moments[0],
            pepper: Pepper::default(),
            factors: self.users.iter().map(factor).collect(),
            owners: (0..self.numbers).map(owner).collect(),
            clients: self.clients.iter().map(client).collect(),
            seen: Seen {
                compared: vec![0; challenges.len()],
                current: vec![None; challenges.len()],
                completed: vec![0; challenges.len()],
                wrong_answers: vec![0; self.users.len()],
                ..Seen::default()
            },
            challenges,
        }
    }

    /// What a client may ask for now.
    pub fn requests(&self, state: &State, client: usize) -> Vec<Request> {
        let plan = &self.clients[client];
        let mut requests = Vec::new();
        for login in plan.logins.iter().copied() {
            for may in plan.may {
                match may {
                    Send => requests.push(Request::Send { login, key: None }),
                    SendKeyed => requests.push(Request::Send { login, key: Some(0) }),
                    GuessWrong => requests.push(Request::Guess { login, text: WRONG }),
                    GuessSent => {
                        let mut texts: Vec<_> =
                            state.seen.messages.iter().map(|message| message.text).collect();
                        texts.dedup();
                        requests.extend(texts.into_iter().map(|text| Request::Guess { login, text }));
                    }
                    Name(number) => requests.push(Request::Number { login, number: *number }),
                }
            }
        }
        requests
    }
}
