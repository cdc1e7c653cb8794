//! The worker thread: one per model, so that batches never compete for the cores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use candle_core::{Device, Tensor};
use shared_model::ZeroShotModel;

use super::error::Error;
use super::health::Health;
use super::queue::{Batch, Feature, Queue, Work};
use crate::metrics::{BatchKind, Metrics};

/// Computes batch after batch until the queue is closed.
pub(super) fn run(model: &ZeroShotModel, queue: &Queue, health: &Health, metrics: &Metrics) {
    while let Some(batch) = queue.next() {
        let started = Instant::now();
        let (kind, size) = match batch {
            Batch::Images(work) => {
                (BatchKind::Images, answer(work, health, &|pixels| image_features(model, pixels)))
            }
            Batch::Texts(work) => {
                (BatchKind::Texts, answer(work, health, &|texts| model.encode_texts(texts, &mut |_, _| {})))
            }
        };
        metrics.count_batch(kind, size, started.elapsed());
    }
}

fn image_features(model: &ZeroShotModel, pixels: &[Tensor]) -> shared_model::Result<Tensor> {
    model.pixel_features(&Tensor::stack(pixels, 0)?)
}

/// Sends each feature to its request; returns their number.
fn answer<T>(work: Vec<Work<T>>, health: &Health, encode: &dyn Fn(&[T]) -> shared_model::Result<Tensor>) -> usize {
    let (inputs, answers): (Vec<_>, Vec<_>) = work.into_iter().map(|work| (work.input, work.answer)).unzip();
    let size = inputs.len();
    // An input that the model cannot compute must not fail the others of its batch.
    let features: Vec<Result<Feature, Error>> = match features(&inputs, encode) {
        Ok(features) => features.into_iter().map(finite).collect(),
        Err(detail) if size == 1 => vec![Err(failed(&detail))],
        Err(_) => inputs.iter().map(|input| alone(input, encode)).collect(),
    };
    health.count(&features);
    for (answer, feature) in answers.into_iter().zip(features) {
        answer.send(feature).ok(); // the client may have gone meanwhile
    }
    size
}

fn alone<T>(input: &T, encode: &dyn Fn(&[T]) -> shared_model::Result<Tensor>) -> Result<Feature, Error> {
    let mut features = features(std::slice::from_ref(input), encode).map_err(|detail| failed(&detail))?;
    finite(features.pop().ok_or(Error::Failed)?)
}

/// Refuses features that are not finite.
fn finite(feature: Feature) -> Result<Feature, Error> {
    match feature.iter().all(|value| value.is_finite()) {
        true => Ok(feature),
        false => {
            tracing::error!("the model's answer is not finite");
            Err(Error::NotFinite)
        }
    }
}

fn features<T>(
    inputs: &[T],
    encode: &dyn Fn(&[T]) -> shared_model::Result<Tensor>,
) -> Result<Vec<Feature>, String> {
    let computed = catch_unwind(AssertUnwindSafe(|| -> shared_model::Result<Vec<Feature>> {
        Ok(encode(inputs)?.to_device(&Device::Cpu)?.to_vec2::<f32>()?)
    }));
    computed.map_err(|_| "the model gave up".to_owned())?.map_err(|err| format!("{:#}", anyhow::Error::from(err)))
}

fn failed(detail: &str) -> Error {
    tracing::error!("the model failed: {detail}");
    Error::Failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::queue::Batching;
    use shared_model::preprocess::OtherFile;
    use std::time::Duration;

    #[test]
    fn an_input_that_the_model_cannot_bear_fails_alone() {
        let batching = Batching { max_images: 1, max_texts: 8, max_wait: Duration::ZERO, text_capacity: 8 };
        let queue = Queue::new(batching);
        let answers = queue.push_texts(["good", "bad", "panic", "nan"].map(String::from).into()).unwrap();
        let encode = |texts: &[String]| {
            assert!(texts.iter().all(|text| text != "panic"), "a test of what a panic does");
            if texts.iter().any(|text| text == "bad") {
                return Err(shared_model::Error::ImageFormat(OtherFile::Unknown));
            }
            let row = |text: &String| if text == "nan" { vec![1.0, f32::NAN] } else { vec![1.0, 1.0] };
            Ok(Tensor::new(texts.iter().map(row).collect::<Vec<_>>(), &Device::Cpu)?)
        };
        let Some(Batch::Texts(work)) = queue.next() else { panic!("texts wait") };
        assert_eq!(answer(work, &Health::default(), &encode), 4);
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.blocking_recv().unwrap()).collect();
        assert_eq!(answers[0].as_deref().ok(), Some(&[1.0, 1.0][..]));
        assert!(matches!(answers[1..], [Err(Error::Failed), Err(Error::Failed), Err(Error::NotFinite)]));
    }

    /// As after an error of a GPU that every later call returns again.
    #[test]
    fn a_model_that_fails_at_every_batch_is_failing_until_it_answers() {
        let batching = Batching { max_images: 1, max_texts: 2, max_wait: Duration::ZERO, text_capacity: 8 };
        let (queue, health) = (Queue::new(batching), Health::default());
        let compute = |is_broken: bool| {
            let encode = |texts: &[String]| match is_broken {
                true => Err(shared_model::Error::ImageFormat(OtherFile::Unknown)),
                false => Ok(Tensor::ones((texts.len(), 1), candle_core::DType::F32, &Device::Cpu)?),
            };
            let _answers = queue.push_texts(["a", "b"].map(String::from).into()).unwrap();
            let Some(Batch::Texts(work)) = queue.next() else { panic!("texts wait") };
            answer(work, &health, &encode);
            health.is_failing()
        };
        assert_eq!([true, true, true, true, false].map(compute), [false, false, true, true, false]);
    }
}
