/// Result of ensuring that a resource exists as defined, with the resource as AWS shows it now.
///
/// `T` is [`DataSync`](crate::ports::DataSync) or [`Role`](crate::ports::Role).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EnsureOutcome<T> {
    /// The resource existed as defined; nothing was written.
    ///
    /// An attribute that AWS does not show counts as equal once this handle has written it.
    Unchanged(T),
    /// The resource was created.
    Created(T),
    /// The resource was changed in place.
    Updated(T),
}

impl<T> EnsureOutcome<T> {
    /// Returns the resource as AWS shows it now.
    #[must_use]
    pub fn get(&self) -> &T {
        match self {
            Self::Unchanged(resource) | Self::Created(resource) | Self::Updated(resource) => resource,
        }
    }

    /// Returns the resource as AWS shows it now, by value.
    #[must_use]
    pub fn into_inner(self) -> T {
        match self {
            Self::Unchanged(resource) | Self::Created(resource) | Self::Updated(resource) => resource,
        }
    }
}
