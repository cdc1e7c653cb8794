//! The scalars of one step, as a JSON object on one line: `{"step":12,"epoch":0,"wall_secs":1763930000.5,"loss":2.5}`.

use std::collections::HashSet;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Keys of the line that are not scalars.
const RESERVED: [&str; 3] = ["step", "epoch", "wall_secs"];

/// Figures of one step.
///
/// A value that is not finite is written as `null` and read back as NaN, since JSON knows neither NaN nor infinity.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The optimizer update that the scalars belong to.
    pub step: u64,
    pub epoch: u64,
    /// When it was measured, in seconds since 1970, so that times after a resume continue.
    pub wall_secs: f64,
    /// Names and values, in the order in which they are written.
    pub scalars: Vec<(String, f64)>,
}

impl Record {
    /// A record measured now.
    pub fn now(step: u64, epoch: u64, scalars: Vec<(String, f64)>) -> Self {
        Self { step, epoch, wall_secs: unix_secs(), scalars }
    }

    /// The first scalar of that name.
    pub fn scalar(&self, name: &str) -> Option<f64> {
        self.scalars.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The record as one line, newline included.
    ///
    /// # Errors
    /// Two scalars of one name, or one named as a field of the line: a reader could not tell them apart.
    pub(super) fn to_line(&self) -> Result<String> {
        let mut seen = HashSet::from(RESERVED);
        for (name, _) in &self.scalars {
            ensure!(seen.insert(name), "the record of step {} has {name:?} twice", self.step);
        }
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// Seconds since 1970 by the system's clock; 0 if the clock is before that.
pub(super) fn unix_secs() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(RESERVED.len() + self.scalars.len()))?;
        map.serialize_entry("step", &self.step)?;
        map.serialize_entry("epoch", &self.epoch)?;
        map.serialize_entry("wall_secs", &self.wall_secs)?;
        for (name, value) in &self.scalars {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

// By hand, because serde's `flatten` goes through a map that does not keep the order of the scalars.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object with a step, an epoch, wall_secs and scalars")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let (mut step, mut epoch, mut wall_secs, mut scalars) = (None, None, None, Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "step" => step = Some(map.next_value()?),
                "epoch" => epoch = Some(map.next_value()?),
                "wall_secs" => wall_secs = Some(map.next_value()?),
                _ => scalars.push((key, map.next_value::<Option<f64>>()?.unwrap_or(f64::NAN))),
            }
        }
        Ok(Record {
            step: step.ok_or_else(|| A::Error::missing_field("step"))?,
            epoch: epoch.ok_or_else(|| A::Error::missing_field("epoch"))?,
            wall_secs: wall_secs.ok_or_else(|| A::Error::missing_field("wall_secs"))?,
            scalars,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(scalars: &[(&str, f64)]) -> Record {
        let scalars = scalars.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        Record { step: 12, epoch: 3, wall_secs: 1.5, scalars }
    }

    #[test]
    fn line_keeps_the_order_of_the_scalars() {
        let record = record(&[("loss", 2.5), ("a", -1e-9), ("lr", 1e-4)]);
        let line = record.to_line().unwrap();
        assert_eq!(line, "{\"step\":12,\"epoch\":3,\"wall_secs\":1.5,\"loss\":2.5,\"a\":-1e-9,\"lr\":0.0001}\n");
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }

    #[test]
    fn what_is_not_finite_is_null_and_comes_back_as_nan() {
        let line = record(&[("a", f64::NAN), ("b", f64::INFINITY), ("c", 1.0)]).to_line().unwrap();
        assert!(line.contains("\"a\":null,\"b\":null,\"c\":1.0"), "{line}");
        let read: Record = serde_json::from_str(&line).unwrap();
        assert!(read.scalar("a").unwrap().is_nan() && read.scalar("b").unwrap().is_nan());
        assert_eq!(read.scalar("c"), Some(1.0));
        assert_eq!(read.scalar("d"), None);
    }

    #[test]
    fn names_that_a_reader_would_confuse_are_refused() {
        for names in [["loss", "loss"], ["loss", "step"], ["epoch", "loss"], ["wall_secs", "loss"]] {
            let error = record(&names.map(|name| (name, 1.0))).to_line().unwrap_err();
            assert!(error.to_string().contains("twice"), "{names:?}: {error}");
        }
    }

    #[test]
    fn missing_fields_and_wrong_types_are_errors() {
        for line in
            [r#"{"epoch":0,"wall_secs":1}"#, r#"{"step":-1,"epoch":0,"wall_secs":1}"#, "[1]", r#"{"step":1"#]
        {
            assert!(serde_json::from_str::<Record>(line).is_err(), "{line}");
        }
        assert!(serde_json::from_str::<Record>(r#"{"step":1,"epoch":0,"wall_secs":1,"a":"b"}"#).is_err());
    }
}
