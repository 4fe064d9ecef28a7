use super::*;

/// A lease of somebody on another machine.
fn away(path: &Path, token: &str, claim: Option<Claim>) -> Owner {
    let owner = Owner {
        host: "elsewhere".into(),
        boot: "another".into(),
        token: token.into(),
        claim,
        ..Owner::current()
    };
    fs::write(path, format!("{}\n{}", serde_json::to_string(&owner).unwrap(), number(1))).unwrap();
    owner
}

fn claim(attempt: u64) -> Option<Claim> {
    Some(Claim { task: "20260101-0:12_3".into(), attempt, log: None })
}

#[test]
fn one_owner_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    let lease = Lease::take(&path).unwrap();
    let Err(LeaseError::Held(owner)) = Lease::take(&path) else { panic!("given twice") };
    assert_eq!((owner.pid, owner.token.as_str()), (std::process::id(), lease.token()));
    assert!(lease.is_held().unwrap());
    drop(lease);
    assert!(Lease::holder(&path).is_none());
    Lease::take(&path).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn an_owner_that_is_gone_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let gone = Owner { pid: child.id(), ..Owner::current() };
    child.wait().unwrap();
    fs::write(&path, serde_json::to_vec(&gone).unwrap()).unwrap();
    assert!(Lease::holder(&path).is_none());
    assert_eq!(Lease::take(&path).unwrap().before(), Before::Nobody);
}

#[test]
fn an_owner_elsewhere_is_replaced_when_it_was_silent_for_long_by_our_own_clock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    let owner = away(&path, "a", None);
    // Whatever the file's own time says.
    let long_ago = std::time::SystemTime::now() - 100 * SILENCE;
    File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(Lease::holder(&path), Some(owner.clone()));
    let mut watcher = Watcher::new();
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let held = |silent| Holding::Held(owner.clone(), Duration::from_secs(silent));
    assert_eq!(watcher.look(&path, at(0)), held(0));
    assert_eq!(watcher.look(&path, at(59)), held(59));
    // A beat: all starts again.
    let text = fs::read_to_string(&path).unwrap().replace(&number(1), &number(2));
    fs::write(&path, text).unwrap();
    assert_eq!(watcher.look(&path, at(60)), held(0));
    let Holding::Silent(sign) = watcher.look(&path, at(121)) else { panic!("still trusted") };
    assert!(matches!(Lease::take(&path), Err(LeaseError::Held(_))));
    let terms = Terms { silent: Some(sign.clone()), claim: None };
    // A sign of life at the last moment keeps it.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&number(2), &number(3))).unwrap();
    assert!(matches!(Lease::take_on(&path, &terms), Err(LeaseError::Held(_))));
    fs::write(&path, text).unwrap();
    assert_eq!(Lease::take_on(&path, &terms).unwrap().before(), Before::Somebody);
    assert_eq!(watcher.look(&path, at(122)), Holding::Free);
}

#[test]
fn the_later_start_of_a_task_wins_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    let terms = |attempt| Terms { claim: claim(attempt), silent: None };
    away(&path, "a", claim(1));
    for attempt in [0, 1] {
        let taken = Lease::take_on(&path, &terms(attempt));
        assert!(matches!(taken, Err(LeaseError::Superseded(_))), "{taken:?}");
    }
    let other = Terms {
        claim: Some(Claim { task: "another".into(), attempt: 9, log: None }),
        silent: None,
    };
    assert!(matches!(Lease::take_on(&path, &other), Err(LeaseError::Held(_))));
    let lease = Lease::take_on(&path, &terms(2)).unwrap();
    assert_eq!(lease.before(), Before::Somebody);
}

#[test]
fn an_owner_that_was_replaced_notices_and_leaves_the_other_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    let first = Lease::take_on(&path, &Terms { claim: claim(0), silent: None }).unwrap();
    let second = Lease::take_on(&path, &Terms { claim: claim(1), silent: None }).unwrap();
    assert!(!first.is_held().unwrap());
    assert!(second.is_held().unwrap());
    let until = Instant::now() + 4 * HEARTBEAT;
    while !first.is_lost() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(first.is_lost() && !second.is_lost());
    drop(first);
    assert!(second.is_held().unwrap());
}

#[test]
fn a_lease_shows_signs_of_life() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    let _lease = Lease::take(&path).unwrap();
    let first = look(&path).unwrap().unwrap();
    std::thread::sleep(HEARTBEAT + Duration::from_millis(800));
    let second = look(&path).unwrap().unwrap();
    assert_eq!(first.owner, second.owner);
    assert!(second.beat > first.beat, "{second:?}");
}

#[test]
fn many_takers_of_a_stale_lease_get_it_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    for _ in 0..20 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = Owner { pid: child.id(), ..Owner::current() };
        child.wait().unwrap();
        fs::write(&path, serde_json::to_vec(&gone).unwrap()).unwrap();
        let leases: Vec<_> = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8).map(|_| scope.spawn(|| Lease::take(&path).ok())).collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).collect()
        });
        // One may be given it, lose it in the scramble and know that it did.
        let held = leases.iter().flatten().filter(|lease| lease.is_held().unwrap());
        assert_eq!(held.count(), 1);
    }
}

#[test]
fn a_lease_without_an_owner_is_held_until_it_was_watched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    fs::write(&path, "").unwrap();
    assert!(matches!(Lease::take(&path), Err(LeaseError::Held(_))));
    let mut watcher = Watcher::new();
    let now = Instant::now();
    assert!(matches!(watcher.look(&path, now), Holding::Held(..)));
    let Holding::Silent(sign) = watcher.look(&path, now + UNWRITTEN) else { panic!("trusted") };
    Lease::take_on(&path, &Terms { silent: Some(sign), claim: None }).unwrap();
}

/// It is neither waited for without an end nor taken.
#[test]
fn a_lease_that_cannot_be_read_is_an_error_and_not_free() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.lease");
    fs::create_dir(&path).unwrap();
    assert!(matches!(Lease::take(&path), Err(LeaseError::Io { .. })));
    assert!(Lease::holder(&path).is_some());
    assert!(matches!(Watcher::new().look(&path, Instant::now()), Holding::Held(..)));
}
