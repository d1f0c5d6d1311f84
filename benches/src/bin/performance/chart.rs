//! The chart: requests and time of a first run over the size of the tenant, next to the minimum.

use std::{
    fmt::{self, Display, Formatter},
    path::Path,
};

use plotters::{coord::Shift, prelude::*};

use crate::{
    Bench, Result,
    figure::grouped,
    process,
    simulator::{LIMITS, Simulator},
    tap::{self, Settings},
};

/// Messages in each of 16 channels.
const SIZES: [u64; 6] = [31, 62, 125, 250, 500, 1000];
const SPEED: u32 = 5;

const SIZE: (u32, u32) = (900, 380);
const OURS: RGBColor = RGBColor(9, 105, 218);
const MINIMUM: RGBColor = RGBColor(207, 34, 46);
const TEXT: RGBColor = RGBColor(31, 35, 40);
const GRID: RGBColor = RGBColor(216, 222, 228);

/// One first run: each pair is measured and minimum.
#[derive(Debug)]
pub(crate) struct Point {
    /// Root messages.
    messages: u64,
    requests: [u64; 2],
    /// In Graph's time.
    seconds: [f64; 2],
}

impl Display for Point {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { messages, requests: [requests, minimum], seconds: [seconds, limit] } = self;
        write!(formatter, "{} messages: {requests} requests (minimum {minimum}), {seconds:.1} s (limits {limit:.1} s)", grouped(*messages))
    }
}

/// Runs once for each size, at Graph's limits.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Point>> {
    let measure_size = |size: &u64| {
        let arguments = format!("--teams 4 --channels 4 --messages {size} --long-threads 0 {LIMITS} --speed {SPEED} --journal 0");
        let simulator = Simulator::start(bench, &arguments)?;
        let tenant = simulator.tenant()?;
        let usage = process::run(&mut tap::read(bench, &simulator, Settings::all(SPEED))?)?;
        let minimum = tenant.first_run();
        Ok(Point {
            messages: tenant.roots(),
            requests: [simulator.journal()?.total, minimum.requests],
            seconds: [usage.wall.as_secs_f64() * f64::from(SPEED), minimum.seconds],
        })
    };
    SIZES.iter().map(measure_size).collect()
}

/// Draws two panels. The background is white, so that the chart is readable in dark mode too.
pub(crate) fn draw(path: &Path, points: &[Point]) -> Result<()> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(SIZE.0 / 2);
    let series = |value: fn(&Point) -> [f64; 2]| points.iter().map(|point| (point.messages as f64, value(point))).collect::<Vec<_>>();
    panel(&left, "Requests of a first run", ["tap", "minimum"], &series(|point| point.requests.map(|count| count as f64)))?;
    panel(&right, "Seconds of a first run", ["tap", "allowed by the limits"], &series(|point| point.seconds))?;
    area.present()?;
    Ok(())
}

fn panel<'a>(area: &DrawingArea<SVGBackend<'a>, Shift>, title: &str, names: [&str; 2], points: &[(f64, [f64; 2])]) -> Result<()> {
    let max = |value: fn(&(f64, [f64; 2])) -> f64| points.iter().map(value).fold(1.0, f64::max);
    let (width, height) = (max(|point| point.0), max(|point| point.1[0].max(point.1[1])));
    let font = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
    let mut chart = ChartBuilder::on(area)
        .caption(title, font(22))
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..width * 1.05, 0.0..height * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("messages in 16 channels")
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|value| grouped(*value as u64))
        .y_label_formatter(&|value| grouped(*value as u64))
        .label_style(font(16))
        .axis_style(TEXT)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    // The minimum is drawn first and wider, so that both lines are visible where they overlap.
    for (index, color, stroke) in [(1, MINIMUM, 5), (0, OURS, 2)] {
        let line = || points.iter().map(|(messages, values)| (*messages, values[index]));
        let style = color.stroke_width(stroke);
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style);
        chart.draw_series(LineSeries::new(line(), style))?.label(names[index]).legend(legend);
        chart.draw_series(line().map(|point| Circle::new(point, stroke + 1, color.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(font(16))
        .border_style(GRID)
        .background_style(WHITE)
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_both_panels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("performance.svg");
        let point = |factor: u64| Point {
            messages: 500 * factor,
            requests: [53 * factor, 49 * factor],
            seconds: [12.0, 9.0].map(|s| s * factor as f64),
        };
        draw(&path, &[1, 2, 4, 8, 16, 32].map(point)).unwrap();
        let drawn = std::fs::read_to_string(&path).unwrap();
        assert!(drawn.contains("Requests of a first run") && drawn.contains("Seconds of a first run"));
    }
}
