//! Several jobs in one database.

use super::*;
use veriregime_core::types::alert::{FiredAlert, Subject};

/// Other jobs than [`JOB`]: of another model, another contract and another chain.
fn others() -> [JobKey; 3] {
    let contract = Contract { address: Address::repeat_byte(1), ..CONTRACT };
    let chain = Contract { chain_id: 2, ..CONTRACT };
    [JobKey { manifest: Digest([1; 32]), ..JOB }, JobKey { contract, ..JOB }, JobKey { contract: chain, ..JOB }]
}

/// A store in which each of these jobs has a proof for the period.
fn proved_by(jobs: &[JobKey]) -> Store {
    let store = Store::open(Path::new(":memory:")).unwrap();
    for job in jobs {
        store.begin(*job, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
        for step in [
            Step::Collected(&[Some(series())], &origin()),
            Step::Forecast(&forecast()),
            Step::Proved(&proof(), 61, None),
        ] {
            store.advance(*job, PERIOD, &step, 2).unwrap();
        }
    }
    store
}

#[test]
fn jobs_of_one_database_have_cycles_of_their_own() {
    let [model, contract, chain] = others();
    let store = Store::open(Path::new(":memory:")).unwrap();
    for job in [JOB, model, contract, chain] {
        assert_eq!(store.begin(job, Grid::FOUR_HOURS, PERIOD, 1).unwrap().job, job);
    }
    store.advance(JOB, PERIOD, &Step::AlreadyByOther, 2).unwrap();
    for job in others() {
        assert_eq!(store.cycle(job, PERIOD).unwrap().unwrap().stage, Stage::Planned);
        assert_eq!(store.recent(job, 9).unwrap().len(), 1);
    }
    assert_eq!(store.jobs().unwrap(), [JOB, model, contract, chain]);
    let later = PERIOD.next();
    let open = |scope: Scope<'_>| store.unfinished_by(scope, later.start_ms()).unwrap().len();
    assert_eq!((open(Scope::All), open(CONTRACT.into()), open(Scope::Jobs(&[contract, chain]))), (3, 1, 2));
    assert_eq!(open(Scope::Jobs(&[])), 0);
    assert_eq!(store.cared_for(contract, &[contract, chain]).unwrap(), [JOB, model, contract]);
    let about = |job: &str| Subject::Job { job: job.into(), chain_id: 1 };
    let fired = |job: &str| FiredAlert {
        subject: about(job),
        key: "stuck".into(),
        occurrence: String::new(),
        code: "VR-ALERT-001".into(),
        text: "stuck".into(),
        since_ms: 1,
        told_ms: 1,
    };
    store.upsert_alert(&fired("one")).unwrap();
    store.upsert_alert(&fired("other")).unwrap();
    store.remove_alert(&about("one"), "stuck").unwrap();
    assert_eq!(store.told().unwrap(), [fired("other")]);
}

#[test]
fn a_nonce_is_an_open_cycle_s_alone_on_its_chain() {
    let [model, contract, chain] = others();
    let store = proved_by(&[JOB, model, contract, chain]);
    let sign = |job, nonce: u64, hash: u8, fee: u128| {
        let attempt =
            Attempt { hash: [hash; 32].into(), max_fee_per_gas_wei: fee, priority_fee_wei: fee, ..attempt(nonce) };
        store.advance(job, PERIOD, &Step::Submitting(&attempt), 3).map(|_| ()).map_err(|fault| fault.code())
    };
    assert_eq!(sign(JOB, 4, 1, 100), Ok(()));
    for other in [model, contract] {
        assert_eq!(sign(other, 4, 2, 900), Err("VR-STATE-011"), "however much it offers");
        assert_eq!(store.cycle(other, PERIOD).unwrap().unwrap().stage, Stage::Proved, "and nothing has changed");
    }
    assert_eq!(sign(chain, 4, 3, 100), Ok(()), "another chain's nonce is another one");
    assert_eq!(sign(JOB, 4, 4, 200), Ok(()), "its own may be replaced");
    assert_eq!((sign(model, 5, 5, 100), sign(contract, 6, 6, 100)), (Ok(()), Ok(())));
    let open = store.open_attempts(1, WALLET).unwrap();
    let nonces: Vec<_> = open.iter().map(|one| (one.attempt.nonce, one.job)).collect();
    assert_eq!(nonces, [(4, JOB), (4, JOB), (5, model), (6, contract)]);
    assert_eq!((store.next_nonce(1, WALLET).unwrap(), store.next_nonce(2, WALLET).unwrap()), (7, 5));
    // Something else used up the first one's nonce: it signs anew, with what is nobody's.
    assert_eq!((sign(JOB, 6, 7, 900), sign(JOB, 7, 8, 100)), (Err("VR-STATE-011"), Ok(())));
    // Once a cycle has ended, whatever waits of it may be outbid; but not by the same bytes.
    store.advance(model, PERIOD, &Step::AlreadyByOther, 4).unwrap();
    assert_eq!((sign(contract, 5, 5, 100), sign(contract, 5, 9, 900)), (Err("VR-STATE-011"), Ok(())));
}

#[test]
fn nothing_is_signed_for_a_cycle_that_has_landed_since_its_signer_looked() {
    let store = proved_by(&[JOB]);
    store.advance(JOB, PERIOD, &Step::Submitting(&attempt(4)), 3).unwrap();
    let landed = Landed { hash: attempt(4).hash, block: 4, gas_used: 5 };
    store.advance(JOB, PERIOD, &Step::Confirmed(landed), 4).unwrap();
    let late = Attempt { hash: [9; 32].into(), ..attempt(5) };
    let fault = store.advance(JOB, PERIOD, &Step::Submitting(&late), 5).expect_err("it has ended");
    assert_eq!(fault.code(), "VR-STATE-007");
    assert_eq!(store.cycle(JOB, PERIOD).unwrap().unwrap().stage, Stage::Confirmed);
}

#[test]
fn a_landed_update_that_the_chain_drops_goes_back_with_its_bytes_though_its_nonce_was_taken_since() {
    let [model, another, _] = others();
    let store = proved_by(&[JOB, model, another]);
    store.advance(JOB, PERIOD, &Step::Submitting(&attempt(4)), 3).unwrap();
    let landed = Landed { hash: attempt(4).hash, block: 4, gas_used: 5 };
    store.advance(JOB, PERIOD, &Step::Confirmed(landed), 4).unwrap();
    let taken = Attempt { hash: [9; 32].into(), ..attempt(4) };
    store.advance(model, PERIOD, &Step::Submitting(&taken), 5).unwrap();
    store.advance(JOB, PERIOD, &Step::Submitting(&attempt(4)), 6).unwrap();
    // Only one of the two can be mined. Each may raise its own, as if it were alone; nobody else gets the nonce.
    for (job, hash, times) in [(JOB, 10, 2), (model, 11, 4)] {
        let dearer = Attempt {
            hash: [hash; 32].into(),
            max_fee_per_gas_wei: times * taken.max_fee_per_gas_wei,
            priority_fee_wei: times * taken.priority_fee_wei,
            ..attempt(4)
        };
        store.advance(job, PERIOD, &Step::Submitting(&dearer), 7).unwrap();
    }
    let third = Attempt { hash: [12; 32].into(), ..attempt(4) };
    let fault = store.advance(another, PERIOD, &Step::Submitting(&third), 8).expect_err("both are open");
    assert_eq!(fault.code(), "VR-STATE-011");
    store.advance(model, PERIOD, &Step::Submitting(&attempt(5)), 9).unwrap();
}
