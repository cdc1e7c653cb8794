//! The options that set the server's limits, made from a table: each is a whole number with a bound.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use dermake_server::Limits;
use shared_model::labels::{MAX_LABEL_BYTES, MAX_LABELS};
use shared_model::preprocess::MAX_MEGAPIXELS;
use std::ops::RangeInclusive;

/// One limit: its option, whose variable has the same name, and its field.
struct LimitOption {
    name: &'static str,
    help: &'static str,
    range: RangeInclusive<u32>,
    field: fn(&mut Limits) -> &mut u32,
}

macro_rules! limits {
    ($($field:ident, $range:expr, $help:literal;)*) => {
        [$(LimitOption {
            name: stringify!($field),
            help: $help,
            range: $range,
            field: |limits| &mut limits.$field,
        }),*]
    };
}

static OPTIONS: [LimitOption; 17] = limits! {
    max_body_mib, 1..=1024, "Largest body of a request, in MiB";
    max_bodies_mib, 1..=1_000_000, "Largest memory for the bodies of all current requests together, in MiB";
    max_megapixels, 1..=MAX_MEGAPIXELS, "Largest image, in megapixels; read from its header before it is decoded";
    max_images, 1..=1024, "Largest number of images in a request";
    max_labels, 1..=MAX_LABELS as u32, "Largest number of custom labels, concepts or texts in a request";
    max_label_bytes, 1..=MAX_LABEL_BYTES as u32, "Longest label, concept, text or template, in bytes";
    max_prompts, 1..=100_000,
        "Largest number of sentences that a request may have encoded: its labels times its templates. Four times as \
         many may wait for one model";
    queue_length, 1..=100_000, "Largest number of images that wait for one model, decoded or not; at least --max-images";
    request_timeout_secs, 1..=3600, "Longest time for a model's answer, once the request has arrived, in seconds";
    body_timeout_secs, 1..=3600,
        "Longest pause within a request's body, in seconds; the whole body may take as long, and a second more for \
         each 64 KiB";
    header_timeout_secs, 1..=3600, "Longest time for a request's head to arrive, in seconds";
    idle_timeout_secs, 1..=3600,
        "Longest wait for the next request on an open connection, in seconds, or the time for its head if that is \
         longer. Behind a load balancer, more than the balancer's own idle timeout";
    write_timeout_secs, 1..=3600, "Longest time that a client may read nothing of its answer, in seconds";
    rate_per_sec, 0..=u32::MAX,
        "Requests to models that one client may send per second on average; 0 means no limit";
    rate_burst, 1..=u32::MAX, "Requests that one client may send at once, before --rate-per-sec applies";
    max_connections, 1..=1_000_000, "Largest number of open connections";
    max_connections_per_client, 1..=u32::MAX,
        "Largest number of open connections from one address; all clients behind a proxy share its address";
};

/// [`Limits`] as they are typed.
#[derive(Debug)]
pub struct LimitArguments(pub Limits);

impl Args for LimitArguments {
    fn augment_args(command: Command) -> Command {
        let arguments = OPTIONS.iter().map(LimitOption::argument);
        command.next_help_heading("Limits").args(arguments)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LimitArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut limits = Self(Limits::DEFAULT);
        limits.update_from_arg_matches(matches)?;
        Ok(limits)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for option in &OPTIONS {
            if let Some(value) = matches.get_one(option.name) {
                *(option.field)(&mut self.0) = *value;
            }
        }
        Ok(())
    }
}

impl LimitOption {
    fn argument(&self) -> Arg {
        let range = i64::from(*self.range.start())..=i64::from(*self.range.end());
        Arg::new(self.name)
            .long(self.name.replace('_', "-"))
            .env(format!("DERMAKE_{}", self.name.to_uppercase()))
            .value_name(self.name.to_uppercase())
            .default_value((self.field)(&mut Limits::default()).to_string())
            .value_parser(value_parser!(u32).range(range))
            .help(self.help)
    }
}
