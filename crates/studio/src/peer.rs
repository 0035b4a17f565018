//! The client of a connection: its address and, on Linux, the user whose it is.

use std::net::{IpAddr, SocketAddr};

/// The two ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The client's.
    client: SocketAddr,
    /// The server's.
    server: SocketAddr,
}

impl Peer {
    pub(crate) fn new(client: SocketAddr, server: SocketAddr) -> Self {
        let plain = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
        Self { client: plain(client), server: plain(server) }
    }

    /// The client's address; of IPv6, its network, as every system has many addresses in it.
    pub(crate) fn address(&self) -> IpAddr {
        match self.client.ip() {
            IpAddr::V6(address) if !address.is_loopback() => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
            }
            address => address,
        }
    }

    /// Whether the client is certainly a process of another user of this machine.
    pub(crate) fn is_another_user(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::MetadataExt;
            let own = std::fs::metadata("/proc/self").map(|about| about.uid());
            if let (Ok(own), Some(user)) = (own, self.user()) {
                // The administrator can read this process's memory anyway.
                return user != own && user != 0;
            }
        }
        false
    }

    /// The number of the user whose process is the client, if it is one of this machine.
    #[cfg(target_os = "linux")]
    fn user(&self) -> Option<u32> {
        if !self.client.ip().is_loopback() {
            return None;
        }
        let table = if self.client.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        let ends = [self.client, self.server].map(in_table);
        let text = std::fs::read_to_string(table).ok()?;
        text.lines().find_map(|line| {
            // Number, local end, remote end, state, queues, timer, retransmissions, user.
            let columns: Vec<&str> = line.split_ascii_whitespace().take(8).collect();
            let [_, local, remote, _, _, _, _, user] = columns[..] else { return None };
            (local == ends[0] && remote == ends[1]).then(|| user.parse().ok())?
        })
    }
}

/// An address as Linux lists it: in words of the machine's byte order.
#[cfg(target_os = "linux")]
fn in_table(at: SocketAddr) -> String {
    let word = |bytes: &[u8]| {
        let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
        format!("{:08X}", u32::from_ne_bytes(bytes))
    };
    let words: String = match at.ip() {
        IpAddr::V4(address) => word(&address.octets()),
        IpAddr::V6(address) => address.octets().chunks(4).map(word).collect(),
    };
    format!("{words}:{:04X}", at.port())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn addresses_are_those_of_a_system() {
        let address = |text: &str| Peer::new(text.parse().unwrap(), text.parse().unwrap()).address().to_string();
        assert_eq!(address("10.1.2.3:4"), "10.1.2.3");
        assert_eq!(address("[::ffff:10.1.2.3]:4"), "10.1.2.3");
        assert_eq!(address("[2001:db8:1:2:3:4:5:6]:4"), "2001:db8:1:2::");
        assert_eq!(address("[::1]:4"), "::1");
    }

    #[test]
    fn an_own_connection_is_no_other_user() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, address) = listener.accept().unwrap();
            let peer = Peer::new(address, stream.local_addr().unwrap());
            assert!(!peer.is_another_user());
            #[cfg(target_os = "linux")]
            if std::path::Path::new("/proc/net/tcp").exists() {
                use std::os::unix::fs::MetadataExt;
                // A system may hide the table, which then has no such line.
                let own = std::fs::metadata("/proc/self").unwrap().uid();
                assert!(peer.user().is_none_or(|user| user == own), "{:?}", peer.user());
            }
            drop(client);
        }
    }
}
