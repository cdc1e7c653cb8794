//! The worker's inbox: holds only the latest request.

use super::protocol::RequestId;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Holds the latest message for the one task that takes messages.
pub struct Inbox<T> {
    latest_id: Cell<RequestId>,
    message: RefCell<Option<T>>,
    waker: RefCell<Option<Waker>>,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self { latest_id: Cell::new(0), message: RefCell::new(None), waker: RefCell::new(None) }
    }
}

impl<T> Inbox<T> {
    /// Puts a message in, replacing one that was not taken yet.
    pub fn put(&self, request_id: RequestId, message: T) {
        self.latest_id.set(request_id);
        self.message.replace(Some(message));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Id of the latest message.
    pub fn latest_id(&self) -> RequestId {
        self.latest_id.get()
    }

    /// Waits for the next message.
    pub async fn take(&self) -> T {
        self.wait_for(|| self.message.take()).await
    }

    /// Resolves when the latest message is not that of `request_id`.
    pub async fn superseded(&self, request_id: RequestId) {
        self.wait_for(|| (self.latest_id() != request_id).then_some(())).await;
    }

    async fn wait_for<R>(&self, poll: impl Fn() -> Option<R>) -> R {
        poll_fn(|context| match poll() {
            Some(output) => Poll::Ready(output),
            None => {
                self.waker.replace(Some(context.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::Context;

    #[test]
    fn only_the_latest_message_is_kept() {
        let inbox = Inbox::default();
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(inbox.take()).poll(&mut context).is_pending());
        inbox.put(1, "a");
        inbox.put(2, "b");
        assert_eq!(pin!(inbox.take()).poll(&mut context), Poll::Ready("b"));
        assert!(pin!(inbox.take()).poll(&mut context).is_pending());

        let mut superseded = pin!(inbox.superseded(2));
        assert!(superseded.as_mut().poll(&mut context).is_pending());
        inbox.put(3, "c");
        assert!(superseded.as_mut().poll(&mut context).is_ready());
    }
}
