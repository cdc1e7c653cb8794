//! Parses the address to listen on.

use std::net::{IpAddr, ToSocketAddrs};

/// Returns the address of a host: an IP address, version 6 also in brackets, or a name such as `localhost`. Of a name's
/// addresses, the first of version 4 is used, since most clients try that one.
///
/// # Errors
/// A sentence, for a name that has no address.
pub fn host_address(text: &str) -> Result<IpAddr, String> {
    let text = text.trim();
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = unbracketed.parse() {
        return Ok(address);
    }
    let unknown = |detail: String| format!("expected an IP address or a host's name; {detail}");
    let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.is_empty() || !text.chars().all(is_of_a_name) {
        return Err(unknown("a port goes to --port".into()));
    }
    let found: Vec<IpAddr> =
        (text, 0).to_socket_addrs().map_err(|err| unknown(err.to_string()))?.map(|address| address.ip()).collect();
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    chosen.copied().ok_or_else(|| unknown("the name has no address".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn hosts_are_addresses_with_or_without_brackets_and_names() {
        for (text, expected) in [
            ("127.0.0.1", IpAddr::V4(Ipv4Addr::LOCALHOST)),
            (" 0.0.0.0 ", IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            ("::1", IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ("[::1]", IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ("[::]", IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        ] {
            assert_eq!(host_address(text), Ok(expected), "{text}");
        }
        assert!(host_address("localhost").unwrap().is_loopback());
        for wrong in ["", "[localhost", "a host", "localhost:8080", "http://x"] {
            assert!(host_address(wrong).unwrap_err().contains("expected an IP address"), "{wrong}");
        }
    }
}
