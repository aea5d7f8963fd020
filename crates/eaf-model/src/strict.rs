//! Reading that is stricter than serde's default.
//!
//! What: an object must be written as an object (serde would take a list of its fields as well), and a map names each
//! key once (serde would keep the last). Why: both are slips of the pen that would otherwise run with other settings
//! than were meant. Absent: checks of values.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Reads a struct that is written as an object.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(ObjectOnly(deserializer))
}

struct ObjectOnly<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Reads a map of texts in which every key stands once.
pub(crate) fn unique_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_map(Unique { value: PhantomData::<String>, expecting: "a map of texts" })
}

/// Reads a map in which every key stands once and every value is written as an object.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    deserializer.deserialize_map(Unique { value: Object(PhantomData), expecting: "a map of objects" })
}

/// A map in which every key stands once.
struct Unique<S> {
    /// How each value is read.
    value: S,
    expecting: &'static str,
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Unique<S> {
    type Value = BTreeMap<String, S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.value)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice")));
            }
            map.insert(key, value);
        }
        Ok(map)
    }
}

/// A value that is written as an object.
struct Object<T>(PhantomData<T>);

impl<T> Clone for Object<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Object<T> {}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Object<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        object(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Policy, WorkloadSpec};

    #[test]
    fn objects_are_objects_and_keys_stand_once() {
        let check = |text: &str, expect: bool| {
            assert_eq!(serde_json::from_str::<WorkloadSpec>(text).is_ok(), expect, "{text}");
        };
        let with = |field: &str| format!(r#"{{"run":{{"script":"x"}},{field}}}"#);
        check(&with(r#""task":{"cpu":5,"accelerators":{"count":1}}"#), true);
        check(&with(r#""task":[5]"#), false);
        check(&with(r#""task":{"accelerators":[1]}"#), false);
        check(&with(r#""environment":{"A":"1","B":"1"},"labels":{"a":"b"}"#), true);
        check(&with(r#""environment":{"A":"1","A":"1"}"#), false);
        check(&with(r#""labels":{"a":"b","a":"c"}"#), false);
    }

    #[test]
    fn a_policy_is_made_of_objects() {
        let check = |text: &str, expect: bool| {
            let text = format!(r#"{{"half_life":1,"reservations":{{}},"maintenance":{{}},"shares":{text}}}"#);
            assert_eq!(serde_json::from_str::<Policy>(&text).is_ok(), expect, "{text}");
        };
        check(r#"{"a":{"accelerators":{"H200":{"guaranteed":1}}}}"#, true);
        check(r#"{"a":[]}"#, false);
        check(r#"{"a":{"accelerators":{"H200":[1]}}}"#, false);
        check(r#"{"a":{},"a":{"weight":2}}"#, false);
    }
}
