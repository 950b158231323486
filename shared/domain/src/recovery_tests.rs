use super::*;
use crate::challenge::OLD_PROOF_SECONDS;
use crate::factor::FactorPhone;
use crate::ids::LoginId;

const NOW: Timestamp = Timestamp::from_secs(10_000);

fn code(bytes: [u8; BYTES]) -> RecoveryCode {
    RecoveryCode::generate(|buffer| buffer.copy_from_slice(&bytes))
}

fn counted() -> [u8; BYTES] {
    std::array::from_fn(|place| u8::try_from(place * 17 + 3).unwrap())
}

#[test]
fn h7_a_code_has_at_least_112_bits_and_is_written_as_it_is_read() {
    const { assert!(BYTES * 8 >= 112 && CHARACTERS * 5 == BYTES * 8) };
    for bytes in [[0; BYTES], [255; BYTES], counted()] {
        let text = code(bytes).text().into_exposed();
        assert_eq!(RecoveryCode::parse(&text).unwrap().bytes(), &bytes, "{text}");
        assert!(text.split('-').all(|group| group.len() == GROUP), "{text}");
    }
    assert_eq!(code([0; BYTES]).text().expose(), "0000-0000-0000-0000-0000-0000");
    assert_eq!(code([255; BYTES]).text().expose(), "zzzz-zzzz-zzzz-zzzz-zzzz-zzzz");
    // 0x08 0x42 … is 1 in every five bits.
    let ones = [0x08, 0x42, 0x10, 0x84, 0x21];
    assert_eq!(
        code(std::array::from_fn(|place| ones[place % 5])).text().expose(),
        "1111-1111-1111-1111-1111-1111"
    );
}

#[test]
fn h7_every_bit_counts() {
    for bit in 0..BYTES * 8 {
        let mut bytes = counted();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (one, other) = (code(counted()).text(), code(bytes).text());
        assert_ne!(one.expose(), other.expose(), "bit {bit}");
        assert_eq!(RecoveryCode::parse(other.expose()).unwrap().bytes(), &bytes, "bit {bit}");
    }
}

#[test]
fn h7_a_person_may_type_it_in_many_ways() {
    let written = "10ab-cdef-ghjk-mnpq-rstv-wxyz";
    let right = RecoveryCode::parse(written).unwrap();
    for typed in [
        "10ABCDEFGHJKMNPQRSTVWXYZ",
        " 10ab cdef ghjk mnpq rstv wxyz\n",
        "ioab-cdef-ghjk-mnpq-rstv-wxyz",
        "LOAB–CDEF–GHJK–MNPQ–RSTV–WXYZ",
        "1-0-a-b-c-d-e-f-g-h-j-k-m-n-p-q-r-s-t-v-w-x-y-z-",
    ] {
        assert_eq!(RecoveryCode::parse(typed).unwrap().bytes(), right.bytes(), "{typed}");
    }
    for none in [
        "",
        "123456",
        "10ab-cdef-ghjk-mnpq-rstv-wxy",
        "10ab-cdef-ghjk-mnpq-rstv-wxyz-0",
        "u0ab-cdef-ghjk-mnpq-rstv-wxyz",
        "10ab_cdef_ghjk_mnpq_rstv_wxyz",
        "１0ab-cdef-ghjk-mnpq-rstv-wxyz",
    ] {
        assert!(RecoveryCode::parse(none).is_none(), "{none}");
    }
}

#[test]
fn h14_a_code_does_not_show_itself() {
    assert_eq!(format!("{:?}", code(counted())), "RecoveryCode([secret])");
}

fn replacing(replaces: Option<&str>, old_proven: Option<Timestamp>) -> Challenge {
    Challenge {
        login: LoginId::generate(|buffer| buffer.fill(1)),
        started_at: NOW,
        pending: None,
        replaces: replaces.map(str::to_owned),
        old_proven,
        phone_changes: 1,
        code: None,
        attempts: 1,
        max_attempts: 5,
        sends: 0,
        idempotency: Vec::new(),
        completed: None,
    }
}

fn bound(hash: Option<&str>) -> Factor {
    let phone = hash.map(|hash| FactorPhone {
        sealed: String::new(),
        hash: hash.to_owned(),
        hint: String::new(),
        country: "US".to_owned(),
        since: NOW,
    });
    Factor { phone, ..Factor::default() }
}

#[test]
fn h7_it_completes_a_sign_in_whatever_became_of_the_number() {
    for hash in [Some("old"), None] {
        let mut factor = bound(hash);
        factor.failures = 100;
        assert_eq!(
            effect(Purpose::SignIn, &replacing(None, None), &factor, NOW),
            Ok(RecoveryEffect::Completes)
        );
    }
}

#[test]
fn h7_h8_it_stands_for_the_old_number_and_never_for_the_new_one() {
    let judge = |challenge: &Challenge, hash| effect(Purpose::ReplacePhone, challenge, &bound(hash), NOW);
    let waiting = replacing(Some("old"), None);
    assert_eq!(judge(&waiting, Some("old")), Ok(RecoveryEffect::ProvesOldNumber));
    assert_eq!(judge(&waiting, Some("other")), Err(Refusal::StepUpRequired));
    assert_eq!(judge(&waiting, None), Err(Refusal::StepUpRequired));
    let proven = |ago| replacing(Some("old"), Some(Timestamp::from_secs(NOW.secs() - ago)));
    assert!(matches!(judge(&proven(0), Some("old")), Err(Refusal::NotPossible(_))));
    let too_old = i64::from(OLD_PROOF_SECONDS);
    assert_eq!(judge(&proven(too_old), Some("old")), Err(Refusal::StepUpRequired));
    assert!(matches!(judge(&replacing(None, None), None), Err(Refusal::NotPossible(_))));
}
