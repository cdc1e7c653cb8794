//! A message that is no request of this worker, as of a page of another version: it gets an error for an answer.

use super::{Envelope, Reply, Request, RequestId};
use crate::error::Error;
use serde_json::Value;

/// A message that is no request, and what is known of it.
#[derive(Debug, PartialEq)]
pub struct Unreadable {
    /// Id of the request; 0 if it cannot be read.
    pub request_id: RequestId,
    /// Whether the page sent it, or the JavaScript package; `None` if it does not say.
    is_of_page: Option<bool>,
    detail: String,
}

impl Unreadable {
    /// Reads a request.
    ///
    /// # Errors
    /// If it is none.
    pub fn or_request(json: &str) -> Result<Envelope<Request>, Self> {
        serde_json::from_str(json).map_err(|err| {
            let value: Value = serde_json::from_str(json).unwrap_or_default();
            let request_id = value["request_id"].as_u64().and_then(|id| id.try_into().ok());
            // The first request says it, and the package by leaving it out.
            let load = &value["body"]["load"];
            let is_of_page = load.is_object().then(|| load["is_page"] == Value::Bool(true));
            Self { request_id: request_id.unwrap_or_default(), is_of_page, detail: err.to_string() }
        })
    }

    /// The answer; `is_of_page` counts where the message does not say who sent it.
    pub fn reply(self, is_of_page: bool) -> Reply {
        let error = Error::Computation { detail: format!("the request cannot be read: {}", self.detail) };
        match self.is_of_page.unwrap_or(is_of_page) {
            true => Reply::Failed { error },
            false => Reply::Rejected { message: error.to_string(), error },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_answered_under_its_id() {
        let answer = |json: &str, is_of_page: bool| {
            let unreadable = Unreadable::or_request(json).unwrap_err();
            (unreadable.request_id, unreadable.reply(is_of_page))
        };
        let (id, reply) = answer(r#"{"request_id":7,"body":{"paint":{}}}"#, true);
        assert!(id == 7 && matches!(reply, Reply::Failed { .. }), "{reply:?}");
        let (id, reply) = answer(r#"{"request_id":8,"body":{"classify":{"top_k":-1}}}"#, false);
        let Reply::Rejected { message, .. } = reply else { panic!("{reply:?}") };
        assert!(id == 8 && message.contains("the request cannot be read: invalid value"), "{message}");
        // The first request of either side, which the worker does not know yet.
        let (id, reply) = answer(r#"{"request_id":1,"body":{"load":{"url":"a"}}}"#, true);
        assert!(id == 1 && matches!(reply, Reply::Rejected { .. }), "{reply:?}");
        let (_, reply) = answer(r#"{"request_id":1,"body":{"load":{"is_page":true}}}"#, false);
        assert!(matches!(reply, Reply::Failed { .. }), "{reply:?}");
        for json in ["", "{", "[]", r#"{"request_id":-1}"#, r#"{"request_id":99999999999}"#] {
            assert_eq!(answer(json, false).0, 0, "{json}");
        }
    }
}
