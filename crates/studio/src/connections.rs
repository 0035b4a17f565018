//! The open connections of a server. All places may be taken by clients that never send a request, or never read an answer;
//! so a new connection takes the place of one that keeps the server waiting, from the address that has the most.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a client may take for a request's body, and for reading an answer, before its place may be taken.
const BODY_PATIENCE: Duration = Duration::from_secs(1);
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// The open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    /// Most connections, in all and of one address.
    total: usize,
    of_one: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    places: BTreeMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    address: IpAddr,
    phase: Phase,
    since: Instant,
    /// Number of requests so far.
    requests: u64,
    close: Arc<Notify>,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client is silent, or sends a request's head.
    Waiting,
    /// It sends a body.
    Receiving,
    /// The request is worked on, or its answer is one of the streams that are counted elsewhere.
    Held,
    /// The answer is sent.
    Sending,
}

impl Place {
    /// How soon its place is taken: the order of phases, then the time; `None` where it isn't.
    fn turn(&self) -> Option<(u8, Instant)> {
        let (rank, patience) = match self.phase {
            Phase::Waiting => (0, Duration::ZERO),
            Phase::Receiving => (1, BODY_PATIENCE),
            Phase::Sending => (2, ANSWER_PATIENCE),
            Phase::Held => return None,
        };
        (self.since.elapsed() >= patience).then_some((rank, self.since))
    }
}

impl Connections {
    /// Room for `total` connections, `of_one` of them from one address.
    pub(crate) fn new(total: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self { total, of_one, open: Mutex::default() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from `address`, if need be that of another.
    ///
    /// # Errors
    /// No place is free: for this address, or for any.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Connection, Full> {
        let mut open = self.open();
        let mut counts = BTreeMap::<IpAddr, usize>::new();
        if open.places.len() >= self.total || self.of_one < self.total {
            open.places.values().for_each(|place| *counts.entry(place.address).or_default() += 1);
        }
        let own = counts.get(&address).copied().unwrap_or(0);
        let reason = match () {
            () if own >= self.of_one => Some(Full::Address),
            () if open.places.len() >= self.total => Some(Full::All),
            () => None,
        };
        if let Some(reason) = reason {
            let candidates = open.places.iter().filter_map(|(id, place)| Some((place.turn()?, place.address, *id)));
            let victim = match reason {
                Full::Address => candidates.filter(|(_, of, _)| *of == address).min(),
                // One phase after the other; in each, the address with the most connections, and its oldest.
                Full::All => candidates.min_by_key(|((rank, since), of, _)| {
                    (*rank, std::cmp::Reverse(counts.get(of).copied().unwrap_or(0)), *since)
                }),
            };
            let (_, _, id) = victim.ok_or(reason)?;
            if let Some(place) = open.places.remove(&id) {
                place.close.notify_one();
            }
        }
        open.next += 1;
        let (id, close) = (open.next, Arc::new(Notify::new()));
        let close_it = Arc::clone(&close);
        let place = Place { address, phase: Phase::Waiting, since: Instant::now(), requests: 0, close: close_it };
        open.places.insert(id, place);
        Ok(Connection(Arc::new(Inner { connections: Arc::clone(self), id, close })))
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.open().places.len()
    }
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The address has as many connections as it may have, all at work.
    Address,
    /// All places are at work.
    All,
}

/// A connection's place. It is given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connections: Arc<Connections>,
    id: u64,
    close: Arc<Notify>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.connections.open().places.remove(&self.id);
    }
}

impl Connection {
    /// Resolves when another takes the place.
    pub(crate) async fn closed(&self) {
        self.0.close.notified().await;
    }

    /// A request's head has arrived: it is worked on.
    pub(crate) fn begins(&self) -> Exchange {
        let mut open = self.0.connections.open();
        let requests = open.places.get_mut(&self.0.id).map_or(0, |place| {
            (place.phase, place.since) = (Phase::Held, Instant::now());
            place.requests += 1;
            place.requests
        });
        Exchange { place: self.clone(), number: requests }
    }

    /// A request's body has arrived: it is worked on.
    pub(crate) fn works(&self) {
        self.enter(Phase::Held);
    }

    /// The client has to send a body.
    pub(crate) fn receives(&self) {
        self.enter(Phase::Receiving);
    }

    fn enter(&self, phase: Phase) {
        if let Some(place) = self.0.connections.open().places.get_mut(&self.0.id) {
            (place.phase, place.since) = (phase, Instant::now());
        }
    }
}

/// A request and its answer. When it is dropped, the client may send the next request, unless that has arrived already.
#[derive(Debug)]
pub(crate) struct Exchange {
    place: Connection,
    number: u64,
}

impl Exchange {
    /// The client has to read the answer.
    pub(crate) fn sends(&self) {
        self.place.enter(Phase::Sending);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut open = self.place.0.connections.open();
        if let Some(place) = open.places.get_mut(&self.place.0.id)
            && place.requests == self.number
        {
            (place.phase, place.since) = (Phase::Waiting, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    /// Whether its place was taken.
    fn is_closed(connection: &Connection) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(Duration::from_millis(1), connection.closed()).await.is_ok() })
    }

    #[test]
    fn a_new_connection_takes_the_place_of_the_longest_silent_one_of_the_busiest_address() {
        let connections = Connections::new(4, 4);
        let all: Vec<_> = [B, A, A, A].iter().map(|address| connections.admit(*address).unwrap()).collect();
        all[1].works();
        let _new = connections.admit(B).unwrap();
        assert_eq!(all.iter().map(is_closed).collect::<Vec<_>>(), [false, false, true, false]);
        assert_eq!(connections.count(), 4);
        drop(all);
        assert_eq!(connections.count(), 1);
    }

    #[test]
    fn work_is_not_ended_for_others() {
        let connections = Connections::new(3, 3);
        let all: Vec<_> = (0..3).map(|_| connections.admit(A).unwrap()).collect();
        let exchanges: Vec<_> = [&all[0], &all[2]].map(Connection::begins).into();
        all[1].receives();
        exchanges[1].sends();
        assert_eq!(connections.admit(B).unwrap_err(), Full::All, "their time isn't over yet");
        let long_ago = Instant::now().checked_sub(ANSWER_PATIENCE).unwrap();
        connections.open().places.values_mut().for_each(|place| place.since = long_ago);
        let _second = connections.admit(B).unwrap();
        assert_eq!(all.iter().map(is_closed).collect::<Vec<_>>(), [false, true, false], "a body before an answer");
        let _third = connections.admit(B).unwrap();
        assert_eq!(connections.count(), 3);
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let connections = Connections::new(4, 2);
        let busy: Vec<_> = (0..2).map(|_| connections.admit(A).unwrap()).collect();
        let mut exchanges: Vec<_> = busy.iter().map(Connection::begins).collect();
        assert_eq!(connections.admit(A).unwrap_err(), Full::Address);
        let other = connections.admit(B).unwrap();
        exchanges.remove(0);
        let _own = connections.admit(A).unwrap();
        assert_eq!([&busy[0], &busy[1], &other].map(is_closed), [true, false, false]);
    }

    #[test]
    fn the_end_of_an_answer_does_not_end_the_next_request() {
        let connections = Connections::new(1, 1);
        let place = connections.admit(A).unwrap();
        let first = place.begins();
        first.sends();
        let second = place.begins();
        drop(first);
        assert_eq!(connections.admit(A).unwrap_err(), Full::Address);
        drop(second);
        let _next = connections.admit(A).unwrap();
        assert!(is_closed(&place));
    }
}
