//! Dots of groups: the most frequent groups have looks of their own, the others are gray together.

use crate::COLORS;
use crate::px;
use maud::{Markup, html};

/// The gray of [`COLORS`], for everything without a look of its own.
const OTHERS: usize = COLORS.len() - 1;
/// Groups that can be told apart: each color as round and as square dots.
const MAX_GROUPS: usize = 2 * OTHERS;

/// The look of a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// Its place in [`COLORS`].
    color: usize,
    is_square: bool,
}

impl Look {
    const OTHER: Self = Self { color: OTHERS, is_square: false };

    fn nth(n: usize) -> Self {
        Self { color: n % OTHERS, is_square: n >= OTHERS }
    }

    fn class(self) -> String {
        format!("dots{} c{}", if self.is_square { " square" } else { "" }, self.color)
    }
}

/// Dots, each with the look of its group.
pub struct Dots {
    /// Of each dot.
    looks: Vec<Look>,
    /// Of each group with its number of dots, the most frequent first.
    groups: Vec<(usize, usize)>,
    n_without: usize,
}

impl Dots {
    /// Dots of these groups, which count from 0 and are less than `n_groups`; `None` is no group.
    pub fn of(group_of: &[Option<usize>], n_groups: usize) -> Self {
        let mut counts = vec![0; n_groups];
        group_of.iter().flatten().for_each(|&group| counts[group] += 1);
        let mut groups: Vec<(usize, usize)> = counts.into_iter().enumerate().filter(|(_, n)| *n > 0).collect();
        if groups.len() > MAX_GROUPS {
            groups.sort_by_key(|&(group, n)| (std::cmp::Reverse(n), group));
        }
        let mut look_of = vec![Look::OTHER; n_groups];
        groups.iter().take(MAX_GROUPS).enumerate().for_each(|(nth, &(group, _))| look_of[group] = Look::nth(nth));
        Self {
            looks: group_of.iter().map(|group| group.map_or(Look::OTHER, |group| look_of[group])).collect(),
            groups,
            n_without: group_of.iter().filter(|group| group.is_none()).count(),
        }
    }

    /// The dots at these pixels, one path for each look, the gray ones at the bottom.
    pub fn markup(&self, places: &[[f64; 2]]) -> Markup {
        let looks = std::iter::once(Look::OTHER).chain((0..MAX_GROUPS).map(Look::nth));
        let path = |look: Look| -> String {
            let of_look = self.looks.iter().zip(places).filter(|(other, _)| **other == look);
            of_look.map(|(_, [x, y])| format!("M{} {}h0", px(*x), px(*y))).collect()
        };
        html! {
            @for (look, path) in looks.map(|look| (look, path(look))).filter(|(_, path)| !path.is_empty()) {
                path class=(look.class()) d=(path) {}
            }
        }
    }

    /// The groups with a dot and the number of each.
    pub fn legend(&self, names: &[String]) -> Markup {
        let n_others: usize = self.groups.iter().skip(MAX_GROUPS).map(|(_, n)| n).sum();
        let mut entries: Vec<(Look, String, usize)> = Vec::new();
        for (nth, (group, n)) in self.groups.iter().take(MAX_GROUPS).enumerate() {
            entries.push((Look::nth(nth), names[*group].clone(), *n));
        }
        if n_others > 0 {
            entries.push((Look::OTHER, format!("{} others", self.groups.len() - MAX_GROUPS), n_others));
        }
        if self.n_without > 0 {
            entries.push((Look::OTHER, "unknown".into(), self.n_without));
        }
        html! {
            ul.legend {
                @for (look, name, n) in entries {
                    li {
                        svg width="12" height="10" viewBox="0 0 12 10" aria-hidden="true" {
                            path class=(look.class()) d="M6 5h0" {}
                        }
                        span { (name) }
                        span.number { (n) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_a_look_of_its_own_and_of_many_the_rarest_share_one() {
        let few = Dots::of(&[Some(2), None, Some(0), Some(2)], 3);
        assert_eq!((few.looks[3], few.looks[1]), (few.looks[0], Look::OTHER));
        assert_ne!(few.looks[0], few.looks[2]);
        let names: Vec<String> = (0..20).map(|n| format!("group {n}")).collect();
        let legend = few.legend(&names[..3]).into_string();
        assert!(
            legend.contains("group 2") && !legend.contains("group 1") && legend.contains("unknown"),
            "{legend}"
        );

        // Group n has n + 1 dots.
        let groups: Vec<Option<usize>> = (0..20).flat_map(|group| vec![Some(group); group + 1]).collect();
        let many = Dots::of(&groups, 20);
        let looks: std::collections::HashSet<String> = many.looks.iter().map(|look| look.class()).collect();
        assert_eq!(looks.len(), MAX_GROUPS + 1);
        assert_eq!((many.looks[0], many.looks[groups.len() - 1]), (Look::OTHER, Look::nth(0)));
        let legend = many.legend(&names).into_string();
        // 1 + 2 + … + 8 dots.
        assert!(legend.contains("8 others") && legend.contains(">36<"), "{legend}");
    }

    #[test]
    fn every_dot_is_drawn_once() {
        let dots = Dots::of(&[Some(0), Some(1), None], 2);
        let text = dots.markup(&[[1.0, 2.0], [3.0, 4.5], [5.0, 6.0]]).into_string();
        assert_eq!(text.matches("h0").count(), 3, "{text}");
        assert!(text.contains("class=\"dots c1\" d=\"M3 4.5h0\""), "{text}");
    }
}
