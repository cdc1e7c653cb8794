//! Reads captions with a language model behind any endpoint that speaks OpenAI's chat completions.
//!
//! An answer is checked beside its caption (`check`). If terms are refused, the model is asked once more; if they are
//! refused again, or an answer cannot be used at all, the lexicon reads the caption. Every answer is kept on disk, and
//! equal captions are asked once.

mod answer;
mod answers;
mod check;
mod counts;
mod exchange;
mod named;
mod options;
mod prompt;
mod reading;
mod unchecked;

use crate::extraction::{Extraction, Extractor};
use crate::lexicon::Lexicon;
use crate::lexicon_reader;
use answers::Answers;
use anyhow::{Result, bail};
use exchange::{Endpoint, Outcome};
use prompt::{Form, Prompt};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use answer::{Answer, Term};
pub use counts::LlmCounts;
pub use options::{LlmOptions, key_of_environment};
pub use prompt::MAX_ANSWER_TOKENS;
pub use unchecked::unchecked;

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    kept: AtomicU64,
    refused_answers: AtomicU64,
    refused_terms: AtomicU64,
    broken: AtomicU64,
    by_lexicon: AtomicU64,
}

/// What came of one caption.
#[derive(Clone, Debug)]
pub struct LlmReading {
    /// The first answer, unchecked; `None` if it cannot be used at all.
    pub first_answer: Option<Answer>,
    /// What the table has: the first or second answer if all its terms are supported, else what the lexicon found.
    pub extraction: Extraction,
}

/// Reads captions by asking.
pub struct LlmReader<'a> {
    lexicon: &'a Lexicon,
    prompt: Prompt,
    endpoint: Endpoint,
    answers: Answers,
    counters: Counters,
    /// Whether the service refused a request with a schema and answered one without.
    has_no_schemas: AtomicBool,
    /// Whether the service answered a request with a schema.
    has_schemas: AtomicBool,
    /// A lock for each caption that is being read, so that an equal one waits for its answer.
    in_flight: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl<'a> LlmReader<'a> {
    /// Prepares requests and opens the file of answers.
    ///
    /// # Errors
    /// For an address that is none, a key that no header can hold, and a file that cannot be used.
    pub fn new(options: &LlmOptions, lexicon: &'a Lexicon) -> Result<Self> {
        Ok(Self {
            prompt: Prompt::new(&options.model, lexicon),
            endpoint: Endpoint::new(options)?,
            answers: Answers::open(&options.answers)?,
            counters: Counters::default(),
            has_no_schemas: AtomicBool::new(false),
            has_schemas: AtomicBool::new(false),
            in_flight: Mutex::default(),
            lexicon,
        })
    }

    /// What was asked so far.
    pub fn counts(&self) -> LlmCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LlmCounts {
            n_requests: count(&self.counters.requests),
            n_kept: count(&self.counters.kept),
            n_refused_answers: count(&self.counters.refused_answers),
            n_refused_terms: count(&self.counters.refused_terms),
            n_broken_answers: count(&self.counters.broken),
            n_by_lexicon: count(&self.counters.by_lexicon),
        }
    }

    /// Reads a caption.
    ///
    /// # Errors
    /// If the service cannot answer and the run must stop.
    pub fn read(&self, caption: &str) -> Result<LlmReading> {
        let lock = {
            let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(in_flight.entry(caption.to_owned()).or_default())
        };
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.read_alone(caption);
        drop(guard);
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(caption);
        found
    }

    /// The answer to a caption, kept or new; `None` if the model gave none that can be used.
    fn ask(&self, caption: &str, refused: &[String]) -> Result<Option<Answer>> {
        let Some(content) = self.content(caption, refused)? else {
            self.counters.broken.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        };
        let answer = answer::parse(&content).ok();
        if answer.is_none() {
            self.counters.broken.fetch_add(1, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// Checks an answer and counts what is refused.
    fn check(&self, caption: &str, answer: &Answer) -> check::Checked {
        let checked = check::check(self.lexicon, caption, answer);
        let n_refused = checked.refused.len() as u64;
        self.counters.refused_answers.fetch_add(u64::from(n_refused > 0), Ordering::Relaxed);
        self.counters.refused_terms.fetch_add(n_refused, Ordering::Relaxed);
        checked
    }

    /// The text of the answer to a caption; `None` if it is too large or not of the form, or the service refuses this
    /// caption and has answered others.
    fn content(&self, caption: &str, refused: &[String]) -> Result<Option<String>> {
        let forms = match self.has_no_schemas.load(Ordering::Relaxed) {
            true => &[Form::Described][..],
            false => &[Form::Schema, Form::Described],
        };
        let with_key = |&form: &Form| -> Result<(Form, String, String)> {
            let request = self.prompt.request(caption, refused, form)?;
            Ok((form, Answers::key(&request), request))
        };
        let requests = forms.iter().map(with_key).collect::<Result<Vec<_>>>()?;
        // In either form: an earlier run may have learned that the service takes no schema.
        if let Some(content) = requests.iter().find_map(|(_, key, _)| self.answers.get(key)) {
            self.counters.kept.fetch_add(1, Ordering::Relaxed);
            return Ok(content);
        }
        let mut said = String::new();
        for (form, key, request) in requests {
            match self.endpoint.ask(&request)? {
                Outcome::Content(content) => {
                    self.counters.requests.fetch_add(1, Ordering::Relaxed);
                    self.answers.keep(&key, Some(&content))?;
                    self.note_schemas(form, &said);
                    return Ok(Some(content));
                }
                Outcome::Unusable => {
                    self.answers.keep(&key, None)?;
                    return Ok(None);
                }
                Outcome::Refused(why) => said = why,
            }
        }
        let counts = self.counts();
        if counts.n_requests + counts.n_kept > 0 {
            tracing::warn!("the lexicon reads a caption that the service refuses ({said}): {caption}");
            return Ok(None);
        }
        bail!("the service refuses the request ({said}): {}", self.endpoint.url())
    }

    /// Notes whether the service takes schemas, from an answer to a request in one form. A service that has answered a
    /// request with a schema may refuse single captions, and is asked with one for the others.
    fn note_schemas(&self, answered: Form, said: &str) {
        if answered == Form::Schema {
            self.has_schemas.store(true, Ordering::Relaxed);
        } else if !self.has_schemas.load(Ordering::Relaxed) && !self.has_no_schemas.swap(true, Ordering::Relaxed) {
            tracing::warn!("the service takes no JSON schema ({said}); the rules describe the form");
        }
    }

    /// Reads a caption that no other thread reads.
    fn read_alone(&self, caption: &str) -> Result<LlmReading> {
        let mut first_answer = None;
        let mut refused = Vec::new();
        for _ in 0..2 {
            // Without an answer, the same request would bring none again.
            let Some(answer) = self.ask(caption, &refused)? else { break };
            let checked = self.check(caption, &answer);
            // Small models leave out all terms once some were refused.
            let is_given_up = !refused.is_empty() && answer.is_empty();
            first_answer.get_or_insert(answer);
            if is_given_up {
                break;
            }
            if checked.refused.is_empty() {
                return Ok(LlmReading { first_answer, extraction: checked.extraction });
            }
            refused = checked.refused;
            refused.sort_unstable();
            refused.dedup();
        }
        self.counters.by_lexicon.fetch_add(1, Ordering::Relaxed);
        Ok(LlmReading { first_answer, extraction: lexicon_reader::read(self.lexicon, caption) })
    }
}

impl Extractor for LlmReader<'_> {
    fn extract(&self, caption: &str) -> Result<Extraction> {
        Ok(self.read(caption)?.extraction)
    }

    fn llm_counts(&self) -> Option<LlmCounts> {
        Some(self.counts())
    }
}

/// Requests, tokens and their price, before anything is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Distinct captions: one request each, a second one if terms are refused.
    pub n_requests: u64,
    pub n_tokens_in: u64,
    /// At most; a usual answer has a quarter of it.
    pub n_tokens_out: u64,
}

/// Estimates the requests for captions, each counted once.
pub fn estimate<'a>(captions: impl Iterator<Item = &'a str>, model: &str, lexicon: &Lexicon) -> Estimate {
    let prompt = Prompt::new(model, lexicon);
    let mut seen = std::collections::HashSet::new();
    let mut estimate = Estimate::default();
    for caption in captions.filter(|caption| seen.insert(*caption)) {
        estimate.n_requests += 1;
        estimate.n_tokens_in += prompt.n_tokens(caption);
        estimate.n_tokens_out += u64::from(MAX_ANSWER_TOKENS);
    }
    estimate
}
