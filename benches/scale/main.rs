//! Cost of jobs by the size of an organization: calls, sequential round trips, and time at AWS's
//! rates.
//!
//! `cargo bench --bench scale` prints `docs/scale.md`. With `-- --write` it writes that file, and
//! with `-- --check` it compares the file with the output. The jobs run in tokio's paused time,
//! which passes only while a call or a pause waits, so the times are the same on every machine.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on panics")]

mod cost;
mod job;
mod page;
mod retrying;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use cost::{Cost, ThrottledCost};
use job::{Job, Size};

/// Costs by one measure of an organization. The other measures have their smallest value.
struct Sweep {
    by: Measure,
    sizes: Vec<usize>,
    /// One row for each job, in the order of [`Job::ALL`], with one cost for each size.
    costs: Vec<Vec<Cost>>,
}

#[derive(Clone, Copy)]
enum Measure {
    Accounts,
    Regions,
    Pages,
}

impl Measure {
    const ALL: [Self; 3] = [Self::Accounts, Self::Regions, Self::Pages];

    fn sizes(self) -> &'static [usize] {
        match self {
            Self::Accounts => &[10, 100, 1_000, 10_000, 100_000],
            Self::Regions => &[1, 2, 5, 10, 20, 30],
            Self::Pages => &[1, 2, 3, 5, 10, 20],
        }
    }

    fn of(self, size: usize) -> Size {
        let smallest = Size { accounts: 10, regions: 1, pages: 1 };
        match self {
            Self::Accounts => Size { accounts: size, ..smallest },
            Self::Regions => Size { regions: size, ..smallest },
            Self::Pages => Size { pages: size, ..smallest },
        }
    }

    fn sweep(self) -> Sweep {
        let of_job = |job: &Job| self.sizes().iter().map(|size| cost::cost(*job, self.of(*size))).collect();
        Sweep { by: self, sizes: self.sizes().to_vec(), costs: Job::ALL.iter().map(of_job).collect() }
    }
}

/// All measurements.
struct Results {
    sweeps: Vec<Sweep>,
    /// Jobs at AWS's rates, with the number of attempts at a call and one cost for each number of
    /// pages.
    at_rates: Vec<(Job, u32, Vec<ThrottledCost>)>,
}

fn measure() -> Results {
    let sweeps = Measure::ALL.into_iter().map(Measure::sweep).collect();
    let pages = Measure::Pages.sizes();
    let at_rates = Job::AT_RATES.into_iter().flat_map(|job| [3, 10].map(|attempts| (job, attempts)));
    let at_rates = at_rates.map(|(job, attempts)| {
        let outcomes = pages.iter().map(|size| cost::at_rates(job, Measure::Pages.of(*size), attempts)).collect();
        (job, attempts, outcomes)
    });
    Results { sweeps, at_rates: at_rates.collect() }
}

fn main() -> io::Result<ExitCode> {
    let results = measure();
    let page = page::page(&results);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md");
    let asked = |option: &str| env::args().any(|argument| argument == option);
    if asked("--write") {
        fs::write(path, page)?;
    } else if asked("--check") {
        if fs::read_to_string(&path)? != page {
            eprintln!("{}: out of date; run `cargo bench --bench scale -- --write`", path.display());
            return Ok(ExitCode::FAILURE);
        }
    } else {
        println!("{page}");
    }
    Ok(ExitCode::SUCCESS)
}
