//! Writes the results as a Markdown page.

use std::fmt::Write;

use crate::cost::{Cost, LATENCY, RUNS};
use crate::job::Job;
use crate::{Measure, Results, Sweep};

const HEAD: &str = "\
# Cost by the size of an organization

`cargo bench --bench scale -- --write` generates this page, and `-- --check` compares it. The jobs run
on the simulator in paused time, so the figures are the same on every machine.

* **Accounts cost no calls.** No job lists the accounts or makes a call for each of them.
* **Regions cost calls, but hardly any time.** The calls in different Regions run concurrently.
* **Trusted services cost one call for every 20**, each time the crate lists them: AWS has no filter.
  Beyond the burst that AWS allows, each of these calls takes a second.

| job | steps |
| --- | --- |
";

impl Measure {
    fn heading(self) -> &'static str {
        match self {
            Self::Accounts => "By accounts",
            Self::Regions => "By Regions with data syncs",
            Self::Pages => "By pages of trusted services",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Regions => "Regions",
            Self::Pages => "pages",
        }
    }
}

pub(crate) fn page(results: &Results) -> String {
    let mut page = HEAD.to_owned();
    for job in Job::ALL {
        let _ = writeln!(page, "| {} | {} |", job.title(), job.explanation());
    }
    let _ = write!(
        page,
        "\n## Calls and sequential round trips\n\n\
         A cell shows *calls / round trips*: all calls, and the calls of the longest sequence in which each call\n\
         waits for the previous one. Only calls take time: with {} ms per call, ten round trips take {} s. The\n\
         other sizes are the smallest: 10 accounts, one Region, one page.\n",
        LATENCY.as_millis(),
        seconds(LATENCY.as_secs_f64() * 10.0),
    );
    for sweep in &results.sweeps {
        let _ = write!(page, "\n### {}\n\n{}", sweep.by.heading(), head(sweep.by.unit(), &sweep.sizes));
        for (job, costs) in Job::ALL.into_iter().zip(&sweep.costs) {
            let cells = costs.iter().map(|cost| format!("{} / {}", cost.calls, cost.round_trips()));
            page += &row(job.title(), cells);
        }
    }
    page + &at_rates(results)
}

/// Returns the last section: the time at AWS's rates.
fn at_rates(results: &Results) -> String {
    let Some(Sweep { sizes, costs, .. }) = results.sweeps.iter().find(|sweep| matches!(sweep.by, Measure::Pages))
    else {
        return String::new();
    };
    let unhindered =
        |job: Job| Job::ALL.into_iter().zip(costs).find(|(other, _)| *other == job).map(|(_, costs)| costs);
    let mut part = format!(
        "\n## Time at AWS's rates\n\n\
         [AWS allows an account](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html)\n\
         one listing of the trusted services a second, after a burst of three. The SDK retries a throttled call\n\
         after a random part of one second, then of two, of four and so on, with three attempts by default. After\n\
         the last attempt, this crate repeats the call until the wait limit, which applies to each call. A cell\n\
         shows the time without limits → the time at AWS's rates with ten attempts, with {} ms per call. It is the\n\
         median of {RUNS} runs with different pauses. The rates of Systems Manager and IAM are not documented.\n\n",
        LATENCY.as_millis(),
    );
    part += &head("pages", sizes);
    for (job, _, outcomes) in results.at_rates.iter().filter(|(_, attempts, _)| *attempts == 10) {
        let costs = unhindered(*job).into_iter().flatten().zip(outcomes);
        let cells = costs.map(|(cost, at_rates)| format!("{} → {}", time(Some(*cost)), time(at_rates.median)));
        part += &row(job.title(), cells);
    }
    let _ = write!(part, "\nFailed runs of {RUNS} with the SDK's three attempts:\n\n");
    part += &head("pages", sizes);
    for (job, _, outcomes) in results.at_rates.iter().filter(|(_, attempts, _)| *attempts == 3) {
        part += &row(job.title(), outcomes.iter().map(|at_rates| at_rates.gave_up.to_string()));
    }
    let patient = results.at_rates.iter().filter(|(_, attempts, _)| *attempts == 10);
    let gave_up: usize = patient.flat_map(|(.., outcomes)| outcomes).map(|at_rates| at_rates.gave_up).sum();
    let _ = write!(part, "\nWith ten attempts, {gave_up} of these runs fail.\n");
    part
}

fn head(unit: &str, sizes: &[usize]) -> String {
    let rule = "| ---: ".repeat(sizes.len());
    row(unit, sizes.iter().map(|size| grouped(*size))) + &format!("| --- {rule}|\n")
}

fn row(title: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("| {title} | {} |\n", cells.join(" | "))
}

fn time(cost: Option<Cost>) -> String {
    cost.map_or_else(|| "never".to_owned(), |cost| format!("{} s", seconds(cost.time.as_secs_f64())))
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1}") } else { format!("{seconds:.0}") }
}

/// Formats a number with thousands separators, like `100,000`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
