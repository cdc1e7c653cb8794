//! Rows of letters, and which of them are text.

use super::letters::Letter;
use super::median::median;

/// Letters of a line, at least.
const LEAST_LETTERS: usize = 4;
/// Gap to the next letter, in heights; below 0 where they overlap.
const GAPS: [f32; 2] = [-0.25, 1.3];
/// Height of the next letter, in heights of the line.
const HEIGHTS: [f32; 2] = [0.55, 1.8];
/// How far the baseline of the next letter is from that of the last three, in heights.
const NEXT_BASELINE: f32 = 0.32;
/// How much a color of the next letter differs, in gray levels.
const NEXT_COLOR: f32 = 60.0;

/// Returns the rows of letters that may be text.
///
/// - `letters`: from left to right
pub fn lines(letters: &[Letter]) -> Vec<Vec<&Letter>> {
    let mut is_used = vec![false; letters.len()];
    let mut lines = Vec::new();
    for first in 0..letters.len() {
        if is_used[first] {
            continue;
        }
        let mut line = vec![first];
        while let Some(next) = next(letters, &line, &is_used) {
            line.push(next);
        }
        if line.len() >= LEAST_LETTERS {
            line.iter().for_each(|&at| is_used[at] = true);
            lines.push(line.into_iter().map(|at| &letters[at]).collect());
        }
    }
    lines
}

/// The nearest letter behind the last one that fits the line.
fn next(letters: &[Letter], line: &[usize], is_used: &[bool]) -> Option<usize> {
    let last_at = *line.last()?;
    let last = &letters[last_at];
    let height = median(&mut line.iter().map(|&at| letters[at].height).collect::<Vec<f32>>());
    let bottoms = line.iter().rev().take(3).map(|&at| letters[at].bottom);
    let baseline = median(&mut bottoms.collect::<Vec<f32>>());
    let gap = |letter: &Letter| letter.left - last.right;
    let fits = |letter: &Letter| {
        let ratio = letter.height / height;
        let contrast = letter.contrast / last.contrast;
        let colors = letter.color.iter().zip(last.color);
        gap(letter) >= GAPS[0] * height
            && (HEIGHTS[0]..=HEIGHTS[1]).contains(&ratio)
            && (letter.bottom - baseline).abs() <= NEXT_BASELINE * height
            && colors.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) <= NEXT_COLOR
            && (0.5..=2.0).contains(&contrast)
    };
    let near = (last_at + 1..letters.len()).take_while(|&at| gap(&letters[at]) <= GAPS[1] * height);
    near.filter(|&at| !is_used[at] && fits(&letters[at]))
        .min_by(|&a, &b| gap(&letters[a]).abs().total_cmp(&gap(&letters[b]).abs()))
}

/// Returns whether a row of letters is text.
///
/// Chosen on drawn photos with text in half of them, beside photos without any; docs/prepare.md has figures for other
/// photos.
pub fn is_text(line: &[&Letter]) -> bool {
    let middle =
        |value: fn(&Letter) -> f32| median(&mut line.iter().map(|letter| value(letter)).collect::<Vec<f32>>());
    let share = |is_so: &dyn Fn(&Letter) -> bool| {
        line.iter().filter(|letter| is_so(letter)).count() as f32 / line.len().max(1) as f32
    };
    let (height, baseline) = (middle(|letter| letter.height), middle(|letter| letter.bottom));
    let contrast = middle(|letter| letter.contrast.abs());
    let color =
        [0, 1, 2].map(|color| median(&mut line.iter().map(|letter| letter.color[color]).collect::<Vec<f32>>()));
    let off_color = |letter: &&Letter| {
        letter.color.iter().zip(color).map(|(value, middle)| (value - middle).abs()).fold(0.0, f32::max)
    };
    let off_colors = median(&mut line.iter().map(off_color).collect::<Vec<f32>>());
    let is_on_baseline = |letter: &Letter| (letter.bottom - baseline).abs() < 0.1 * height;
    let is_bar = |letter: &Letter| letter.right - letter.left < 0.3 * letter.height;
    contrast >= 25.0
        // A color of its own on even ground.
        && middle(|letter| letter.ground_deviation) <= 0.2 * contrast
        && middle(|letter| letter.spread) <= 0.2 * contrast
        && off_colors <= 0.2 * contrast
        // Strokes that leave some of the box free: no dots, no ticks of a ruler.
        && middle(|letter| letter.fill) < 0.75
        && middle(|letter| letter.stroke) < 0.4 * height
        && share(&is_bar) < 0.55
        && share(&is_on_baseline) >= 0.6
}
