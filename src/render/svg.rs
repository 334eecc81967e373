//! A series as a picture: its line, the band in which it usually lies, and the spans in which it deviated.
//!
//! One self-contained SVG file: no script, no font, no reference to anything outside. Not a chart library.

use tantei_engine::analysis::stats::Sample;
use tantei_engine::model::num::{index, real, real_signed};
use tantei_engine::model::text::plain;
use tantei_engine::model::time::{TimeSpan, Timestamp};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 320.0;
/// Left for the axis, and above for the title.
const LEFT: f64 = 84.0;
const TOP: f64 = 36.0;
const RIGHT: f64 = 16.0;
const BOTTOM: f64 = 40.0;

/// More columns than this nobody sees; of each the least and the greatest value are drawn, so that spikes stay.
const COLUMNS: f64 = 860.0;

/// The share of usual points left outside the band, on either side.
const BAND_TAIL: f64 = 0.01;

/// What is drawn.
#[derive(Debug)]
pub struct Picture<'a> {
    /// Above the picture; text from outside.
    pub title: &'a str,
    /// Points in time order; not finite where there is none.
    pub points: &'a [(Timestamp, f64)],
    /// When it was as usual; the band is made of these times. Empty: all but the deviating spans.
    pub usual: &'a [TimeSpan],
    /// When it deviated.
    pub deviating: &'a [TimeSpan],
}

/// Draws it.
#[must_use]
pub fn draw(picture: &Picture<'_>) -> String {
    let points: Vec<_> = picture.points.iter().copied().filter(|(_, v)| v.is_finite()).collect();
    let band = band(picture, &points);
    let all = Sample::new(points.iter().map(|(_, v)| *v).chain([band.0, band.1]));
    let plane = Plane::new(&points, all.min(), all.max());
    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| out.push_str(&format!("{text}\n"));
    let title = escape(&plain(picture.title));
    put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"12\">"
    ));
    put(format_args!("<title>{title}</title>"));
    put(format_args!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"));
    put(format_args!("<text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>"));
    let (low, high) = (plane.y(band.0), plane.y(band.1));
    let width = WIDTH - LEFT - RIGHT;
    put(format_args!(
        "<rect class=\"band\" x=\"{LEFT}\" y=\"{high:.1}\" width=\"{width}\" height=\"{:.1}\" fill=\"#dbe9f6\"/>",
        (low - high).max(1.0)
    ));
    let height = HEIGHT - TOP - BOTTOM;
    for span in picture.deviating {
        let (from, to) = (plane.x(span.start), plane.x(span.end));
        put(format_args!(
            "<rect class=\"deviating\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{height}\" fill=\"#d9480f\" fill-opacity=\"0.25\"/>",
            (to - from).max(2.0)
        ));
    }
    put(format_args!(
        "<path d=\"{}\" fill=\"none\" stroke=\"#1c4e80\" stroke-width=\"1.2\"/>",
        path(&points, &plane)
    ));
    for value in [all.min(), all.max()] {
        put(format_args!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            plane.y(value) + 4.0,
            tantei_engine::model::num::tidy(value)
        ));
    }
    let bottom = HEIGHT - 16.0;
    for (point, anchor, x) in [(points.first(), "start", LEFT), (points.last(), "end", WIDTH - RIGHT)] {
        if let Some((t, _)) = point {
            put(format_args!("<text x=\"{x}\" y=\"{bottom}\" text-anchor=\"{anchor}\">{t}</text>"));
        }
    }
    put(format_args!("</svg>"));
    out
}

/// Where it usually lies.
fn band(picture: &Picture<'_>, points: &[(Timestamp, f64)]) -> (f64, f64) {
    let inside = |spans: &[TimeSpan], t: Timestamp| spans.iter().any(|s| s.contains(t) || s.end == t);
    let usual = |t: Timestamp| {
        if picture.usual.is_empty() { !inside(picture.deviating, t) } else { inside(picture.usual, t) }
    };
    let sample = Sample::new(points.iter().filter(|(t, _)| usual(*t)).map(|(_, v)| *v));
    (sample.quantile(BAND_TAIL), sample.quantile(1.0 - BAND_TAIL))
}

struct Plane {
    start: Timestamp,
    seconds: f64,
    low: f64,
    range: f64,
}

impl Plane {
    fn new(points: &[(Timestamp, f64)], low: f64, high: f64) -> Self {
        let start = points.first().map_or(Timestamp::from_secs(0), |p| p.0);
        let end = points.last().map_or(start, |p| p.0);
        // Halved, so that a range from the least to the greatest finite value is finite.
        let range = high * 0.5 - low * 0.5;
        Self {
            start,
            seconds: real_signed(end.secs_since(start)).max(1.0),
            low,
            range: if range > 0.0 { range } else { 1.0 },
        }
    }

    fn x(&self, t: Timestamp) -> f64 {
        let share = (real_signed(t.secs_since(self.start)) / self.seconds).clamp(0.0, 1.0);
        share.mul_add(WIDTH - LEFT - RIGHT, LEFT)
    }

    fn y(&self, v: f64) -> f64 {
        let share = ((v * 0.5 - self.low * 0.5) / self.range).clamp(0.0, 1.0);
        share.mul_add(-(HEIGHT - TOP - BOTTOM), HEIGHT - BOTTOM)
    }
}

fn path(points: &[(Timestamp, f64)], plane: &Plane) -> String {
    let group = index((real(points.len()) / COLUMNS).ceil()).max(1);
    let mut path = String::new();
    for column in points.chunks(group) {
        let least = column.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let greatest = column.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut ends: Vec<_> = least.into_iter().chain(greatest.filter(|_| column.len() > 1)).collect();
        ends.sort_by_key(|p| p.0);
        for (t, v) in ends {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            path.push_str(&format!("{letter}{:.1} {:.1}", plane.x(*t), plane.y(*v)));
        }
    }
    path
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text_and_extremes_stay_numbers() {
        let at = Timestamp::from_secs;
        let points = [(at(0), f64::MAX), (at(60), f64::NAN), (at(120), f64::MIN), (at(180), 0.0)];
        let span = [TimeSpan::new(at(60), at(120))];
        let title = "<script>alert('x')</script>&\"";
        let svg = draw(&Picture { title, points: &points, usual: &[], deviating: &span });
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("<script") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("class=\"deviating\"").count(), 1);
    }

    #[test]
    fn nothing_is_drawn_without_points() {
        let svg = draw(&Picture { title: "", points: &[], usual: &[], deviating: &[] });
        assert!(svg.ends_with("</svg>\n"));
    }
}
