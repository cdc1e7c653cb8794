//! The queue of a model: taken in batches, images and texts alternately, without entries whose request was dropped.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use candle_core::Tensor;
use tokio::sync::oneshot;

use super::error::Error;

/// The feature `[E]` of one image or text.
pub(super) type Feature = Vec<f32>;

/// One image or text, and the channel of its feature.
pub(super) struct Work<T> {
    pub(super) input: T,
    pub(super) answer: oneshot::Sender<Result<Feature, Error>>,
    since: Instant,
}

/// A batch.
pub(super) enum Batch {
    /// Pixels `[3, S, S]` each.
    Images(Vec<Work<Tensor>>),
    Texts(Vec<Work<String>>),
}

/// Size of a batch, and how long an image waits for others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batching {
    pub(super) max_images: usize,
    pub(super) max_texts: usize,
    pub(super) max_wait: Duration,
    /// Largest number of waiting texts; the caller bounds images.
    pub(super) text_capacity: usize,
}

pub(super) struct Queue {
    batching: Batching,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    images: VecDeque<Work<Tensor>>,
    texts: VecDeque<Work<String>>,
    /// Which kind is next if both wait.
    is_texts_turn: bool,
    /// Whether the last batch had more than one image. After an image alone, the next does not wait for others: those
    /// of a single client would all wait in vain.
    had_several: bool,
    is_open: bool,
    n_abandoned: u64,
}

impl Queue {
    pub(super) fn new(batching: Batching) -> Self {
        let (images, texts) = (VecDeque::new(), VecDeque::new());
        let waiting =
            Waiting { images, texts, is_texts_turn: false, had_several: true, is_open: true, n_abandoned: 0 };
        Self { batching, waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    /// Returns the channel of the feature.
    pub(super) fn push_image(&self, pixels: Tensor) -> oneshot::Receiver<Result<Feature, Error>> {
        let (work, answer) = Work::new(pixels);
        self.lock().images.push_back(work);
        self.changed.notify_one();
        answer
    }

    /// All of the texts wait, or none.
    ///
    /// # Errors
    /// [`Error::QueueFull`] if not all fit.
    pub(super) fn push_texts(
        &self,
        texts: Vec<String>,
    ) -> Result<Vec<oneshot::Receiver<Result<Feature, Error>>>, Error> {
        let mut waiting = self.lock();
        let most = self.batching.text_capacity;
        if waiting.texts.len() + texts.len() > most {
            waiting.drop_abandoned();
        }
        if waiting.texts.len() + texts.len() > most {
            return Err(Error::QueueFull { kind: "sentences", most });
        }
        let (works, answers): (Vec<_>, Vec<_>) = texts.into_iter().map(Work::new).unzip();
        waiting.texts.extend(works);
        self.changed.notify_one();
        Ok(answers)
    }

    /// Waits for the next batch; `None` once the queue is closed and empty.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut waiting = self.lock();
        loop {
            waiting.drop_abandoned();
            if !waiting.texts.is_empty() && (waiting.is_texts_turn || waiting.images.is_empty()) {
                waiting.is_texts_turn = false;
                return Some(Batch::Texts(take(&mut waiting.texts, self.batching.max_texts)));
            }
            let Some(first) = waiting.images.front() else {
                if !waiting.is_open {
                    return None;
                }
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let remaining = self.batching.max_wait.saturating_sub(first.since.elapsed());
            let is_ready = waiting.images.len() >= self.batching.max_images || remaining.is_zero();
            if is_ready || !waiting.had_several || !waiting.is_open || !waiting.texts.is_empty() {
                waiting.is_texts_turn = true;
                let images = take(&mut waiting.images, self.batching.max_images);
                waiting.had_several = images.len() > 1;
                return Some(Batch::Images(images));
            }
            waiting = self.changed.wait_timeout(waiting, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waiting entries are still computed; then [`Self::next`] ends.
    pub(super) fn close(&self) {
        self.lock().is_open = false;
        self.changed.notify_all();
    }

    /// Images and texts that wait.
    pub(super) fn lengths(&self) -> (usize, usize) {
        let waiting = self.lock();
        (waiting.images.len(), waiting.texts.len())
    }

    /// Number of entries dropped so far because their request was dropped.
    pub(super) fn n_abandoned(&self) -> u64 {
        self.lock().n_abandoned
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn drop_abandoned(&mut self) {
        let before = self.images.len() + self.texts.len();
        self.images.retain(|work| !work.answer.is_closed());
        self.texts.retain(|work| !work.answer.is_closed());
        self.n_abandoned += (before - self.images.len() - self.texts.len()) as u64;
    }
}

impl<T> Work<T> {
    fn new(input: T) -> (Self, oneshot::Receiver<Result<Feature, Error>>) {
        let (answer, receiver) = oneshot::channel();
        (Self { input, answer, since: Instant::now() }, receiver)
    }
}

fn take<T>(waiting: &mut VecDeque<T>, n_most: usize) -> Vec<T> {
    let n_taken = n_most.min(waiting.len());
    waiting.drain(..n_taken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn queue(max_wait: Duration) -> Queue {
        Queue::new(Batching { max_images: 3, max_texts: 2, max_wait, text_capacity: 4 })
    }

    fn image() -> Tensor {
        Tensor::zeros((3, 1, 1), DType::F32, &Device::Cpu).unwrap()
    }

    fn texts(n: usize) -> Vec<String> {
        vec!["a".into(); n]
    }

    /// `i3` is a batch of three images, `t2` one of two texts.
    fn next(queue: &Queue) -> String {
        match queue.next() {
            Some(Batch::Images(work)) => format!("i{}", work.len()),
            Some(Batch::Texts(work)) => format!("t{}", work.len()),
            None => "end".into(),
        }
    }

    #[test]
    fn images_and_texts_take_turns_in_batches() {
        let queue = queue(Duration::ZERO);
        let images: Vec<_> = (0..5).map(|_| queue.push_image(image())).collect();
        let texts = queue.push_texts(texts(4)).unwrap();
        assert_eq!(queue.lengths(), (5, 4));
        queue.close();
        let batches: Vec<_> = (0..5).map(|_| next(&queue)).collect();
        assert_eq!(batches, ["i3", "t2", "i2", "t2", "end"]);
        drop((images, texts));
    }

    #[test]
    fn a_full_batch_does_not_wait_for_more() {
        let queue = queue(Duration::from_secs(3600));
        let images: Vec<_> = (0..3).map(|_| queue.push_image(image())).collect();
        assert_eq!(next(&queue), "i3");
        drop(images);
    }

    #[test]
    fn after_an_image_alone_the_next_does_not_wait_until_two_come_together() {
        let queue = queue(Duration::from_secs(3600));
        let texts = queue.push_texts(texts(1)).unwrap();
        let mut images = vec![queue.push_image(image())];
        assert_eq!(
            (next(&queue), next(&queue)),
            ("i1".into(), "t1".into()),
            "an image does not keep texts waiting"
        );
        images.push(queue.push_image(image()));
        assert_eq!(next(&queue), "i1");
        images.extend([queue.push_image(image()), queue.push_image(image())]);
        assert_eq!(next(&queue), "i2");
        images.push(queue.push_image(image()));
        std::thread::scope(|scope| {
            let batch = scope.spawn(|| next(&queue));
            images.extend([queue.push_image(image()), queue.push_image(image())]);
            assert_eq!(batch.join().unwrap(), "i3");
        });
        drop((texts, images));
    }

    #[test]
    fn what_nobody_waits_for_is_dropped_and_makes_room() {
        let queue = queue(Duration::ZERO);
        let kept = queue.push_image(image());
        drop(queue.push_image(image()));
        let abandoned = queue.push_texts(texts(3)).unwrap();
        let refused = queue.push_texts(texts(2)).unwrap_err().to_string();
        assert_eq!(refused, "the queue of sentences is full: at most 4 wait for one model");
        drop(abandoned);
        let waited_for = queue.push_texts(texts(2)).unwrap();
        queue.close();
        assert_eq!((next(&queue), next(&queue), next(&queue)), ("i1".into(), "t2".into(), "end".into()));
        assert_eq!(queue.n_abandoned(), 4);
        drop((kept, waited_for));
    }
}
