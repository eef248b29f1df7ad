//! Results by Region.

use crate::domain::limits::MAX_CONCURRENCY;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::future::Future;

use futures_util::stream::{self, StreamExt};

use crate::domain::{Operation, Region};
use crate::error::Error;

/// Results of the same operation in several Regions. A failure in one Region does not hide the
/// successes in others.
#[derive(Debug)]
#[must_use = "some Regions may have failed"]
pub struct ByRegion<T>(BTreeMap<Region, Result<T, Error>>);

impl<T> ByRegion<T> {
    /// Returns an iterator over all Regions with their results, in order.
    pub fn iter(&self) -> btree_map::Iter<'_, Region, Result<T, Error>> {
        self.0.iter()
    }

    /// Returns the result of one Region, or `None` for a Region that was not requested.
    #[must_use]
    pub fn get(&self, region: &Region) -> Option<&Result<T, Error>> {
        self.0.get(region)
    }

    /// Returns the Regions that failed, with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&Region, &Error)> {
        self.0.iter().filter_map(|(region, result)| result.as_ref().err().map(|error| (region, error)))
    }

    /// Returns the results of all Regions.
    #[must_use]
    pub fn into_inner(self) -> BTreeMap<Region, Result<T, Error>> {
        self.0
    }

    /// Returns the values of all Regions, or an error if any Region failed.
    ///
    /// # Errors
    ///
    /// The error of the first Region, in order, that failed, with the errors of the other Regions
    /// in [`related`](Error::related).
    pub fn into_result(self) -> Result<BTreeMap<Region, T>, Error> {
        let results = self.0.into_iter().map(|(region, result)| result.map(|success| (region, success)));
        Error::all(results).map(BTreeMap::from_iter)
    }
}

/// Returns each Region once.
pub(crate) fn unique_regions(regions: &[Region], operation: Operation) -> Result<BTreeSet<&Region>, Error> {
    if regions.is_empty() {
        return Err(Error::invalid_input("Regions", "at least one").with_operation(operation));
    }
    Ok(regions.iter().collect())
}

/// Runs the same operation in every Region concurrently. The results are in the order of the
/// Regions.
pub(crate) fn for_each_region<'r, T, F>(
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
    stream::iter(jobs).buffered(MAX_CONCURRENCY).collect()
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
