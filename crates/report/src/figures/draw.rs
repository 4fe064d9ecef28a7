//! Draws scenes with plotters: SVG text and PNG files from the same shapes, with the embedded font.
//!
//! plotters places everything on whole units. A scene is drawn at [`UNITS`] units per CSS pixel, which keeps curves smooth in SVG (the
//! view box does the scaling) and gives the bitmap something to average over.

use std::path::Path;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, register_font};

use super::scene::{Anchor, Scene, Shape, Text};
use super::theme::{self, Rgb};

/// Drawing units per CSS pixel.
const UNITS: f64 = 4.0;
/// PNG pixels per CSS pixel.
const DENSITY: u32 = 2;
/// Name of the embedded font in plotters, and at the same time the CSS list that a browser reads.
const FAMILY: &str = "Inter, Helvetica, Arial, sans-serif";
/// em per plotters size in SVG (plotters-svg divides by 1.24).
const SVG_EM: f64 = 1.24;
/// em per plotters size in bitmaps: `ab_glyph` scales to ascent plus descent, (1984 + 494) / 2048 for Inter.
const BITMAP_EM: f64 = 2478.0 / 2048.0;

static REGULAR: &[u8] = include_bytes!("../../assets/Inter-Regular.ttf");
static SEMIBOLD: &[u8] = include_bytes!("../../assets/Inter-SemiBold.ttf");

/// Registers the embedded font once; the files are part of the crate, so this can only fail if they are broken.
fn register() -> bool {
    static DONE: OnceLock<bool> = OnceLock::new();
    *DONE.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, SEMIBOLD).is_ok()
    })
}

fn font(size: f64, bold: bool) -> FontDesc<'static> {
    register();
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FAMILY), size, style)
}

/// Width of a text in CSS pixels at an em size.
pub(crate) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    // Laid out large, since plotters rounds to whole units.
    const LARGE: f64 = 1000.0;
    match font(LARGE * BITMAP_EM, bold).layout_box(text) {
        Ok(((left, _), (right, _))) => f64::from(right - left) * size / LARGE,
        // Never reached with the embedded font; half an em per character keeps the layout sane.
        Err(_) => text.chars().count() as f64 * size * 0.5,
    }
}

/// The scene as SVG text with a title for screen readers.
pub(crate) fn svg(scene: &Scene, title: &str) -> Result<String, String> {
    let size = units(scene);
    let mut out = String::new();
    {
        let area = SVGBackend::with_string(&mut out, size).into_drawing_area();
        replay(scene, &area, SVG_EM)?;
        area.present().map_err(|e| e.to_string())?;
    }
    let body = out.split_once('>').map(|(_, body)| body).unwrap_or_default();
    Ok(format!(
        "<svg width=\"{:.0}\" height=\"{:.0}\" viewBox=\"0 0 {} {}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}</title>{body}",
        scene.width,
        scene.height,
        size.0,
        size.1,
        crate::render::escape_html(title),
    ))
}

/// Writes the scene as a PNG of two pixels per CSS pixel.
pub(crate) fn png(scene: &Scene, path: &Path) -> Result<(), String> {
    let (width, height) = units(scene);
    let mut fine = vec![0; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut fine, (width, height)).into_drawing_area();
        replay(scene, &area, BITMAP_EM)?;
        area.present().map_err(|e| e.to_string())?;
    }
    let block = (UNITS as u32 / DENSITY) as usize;
    let (w, h) = (width as usize / block, height as usize / block);
    let mut small = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            for channel in 0..3 {
                let mut sum = 0;
                for dy in 0..block {
                    for dx in 0..block {
                        let at = ((y * block + dy) * width as usize + x * block + dx) * 3;
                        sum += usize::from(fine[at + channel]);
                    }
                }
                small.push((sum / (block * block)) as u8);
            }
        }
    }
    let mut file = BitMapBackend::new(path, (w as u32, h as u32));
    file.blit_bitmap((0, 0), (w as u32, h as u32), &small).map_err(|e| e.to_string())?;
    file.present().map_err(|e| e.to_string())
}

/// Size in units, a multiple of the units per CSS pixel.
fn units(scene: &Scene) -> (u32, u32) {
    let whole = |length: f64| (length.clamp(1.0, 20_000.0).ceil() * UNITS) as u32;
    (whole(scene.width), whole(scene.height))
}

fn replay<DB: DrawingBackend>(
    scene: &Scene,
    area: &DrawingArea<DB, Shift>,
    em: f64,
) -> Result<(), String> {
    if !register() {
        return Err("the embedded font cannot be read".to_string());
    }
    let fail = |e: DrawingAreaErrorKind<DB::ErrorType>| e.to_string();
    area.fill(&colour(theme::PAPER, 1.0)).map_err(fail)?;
    for shape in &scene.shapes {
        match shape {
            Shape::Rect { from, to, fill, alpha } => {
                let (a, b) = (point(*from), point(*to));
                let corners = [(a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1))];
                area.draw(&Rectangle::new(corners, colour(*fill, *alpha).filled()))
                    .map_err(fail)?;
            }
            Shape::Path { points, stroke, thickness } => {
                let mut places: Vec<(i32, i32)> = points.iter().map(|p| point(*p)).collect();
                places.dedup();
                let width = (thickness * UNITS).round().max(1.0) as u32;
                let style = colour(*stroke, 1.0).stroke_width(width);
                if places.len() > 1 {
                    area.draw(&PathElement::new(places, style)).map_err(fail)?;
                }
            }
            Shape::Polygon { points, fill, alpha } => {
                let places: Vec<(i32, i32)> = points.iter().map(|p| point(*p)).collect();
                area.draw(&Polygon::new(places, colour(*fill, *alpha).filled())).map_err(fail)?;
            }
            Shape::Circle { centre, radius, fill } => {
                let radius = (radius * UNITS).round().max(1.0) as i32;
                area.draw(&Circle::new(point(*centre), radius, colour(*fill, 1.0).filled()))
                    .map_err(fail)?;
            }
            Shape::Text(text) => draw_text(text, area, em)?,
        }
    }
    Ok(())
}

/// plotters hangs text from its top; where the baseline then is differs between SVG and bitmaps, so the shift to it is made here.
fn draw_text<DB: DrawingBackend>(
    text: &Text,
    area: &DrawingArea<DB, Shift>,
    em: f64,
) -> Result<(), String> {
    let size = text.size * UNITS;
    // SVG: `dy` of 0.76 em. Bitmap: half of the plotters size.
    let baseline = if em == SVG_EM { 0.76 * size } else { em * size / 2.0 };
    let (x, y) = (text.at.0 * UNITS, text.at.1 * UNITS);
    let (at, transform) = if text.upward {
        ((x - baseline, y), FontTransform::Rotate270)
    } else {
        ((x, y - baseline), FontTransform::None)
    };
    let anchor = match text.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = font(size * em, text.bold)
        .transform(transform)
        .color(&colour(text.colour, 1.0))
        .pos(Pos::new(anchor, VPos::Top));
    let at = (at.0.round() as i32, at.1.round() as i32);
    area.draw_text(&text.text, &style, at).map_err(|e| e.to_string())
}

fn colour(rgb: Rgb, alpha: f64) -> RGBAColor {
    RGBColor(rgb.0, rgb.1, rgb.2).mix(alpha)
}

/// Whole drawing units; anything that is not a number goes to the corner instead of crashing the rasteriser.
fn point((x, y): (f64, f64)) -> (i32, i32) {
    let unit = |v: f64| if v.is_finite() { (v * UNITS).round().clamp(-1e5, 1e5) as i32 } else { 0 };
    (unit(x), unit(y))
}
