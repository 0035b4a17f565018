//! Registries of a program's own losses, penalties, augmentations and layers, by name.
//!
//! A recipe names a registered item as `own:NAME`. The registries are process-wide and filled by the program itself, before
//! it parses a recipe or opens a run: recipes are parsed in many commands (training, resuming, sampling, judging), which all
//! need the same names. Registering a name again replaces the item for recipes parsed later; existing nets and recipes keep
//! theirs. Items are never freed.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use faussaire_data::did_you_mean;
use faussaire_data::error::{Error, Result};

/// The prefix of registered names in recipes.
pub const PREFIX: &str = "own:";

/// A registered item: a small handle that is compared and ordered by its name.
pub struct Own<T: ?Sized + 'static> {
    name: &'static str,
    item: &'static T,
}

impl<T: ?Sized> Own<T> {
    /// Its name in recipes, with the prefix `own:`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The item.
    pub fn item(self) -> &'static T {
        self.item
    }
}

impl<T: ?Sized> Clone for Own<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Own<T> {}

impl<T: ?Sized> std::fmt::Debug for Own<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl<T: ?Sized> PartialEq for Own<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<T: ?Sized> Eq for Own<T> {}

impl<T: ?Sized> PartialOrd for Own<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: ?Sized> Ord for Own<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

/// The registered items of one kind.
pub(crate) struct Registry<T: ?Sized + 'static> {
    /// The kind of item, for errors: "loss".
    what: &'static str,
    items: RwLock<BTreeMap<&'static str, Own<T>>>,
}

impl<T: ?Sized + Send + Sync> Registry<T> {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, items: RwLock::new(BTreeMap::new()) }
    }

    /// Registers `item` as `own:NAME`.
    pub(crate) fn register(&self, name: &str, item: Arc<T>) -> Result<()> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(fits) {
            return Err(Error::usage(
                format!("a {} can't be registered as `{name}`", self.what),
                "a name has lower-case letters, digits, `-` and `_`; a recipe puts `own:` in front of it",
            ));
        }
        let name: &'static str = Box::leak(format!("{PREFIX}{name}").into_boxed_str());
        let item: &'static Arc<T> = Box::leak(Box::new(item));
        self.items.write().unwrap_or_else(PoisonError::into_inner).insert(name, Own { name, item });
        Ok(())
    }

    /// The item called `name` in recipes.
    pub(crate) fn find(&self, name: &str) -> Option<Own<T>> {
        self.items.read().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    /// The names of all items.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.items.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// The error for an unknown `name`; `known` are the built-in names.
    pub(crate) fn unknown(&self, name: &str, known: &[&str]) -> String {
        let own = self.names();
        if name.starts_with(PREFIX) {
            let registered = if own.is_empty() { "none is".into() } else { format!("there is {}", own.join(", ")) };
            return format!(
                "the {} `{name}` is not registered ({registered}): it belongs to a program, which has to register it \
                 before it reads a recipe or a run",
                self.what
            );
        }
        let all: Vec<&str> = known.iter().copied().chain(own).collect();
        let meant = did_you_mean(name, all.iter().copied());
        let all: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
        format!("unknown variant `{name}`, no {} has this name: {meant}expected one of {}", self.what, all.join(", "))
    }
}

/// An enum of the items that recipes can name: built-in ones, each in its own file with a unit struct of the variant's name, and
/// registered ones.
macro_rules! named {
    (
        $(#[$head:meta])* $enum:ident, each a $trait:ident, called $what:literal, others in $own:ident:
        $($(#[$about:meta])* $variant:ident = $name:literal $(or $alias:literal)* in $module:ident,)*
    ) => {
        $(#[$head])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $enum {
            $($(#[$about])* $variant,)*
            /// A registered item.
            Own($crate::registry::Own<dyn $trait>),
        }

        static $own: $crate::registry::Registry<dyn $trait> = $crate::registry::Registry::new($what);

        impl $enum {
            /// All built-in items.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Their names in recipes, in the same order.
            pub const NAMES: &[&str] = &[$($name,)*];

            /// Other names that are read, with the names in recipes that they stand for.
            pub const ALIASES: &[(&str, &str)] = &[$($(($alias, $name),)*)*];

            /// Its name in recipes.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Own(own) => own.name(),
                }
            }

            /// The item called `name` in recipes; a registered name starts with `own:`.
            ///
            /// # Errors
            /// A sentence if the name is unknown, with the most similar name, or that it has not been registered.
            pub fn named(name: &str) -> std::result::Result<Self, String> {
                match name {
                    $($name $(| $alias)* => Ok(Self::$variant),)*
                    _ => $own.find(name).map(Self::Own).ok_or_else(|| $own.unknown(name, Self::NAMES)),
                }
            }

            /// The implementation.
            fn imp(self) -> &'static dyn $trait {
                match self {
                    $(Self::$variant => &$module::$variant,)*
                    Self::Own(own) => own.item(),
                }
            }
        }

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::named(&name).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_by_name_and_replaced() {
        let registry: Registry<str> = Registry::new("thing");
        assert!(registry.unknown("own:a", &[]).contains("is not registered (none is)"));
        registry.register("a", "first".into()).unwrap();
        let first = registry.find("own:a").unwrap();
        registry.register("a", "second".into()).unwrap();
        let second = registry.find("own:a").unwrap();
        assert_eq!((first.item(), second.item(), first == second), ("first", "second", true));
        assert!(registry.find("a").is_none());
        assert!(registry.unknown("own:b", &[]).contains("there is own:a"));
        assert!(registry.unknown("buildin", &["builtin"]).contains("did you mean `builtin`?"));
        for name in ["", "A", "a b", "own:a"] {
            assert!(registry.register(name, "x".into()).is_err(), "{name}");
        }
    }
}
