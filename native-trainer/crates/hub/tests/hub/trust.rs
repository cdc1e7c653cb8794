//! Certificates: who is trusted, and what is said when a hub is not.

use super::*;

#[test]
fn a_certificate_is_trusted_when_the_environment_names_it() {
    let world = World::around(|root| StandinHub::start_with_tls(root).unwrap());
    let bundle = world.folder.path().join("ours.pem");
    fs::write(&bundle, world.hub.certificate.as_deref().unwrap()).unwrap();
    let bundle = bundle.to_str().unwrap();
    for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let settings = settings(&world.hub, &world.folder.path().join(variable), &[(variable, bundle)]);
        world.assert_whole(&resolve_with(MODEL, &settings).unwrap());
    }
}

#[test]
fn an_unknown_certificate_is_refused_at_once_and_the_way_on_is_said() {
    let world = World::around(|root| StandinHub::start_with_tls(root).unwrap());
    let error = world.resolve().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("a certificate that is not trusted") && cause.contains("set SSL_CERT_FILE"), "{cause}");
    assert!(world.hub.seen().is_empty(), "nothing is sent to a hub that is not trusted");
}

#[test]
fn certificates_that_cannot_be_read_are_named_with_their_variable() {
    let world = World::new();
    let settings = settings(&world.hub, world.folder.path(), &[("REQUESTS_CA_BUNDLE", "/nowhere/ours.pem")]);
    let complaint = resolve_with(MODEL, &settings).unwrap_err().to_string();
    assert!(complaint.contains("REQUESTS_CA_BUNDLE") && complaint.ends_with("/nowhere/ours.pem"), "{complaint}");
}
