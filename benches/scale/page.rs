//! The results as a page for people.

use std::fmt::Write;

use crate::cost::{Cost, LATENCY, RUNS};
use crate::job::Job;
use crate::{By, Results, Sweep};

const HEAD: &str = "\
# What it costs in a large organization

*Made by `cargo bench --bench scale -- --write` and held by the same with `--check`. Nothing on this page was timed: the jobs run on the
organization in memory, in a time that passes only where something waits, so it is the same on every machine.*

![Time and calls of six jobs by accounts, Regions and pages of trusted services](scale.svg)

* **Accounts cost nothing.** No call lists them, and none is made for each of them.
* **Regions cost calls and hardly any time**, because they are spoken to at the same time.
* **Trusted services cost a call for every twenty**, each time that the listing is read: AWS cannot filter it. Past the
  burst that AWS allows, each call costs a second.

| job | what is done |
| --- | --- |
";

impl By {
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
        "\n## Calls, and how many of them wait for one another\n\n\
         A cell is *calls / round trips*: all calls, and those on the longest chain of calls that each wait for the one before. Nothing else takes\n\
         time, so at {} ms a call ten round trips take {} s. What is not in the column's head is the smallest: 10 accounts, one Region, one page.\n",
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

/// The last part: what AWS's rates add.
fn at_rates(results: &Results) -> String {
    let Some(Sweep { sizes, costs, .. }) = results.sweeps.iter().find(|sweep| matches!(sweep.by, By::Pages)) else {
        return String::new();
    };
    let unhindered =
        |job: Job| Job::ALL.into_iter().zip(costs).find(|(other, _)| *other == job).map(|(_, costs)| costs);
    let mut part = format!(
        "\n## Time at AWS's rates\n\n\
         [AWS allows an account](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html) one listing of the trusted\n\
         services a second, after a burst of three. What it throttles, the SDK tries again after a random part of a second, then of two, of four and\n\
         so on; three attempts in all, unless it is told otherwise. Here at {} ms a call: without any limit → at AWS's rates with ten attempts, the\n\
         median of {RUNS} runs that differ in those pauses. The rates of Systems Manager and IAM are not documented.\n\n",
        LATENCY.as_millis(),
    );
    part += &head("pages", sizes);
    for (job, _, outcomes) in results.at_rates.iter().filter(|(_, attempts, _)| *attempts == 10) {
        let costs = unhindered(*job).into_iter().flatten().zip(outcomes);
        let cells = costs.map(|(cost, at_rates)| format!("{} → {}", time(Some(*cost)), time(at_rates.median)));
        part += &row(job.title(), cells);
    }
    let _ = write!(
        part,
        "\nOf the {RUNS} runs with the SDK's three attempts, so many failed, because a call was throttled at every attempt:\n\n"
    );
    part += &head("pages", sizes);
    for (job, _, outcomes) in results.at_rates.iter().filter(|(_, attempts, _)| *attempts == 3) {
        part += &row(job.title(), outcomes.iter().map(|at_rates| at_rates.gave_up.to_string()));
    }
    let patient = results.at_rates.iter().filter(|(_, attempts, _)| *attempts == 10);
    let gave_up: usize = patient.flat_map(|(.., outcomes)| outcomes).map(|at_rates| at_rates.gave_up).sum();
    let _ = write!(
        part,
        "\nWith ten attempts, {}. Whoever trusts more than twenty services says so:\n\
         `AwsClient::builder(&config).retry_config(RetryConfig::standard().with_max_attempts(10))`.\n",
        if gave_up == 0 { "none did".to_owned() } else { format!("{gave_up} did") },
    );
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

/// 100,000.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
