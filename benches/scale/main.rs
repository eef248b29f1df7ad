//! What jobs cost by the size of an organization: calls, round trips one after the other, and time at AWS's rates.
//!
//! `cargo bench --bench scale` prints `docs/scale.md`; with `-- --write` it writes that file and its picture, with `-- --check` it holds both
//! against what comes out now. Time is tokio's, paused: it passes only where something waits, and the same run takes the same time on every machine.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on panics")]

mod cost;
mod job;
mod page;
mod picture;
mod retrying;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use cost::{AtRates, Cost};
use job::{Job, Size};

/// Costs by one measure of an organization, the others being as small as they get.
struct Sweep {
    by: By,
    sizes: Vec<usize>,
    /// For each job, in the order of [`Job::ALL`], one for each size.
    costs: Vec<Vec<Cost>>,
}

#[derive(Clone, Copy)]
enum By {
    Accounts,
    Regions,
    Pages,
}

impl By {
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

/// Everything that is measured.
struct Results {
    sweeps: Vec<Sweep>,
    /// By pages: for each job at AWS's rates, with so many attempts at a call, one for each size.
    at_rates: Vec<(Job, u32, Vec<AtRates>)>,
}

fn measure() -> Results {
    let sweeps = By::ALL.into_iter().map(By::sweep).collect();
    let pages = By::Pages.sizes();
    let at_rates = Job::AT_RATES.into_iter().flat_map(|job| [3, 10].map(|attempts| (job, attempts)));
    let at_rates = at_rates.map(|(job, attempts)| {
        let outcomes = pages.iter().map(|size| cost::at_rates(job, By::Pages.of(*size), attempts)).collect();
        (job, attempts, outcomes)
    });
    Results { sweeps, at_rates: at_rates.collect() }
}

fn main() -> io::Result<ExitCode> {
    let results = measure();
    let page = page::page(&results);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = [(docs.join("scale.md"), &page), (docs.join("scale.svg"), &picture::picture(&results))];
    let asked = |what: &str| env::args().any(|argument| argument == what);
    if asked("--write") {
        fs::create_dir_all(&docs)?;
        for (path, text) in files {
            fs::write(path, text)?;
        }
    } else if asked("--check") {
        for (path, text) in files {
            if fs::read_to_string(&path)? != *text {
                eprintln!(
                    "{}: no longer so; `cargo bench --bench scale -- --write`, and read the diff",
                    path.display()
                );
                return Ok(ExitCode::FAILURE);
            }
        }
    } else {
        println!("{page}");
    }
    Ok(ExitCode::SUCCESS)
}
