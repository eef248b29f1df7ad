//! One answer for each Region.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::future::Future;

use futures_util::stream::{self, StreamExt};

use crate::domain::Region;
use crate::error::{Error, ErrorKind};
use crate::ports::Operation;

/// How many calls in Regions are made at once: as many as there are Regions, for two accounts.
pub(crate) const AT_ONCE: usize = 80;

/// What came of the same thing in several Regions. One Region's failure hides no other's success.
#[derive(Debug)]
#[must_use = "some Regions may have failed"]
pub struct ByRegion<T>(BTreeMap<Region, Result<T, Error>>);

impl<T> ByRegion<T> {
    /// Every Region with its result, in order.
    pub fn iter(&self) -> btree_map::Iter<'_, Region, Result<T, Error>> {
        self.0.iter()
    }

    /// One Region's result; `None` for a Region that was not asked for.
    #[must_use]
    pub fn get(&self, region: &Region) -> Option<&Result<T, Error>> {
        self.0.get(region)
    }

    /// The Regions that failed, with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&Region, &Error)> {
        self.0.iter().filter_map(|(region, result)| result.as_ref().err().map(|error| (region, error)))
    }

    /// Every Region's result.
    #[must_use]
    pub fn into_inner(self) -> BTreeMap<Region, Result<T, Error>> {
        self.0
    }

    /// All or nothing: every Region's success, or an error.
    ///
    /// # Errors
    ///
    /// The error of the first Region, in order, that failed, with those of the other Regions in [`further`](Error::further).
    pub fn into_result(self) -> Result<BTreeMap<Region, T>, Error> {
        let results = self.0.into_iter().map(|(region, result)| result.map(|success| (region, success)));
        Error::all(results).map(BTreeMap::from_iter)
    }

    pub(crate) fn map<U>(self, mut map: impl FnMut(T) -> U) -> ByRegion<U> {
        ByRegion(self.0.into_iter().map(|(region, result)| (region, result.map(&mut map))).collect())
    }
}

/// Each Region once.
pub(crate) fn distinct(regions: &[Region], operation: Operation) -> Result<BTreeSet<&Region>, Error> {
    if regions.is_empty() {
        return Err(Error::of(ErrorKind::InvalidInput).at(operation).with_message("no Region is named"));
    }
    Ok(regions.iter().collect())
}

/// The same in every Region at once; the answers in the Regions' order.
pub(crate) fn each<'r, T, F>(
    regions: BTreeSet<&'r Region>,
    job: impl Fn(&'r Region) -> F,
) -> impl Future<Output = Vec<(&'r Region, T)>>
where
    F: Future<Output = T>,
{
    let with = |region| {
        let job = job(region);
        async move { (region, job.await) }
    };
    let jobs: Vec<_> = regions.into_iter().map(with).collect();
    stream::iter(jobs).buffered(AT_ONCE).collect()
}

impl<T> FromIterator<(Region, Result<T, Error>)> for ByRegion<T> {
    fn from_iter<I: IntoIterator<Item = (Region, Result<T, Error>)>>(results: I) -> Self {
        Self(results.into_iter().collect())
    }
}

impl<T> IntoIterator for ByRegion<T> {
    type Item = (Region, Result<T, Error>);
    type IntoIter = btree_map::IntoIter<Region, Result<T, Error>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a ByRegion<T> {
    type Item = (&'a Region, &'a Result<T, Error>);
    type IntoIter = btree_map::Iter<'a, Region, Result<T, Error>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
