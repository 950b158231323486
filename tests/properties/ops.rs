//! What a sequence is made of: the policy that it runs under, and its steps.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Users of the tenant. The first has number 0, the second has none, the third has number 1 and many failures behind it.
pub const USERS: usize = 3;
/// Numbers that may be bound, all in one range.
pub const NUMBERS: u8 = 5;
/// Processes that serve side by side.
pub const PROCESSES: usize = 2;
const MOST_STEPS: usize = 40;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    pub policy: Policy,
    /// Failures of the third user before it begins.
    pub failures: u32,
    pub steps: Vec<Step>,
}

/// What the tenant's administrator has set.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub max_attempts: u32,
    pub max_sends: u32,
    pub lifetime: i64,
    pub cooldown: i64,
    pub per_phone_hour: usize,
    pub per_phone_day: usize,
    pub per_user_hour: usize,
    pub per_range_hour: usize,
    pub per_tenant_day: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The process that takes it.
    pub by: usize,
    pub op: Op,
}

/// A login is named by its age: 0 is the latest. Names beyond the first login go round.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Start {
        user: usize,
    },
    /// `POST …/phone`.
    Name {
        login: usize,
        number: u8,
    },
    /// `POST …/code`.
    Send {
        login: usize,
        key: Option<u8>,
        provider: Provider,
    },
    Guess {
        login: usize,
        what: What,
    },
    Look {
        login: usize,
    },
    /// An administrator's `PUT …/phone`.
    Bind {
        user: usize,
        number: u8,
    },
    /// An administrator's `DELETE …/phone`.
    Unbind {
        user: usize,
    },
    /// `PUT /v1/me/phone`, with the user's latest access token.
    Replace {
        user: usize,
        number: u8,
    },
    /// Seconds.
    Advance {
        seconds: i64,
    },
    /// DynamoDB deletes what is past its TTL.
    Sweep,
    /// The next step of a rotation: add a key, use it, remove the old one. Nobody waits between them as they should.
    Rotate {
        secret: usize,
    },
}

/// What a guess is.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// The code in the login's last message.
    Right,
    Wrong,
    /// One of the codes before it.
    Old {
        age: usize,
    },
    /// The last code of another login.
    Foreign {
        login: usize,
    },
}

/// What the provider of messages says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    Accepts,
    Unknown,
    Refuses,
}

pub fn cases() -> impl Strategy<Value = Case> {
    (policies(), 85..=100_u32, vec(phrases(), 5..=36)).prop_map(|(policy, failures, phrases)| {
        let steps = phrases.into_iter().flatten().take(MOST_STEPS).collect();
        Case { policy, failures, steps }
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let code = (1..=5_u32, 1..=5_u32, select(vec![60, 120, 300, 600]), select(vec![15, 30, 60]));
    let limits = prop_oneof![
        3 => (2..=8_usize, 4..=12_usize, 2..=8_usize, 3..=20_usize, 3..=20_usize),
        1 => Just((8, 12, 8, 20, 20)),
    ];
    (code, limits).prop_map(|((max_attempts, max_sends, lifetime, cooldown), limits)| {
        let (per_phone_hour, per_phone_day, per_user_hour, per_range_hour, per_tenant_day) = limits;
        Policy {
            max_attempts,
            max_sends,
            lifetime,
            cooldown,
            per_phone_hour,
            per_phone_day,
            per_user_hour,
            per_range_hour,
            per_tenant_day,
        }
    })
}

/// A few steps that belong together. Single ones are most of them; the others see to it that sequences get somewhere.
fn phrases() -> impl Strategy<Value = Vec<Step>> {
    let send = || Op::Send { login: 0, key: None, provider: Provider::Accepts };
    let right = || Op::Guess { login: 0, what: What::Right };
    let wrong = || Op::Guess { login: 0, what: What::Wrong };
    let wait = || select(vec![30, 31, 60, 61, 121]).prop_map(|seconds| Op::Advance { seconds });
    let begun = move || (0..USERS).prop_map(move |user| vec![Op::Start { user }, send()]);
    let bind = (0..NUMBERS)
        .prop_map(move |number| vec![Op::Start { user: 1 }, Op::Name { login: 0, number }, send(), right()]);
    let until_proof_ends =
        select(vec![31, 61, 121, 299, 300, 301]).prop_map(|seconds| Op::Advance { seconds });
    let replace =
        (0..USERS, 0..NUMBERS, wait(), until_proof_ends).prop_map(move |(user, number, first, second)| {
            let ask = Op::Replace { user, number };
            vec![Op::Start { user }, send(), right(), first, ask, send(), right(), second, send(), right()]
        });
    // The code that was sent to the number before, when another was named: before and after that one has its own.
    let old = (0..NUMBERS, 0..NUMBERS).prop_map(move |(before, number)| {
        let name = |number| Op::Name { login: 0, number };
        let old = Op::Guess { login: 0, what: What::Old { age: 0 } };
        vec![Op::Start { user: 1 }, name(before), send(), wrong(), name(number), right(), send(), old]
    });
    let repeated = (0..2_u8, wait()).prop_map(|(key, wait)| {
        let send = Op::Send { login: 0, key: Some(key), provider: Provider::Accepts };
        vec![send, wait, send]
    });
    // As many messages as the waits between them let through, with their codes left out or used.
    let many = (0..USERS, 3..=6_usize, any::<bool>()).prop_map(move |(user, times, used)| {
        let waits = [31, 61, 121, 241, 481, 961].into_iter().take(times);
        let one = |seconds| {
            let guess = used.then_some(right());
            [Op::Start { user }, send()].into_iter().chain(guess).chain([Op::Advance { seconds }])
        };
        waits.flat_map(one).collect::<Vec<_>>()
    });
    // A code that outlives its login.
    let late = (0..USERS, select(vec![119, 120, 121])).prop_map(move |(user, rest)| {
        let wait = |seconds| Op::Advance { seconds };
        vec![Op::Start { user }, wait(480), send(), wait(rest), right()]
    });
    // The number is another user's by the time that its code comes.
    let taken = (0..NUMBERS).prop_map(move |number| {
        let bind = Op::Bind { user: 0, number };
        vec![
            Op::Unbind { user: 1 },
            Op::Start { user: 1 },
            Op::Name { login: 0, number },
            send(),
            bind,
            right(),
        ]
    });
    let hasty = (begun(), 0..3_usize, 1..=4_usize, wait()).prop_map(move |(begun, secret, times, wait)| {
        let rotated = vec![Op::Rotate { secret }; times];
        begun.into_iter().chain(rotated).chain([right(), wait, send(), right()]).collect()
    });
    let names = vec(0..NUMBERS, 2..=5).prop_map(|numbers| {
        let names = numbers.into_iter().map(|number| Op::Name { login: 0, number });
        [Op::Start { user: 1 }].into_iter().chain(names).collect()
    });
    let hammer = (1..=5_usize).prop_map(move |times| vec![wrong(); times]);
    let phrases = prop_oneof![
        60 => operations().prop_map(|op| vec![op]),
        3 => begun(),
        3 => begun().prop_map(move |mut begun| { begun.push(right()); begun }),
        3 => wait().prop_map(move |wait| vec![wait, send()]),
        3 => bind,
        2 => replace,
        2 => old,
        2 => repeated,
        3 => many,
        1 => late,
        2 => taken,
        2 => hammer,
        2 => hasty,
        1 => names,
    ];
    phrases.prop_flat_map(|phrase| {
        let by = vec(0..PROCESSES, phrase.len());
        by.prop_map(move |by| by.into_iter().zip(&phrase).map(|(by, op)| Step { by, op: *op }).collect())
    })
}

fn operations() -> impl Strategy<Value = Op> {
    // Most steps go on with the login that is at hand, or few would get anywhere.
    let login = || prop_oneof![5 => Just(0_usize), 2 => Just(1), 2 => 2..6_usize];
    let user = || 0..USERS;
    let number = || 0..NUMBERS;
    let key = prop_oneof![3 => Just(None), 1 => (0..2_u8).prop_map(Some)];
    let provider = prop_oneof![
        4 => Just(Provider::Accepts),
        1 => Just(Provider::Unknown),
        1 => Just(Provider::Refuses),
    ];
    let what = prop_oneof![
        5 => Just(What::Right),
        3 => Just(What::Wrong),
        2 => (0..2_usize).prop_map(|age| What::Old { age }),
        1 => login().prop_map(|login| What::Foreign { login }),
    ];
    // Around the edges of cooldowns, waits, lives of codes and logins, and windows; the last one is past every TTL.
    let seconds = prop_oneof![
        10 => select(vec![1, 14, 15, 29, 30, 31, 60]),
        4 => select(vec![119, 120, 121, 240, 299, 300, 301, 480]),
        1 => select(vec![599, 600, 601, 899, 900, 1920, 3600]),
        1 => select(vec![7200, 86_400, 4 * 86_400]),
    ];
    prop_oneof![
        5 => user().prop_map(|user| Op::Start { user }),
        4 => (login(), number()).prop_map(|(login, number)| Op::Name { login, number }),
        10 => (login(), key, provider).prop_map(|(login, key, provider)| Op::Send { login, key, provider }),
        14 => (login(), what).prop_map(|(login, what)| Op::Guess { login, what }),
        2 => login().prop_map(|login| Op::Look { login }),
        2 => (user(), number()).prop_map(|(user, number)| Op::Bind { user, number }),
        2 => user().prop_map(|user| Op::Unbind { user }),
        3 => (user(), number()).prop_map(|(user, number)| Op::Replace { user, number }),
        8 => seconds.prop_map(|seconds| Op::Advance { seconds }),
        1 => Just(Op::Sweep),
        2 => (0..3_usize).prop_map(|secret| Op::Rotate { secret }),
    ]
}
