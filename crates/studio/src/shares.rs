//! A limited number of things, in all and for one address: streams of events.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The limits in all and for one address.
#[derive(Debug)]
pub(crate) struct Shares {
    total: usize,
    of_one: usize,
    taken: Mutex<BTreeMap<IpAddr, usize>>,
}

impl Shares {
    pub(crate) fn new(total: usize, of_one: usize) -> Arc<Self> {
        Arc::new(Self { total, of_one, taken: Mutex::default() })
    }

    /// One for `address`, if there is one left.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Share> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.total || taken.get(&address).is_some_and(|own| *own >= self.of_one) {
            return None;
        }
        *taken.entry(address).or_default() += 1;
        Some(Share { shares: Arc::clone(self), address })
    }
}

/// One of the things; given back on drop.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    address: IpAddr,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all() {
        let [a, b, c] = [1, 2, 3].map(|last| IpAddr::from([10, 0, 0, last]));
        let shares = Shares::new(3, 2);
        let of_a: Vec<_> = (0..2).map(|_| shares.take(a).unwrap()).collect();
        assert!(shares.take(a).is_none());
        let of_b = shares.take(b).unwrap();
        assert!(shares.take(c).is_none() && shares.take(b).is_none());
        drop(of_b);
        let _of_c = shares.take(c).unwrap();
        drop(of_a);
        assert_eq!(shares.taken.lock().unwrap().len(), 1);
    }
}
