//! Colours, sizes and strokes of all figures. Everything is in CSS pixels of a figure about 900 wide.

/// A colour, red, green, blue.
pub(crate) type Rgb = (u8, u8, u8);

/// Text and axes.
pub(crate) const INK: Rgb = (0x1b, 0x1f, 0x24);
/// Secondary text.
pub(crate) const MUTED: Rgb = (0x5b, 0x64, 0x6e);
/// Grid lines.
pub(crate) const GRID: Rgb = (0xe4, 0xe7, 0xeb);
/// Lines that mark a level, such as chance.
pub(crate) const LEVEL: Rgb = (0x8a, 0x93, 0x9d);
/// Background.
pub(crate) const PAPER: Rgb = (0xff, 0xff, 0xff);
/// Text on a coloured bar: white, but not the white of the paper, which turns dark with the page.
pub(crate) const ON_BAR: Rgb = (0xff, 0xff, 0xfe);
/// Text on a bar of the paper's numbers.
pub(crate) const ON_REFERENCE: Rgb = (0x1b, 0x1f, 0x25);
/// The part of a bar that the rung below had reached already: the first colour of the palette, lightened.
pub(crate) const BAR_BASE: Rgb = (0x9c, 0xc6, 0xe0);
/// Bars of the paper's own numbers.
pub(crate) const REFERENCE: Rgb = (0xa9, 0xb4, 0xc2);

/// Colours for categories, distinguishable with the common kinds of colour blindness
/// (Okabe and Ito 2008, <https://jfly.uni-koeln.de/color/>; its yellow is left out because it vanishes on white).
pub(crate) const PALETTE: [Rgb; 7] = [
    (0x00, 0x72, 0xb2),
    (0xe6, 0x9f, 0x00),
    (0x00, 0x9e, 0x73),
    (0xd5, 0x5e, 0x00),
    (0xcc, 0x79, 0xa7),
    (0x56, 0xb4, 0xe9),
    (0x6e, 0x6e, 0x6e),
];

/// Dash patterns that tell lines apart when colours repeat: lengths of line and gap.
pub(crate) const DASHES: [&[f64]; 5] =
    [&[], &[7.0, 4.0], &[2.0, 3.0], &[9.0, 3.0, 2.0, 3.0], &[14.0, 4.0]];

/// Colour and dash pattern of the category with this index.
pub(crate) fn series(index: usize) -> (Rgb, &'static [f64]) {
    (PALETTE[index % PALETTE.len()], DASHES[index / PALETTE.len() % DASHES.len()])
}

/// Outline of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
}

/// Marker of the category with this index: another outline each time the colours start over.
pub(crate) fn shape(index: usize) -> Shape {
    const SHAPES: [Shape; 5] =
        [Shape::Circle, Shape::Square, Shape::Diamond, Shape::Up, Shape::Down];
    SHAPES[index / PALETTE.len() % SHAPES.len()]
}

/// Width of a full figure.
pub(crate) const WIDTH: f64 = 900.0;
/// Blank around a figure.
pub(crate) const MARGIN: f64 = 14.0;
/// Panel titles.
pub(crate) const TITLE: f64 = 14.0;
/// Axis names and labels.
pub(crate) const LABEL: f64 = 12.5;
/// Tick labels and annotations.
pub(crate) const SMALL: f64 = 11.5;
/// Axis and grid strokes.
pub(crate) const HAIR: f64 = 1.0;
/// Error bars.
pub(crate) const STROKE: f64 = 1.5;
/// Curves.
pub(crate) const CURVE: f64 = 2.0;
