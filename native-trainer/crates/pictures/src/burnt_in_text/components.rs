//! Connected parts of ink.

/// The connected parts of an image.
pub struct Components {
    /// For each pixel, the number of its part, from 1; 0 if it is no ink.
    pub numbers: Vec<u32>,
    /// The parts, by number.
    pub parts: Vec<Part>,
}

/// The box and the size of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub left: usize,
    pub top: usize,
    /// The first column behind it.
    pub right: usize,
    /// The first row below it.
    pub bottom: usize,
    pub n_pixels: usize,
}

/// Numbers the parts of ink; pixels that touch by a side or a corner are of one.
pub fn components(ink: &[bool], width: usize) -> Components {
    let mut numbers = vec![0u32; ink.len()];
    // For each provisional number, one of the same part; the smallest leads to itself.
    let mut parents = vec![0u32];
    for at in (0..ink.len()).filter(|&at| ink[at]) {
        let (x, above) = (at % width, at >= width);
        let neighbors = [
            (x > 0).then(|| at - 1),
            (above && x > 0).then(|| at - width - 1),
            above.then(|| at - width),
            (above && x + 1 < width).then(|| at - width + 1),
        ];
        let mut number = 0;
        for known in neighbors.into_iter().flatten().map(|neighbor| numbers[neighbor]).filter(|&known| known != 0) {
            let known = root(&mut parents, known);
            if number == 0 {
                number = known;
            } else if known != number {
                parents[known.max(number) as usize] = known.min(number);
                number = known.min(number);
            }
        }
        if number == 0 {
            number = parents.len() as u32;
            parents.push(number);
        }
        numbers[at] = number;
    }
    let mut finals = vec![0u32; parents.len()];
    let mut parts: Vec<Part> = Vec::new();
    for at in (0..ink.len()).filter(|&at| ink[at]) {
        let first = root(&mut parents, numbers[at]) as usize;
        let (x, y) = (at % width, at / width);
        if finals[first] == 0 {
            parts.push(Part { left: x, top: y, right: x + 1, bottom: y + 1, n_pixels: 0 });
            finals[first] = parts.len() as u32;
        }
        numbers[at] = finals[first];
        let part = &mut parts[finals[first] as usize - 1];
        (part.left, part.right, part.bottom) = (part.left.min(x), part.right.max(x + 1), y + 1);
        part.n_pixels += 1;
    }
    Components { numbers, parts }
}

fn root(parents: &mut [u32], number: u32) -> u32 {
    let mut at = number;
    while parents[at as usize] != at {
        parents[at as usize] = parents[parents[at as usize] as usize];
        at = parents[at as usize];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_meet_late_or_at_corners_are_one() {
        let rows = ["#.#...#", "#.#..#.", "###....", ".....##"];
        let ink: Vec<bool> = rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#')).collect();
        let Components { numbers, parts } = components(&ink, 7);
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0], Part { left: 0, top: 0, right: 3, bottom: 3, n_pixels: 7 });
        assert_eq!(parts[1], Part { left: 5, top: 0, right: 7, bottom: 2, n_pixels: 2 });
        assert_eq!(parts[2], Part { left: 5, top: 3, right: 7, bottom: 4, n_pixels: 2 });
        assert_eq!((numbers[0], numbers[2], numbers[3], numbers[6]), (1, 1, 0, 2));
    }
}
