//! The results as a picture: a panel for each measure, times above and calls below, on logarithmic axes.

use std::fmt::Write;

use crate::cost::LATENCY;
use crate::job::Job;
use crate::page::grouped;
use crate::{By, Results, Sweep};

/// A job in the picture.
struct Drawn {
    job: Job,
    /// Its colours on a light and on a dark page.
    light: &'static str,
    dark: &'static str,
    /// Its mark, around the origin.
    mark: &'static str,
}

const DRAWN: [Drawn; 6] = [
    Drawn { job: Job::PlanOut, light: "#b03a5b", dark: "#ff8fab", mark: "M-4.2 3.5H4.2L0 -4.2Z" },
    Drawn { job: Job::PlanIn, light: "#7a4bb5", dark: "#c4a0ff", mark: "M0 -4.6 4.6 0 0 4.6 -4.6 0Z" },
    Drawn { job: Job::Offboard, light: "#b86a00", dark: "#ffb454", mark: "M-3.4 -3.4H3.4V3.4H-3.4Z" },
    Drawn {
        job: Job::Onboard,
        light: "#0b6fb8",
        dark: "#6cb8ff",
        mark: "M-3.8 0a3.8 3.8 0 1 0 7.6 0a3.8 3.8 0 1 0 -7.6 0Z",
    },
    Drawn { job: Job::CreateSyncs, light: "#1a7f4b", dark: "#5fd39a", mark: "M-4.2 -3.5H4.2L0 4.2Z" },
    Drawn {
        job: Job::Observe,
        light: "#57606a",
        dark: "#b0bac5",
        mark: "M-1.6 -4.2H1.6V-1.6H4.2V1.6H1.6V4.2H-1.6V1.6H-4.2V-1.6H-1.6Z",
    },
];

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 724.0;
const LEFT: f64 = 74.0;
const PANEL: (f64, f64) = (270.0, 212.0);
const GAP: f64 = 30.0;

/// What is drawn in a panel, and its place.
struct Panel {
    corner: (f64, f64),
    across: Axis,
    up: Axis,
}

/// A logarithmic axis.
struct Axis {
    from: f64,
    to: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    fn times() -> Self {
        let ticks = [(0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"), (60.0, "1 min")];
        Self { from: 0.07, to: 100.0, ticks: ticks.map(|(at, text)| (at, text.to_owned())).to_vec() }
    }

    fn calls() -> Self {
        let ticks = [1, 10, 100, 1_000].map(|at: u16| (f64::from(at), grouped(at.into())));
        Self { from: 0.8, to: 1_000.0, ticks: ticks.to_vec() }
    }

    fn sizes(sizes: &[usize]) -> Self {
        let ticks: Vec<_> = sizes.iter().map(|size| (number(*size), grouped(*size))).collect();
        let (from, to) = (ticks.first().map_or(1.0, |tick| tick.0), ticks.last().map_or(1.0, |tick| tick.0));
        // Room for the marks at both ends.
        let margin = (to / from).powf(0.04);
        Self { from: from / margin, to: to * margin, ticks }
    }

    /// Where a value is, from zero to one.
    fn place(&self, value: f64) -> f64 {
        (value / self.from).ln() / (self.to / self.from).ln()
    }
}

impl Panel {
    fn at(&self, (across, up): (f64, f64)) -> (f64, f64) {
        let (x, y) = self.corner;
        (x + PANEL.0 * self.across.place(across), y + PANEL.1 * (1.0 - self.up.place(up)))
    }

    /// The grid and its numbers.
    fn frame(&self, with_numbers: bool) -> String {
        let ((left, top), (width, height)) = (self.corner, PANEL);
        let (right, bottom) = (left + width, top + height);
        let mut svg = String::new();
        for (value, text) in &self.up.ticks {
            let (_, y) = self.at((self.across.from, *value));
            let _ = writeln!(svg, r#"<path class="grid" d="M{left:.1} {y:.1}H{right:.1}"/>"#);
            if with_numbers {
                let (x, y) = (left - 8.0, y + 4.0);
                let _ = writeln!(svg, r#"<text class="number" x="{x:.1}" y="{y:.1}" text-anchor="end">{text}</text>"#);
            }
        }
        for (value, text) in &self.across.ticks {
            let (x, _) = self.at((*value, self.up.from));
            let below = bottom + 18.0;
            let _ = writeln!(svg, r#"<path class="axis" d="M{x:.1} {bottom:.1}v5"/>"#);
            let _ =
                writeln!(svg, r#"<text class="number" x="{x:.1}" y="{below:.1}" text-anchor="middle">{text}</text>"#);
        }
        let _ = writeln!(svg, r#"<path class="axis" d="M{left:.1} {top:.1}V{bottom:.1}H{right:.1}"/>"#);
        svg
    }

    /// One job's line, with its mark at each point.
    fn line(&self, class: &str, points: &[(f64, f64)], mark: &str) -> String {
        let points: Vec<_> = points.iter().map(|point| self.at(*point)).collect();
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let mut svg = format!("<path class=\"line {class}\" d=\"M{}\"/>\n", path.join("L"));
        if !mark.is_empty() {
            for (x, y) in points {
                let _ =
                    writeln!(svg, r#"<path class="mark {class}" transform="translate({x:.1} {y:.1})" d="{mark}"/>"#);
            }
        }
        svg
    }
}

pub(crate) fn picture(results: &Results) -> String {
    let mut svg = head();
    for (sweep, column) in results.sweeps.iter().zip([0.0, 1.0, 2.0]) {
        let left = LEFT + column * (PANEL.0 + GAP);
        let across = || Axis::sizes(&sweep.sizes);
        let above = Panel { corner: (left, 132.0), across: across(), up: Axis::times() };
        let below = Panel { corner: (left, 424.0), across: across(), up: Axis::calls() };
        let is_first = left <= LEFT;
        svg += &above.frame(is_first);
        svg += &below.frame(is_first);
        let middle = left + PANEL.0 / 2.0;
        let by = caption(sweep.by);
        let _ = writeln!(svg, r#"<text class="caption" x="{middle:.1}" y="678" text-anchor="middle">{by}</text>"#);
        if let By::Pages = sweep.by {
            let _ = writeln!(svg, r#"<path class="line dashed plain" d="M{:.1} 170h26"/>"#, left + 14.0);
            let _ = writeln!(svg, r#"<text x="{:.1}" y="174">at AWS's rates</text>"#, left + 46.0);
        }
        for (index, Drawn { job, mark, .. }) in DRAWN.iter().enumerate() {
            let class = format!("j{index}");
            if let Some(throttled) = at_rates(results, sweep.by, *job) {
                svg += &above.line(&format!("{class} dashed"), &throttled, "");
            }
            let costs = || points(sweep, *job);
            let times: Vec<_> = costs().map(|(size, cost)| (size, cost.time.as_secs_f64())).collect();
            let calls: Vec<_> = costs().map(|(size, cost)| (size, number(cost.calls))).collect();
            svg += &above.line(&class, &times, mark);
            svg += &below.line(&class, &calls, mark);
        }
    }
    svg + "</svg>\n"
}

/// Ground, ink, faint ink and rules, on a light and on a dark page.
const GROUNDS: [[&str; 4]; 2] =
    [["#fff", "#1f2328", "#59636e", "#d8dee4"], ["#0d1117", "#f0f6fc", "#9198a1", "#30363d"]];

/// The colours. Written out, because not everything that shows pictures knows variables.
fn colours([ground, ink, faint, rule]: [&str; 4], of: impl Fn(&Drawn) -> &'static str) -> String {
    let mut css = format!(
        "text{{fill:{ink}}}.number,.note{{fill:{faint}}}.ground{{fill:{ground}}}.mark{{stroke:{ground}}}\
         .grid{{stroke:{rule}}}.axis{{stroke:{faint}}}.plain{{stroke:{ink}}}"
    );
    for (index, drawn) in DRAWN.iter().enumerate() {
        let colour = of(drawn);
        let _ = write!(css, ".line.j{index}{{stroke:{colour}}}.mark.j{index}{{fill:{colour}}}");
    }
    css
}

fn legend() -> String {
    let mut svg = String::new();
    let mut x = LEFT;
    for (index, Drawn { job, mark, .. }) in DRAWN.iter().enumerate() {
        let (title, middle, text) = (job.title(), x + 13.0, x + 32.0);
        let _ = writeln!(svg, r#"<path class="line j{index}" d="M{x:.1} 81h26"/>"#);
        let _ = writeln!(svg, r#"<path class="mark j{index}" transform="translate({middle:.1} 81)" d="{mark}"/>"#);
        let _ = writeln!(svg, r#"<text x="{text:.1}" y="85">{title}</text>"#);
        // About as wide as the text turns out to be.
        x += 66.0 + 6.8 * number(title.len());
    }
    svg
}

/// What is the same whatever the results are.
fn head() -> String {
    let [light, dark] = GROUNDS;
    let (light, dark) = (colours(light, |drawn| drawn.light), colours(dark, |drawn| drawn.dark));
    let (latency, legend) = (LATENCY.as_millis(), legend());
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title">
<title id="title">What jobs cost by accounts, Regions and pages of trusted services: time and calls</title>
<style>
svg{{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}}
.title{{font-size:20px;font-weight:600}}.row{{font-size:14px;font-weight:600}}.number,.note{{font-size:12px}}
.axis,.line{{fill:none}}.line{{stroke-width:2;stroke-linejoin:round}}.dashed{{stroke-dasharray:5 4;stroke-width:1.6}}
{light}
@media(prefers-color-scheme:dark){{{dark}}}
</style>
<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>
<text class="title" x="{LEFT}" y="36">What it costs in a large organization</text>
<text class="note" x="{LEFT}" y="56">Each column varies one measure; the others are 10 accounts, one Region with data syncs, one page. All axes are logarithmic.</text>
{legend}<text class="row" x="{LEFT}" y="120">Time, where a call takes {latency} ms</text>
<text class="row" x="{LEFT}" y="412">Calls of AWS</text>
<text class="note" x="{LEFT}" y="706">cargo bench --bench scale -- --write</text>
"#
    )
}

fn caption(by: By) -> &'static str {
    match by {
        By::Accounts => "accounts in the organization",
        By::Regions => "Regions with data syncs",
        By::Pages => "pages of trusted services, 20 to a page",
    }
}

fn points(sweep: &Sweep, job: Job) -> impl Iterator<Item = (f64, crate::cost::Cost)> {
    let costs = Job::ALL.into_iter().zip(&sweep.costs).filter(move |(other, _)| *other == job);
    costs.flat_map(|(_, costs)| sweep.sizes.iter().map(|size| number(*size)).zip(costs.iter().copied()))
}

/// The times at AWS's rates, with ten attempts, where they were measured.
fn at_rates(results: &Results, by: By, job: Job) -> Option<Vec<(f64, f64)>> {
    let By::Pages = by else { return None };
    let (.., outcomes) = results.at_rates.iter().find(|(other, attempts, _)| *other == job && *attempts == 10)?;
    let sizes = by.sizes().iter().map(|size| number(*size));
    Some(sizes.zip(outcomes).filter_map(|(size, at)| Some((size, at.median?.time.as_secs_f64()))).collect())
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
