//! Charts as SVG, to be put into a page.
//!
//! What: lines over time or over a distribution, axes with round numbers, a legend; colours are left to the page's style
//! (`.s0`, `.s1`, … for series), so that it can be light or dark. Absent: scripts and outside files.

use std::fmt::Write;

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Points by rising x.
    pub points: Vec<(f64, f64)>,
}

/// How an axis is divided and labelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A count.
    Count,
    /// A share, 0 to 1, shown in percent.
    Share,
    /// Seconds, shown in days, hours, minutes or seconds.
    Time,
    /// Seconds, on a logarithmic axis from one second up.
    LogTime,
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What runs along the bottom.
    pub x: Scale,
    /// What runs up the side.
    pub y: Scale,
    /// At most eight lines can be told apart.
    pub lines: Vec<Line>,
    /// True where a line holds its value until the next point.
    pub steps: bool,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;

/// An axis: its ends, and where it is marked.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    marks: Vec<f64>,
}

impl Axis {
    fn of(scale: Scale, most: f64) -> Self {
        match scale {
            Scale::LogTime => {
                let high = most.max(10.0);
                let marks = [1.0, 10.0, 60.0, 600.0, 3_600.0, 36_000.0, 86_400.0, 864_000.0, 8_640_000.0];
                Self { scale, low: 1.0, high, marks: marks.into_iter().filter(|mark| *mark <= high).collect() }
            }
            Scale::Share => Self::even(scale, most, &[0.05, 0.1, 0.25]),
            Scale::Time => {
                let (minute, hour, day) = (60.0, 3_600.0, 86_400.0);
                let steps = [
                    1.0,
                    10.0,
                    minute,
                    10.0 * minute,
                    hour,
                    6.0 * hour,
                    day,
                    2.0 * day,
                    7.0 * day,
                    14.0 * day,
                    30.0 * day,
                    90.0 * day,
                    365.0 * day,
                    3_650.0 * day,
                ];
                Self::even(scale, most, &steps)
            }
            Scale::Count => {
                let steps: Vec<f64> = (0..12).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10_f64.powi(e))).collect();
                Self::even(scale, most, &steps)
            }
        }
    }

    /// Marks at whole multiples of the first step that gives at most six of them.
    fn even(scale: Scale, most: f64, steps: &[f64]) -> Self {
        let most = most.max(steps[0]);
        let step = steps.iter().copied().find(|step| most / step <= 6.0).unwrap_or(most);
        let whole = if scale == Scale::Time { most } else { (most / step).ceil() * step };
        let high = if scale == Scale::Share { whole.min(1.0).max(step) } else { whole };
        let mut marks = Vec::new();
        let mut mark = 0.0;
        while mark <= high * 1.000_001 {
            marks.push(mark);
            mark += step;
        }
        Self { scale, low: 0.0, high, marks }
    }

    /// Where a value lies between the ends, 0 to 1.
    fn at(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::LogTime => value.max(1.0).ln() / self.high.ln(),
            _ => (value - self.low) / (self.high - self.low),
        };
        place.clamp(0.0, 1.0)
    }

    fn label(&self, mark: f64) -> String {
        match self.scale {
            Scale::Share => format!("{:.0} %", mark * 100.0),
            Scale::Time | Scale::LogTime => time(mark),
            Scale::Count if mark >= 1e6 => format!("{}M", mark / 1e6),
            Scale::Count if mark >= 1e3 => format!("{}k", mark / 1e3),
            Scale::Count => format!("{mark}"),
        }
    }
}

/// Seconds in their largest unit.
fn time(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    let (unit, name) = units.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1.0, "s"));
    format!("{} {name}", (seconds / unit * 10.0).round() / 10.0)
}

impl Chart {
    /// False where every line lies on the ground: of counts and shares the heights are zero, of waits the lengths.
    pub fn has_shape(&self) -> bool {
        let log = self.x == Scale::LogTime;
        let points = self.lines.iter().flat_map(|line| &line.points);
        points.map(|(x, y)| if log { *x } else { *y }).any(|height| height > 0.0)
    }

    /// The chart as an SVG element.
    pub fn svg(&self, label: &str) -> String {
        let most = |of: fn(&(f64, f64)) -> f64| {
            let values = self.lines.iter().flat_map(|line| line.points.iter().map(of));
            values.filter(|value| value.is_finite()).fold(0.0, f64::max)
        };
        let (x, y) = (Axis::of(self.x, most(|point| point.0)), Axis::of(self.y, most(|point| point.1)));
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" class=\"chart\">",
            escaped(label)
        );
        frame(&mut svg, &x, &y);
        for (index, line) in self.lines.iter().enumerate() {
            let _ = write!(svg, "<path class=\"line s{}\" d=\"{}\"/>", index % 8, self.path(line, &x, &y));
        }
        svg.push_str("</svg>");
        svg
    }

    fn path(&self, line: &Line, x: &Axis, y: &Axis) -> String {
        let mut path = String::new();
        for (n, (px, py)) in line.points.iter().enumerate() {
            let (px, py) = (across(x, *px), up(y, *py));
            match (n, self.steps) {
                (0, _) => write!(path, "M{px:.1} {py:.1}"),
                (_, true) => write!(path, "H{px:.1}V{py:.1}"),
                (_, false) => write!(path, "L{px:.1} {py:.1}"),
            }
            .expect("memory takes text");
        }
        path
    }
}

fn across(axis: &Axis, value: f64) -> f64 {
    LEFT + axis.at(value) * (WIDTH - LEFT - RIGHT)
}

fn up(axis: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - axis.at(value) * (HEIGHT - TOP - BOTTOM)
}

fn frame(svg: &mut String, x: &Axis, y: &Axis) {
    for mark in &y.marks {
        let (at, label) = (up(y, *mark), y.label(*mark));
        let right = WIDTH - RIGHT;
        let _ = write!(svg, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    for mark in &x.marks {
        let (at, label) = (across(x, *mark), x.label(*mark));
        let bottom = HEIGHT - BOTTOM;
        let _ = write!(svg, "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            HEIGHT - 8.0
        );
    }
}

/// A text that can stand in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_marks() {
        let check = |scale, most, expect: &[&str]| {
            let axis = Axis::of(scale, most);
            let labels: Vec<String> = axis.marks.iter().map(|mark| axis.label(*mark)).collect();
            assert_eq!(labels, expect, "{scale:?} to {most}");
        };
        check(Scale::Share, 0.93, &["0 %", "25 %", "50 %", "75 %", "100 %"]);
        check(Scale::Count, 4_300.0, &["0", "1k", "2k", "3k", "4k", "5k"]);
        check(Scale::Time, 200_000.0, &["0 s", "1 d", "2 d"]);
        check(Scale::LogTime, 5_000.0, &["1 s", "10 s", "1 min", "10 min", "1 h"]);
    }

    #[test]
    fn a_chart_draws_within_its_frame() {
        let points = vec![(0.0, 0.0), (10.0, f64::from(u32::MAX)), (20.0, 3.0)];
        let lines = vec![Line { name: "a".to_owned(), points }];
        let svg = Chart { x: Scale::Time, y: Scale::Count, lines, steps: true }.svg("\"<x>\"");
        assert!(svg.contains("aria-label=\"&quot;&lt;x>&quot;\"") && svg.contains("class=\"line s0\""));
    }
}
