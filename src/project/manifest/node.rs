//! The second pass's view of a table: typed values with their places, and defaults from the schema.
//! What is of the wrong type reads as left out; the first pass has reported it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::duration;
use super::schema::{Table, Type};
use super::walk::integer;

/// A value and where it is.
#[derive(Debug, Clone)]
pub(super) struct Spot<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// One key of a table whose keys the project chooses.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) key_span: Range<usize>,
    pub(super) value: Spot<&'a DeValue<'a>>,
}

/// A table that is in the manifest, or is not.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) schema: &'static Table,
    table: Option<&'a DeTable<'a>>,
    pub(super) span: Range<usize>,
}

impl<'a> Node<'a> {
    pub(super) fn new(schema: &'static Table, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        let table = Some(table);
        Self {
            schema,
            table,
            span,
        }
    }

    /// A table in which everything is left out.
    pub(super) fn absent(schema: &'static Table) -> Self {
        Self {
            schema,
            table: None,
            span: 0..0,
        }
    }

    /// The value of `key`, whatever it is.
    pub(super) fn get(&self, key: &str) -> Option<Spot<&'a DeValue<'a>>> {
        debug_assert!(
            self.schema.key(key).is_some(),
            "`{key}` is not in the schema of [{}]",
            self.schema.title
        );
        let value = self.table?.get(key)?;
        Some(Spot {
            value: value.get_ref(),
            span: value.span(),
        })
    }

    /// Where `key` itself is written.
    pub(super) fn key_span(&self, key: &str) -> Option<Range<usize>> {
        Some(self.table?.get_key_value(key)?.0.span())
    }

    pub(super) fn text(&self, key: &str) -> Option<Spot<&'a str>> {
        self.get(key)?.text()
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.value.as_bool()
    }

    /// A whole number that is within the range of the schema.
    pub(super) fn number<T: TryFrom<i64>>(&self, key: &str) -> Option<Spot<T>> {
        let spot = self.get(key)?;
        let number = integer(spot.value.as_integer()?)?;
        if let Some(Type::Integer(min, max)) = self.schema.key(key).map(|key| &key.ty)
            && (number < *min || number > *max)
        {
            return None;
        }
        Some(Spot {
            value: T::try_from(number).ok()?,
            span: spot.span,
        })
    }

    /// A number, or its default in the schema.
    pub(super) fn number_or_default(&self, key: &str) -> u32 {
        self.number(key).map_or_else(
            || self.default(key).parse().unwrap_or_default(),
            |spot| spot.value,
        )
    }

    /// A duration in ms, or its default in the schema.
    pub(super) fn duration(&self, key: &str) -> u64 {
        self.text(key)
            .and_then(|spot| duration::parse(spot.value))
            .or_else(|| duration::parse(self.default(key)))
            .unwrap_or_default()
    }

    /// A word, or its default in the schema.
    pub(super) fn choice(&self, key: &str) -> &'a str {
        self.text(key).map_or(self.default(key), |spot| spot.value)
    }

    /// A list; the items of other types than text are left out.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<Spot<&'a str>>> {
        let items = self.items(key)?;
        Some(items.iter().filter_map(Spot::text).collect())
    }

    /// A list.
    pub(super) fn items(&self, key: &str) -> Option<Vec<Spot<&'a DeValue<'a>>>> {
        self.get(key)?.items()
    }

    /// A table with known keys; everything is left out of one that is not there.
    pub(super) fn node(&self, key: &str, schema: &'static Table) -> Node<'a> {
        self.get(key)
            .and_then(|spot| spot.node(schema))
            .unwrap_or_else(|| Node::absent(schema))
    }

    /// A table whose keys the project chooses, in the order of the file.
    pub(super) fn entries(&self, key: &str) -> Vec<Entry<'a>> {
        let Some(DeValue::Table(table)) = self.get(key).map(|spot| spot.value) else {
            return Vec::new();
        };
        let mut entries: Vec<Entry<'a>> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref(),
                key_span: key.span(),
                value: Spot {
                    value: value.get_ref(),
                    span: value.span(),
                },
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        entries
    }

    fn default(&self, key: &str) -> &'static str {
        self.schema.key(key).map_or("", |key| key.default_text())
    }
}

impl<'a> Spot<&'a DeValue<'a>> {
    pub(super) fn text(&self) -> Option<Spot<&'a str>> {
        Some(Spot {
            value: self.value.as_str()?,
            span: self.span.clone(),
        })
    }

    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let items = self.value.as_array()?.iter().map(|item| Spot {
            value: item.get_ref(),
            span: item.span(),
        });
        Some(items.collect())
    }

    pub(super) fn node(&self, schema: &'static Table) -> Option<Node<'a>> {
        Some(Node::new(schema, self.value.as_table()?, self.span.clone()))
    }
}
